//! What stands in a page: the numbers of the tables, nothing that could run, and never too much.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use serde_json::Value;

use super::fixture::{HOSTILE, batch, facts, hostile, huge, tables};
use super::{Digest, Facts, summary};
use crate::metrics::Metric;

const OPEN: &str = "<script type=\"application/json\" id=\"data\">";

/// The data island, as a browser finds it: up to the first thing that ends a script element.
fn island(page: &str) -> (&str, Value) {
    let (_, rest) = page.split_once(OPEN).unwrap();
    let end = rest.to_ascii_lowercase().find("</script").unwrap();
    (&rest[..end], serde_json::from_str(&rest[..end]).unwrap())
}

/// What is kept of tables that come in batches of so many rows.
fn digest(tables: &BTreeMap<&'static str, RecordBatch>, rows: usize) -> Digest {
    let mut digest = Digest::default();
    for metric in Metric::ALL {
        let Some(table) = tables.get(metric.name()) else { continue };
        for from in (0..table.num_rows()).step_by(rows) {
            digest.add(metric, &table.slice(from, rows.min(table.num_rows() - from))).unwrap();
            digest.settle(metric).unwrap();
        }
    }
    digest
}

fn render(tables: &BTreeMap<&'static str, RecordBatch>, facts: &Facts) -> String {
    digest(tables, usize::MAX).render(facts).unwrap()
}

static TABLES: LazyLock<BTreeMap<&'static str, RecordBatch>> = LazyLock::new(tables);

/// The page of the whole fixture.
static WHOLE: LazyLock<String> = LazyLock::new(|| render(&TABLES, &facts(&TABLES)));

fn total(column: &Value) -> i64 {
    column.as_array().unwrap().iter().filter_map(Value::as_i64).sum()
}

fn total_of(metric: Metric, column: &str) -> i64 {
    let column = TABLES[metric.name()].column_by_name(column).unwrap().as_primitive::<Int64Type>();
    column.iter().flatten().sum()
}

#[test]
fn sums_of_the_page_are_those_of_the_tables() {
    let (_, data) = island(&WHOLE);
    assert_eq!(total(&data["volumes"]["messages"]), total_of(Metric::Volumes, "messages"));
    assert_eq!(data["facts"]["messages"]["kept"], total(&data["volumes"]["messages"]));
    for (name, column) in
        [("sessions", "sessions"), ("contained", "contained"), ("uncut_dropped", "dropped_uncut")]
    {
        assert_eq!(total(&data["sessions"][name]), total_of(Metric::SessionSummary, column), "{name}");
    }
    assert_eq!(total(&data["languages"]["sessions"]), total_of(Metric::SessionSummary, "sessions"));
    assert_eq!(total(&data["heatmap"]["sessions"]), total_of(Metric::Heatmap, "sessions"));
    assert_eq!(total(&data["users"]["users"]), 3_000);
    assert_eq!(total(&data["containment_check"]["sessions"]), total_of(Metric::ContainmentCheck, "sessions"));
    assert_eq!(data["unit"], "day");
    assert_eq!(data["periods"].as_array().unwrap().len(), 42);
    assert_eq!(data["periods"][0], "2026-03-02");
    assert_eq!(data["facts"]["last_day"], "2026-04-12");
    assert_eq!(data["facts"]["queries_incomplete"], 2);
    assert_eq!(data["definitions"].as_array().unwrap().len(), 19);
    assert_eq!(data["bots"][0], "st-shop-assistant");
}

#[test]
fn quantiles_of_all_count_every_bot_channel_and_task_once() {
    let (_, data) = island(&WHOLE);
    let table = &data["latency"];
    let is = |row: usize, key: [i64; 3]| {
        ["bot", "channel", "task"].iter().zip(key).all(|(name, value)| table[name][row] == value)
            && table["kind"][row] == "bot_response"
    };
    let rows = table["count"].as_array().unwrap().len();
    let sum = |key: &dyn Fn(usize) -> bool| {
        (0..rows).filter(|&row| key(row)).map(|row| table["count"][row].as_i64().unwrap()).sum::<i64>()
    };
    let all = sum(&|row| is(row, [-1, -1, -1]));
    let source = &TABLES["latency"];
    let kinds = source.column_by_name("kind").unwrap().as_string::<i32>();
    let counts = source.column_by_name("count").unwrap().as_primitive::<Int64Type>();
    let known: i64 = (0..source.num_rows())
        .filter(|&row| kinds.value(row) == "bot_response")
        .map(|row| counts.value(row))
        .sum();
    assert_eq!(all, known);
    assert_eq!(all, sum(&|row| (0..2).any(|bot| is(row, [bot, -1, -1]))));
    assert_eq!(all, sum(&|row| (0..4).any(|channel| is(row, [-1, channel, -1]))));
    assert_eq!(all, sum(&|row| (0..10).any(|task| is(row, [-1, -1, task]))));
    for row in 0..rows {
        let value = |name: &str| table[name][row].as_i64().unwrap();
        assert!(value("p50") <= value("p90") && value("p90") <= value("p99") && value("p99") <= value("max"));
    }
}

#[test]
fn lists_hold_the_heaviest_and_say_of_how_many() {
    let rows: Vec<_> = (0..100)
        .map(|at| {
            let row = serde_json::json!({ "bot_id": "b", "text": format!("t{at}"), "text_hash": "", "sessions": at });
            row.as_object().unwrap().clone()
        })
        .collect();
    let tables = BTreeMap::from([(Metric::DropOffPoints.name(), batch(Metric::DropOffPoints, &rows))]);
    let mut digest = digest(&tables, 7);
    digest.settle_all().unwrap();
    let data = summary::island(&digest, &Facts::default(), 1);
    let sessions = data["drop_offs"]["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 40);
    assert_eq!((&sessions[0], &sessions[39]), (&Value::from(99), &Value::from(60)));
    // The row of no session says nothing.
    assert_eq!(data["totals"]["drop_offs"], serde_json::json!([99]));
}

#[test]
fn texts_of_a_single_session_stay_out() {
    let row = |text: &str, sessions: i64| {
        let row = serde_json::json!({ "bot_id": "b", "text": text, "count": 9, "fallbacks": 9, "sessions": sessions });
        row.as_object().unwrap().clone()
    };
    let rows = [row("my name is", 1), row("hello", 2)];
    let tables = BTreeMap::from([(Metric::TopInputs.name(), batch(Metric::TopInputs, &rows))]);
    let page = render(&tables, &Facts::default());
    assert!(page.contains("\"hello\"") && !page.contains("my name is"));
}

/// Of long tables little is kept, and nothing that the page would have shown.
#[test]
fn pages_are_the_same_however_tables_come() {
    let facts = facts(&TABLES);
    assert!(digest(&TABLES, 11).render(&facts).unwrap() == *WHOLE);
    let huge = huge();
    let mut often = digest(&huge, 100);
    assert!(often.render(&facts).unwrap() == render(&huge, &facts));
    assert!(often.rows_kept(Metric::TopInputs) <= 13 * 60 && huge["top_inputs"].num_rows() == 1500);
}

#[test]
fn users_are_counted_and_not_named() {
    assert!(!WHOLE.contains("u-17"));
}

#[test]
fn hostile_text_cannot_leave_the_data_island() {
    let (tables, facts) = hostile(&TABLES);
    let page = render(&tables, &facts);
    let (text, data) = island(&page);
    assert!(!text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
    // Three scripts: the data, the library, the page's own. One style, and no other element that a text could have made.
    let lower = page.to_ascii_lowercase();
    assert_eq!(lower.matches("</script").count(), 3);
    assert_eq!(lower.matches("<script").count(), 3);
    assert!(!page.contains("<img") && !page.contains("<svg") && !page.contains("<b onmouseover"));
    assert_eq!(page.matches("<title>&lt;/script&gt;").count(), 1);
    // It is all there, as text, but for what turns the direction of other text.
    let said: Vec<&str> =
        data["drop_offs"]["text"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(said.contains(&HOSTILE[0]) && said.contains(&HOSTILE[6]));
    assert!(!page.contains(['\u{202E}', '\u{2066}', '\u{0}', '\u{7}']));
}

#[test]
fn policy_names_what_may_run() {
    let page = render(&BTreeMap::new(), &Facts::default());
    let (_, policy) = page.split_once("Content-Security-Policy\" content=\"").unwrap();
    let (policy, _) = policy.split_once('"').unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"));
    assert_eq!(policy.matches("sha256-").count(), 3);
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"));
    // Licences name addresses, as text.
    let (before, (_, after)) = around_licences(&page);
    let page = [before, after].concat();
    // Outside the library, which writes elements of its own only where a chart asks for them.
    let own: Vec<&str> =
        page.split("<script>").enumerate().filter(|&(at, _)| at != 1).map(|(_, part)| part).collect();
    assert_eq!(own.len(), 2);
    for part in own {
        assert!(!part.contains(" style=\"") && !part.contains("innerHTML") && !part.contains("src="));
        assert!(!part.contains(" onclick=") && !part.contains("eval(") && !part.contains("http://"));
    }
}

/// The page around the licences, which are in the middle.
fn around_licences(page: &str) -> (&str, (&str, &str)) {
    let (before, rest) = page.split_once("<pre>").unwrap();
    (before, rest.split_once("</pre>").unwrap())
}

#[test]
fn licences_go_where_the_library_goes() {
    let page = render(&BTreeMap::new(), &Facts::default());
    let (_, (licences, _)) = around_licences(&page);
    assert!(!licences.contains(['<', '>']));
    let holders =
        ["2017-2026 The Apache Software", "2010-2016 Mike Bostock", "(c) 2017, Baidu", "(c) Microsoft"];
    for holder in holders {
        assert!(licences.contains(&format!("Copyright {holder}")), "{holder}");
    }
}

#[test]
fn pages_stay_under_three_megabytes() {
    let page = render(&huge(), &Facts::default());
    leave("huge.html", &page);
    assert!(page.len() < 3_000_000, "{}", page.len());
    let (_, data) = island(&page);
    assert_eq!(data["bots_total"], 40);
    assert_eq!(data["bots"].as_array().unwrap().len(), 13);
    assert!(data["periods"].as_array().unwrap().len() > 40);
}

/// Leaves a page for `scripts/check-report` to open in a browser, where `KORPUS_REPORT_DIR` names a folder.
fn leave(name: &str, page: &str) {
    if let Some(folder) = std::env::var_os("KORPUS_REPORT_DIR") {
        std::fs::write(std::path::Path::new(&folder).join(name), page).unwrap();
    }
}

#[test]
fn pages_are_whole() {
    let (hostile_tables, hostile_facts) = hostile(&TABLES);
    let pages = [
        ("report.html", WHOLE.clone()),
        ("hostile.html", render(&hostile_tables, &hostile_facts)),
        ("empty.html", render(&BTreeMap::new(), &Facts::default())),
    ];
    for (name, page) in &pages {
        assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "{name}");
        leave(name, page);
    }
}
