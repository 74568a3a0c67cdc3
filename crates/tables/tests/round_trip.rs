//! What goes in comes out: restore gives back every message and record as the same JSON value.

mod common;

use common::{array, assert_clean, convert_bodies, options, page, restored, rows, without_messages};
use korpus_core::{InputEnd, Limits, PageParser, Record};
use korpus_synth::hostile::{HostileConversation, HostileMessage, HostileSession};
use korpus_tables::{Table, json_equal};
use proptest::prelude::*;

fn assert_same(expected: &[Vec<u8>], lines: &[String]) {
    for (index, (expected, line)) in expected.iter().zip(lines).enumerate() {
        let expected = std::str::from_utf8(expected).unwrap();
        assert!(json_equal(expected, line), "{index}:\n{expected}\n{line}");
    }
    assert_eq!(expected.len(), lines.len());
}

fn round_trip(messages: &[Vec<u8>], threads: usize) {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let (first, second) = messages.split_at(messages.len() / 2);
    let report = convert_bodies(
        &[("a.json", page(first)), ("b.json", page(second))],
        &out,
        &options(threads, 7, false),
    );
    assert_clean(&out, &report);
    assert_same(messages, &restored(&out));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hostile_messages_come_back(seed in any::<u64>(), count in 1..80_u64, threads in 1..4_usize) {
        let messages: Vec<_> = (0..count).map(|n| HostileMessage::generate(seed.wrapping_add(n))).collect();
        round_trip(&messages, threads);
    }

    #[test]
    fn hostile_sessions_come_back(seed in any::<u64>(), count in 1..60_u64) {
        let records: Vec<_> = (0..count).map(|n| HostileSession::generate(seed.wrapping_add(n))).collect();
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let body = array("{\"total\":1,\"moreAvailable\":false,\"sessions\":[", &records);
        let report = convert_bodies(&[("a.json", body)], &out, &options(2, 7, false));
        assert_clean(&out, &report);
        assert_same(&records, &restored(&out));
    }

    #[test]
    fn hostile_conversations_come_back(seed in any::<u64>(), count in 1..40_u64) {
        let records: Vec<_> = (0..count).map(|n| HostileConversation::generate(seed.wrapping_add(n))).collect();
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let body = array("{\"skip\":0,\"hasMore\":false,\"results\":[", &records);
        let report = convert_bodies(&[("a.json", body)], &out, &options(2, 7, false));
        assert_clean(&out, &report);
        let lines = restored(&out);
        let messages = report.manifest.totals.messages.kept as usize;
        prop_assert_eq!(lines.len() - messages, records.len());
        for (record, line) in records.iter().zip(&lines[messages..]) {
            let record = std::str::from_utf8(record).unwrap();
            let (stripped, inner) = taken_apart(record);
            prop_assert!(json_equal(record, line) || json_equal(&stripped, line), "{}\n{}", record, line);
            // What is not in the line of the record stands in lines of its own.
            if !json_equal(record, line) {
                for message in inner {
                    prop_assert!(lines[..messages].iter().any(|line| json_equal(&message, line)), "{}", message);
                }
            }
        }
    }
}

/// A record without its list of messages, and these.
fn taken_apart(record: &str) -> (String, Vec<String>) {
    let mut parser = PageParser::new(Limits::default());
    parser.feed_whole(array("{\"skip\":0,\"hasMore\":false,\"results\":[", &[record.as_bytes().to_vec()]));
    parser.finish(InputEnd::Complete);
    let block = parser.next_block().unwrap();
    let Record::Conversation(record) = block.record(0) else { panic!("a conversation record") };
    without_messages(record)
}

#[test]
fn every_kind_of_value_comes_back_from_its_column_or_from_extra() {
    let values = [
        "null",
        "\"\"",
        "[]",
        "{}",
        "0",
        "1",
        "-0",
        "1e5",
        "1e999",
        "9007199254740993",
        "true",
        "false",
        "\"1\"",
        "\"\\ud83d\"",
        "\"2025-09-01T12:17:38.824Z\"",
        "\"2025-09-01T12:17:38Z\"",
        "[null]",
        "[{}]",
        "[{},1]",
        "{\"a\":1,\"a\":2}",
        "{\"type\":\"USER\"}",
        "{\"messageTags\":[]}",
        "{\"messageTags\":[{\"name\":null}]}",
        "{\"totalMs\":1.5,\"asr\":{\"durationMs\":3}}",
        "{\"asr\":{}}",
        "[{\"cT\":\"text\",\"data\":{\"text\":\"x\"}}]",
        "[{\"data\":{}}]",
        "[{\"data\":{\"text\":null}},{\"data\":null}]",
        "[{\"thumbnails\":[{\"width\":1.0}]}]",
        "[{\"type\":\"rtm\",\"type\":\"x\"}]",
        "0.1",
        "1234567890123456789012345678901234567890",
    ];
    let mut messages = Vec::new();
    for field in korpus_core::MessageField::ALL {
        for a in values {
            let key = field.key();
            let marker = if key == "type" { "" } else { "\"type\":\"incoming\"," };
            let end = if key == "components" { "" } else { ",\"components\":[]" };
            messages.push(format!("{{{marker}\"{key}\":{a}{end}}}").into_bytes());
            messages.push(format!("{{{marker}\"{key}\":\"x\",\"{key}\":{a}{end}}}").into_bytes());
        }
    }
    for (a, b) in [("chnl", "channel"), ("createdOn", "timestamp"), ("channel", "chnl"), ("text", "_id")] {
        for x in values {
            for y in ["\"x\"", "null", "\"2025-09-01T12:17:38.824Z\"", "\"\\u0078\""] {
                for rest in [
                    "\"components\":[]",
                    "\"components\":[{\"data\":{\"text\":\"x\"}}]",
                    "\"components\":[{}]",
                ] {
                    messages.push(format!("{{\"type\":1,\"{a}\":{x},\"{b}\":{y},{rest}}}").into_bytes());
                    messages.push(format!("{{\"type\":1,\"{a}\":{y},\"{b}\":{y},{rest}}}").into_bytes());
                }
            }
        }
    }
    // A body of the call form too, whose messages have no components.
    for x in values {
        messages.push(format!("{{\"type\":\"incoming\",\"timestamp\":\"2025\",\"text\":{x}}}").into_bytes());
    }
    round_trip(&messages, 2);
}

#[test]
fn pretty_printed_messages_become_one_line_each() {
    let message = b"{\n  \"type\": \"incoming\",\r\n  \"new\": {\n    \"a\": [ 1,\n 2 ], \"b\": \"x \\n y\"\n  },\n  \"components\": [ ]\n}";
    round_trip(&[message.to_vec(), message.to_vec()], 1);
}

/// Years that Python cannot show stand in `extra`, and in no column of times.
#[test]
fn times_outside_of_the_years_of_four_digits_stand_in_no_column() {
    let old = r#""0000-12-31T23:59:59.999Z""#;
    let keys =
        ["createdOn", "timestamp", "lmodifiedOn", "__lModifiedOn__"].map(|key| format!(r#""{key}":{old}"#));
    let message = |stamp: i64| {
        let keys = keys.join(",");
        format!(r#"{{"type":"incoming",{keys},"timestampValue":{stamp},"components":[]}}"#).into_bytes()
    };
    let stamps = [-62_135_596_800_001, 253_402_300_800_000, -62_135_596_800_000, 253_402_300_799_999];
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let messages = stamps.map(message);
    let report = convert_bodies(&[("a.json", page(&messages))], &out, &options(1, 7, false));
    assert_clean(&out, &report);
    assert_same(&messages, &restored(&out));
    let messages = rows(&out, Table::Messages);
    let column = |name: &str| messages.column_by_name(name).unwrap();
    for name in ["created_at", "modified_at", "store_modified_at"] {
        assert_eq!(column(name).null_count(), 4, "{name}");
    }
    let event_at = column("event_at");
    assert_eq!([0, 1, 2, 3].map(|row| event_at.is_null(row)), [true, true, false, false]);
    assert_eq!(column("timestamp_ms").null_count(), 0);

    let record = format!(r#"{{"sessionId":"s","start_time":{old},"end_time":{old},"containmentType":"x"}}"#);
    let out = dir.path().join("records");
    let records = [record.into_bytes()];
    let body = array(r#"{"total":1,"sessions":["#, &records);
    convert_bodies(&[("a.json", body)], &out, &options(1, 7, false));
    assert_same(&records, &restored(&out));
    let sessions = rows(&out, Table::PlatformSessions);
    assert!(["started_at", "ended_at"].iter().all(|name| sessions.column_by_name(name).unwrap().is_null(0)));
}
