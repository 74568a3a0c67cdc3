//! The conversations in `testdata/sessions`, worked out by hand, against what the analysis makes of them.

mod common;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use korpus_analytics::{AnalyzeOptions, Metric, collect};
use korpus_engine::InputList;
use serde_json::{Map, Value};
use twox_hash::XxHash3_64;

use common::rows_of;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/sessions")
}

fn read_json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn micros(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

/// The options of an example. One that is not known here is a mistake in the example.
fn options_of(given: Option<&Value>) -> AnalyzeOptions {
    let mut options = AnalyzeOptions::default();
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    for (name, value) in given.and_then(Value::as_object).into_iter().flatten() {
        match name.as_str() {
            "window" => {
                let edges = texts(value);
                options.window = Some((micros(&edges[0]), micros(&edges[1])));
            }
            "inactivity_gap_ms" => options.inactivity_gap_ms = value.as_i64().unwrap(),
            "include_developers" => options.include_developers = value.as_bool().unwrap(),
            "pseudo_inputs" => options.pseudo_inputs = texts(value),
            "closure_phrases" => options.closure_phrases = texts(value),
            "fallback_phrases" => options.fallback_phrases = texts(value),
            "wrap_up_phrases" => options.wrap_up_phrases = texts(value),
            other => panic!("no such option: {other}"),
        }
    }
    options
}

fn sessions_of(dump: &Path, options: &AnalyzeOptions) -> Vec<Value> {
    let inputs = InputList::from_bytes([("dump.json", std::fs::read(dump).unwrap())]);
    let (tables, analysis) = collect(&inputs, options, &()).unwrap();
    assert_eq!(tables["sessions"].schema(), Metric::Sessions.arrow_schema());
    let rows = rows_of(&tables["sessions"]);
    assert!(analysis.run.ledger.is_clean(), "{}", dump.display());
    assert_eq!(analysis.counts.sessions, rows.len() as u64);
    rows
}

/// What a column is expected to be, as [`rows_of`] gives it.
fn expected_cell(name: &str, value: &Value) -> (String, Value) {
    let is_time = Metric::Sessions
        .columns()
        .any(|column| column.name == name && column.kind.type_name().starts_with("time"));
    match (name, value) {
        ("last_out_text", Value::String(text)) => {
            ("last_out_text_hash".to_owned(), format!("{:016x}", XxHash3_64::oneshot(text.as_bytes())).into())
        }
        ("last_out_text", _) => ("last_out_text_hash".to_owned(), Value::Null),
        (_, Value::String(text)) if is_time => (name.to_owned(), micros(text).into()),
        _ => (name.to_owned(), value.clone()),
    }
}

/// What a row differs in from what is expected of it.
fn differences(expected: &Map<String, Value>, undecided: &[&str], row: &Value) -> String {
    let mut found = String::new();
    for (name, value) in expected.iter().filter(|(name, _)| !undecided.contains(&name.as_str())) {
        let (name, value) = expected_cell(name, value);
        let mut is = row.get(&name).unwrap_or_else(|| panic!("no such column: {name}")).clone();
        if let (Value::Object(_), Some(text)) = (&value, is.as_str()) {
            is = serde_json::from_str(text).unwrap();
        }
        if is != value {
            let _ = write!(found, "\n    {name}: {is}, and should be {value}");
        }
    }
    found
}

/// Compares one example; gives back what is wrong with it.
fn check(path: &Path, resting: &Map<String, Value>) -> String {
    let example = read_json(path);
    let name = path.file_name().unwrap().to_string_lossy().replace(".expected", "");
    let mut rows = sessions_of(&folder().join(&name), &options_of(example.get("options")));
    let mut wrong = String::new();
    let expected = example["sessions"].as_array().unwrap();
    for session in expected {
        let mut all = resting.clone();
        all.extend(session["row"].as_object().unwrap().clone());
        let undecided: Vec<&str> =
            session["undecided"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let known = |row: &Value| {
            ["bot_id", "session_id"].iter().all(|&column| {
                undecided.contains(&column) || all.get(column).is_none_or(|value| row[column] == *value)
            })
        };
        let id = all.get("session_id").cloned().unwrap_or_default();
        match rows.iter().position(known) {
            Some(at) => {
                let row = rows.swap_remove(at);
                let found = differences(&all, &undecided, &row);
                if !found.is_empty() {
                    let _ = write!(wrong, "\n  {name}, session {id}:{found}");
                }
            }
            None => {
                let _ = write!(wrong, "\n  {name}: no row for session {id}");
            }
        }
    }
    for row in rows {
        let _ = write!(wrong, "\n  {name}: a row that should not be there: {}", row["session_id"]);
    }
    wrong
}

#[test]
fn all_examples_come_out_as_worked_out_by_hand() {
    let resting = read_json(&folder().join("resting.json"));
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".expected.json"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 47, "only {} examples", paths.len());
    let wrong: String = paths.iter().map(|path| check(path, resting.as_object().unwrap())).collect();
    assert!(wrong.is_empty(), "{wrong}");
}
