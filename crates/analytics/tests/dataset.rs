//! A dataset that was converted gives the metrics of the dumps that it was made of.

mod surrounded;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use arrow::record_batch::RecordBatch;
use korpus_analytics::{AnalyticsError, AnalyzeOptions, DatasetInputs, collect, is_dataset};
use korpus_engine::{EngineError, InputList};
use korpus_synth::{Codec, Shape, Size, Synth, SynthOptions};
use korpus_tables::{ConvertOptions, convert};
use proptest::prelude::*;

fn tables(inputs: &InputList, options: &AnalyzeOptions) -> BTreeMap<&'static str, RecordBatch> {
    let (mut tables, _) = collect(inputs, options, &()).unwrap();
    let drift = tables.get_mut("drift").unwrap();
    drift.remove_column(drift.schema().index_of("first_source").unwrap());
    tables
}

/// How many sessions there are, either way.
fn assert_same(inputs: &InputList) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("dataset");
    convert(inputs, &out, &ConvertOptions::default(), &()).unwrap();
    assert!(is_dataset(&out) && !is_dataset(dir.path()));
    let expected = tables(inputs, &AnalyzeOptions::default());
    let dataset = DatasetInputs::open(&out, Some(dir.path()), &AtomicBool::new(false)).unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "what is restored has no name");
    let is_restored = |name: &str| name.starts_with("restored bod");
    assert!(
        dataset.inputs.inputs.iter().all(|input| is_restored(&input.display)),
        "no name is that of a file"
    );
    let options = dataset.options(AnalyzeOptions::default());
    let found = tables(&dataset.inputs, &options);
    for (name, batch) in &expected {
        assert!(batch == &found[name], "{name}\n{batch:?}\n{:?}", found[name]);
    }
    assert!(!dataset.page_statuses.is_empty());
    let cancelled = DatasetInputs::open(&out, Some(dir.path()), &AtomicBool::new(true));
    assert!(matches!(cancelled, Err(AnalyticsError::Engine(EngineError::Cancelled))));
    expected["sessions"].num_rows()
}

#[test]
fn synthetic_dumps_of_all_shapes() {
    let options = SynthOptions {
        seed: 3,
        size: Size::Messages(3000),
        page_size: 200,
        shapes: vec![
            Shape::V2,
            Shape::Lite,
            Shape::Call,
            Shape::AgentAiHistory,
            Shape::Sessions,
            Shape::Stream,
        ],
        codecs: vec![Codec::Gzip],
        duplicates: 0.1,
        edited_copies: 0.1,
        ..SynthOptions::default()
    };
    let (files, _) = Synth::new(options).unwrap().write_memory().unwrap();
    assert!(assert_same(&InputList::from_bytes(files)) > 100);
}

#[test]
fn calls_keep_their_requests_and_messages_without_ids_their_made_up_ones() {
    let head = "GET https://x.example/api/bot/st-1/getMessages?callId=call-7 HTTP/1.1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
    let call = |text: &str| {
        format!(
            r#"{{"total":2,"messages":[{{"type":"outgoing","text":"{text} \u00e9\/?","timestamp":"2025-09-03T10:00:00.237Z"}},
            {{"type":"incoming","text":"ok","timestamp":"2025-09-03T10:00:08.237Z"}}]}}"#
        )
    };
    let record = r#"{"totalResults":1,"hasMore":false,"results":[{"_id":"rec-1","botId":"st-1","startTime":"2025-09-03T09:59:59.000Z",
        "messages":[{"type":"outgoing","components":[{"cT":"text","data":{"text":"Bonjour \u00e0 vous ?"}}],
        "author":{"type":"AGENT"},"timestampValue":1756893600000,"brandNew":1}]}]}"#;
    let inputs = InputList::from_bytes([
        ("requested.http", format!("{head}{}", call("A")).into_bytes()),
        ("call.json", call("B").into_bytes()),
        ("record.json", record.as_bytes().to_vec()),
    ]);
    assert_eq!(assert_same(&inputs), 3);
}

#[test]
fn records_that_name_no_session_stay_as_many() {
    let message =
        r#"{"_id":"m","botId":"b","sessionId":"s","type":"incoming","createdOn":"2025-09-03T10:00:00.000Z"}"#;
    let record = r#"{"botId":"b","sessionId":null,"sessionType":"interactive"}"#;
    let inputs = InputList::from_bytes([
        ("messages.json", format!(r#"{{"messages":[{message}]}}"#).into_bytes()),
        ("sessions.json", format!(r#"{{"total":2,"sessions":[{record},{record}]}}"#).into_bytes()),
    ]);
    assert_eq!(assert_same(&inputs), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equal_messages_in_different_surroundings(bodies in surrounded::bodies()) {
        assert_same(&InputList::from_bytes(surrounded::named(bodies)));
    }
}
