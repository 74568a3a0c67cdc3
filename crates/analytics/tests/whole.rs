//! The same messages give the same tables: whatever files they come in, in any order, with any number of threads, spilled
//! or not.

mod common;
mod dump;
mod surrounded;

use arrow::array::AsArray;
use korpus_analytics::{AnalyzeOptions, Counts, Metric, Publishing, analyze_to, collect};
use korpus_engine::{ExpandOptions, FileEntry, Filter, InputList, expand};
use korpus_synth::hostile::{HostileConversation, HostileMessage};
use proptest::prelude::*;

use common::rows_of;
use dump::{assert_same, bodies, options, run};

#[test]
fn order_threads_and_memory_change_nothing() {
    let bodies = bodies();
    let (whole, counts, spilled) = run(bodies.clone(), &AnalyzeOptions { threads: 1, ..options() });
    assert_eq!(spilled, 0);
    assert!(counts.sessions > 100 && counts.unsessioned > 0, "{counts:?}");
    for (name, batch) in &whole {
        let may_be_empty = matches!(*name, "drift");
        assert!(batch.num_rows() > 0 || may_be_empty, "{name} has no rows");
        assert_eq!(
            batch.num_columns(),
            Metric::from_name(name).unwrap().columns().count() - usize::from(*name == "drift")
        );
    }
    let mut other = bodies.clone();
    other.reverse();
    let middle = other.len() / 3;
    other.rotate_left(middle);
    let (turned, ..) = run(other.clone(), &AnalyzeOptions { threads: 3, ..options() });
    assert_same(&whole, &turned, "the order of the inputs");
    // So little that every partition of sessions and of users leaves runs of its groups on disk, and runs are merged often.
    let tight = AnalyzeOptions { threads: 2, working_bytes: Some(1 << 14), ..options() };
    let (spilled, _, bytes) = run(other, &tight);
    assert!(bytes > 100_000);
    assert_same(&whole, &spilled, "spilling");
    // Files of several bodies, and one that holds all of them.
    let joined: Vec<u8> = bodies.iter().flat_map(|(_, body)| body.iter().chain(b"\n")).copied().collect();
    let (joined, ..) = run(vec![("all".to_owned(), joined)], &options());
    assert_same(&whole, &joined, "the files");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equal_messages_belong_to_the_same_session_in_any_order(
        (bodies, turned) in surrounded::bodies().prop_flat_map(|bodies| (Just(bodies.clone()), Just(bodies).prop_shuffle())),
    ) {
        let (whole, counts, _) = run(surrounded::named(bodies), &options());
        let (turned, others, _) = run(surrounded::named(turned), &options());
        prop_assert_eq!(counts, others);
        assert_same(&whole, &turned, "the order of the inputs");
    }
}

#[test]
fn files_are_the_same_bytes_with_any_threads_and_memory() {
    let inputs = InputList::from_bytes(bodies());
    let dir = tempfile::tempdir().unwrap();
    let files_of = |name: &str, options: &AnalyzeOptions| {
        let out = dir.path().join(name);
        let publishing = Publishing::default();
        let report = analyze_to(&inputs, &out, options, &publishing, |_, _| {}, &()).unwrap();
        let entry = |file: &FileEntry| (file.path.clone(), file.rows, file.hash.clone());
        report.manifest.files.iter().map(entry).collect::<Vec<_>>()
    };
    let whole = files_of("whole", &AnalyzeOptions { threads: 1, ..options() });
    assert_eq!(whole.len(), Metric::ALL.len() + 1);
    let tight = AnalyzeOptions { threads: 3, working_bytes: Some(1 << 13), ..options() };
    assert_eq!(whole, files_of("tight", &tight));
}

#[test]
fn nothing_reads_as_tables_without_rows() {
    let (tables, counts, _) = run(Vec::new(), &options());
    assert_eq!(counts, Counts::default());
    assert_eq!(tables.len(), Metric::ALL.len());
    assert!(tables.values().all(|batch| batch.num_rows() == 0));
}

/// What is broken, odd or hostile costs no more than itself.
#[test]
fn odd_dumps_are_analysed_too() {
    let dumps = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/dumps");
    let inputs = expand(&[dumps], &ExpandOptions::default()).unwrap();
    let (found, _) = collect(&inputs, &options(), &()).unwrap();
    assert!(found["sessions"].num_rows() > 10 && found["drift"].num_rows() > 10);

    let messages = (0..400).flat_map(|seed| HostileMessage::generate(seed).into_iter().chain(*b"\n"));
    let records = (0..100).flat_map(|seed| HostileConversation::generate(seed).into_iter().chain(*b"\n"));
    let hostile: Vec<u8> = messages.chain(records).collect();
    let (tables, ..) = run(vec![("hostile".to_owned(), hostile)], &options());
    assert!(tables["volumes"].num_rows() > 50);

    let keys =
        [r#""":1"#, r#""a\u001fb":2"#, r#""type":"\ud800""#, r#""timestampValue":9223372036854775807"#];
    let times =
        [r#""createdOn":"9999-12-31T23:59:59.999Z""#, r#""timestampValue":-9223372036854775808"#, r#""x":0"#];
    let bodies: Vec<_> = keys
        .iter()
        .flat_map(|key| times.iter().map(move |time| (key, time)))
        .enumerate()
        .map(|(at, (key, time))| {
            let message = |id: &str, kind: &str| {
                format!(
                    r#"{{"_id":"{id}-{at}","botId":"","sessionId":"s-{}","createdBy":"","tN":"","type":"{kind}",{time},{key},
                    "tags":{{"userTags":[{{}}],"messageTags":[1]}},"latency":{{"totalMs":1e300,"asr":{{"durationMs":-0.0}}}},
                    "components":[{{"data":{{"text":"{{\"type\":\"template\",\"payload\":{{}}}}"}}}}]}}"#,
                    at % 5
                )
            };
            let messages = [message("a", "incoming"), message("b", "outgoing"), message("c", "")];
            (format!("{at}"), format!(r#"{{"messages":[{}]}}"#, messages.join(",")).into_bytes())
        })
        .collect();
    let (tables, counts, _) = run(bodies.clone(), &options());
    assert_eq!(counts.sessions, 5);
    let (turned, ..) = run(bodies.into_iter().rev().collect(), &options());
    assert_same(&tables, &turned, "the order of odd inputs");
}

#[test]
fn an_unknown_template_type_is_told_with_and_without_an_envelope() {
    let texts = [
        r#"{\"type\":\"template\",\"payload\":{\"template_type\":\"hologram\",\"text\":\"Hi\"}}"#,
        r#"{\"template_type\":\"hologram\",\"title\":\"Hi\"}"#,
        r#"{\"template_type\":\"button\",\"title\":\"Hi\"}"#,
        r#"{\"own\":\"thing\"}"#,
    ];
    let message = |(at, text): (usize, &&str)| {
        format!(
            r#"{{"_id":"ms-{at}","botId":"st-1","sessionId":"s-1","type":"outgoing","status":"sent","createdOn":"2025-09-03T10:00:0{at}.000Z","components":[{{"cT":"text","data":{{"text":"{text}"}}}}]}}"#
        )
    };
    let messages: Vec<String> = texts.iter().enumerate().map(message).collect();
    let body = format!(r#"{{"total":4,"messages":[{}]}}"#, messages.join(","));
    let (tables, ..) = run(vec![("page.json".to_owned(), body.into_bytes())], &options());
    let drift = &tables["drift"];
    let column = |name: &str| drift.column_by_name(name).unwrap();
    let texts = |name| column(name).as_string::<i32>().iter().map(Option::unwrap).collect::<Vec<_>>();
    assert_eq!(texts("kind"), ["unknown_template"]);
    assert_eq!(texts("value"), ["hologram"]);
    assert_eq!(column("count").as_primitive::<arrow::datatypes::Int64Type>().values(), &[2]);
}

/// One message of the session `s`, `second` into a minute.
fn message(kind: &str, second: usize, text: &str) -> String {
    format!(
        r#"{{"_id":"m{second}","botId":"b","sessionId":"s","type":"{kind}",
        "createdOn":"2025-09-03T10:00:{second:02}.000Z","components":[{{"cT":"text","data":{{"text":{text}}}}}]}}"#
    )
}

#[test]
fn templates_are_answered_up_to_the_next_out_message() {
    let template =
        r#""{\"type\":\"template\",\"payload\":{\"template_type\":\"button\",\"text\":\"Pay?\"}}""#;
    let messages = [
        message("outgoing", 0, template),
        message("incoming", 1, r#""MAX_NO_INPUT""#),
        message("incoming", 2, r#""pay""#),
        message("outgoing", 3, template),
        message("incoming", 4, r#""MAX_NO_INPUT""#),
        message("outgoing", 5, r#""Still there?""#),
        message("incoming", 6, r#""yes""#),
    ];
    let body = format!(r#"{{"total":7,"moreAvailable":false,"messages":[{}]}}"#, messages.join(","));
    let (tables, ..) = run(vec![("a.json".to_owned(), body.into_bytes())], &options());
    let rows = rows_of(&tables["templates_usage"]);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((&rows[0]["shown"], &rows[0]["responded"]), (&2.into(), &1.into()));
}

#[test]
fn a_form_counts_once_a_message_however_often_its_text_came_before() {
    let form = r#"{\"type\":\"template\",\"payload\":{\"template_type\":\"button\",\"text\":\"Fill\"},\"formData\":{\"formId\":\"f\"}}"#;
    let component = format!(r#"{{"cT":"text","data":{{"text":"{form}"}}}}"#);
    let message = |at: usize| {
        let components = vec![component.as_str(); 1 + at % 3].join(",");
        format!(
            r#"{{"_id":"m{at}","botId":"b","sessionId":"s","type":"outgoing","createdOn":"2025-09-03T10:00:{at:02}.000Z","components":[{components}]}}"#
        )
    };
    let messages: Vec<String> = (0..12).map(message).collect();
    let body = format!(r#"{{"total":12,"moreAvailable":false,"messages":[{}]}}"#, messages.join(","));
    let (tables, ..) = run(vec![("a.json".to_owned(), body.into_bytes())], &options());
    let rows = rows_of(&tables["forms"]);
    assert_eq!((rows.len(), &rows[0]["displayed"], &rows[0]["sessions"]), (1, &12.into(), &1.into()));
}

#[test]
fn records_that_filters_leave_out_tell_what_they_know() {
    let messages = [message("incoming", 0, r#""hello""#), message("outgoing", 1, r#""Good-bye.""#)].join(",");
    let record = |session: &str, is_developer: bool| {
        format!(
            r#"{{"total":1,"moreAvailable":false,"sessions":[{{"botId":"b","sessionId":"{session}",
            "start_time":"2025-09-03T09:00:00.000Z","isDeveloper":{is_developer},"sessionType":"interactive",
            "containmentType":"selfService"}}]}}"#
        )
    };
    let told = |filter: Filter, is_developer: bool| {
        let bodies = [
            format!(r#"{{"total":2,"moreAvailable":false,"messages":[{messages}]}}"#),
            record("s", is_developer),
            record("without messages", is_developer),
        ];
        let bodies = bodies.into_iter().enumerate().map(|(at, body)| (at.to_string(), body.into_bytes()));
        let mut options = options();
        options.run.filter = filter;
        let (tables, counts, _) = run(bodies.collect(), &options);
        (counts, rows_of(&tables["sessions"]), rows_of(&tables["containment_check"]))
    };
    let no_developers = Filter { is_developer: Some(false), ..Filter::default() };
    let (counts, sessions, check) = told(no_developers, true);
    assert_eq!((counts.developer_sessions, sessions.len(), check.len()), (1, 0, 0));

    // The sessions began before what is asked for, their messages did not.
    let from = Some(1_756_893_600_000_000);
    let (_, sessions, check) = told(Filter { date_from: from, ..Filter::default() }, false);
    assert_eq!(
        (&sessions[0]["is_developer"], &sessions[0]["platform_containment"]),
        (&false.into(), &"selfService".into())
    );
    assert_eq!(
        (check.len(), &check[0]["outcome"], &check[0]["sessions"]),
        (1, &sessions[0]["outcome"], &1.into())
    );

    let (_, sessions, check) = told(Filter::default(), false);
    assert_eq!((sessions.len(), check.len()), (1, 2));
}

#[test]
fn records_that_name_no_session_are_unmatched() {
    let messages = [message("incoming", 0, r#""hello""#), message("outgoing", 1, r#""Good-bye.""#)].join(",");
    let record = |id: &str, is_developer: bool| {
        format!(
            r#"{{"botId":"b",{id}"start_time":"2025-09-03T10:00:00.000Z","isDeveloper":{is_developer},
            "sessionType":"interactive","containmentType":"dropOff"}}"#
        )
    };
    let nameless = ["", r#""sessionId":null,"#, r#""sessionId":"","#, r#""sessionId":7,"#];
    let records = |ids: &[&str], is_developer| {
        let records: Vec<String> = ids.iter().map(|id| record(id, is_developer)).collect();
        format!(r#"{{"total":9,"moreAvailable":false,"sessions":[{}]}}"#, records.join(","))
    };
    let all = |is_developer| {
        vec![
            format!(r#"{{"total":2,"moreAvailable":false,"messages":[{messages}]}}"#),
            records(&nameless, is_developer),
            // Equal at the same place of a body like this: a copy. Elsewhere: another one.
            records(&nameless[..2], is_developer),
            records(&[r#""sessionId":"s9","#, nameless[1], nameless[1]], is_developer),
        ]
    };
    let unmatched = |bodies: Vec<String>, options: &AnalyzeOptions| -> i64 {
        let bodies = bodies.into_iter().enumerate().map(|(at, body)| (at.to_string(), body.into_bytes()));
        let (tables, ..) = run(bodies.collect(), options);
        let rows = rows_of(&tables["containment_check"]);
        let of_none = rows.iter().filter(|row| row["outcome"].is_null());
        of_none.map(|row| row["sessions"].as_i64().unwrap()).sum()
    };
    let options = options();
    assert_eq!(unmatched(all(false), &options), 4 + 2);
    assert_eq!(unmatched(all(true), &options), 0);
    assert_eq!(unmatched(all(true), &AnalyzeOptions { include_developers: true, ..options.clone() }), 4 + 2);
    for filter in [
        Filter { date_from: Some(1_756_893_600_000_001), ..Filter::default() },
        Filter { is_developer: Some(true), ..Filter::default() },
    ] {
        let mut filtered = options.clone();
        filtered.run.filter = filter;
        assert_eq!(unmatched(all(false), &filtered), 0);
    }
}

/// Field, kind, value and count of all drift of one body.
fn drift_of(messages: &[String]) -> Vec<(String, String, String, i64)> {
    let body = format!(r#"{{"total":9,"moreAvailable":false,"messages":[{}]}}"#, messages.join(","));
    let (tables, ..) = run(vec![("a.json".to_owned(), body.into_bytes())], &options());
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let row = |row: &serde_json::Value| {
        (text(&row["field"]), text(&row["kind"]), text(&row["value"]), row["count"].as_i64().unwrap())
    };
    rows_of(&tables["drift"]).iter().map(row).collect()
}

#[test]
fn drift_counts_messages() {
    let card = r#"{"data":{"text":"{\"type\":\"template\",\"payload\":{\"template_type\":\"acmeCard\",\"text\":\"Hi\"}}"}}"#;
    let message = |id: usize, cards: usize| {
        format!(
            r#"{{"_id":"m{id}","botId":"b","sessionId":"s","type":"outgoing","createdOn":"2025-09-03T10:00:0{id}.000Z",
            "zzz":1,"lang":5,"zzz":2,"lang":6,"components":[{}]}}"#,
            vec![card; cards].join(",")
        )
    };
    let expected = [
        ("lang", "type_conflict", "number", 4),
        ("template_type", "unknown_template", "acmecard", 3),
        ("zzz", "unknown_key", "", 4),
    ];
    let found = drift_of(&[message(0, 2), message(1, 0), message(2, 1), message(3, 3)]);
    let of = |(field, kind, value, count): &(String, String, String, i64)| {
        expected.contains(&(field.as_str(), kind.as_str(), value.as_str(), *count))
    };
    assert!(found.len() == expected.len() && found.iter().all(of), "{found:?}");
}

#[test]
fn order_is_inverted_past_messages_that_say_no_time_of_their_own() {
    let message = |second: usize, stamp: &str| {
        format!(
            r#"{{"_id":"m{second}","botId":"b","sessionId":"s","type":"event",{stamp}"createdOn":"2025-09-03T10:00:0{second}.000Z"}}"#
        )
    };
    let inverted = [
        message(0, r#""timestampValue":1756893600900,"#),
        message(1, ""),
        message(2, r#""timestampValue":1756893600899,"#),
    ];
    let found = drift_of(&inverted);
    assert!(found.iter().any(|(_, kind, _, count)| kind == "order_inversion" && *count == 1), "{found:?}");
}
