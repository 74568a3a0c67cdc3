//! Restoring what was converted gives back every message and record.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use korpus_core::{DecodeLimits, Decoder, InputEnd, Limits, PageParser, Record};
use korpus_tables::json_equal;
use serde_json::value::RawValue;

use crate::common::{convert, dumps, files, put, restored, synth};

/// The messages and records of a file, raw, as the core reads them.
fn read(path: &Path) -> (Vec<String>, Vec<String>, Vec<String>) {
    let (mut messages, mut conversations, mut sessions) = (Vec::new(), Vec::new(), Vec::new());
    let mut parser = PageParser::new(Limits::default());
    let name = path.to_string_lossy();
    let mut decoder = Decoder::new(File::open(path).unwrap(), Some(&name), DecodeLimits::default()).unwrap();
    let mut window = [0; 997];
    let end = loop {
        match decoder.read(&mut window) {
            Ok(0) => break InputEnd::Complete,
            Ok(read) => parser.feed(&window[..read]),
            Err(_) => break InputEnd::Corrupt,
        }
    };
    parser.finish(end);
    while let Some(block) = parser.next_block() {
        messages.extend(block.messages().map(|message| message.whole().raw().to_owned()));
        for record in block.records() {
            match record {
                Record::Conversation(record) => conversations.push(record.whole().raw().to_owned()),
                Record::Session(record) => sessions.push(record.whole().raw().to_owned()),
            }
        }
    }
    (messages, conversations, sessions)
}

/// A record without its messages, if it has any: those are lines of their own.
fn without_messages(record: &str) -> String {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(record).unwrap();
    let is_empty = |value: &RawValue| value.get().trim_start_matches(['[', ' ', '\n', '\r', '\t']) == "]";
    let kept = members.iter().filter(|(key, value)| *key != "messages" || is_empty(value));
    let kept: Vec<String> =
        kept.map(|(key, value)| format!("{}:{}", serde_json::json!(key), value.get())).collect();
    format!("{{{}}}", kept.join(","))
}

fn assert_equal(what: &str, expected: &[String], lines: &[String], same: impl Fn(&str, &str) -> bool) {
    assert_eq!(expected.len(), lines.len(), "{what}");
    for (index, (expected, line)) in expected.iter().zip(lines).enumerate() {
        assert!(same(expected, line), "{what} {index}:\n{expected}\n{line}");
    }
}

#[test]
fn all_of_the_test_data_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    convert(&[&dumps()], &out, &["--no-dedup"], 1);
    let (mut messages, mut conversations, mut sessions) = (Vec::new(), Vec::new(), Vec::new());
    for name in files(&dumps()).keys() {
        let (more, records, others) = read(&dumps().join(name));
        messages.extend(more);
        conversations.extend(records);
        sessions.extend(others);
    }
    let lines = restored(&out);
    assert!(messages.len() > 300 && !conversations.is_empty() && !sessions.is_empty());
    let (first, rest) = lines.split_at(messages.len());
    let (second, third) = rest.split_at(conversations.len());
    assert_equal("message", &messages, first, json_equal);
    assert_equal("conversation", &conversations, second, |record, line| {
        json_equal(record, line) || json_equal(&without_messages(record), line)
    });
    assert_equal("session", &sessions, third, json_equal);
}

/// The elements of an array of a body, as another parser reads them.
fn elements(body: &[u8], key: &str) -> Vec<String> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(body).unwrap();
    let elements: Vec<&RawValue> = serde_json::from_str(members[key].get()).unwrap();
    elements.into_iter().map(|element| element.get().to_owned()).collect()
}

#[test]
fn synthetic_dumps_come_back_as_another_parser_reads_them() {
    for (shape, key) in [
        ("v1", "messages"),
        ("v2", "messages"),
        ("lite", "messages"),
        ("stream", "messages"),
        ("call", "messages"),
        ("sessions", "sessions"),
    ] {
        for (profile, pretty) in [("lean", false), ("rich", true)] {
            let dir = tempfile::tempdir().unwrap();
            let mut more =
                vec!["--shape", shape, "--codec", "plain", "--messages", "400", "--profile", profile];
            more.extend(["--page-size", "100"]);
            more.extend(pretty.then_some("--pretty"));
            let (dump, _) = synth(dir.path(), &more);
            let out = dir.path().join("out");
            convert(&[&dump], &out, &["--no-dedup"], 0);
            let expected: Vec<String> = files(&dump).values().flat_map(|body| elements(body, key)).collect();
            assert!(expected.len() >= 400, "{shape}");
            assert_equal(shape, &expected, &restored(&out), json_equal);
        }
    }
}

#[test]
fn what_is_restored_converts_to_the_same_messages_again() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    convert(&[&dumps().join("messages")], &first, &[], 0);
    let lines = restored(&first);
    let file = put(dir.path(), "again.ndjson", lines.join("\n"));
    let summary = convert(&[&file], &second, &["--no-dedup"], 0);
    assert_eq!(summary["messages"]["kept"], lines.len());
    assert_equal("message", &lines, &restored(&second), json_equal);
}
