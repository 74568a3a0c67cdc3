//! Conversations made by chance: the same rows as the slow reference, in every table.
#![recursion_limit = "256"]

mod common;
mod reference;

use std::collections::BTreeMap;

use korpus_analytics::{AnalyzeOptions, collect, time_zone};
use korpus_engine::InputList;
use proptest::prelude::*;
use serde_json::Value;

use common::rows_of;
use reference::generate;
use reference::tables::Input;

/// Takes columns out of a row.
fn without(mut row: Value, columns: &[&str]) -> Value {
    let map = row.as_object_mut().unwrap();
    for column in columns {
        assert!(map.remove(*column).is_some(), "no column {column}");
    }
    row
}

fn sorted(rows: impl IntoIterator<Item = Value>) -> Vec<String> {
    let mut rows: Vec<String> = rows.into_iter().map(|row| row.to_string()).collect();
    rows.sort();
    rows
}

fn same(name: &str, found: Vec<Value>, expected: Vec<Value>) -> Result<(), TestCaseError> {
    let (found, expected) = (sorted(found), sorted(expected));
    for row in &found {
        prop_assert!(expected.contains(row), "{name}: {row}\n  is not among\n{}", expected.join("\n"));
    }
    for row in &expected {
        prop_assert!(found.contains(row), "{name}: there is no\n{row}\n  among\n{}", found.join("\n"));
    }
    prop_assert_eq!(found, expected, "{}", name);
    Ok(())
}

/// A row of sessions, without what the reference does not know.
fn session_row(row: Value) -> Value {
    let mut row = without(row, &["session_key"]);
    if row["session_kind"] == "call" {
        row["session_id"] = "?".into();
    }
    for column in ["handoff_message_id", "outcome_message_id"] {
        // An id that was made up.
        if row[column].as_str().is_some_and(|id| id.len() == 32) {
            row[column] = "?".into();
        }
    }
    row
}

/// Within the stated error, and exactly where there is no choice.
fn close(found: &Value, values: &[i64], percent: usize) -> bool {
    let exact = values[(values.len() - 1) * percent / 100] as f64;
    found.as_f64().is_some_and(|found| (found - exact).abs() <= 0.01 * exact + 1e-9)
}

fn check(seed: u64) -> Result<(), TestCaseError> {
    let bodies = generate::bodies(seed);
    let mut choices = generate::Choices::new(!seed);
    let options = AnalyzeOptions {
        timezone: time_zone(["UTC", "America/New_York", "Asia/Kolkata"][choices.below(3)]).unwrap(),
        include_developers: choices.below(3) == 0,
        inactivity_gap_ms: [60_000, 900_000, 0][choices.below(3)],
        window: (choices.below(3) == 0).then_some((1_756_893_000_000_000, 1_756_897_000_000_000)),
        threads: 1 + choices.below(2),
        working_bytes: (choices.below(2) == 0).then_some(2000),
        ..AnalyzeOptions::default()
    };
    let reference = reference::make(&bodies, &options);
    let inputs = bodies.iter().enumerate().map(|(at, body)| (at.to_string(), body.to_string().into_bytes()));
    let (found, _) = collect(&InputList::from_bytes(inputs), &options, &()).unwrap();
    let sessions = rows_of(&found["sessions"]);

    let keys: Vec<&str> = sessions.iter().map(|row| row["session_key"].as_str().unwrap()).collect();
    prop_assert!(keys.is_sorted());
    let expected = reference.sessions.iter().map(|session| Value::Object(session.row.clone())).collect();
    same("sessions", sessions.into_iter().map(session_row).collect(), expected)?;

    let input = Input {
        sessions: &reference.sessions,
        unsessioned: &reference.unsessioned,
        unmatched: &reference.unmatched,
        zone: &options.timezone,
    };
    let rows = |name: &str| rows_of(&found[name]);
    for (name, expected) in [
        ("volumes", input.volumes()),
        ("session_summary", input.session_summary()),
        ("containment_check", input.containment_check()),
        ("heatmap", input.heatmap()),
        ("users", input.users()),
        ("templates_usage", input.templates_usage()),
        ("actions_usage", input.actions_usage()),
        ("forms", input.forms()),
        ("drop_off_points", input.drop_off_points()),
        ("tasks", input.tasks()),
        ("task_edges", input.task_edges()),
        ("top_inputs", input.top_inputs()),
        ("reprompts", input.reprompts()),
        ("tags_usage", input.tags_usage()),
        ("concurrency", input.concurrency()),
    ] {
        same(name, rows(name), expected)?;
    }
    let drift = rows("drift").into_iter().map(|row| without(row, &["first_source"])).collect();
    same("drift", drift, reference.drift.clone())?;

    let (paths, durations) = input.path_variants();
    for row in rows("path_variants") {
        let values = &durations[&serde_json::json!([row["bot_id"], row["path"]]).to_string()];
        let median = &row["median_duration_ms"];
        prop_assert!(if values.is_empty() { median.is_null() } else { close(median, values, 50) }, "{row}");
    }
    let found_paths = rows("path_variants").into_iter().map(|row| without(row, &["median_duration_ms"]));
    same("path_variants", found_paths.collect(), paths)?;
    latencies(&input, rows("latency"), &rows("latency_buckets"))
}

fn latencies(input: &Input<'_>, rows: Vec<Value>, buckets: &[Value]) -> Result<(), TestCaseError> {
    const KEY: [&str; 5] = ["day", "bot_id", "channel", "task", "kind"];
    let key_of = |row: &Value| -> String {
        let key: serde_json::Map<_, _> =
            KEY.iter().map(|key| ((*key).to_owned(), row[*key].clone())).collect();
        Value::Object(key).to_string()
    };
    let mut expected = input.latencies();
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for bucket in buckets {
        *counts.entry(key_of(bucket)).or_default() += bucket["count"].as_i64().unwrap();
    }
    for row in rows {
        let key = key_of(&row);
        let Some((_, values)) = expected.remove(&key) else {
            return Err(TestCaseError::fail(format!("latency: {row} should not be there")));
        };
        prop_assert_eq!(&row["count"], values.len());
        prop_assert_eq!(counts[&key], values.len() as i64);
        prop_assert_eq!(&row["sum_ms"], values.iter().sum::<i64>());
        prop_assert_eq!(row["min_ms"].as_i64(), values.first().copied());
        prop_assert_eq!(row["max_ms"].as_i64(), values.last().copied());
        for (column, percent) in [("p50_ms", 50), ("p90_ms", 90), ("p95_ms", 95), ("p99_ms", 99)] {
            prop_assert!(close(&row[column], &values, percent), "{column}: {row} of {values:?}");
        }
    }
    prop_assert!(expected.is_empty(), "latency: there is no row for {:?}", expected.keys());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_table_is_that_of_the_reference(seed in any::<u64>()) {
        check(seed)?;
    }
}

/// What is never generated is never compared.
#[test]
fn the_generator_reaches_every_table_and_outcome() {
    let options = AnalyzeOptions::default();
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for seed in 0..150 {
        let bodies = generate::bodies(seed);
        let inputs = bodies.iter().map(|body| (String::new(), body.to_string().into_bytes()));
        let (found, analysis) = collect(&InputList::from_bytes(inputs), &options, &()).unwrap();
        for row in rows_of(&found["sessions"]) {
            *sums.entry(row["session_kind"].to_string()).or_default() += 1;
        }
        for (name, batch) in found.iter().filter(|(name, _)| **name != "sessions") {
            for row in rows_of(batch) {
                for (column, value) in row.as_object().unwrap() {
                    let value = value.as_i64().unwrap_or_else(|| i64::from(!value.is_null()));
                    *sums.entry(format!("{name}.{column}")).or_default() += value;
                }
            }
        }
        assert!(analysis.run.ledger.is_clean());
    }
    let never: Vec<_> = sums.iter().filter(|(_, sum)| **sum == 0).map(|(name, _)| name).collect();
    assert!(never.is_empty(), "{never:?}");
    assert!(["\"bot\"", "\"call\"", "\"agent_assist\""].iter().all(|kind| sums[*kind] > 10), "{sums:?}");
}
