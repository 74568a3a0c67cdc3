//! Whole corpora: every message and record that the reader sees in them comes back from the tables.

mod common;

use std::path::Path;

use common::{files, restored, without_messages};
use korpus_core::Record;
use korpus_engine::{
    BlockSeq, EngineError, ExpandOptions, InputList, Job, Pool, RunOptions, Work, expand, run,
};
use korpus_synth::{Profile, Shape, Size, Synth, SynthOptions};
use korpus_tables::{ConvertOptions, convert, json_equal};

/// Collects messages and records as they stand in their bodies.
struct Raw;

#[derive(Default)]
struct Seen {
    messages: Vec<String>,
    conversations: Vec<String>,
    sessions: Vec<String>,
}

impl Job for Raw {
    type Local = ();
    type Part = Seen;
    type State = Seen;
    type Error = EngineError;

    fn local(&self) {}

    fn part(&self) -> Seen {
        Seen::default()
    }

    fn map(&self, (): &mut (), work: &Work<'_>, part: &mut Seen) {
        part.messages.extend(work.messages().map(|item| item.message.whole().raw().to_owned()));
        for item in work.records() {
            match item.record {
                Record::Session(record) => part.sessions.push(record.whole().raw().to_owned()),
                Record::Conversation(record) => part.conversations.push(without_messages(record).0),
            }
        }
    }

    fn commit(&self, all: &mut Seen, _at: &BlockSeq<'_>, part: Seen) -> Result<(), EngineError> {
        all.messages.extend(part.messages);
        all.conversations.extend(part.conversations);
        all.sessions.extend(part.sessions);
        Ok(())
    }
}

/// Converts with and without copies, with one thread and more, and compares with what was read.
fn check(inputs: &InputList) -> usize {
    let mut seen = Seen::default();
    run(&Pool::new(1).unwrap(), inputs, &RunOptions::default(), &Raw, &mut seen, &()).unwrap();
    let expected: Vec<_> = seen.messages.iter().chain(&seen.conversations).chain(&seen.sessions).collect();

    let dir = tempfile::tempdir().unwrap();
    let out = |name: &str| dir.path().join(name);
    let mut options = ConvertOptions { threads: 2, row_group_rows: Some(100), ..Default::default() };
    options.run.dedup = false;
    convert(inputs, &out("all"), &options, &()).unwrap();
    let lines = restored(&out("all"));
    for (expected, line) in expected.iter().zip(&lines) {
        assert!(json_equal(expected, line), "{expected}\n{line}");
    }
    assert_eq!(lines.len(), expected.len());

    options.run.dedup = true;
    let report = convert(inputs, &out("two"), &options, &()).unwrap();
    options.threads = 1;
    convert(inputs, &out("one"), &options, &()).unwrap();
    assert!(files(&out("one")) == files(&out("two")), "the number of threads shows in the bytes");
    let lines = restored(&out("one"));
    let totals = report.manifest.totals;
    assert_eq!(lines.len() as u64, totals.messages.kept + totals.records.kept);
    // What is kept stands in the order of the inputs.
    let mut expected = expected.into_iter();
    for line in &lines {
        assert!(expected.any(|expected| json_equal(expected, line)), "{line}");
    }
    seen.messages.len() + seen.conversations.len() + seen.sessions.len()
}

#[test]
fn the_test_data_comes_back() {
    let dumps = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/dumps");
    let seen = check(&expand(&[dumps.to_str().unwrap().to_owned()], &ExpandOptions::default()).unwrap());
    assert!(seen > 0);
}

#[test]
fn synthetic_dumps_come_back() {
    for profile in [Profile::Lean, Profile::Rich] {
        for &shape in Shape::ALL {
            let options = SynthOptions {
                size: Size::Messages(300),
                page_size: 70,
                shapes: vec![shape],
                profile,
                duplicates: 0.1,
                edited_copies: 0.1,
                ..SynthOptions::default()
            };
            let (files, _) = Synth::new(options).unwrap().write_memory().unwrap();
            let seen = check(&InputList::from_bytes(files));
            assert_eq!(seen > 0, shape != Shape::Error, "{shape}");
        }
    }
}
