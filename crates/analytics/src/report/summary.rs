//! All that the page knows, as one JSON value: what a page can hold of the tables, and the facts of the run.

use serde_json::{Value, json};

use super::digest::Digest;
use super::dimensions::{Names, Periods};
use super::facts::{Facts, Tally};
use super::latency::latency;
use super::lists::lists;
use super::sums;
use super::text::Shortened;
use crate::metrics::RULES_VERSION;

/// Queries that the page lists.
const QUERIES: usize = 200;
/// Filters, reasons and statuses that it lists.
const TALLIES: usize = 40;

/// The value. The more, the larger `share` is, is left out: it divides what long lists may hold.
pub(super) fn island(digest: &Digest, facts: &Facts, share: usize) -> Value {
    let bots = Names::bots(digest);
    let channels = Names::channels(digest);
    let periods = Periods::new(digest, &bots, &channels, share);
    let latency = latency(digest, &bots, &channels, &periods, share);
    let (sessions, by_language, language_names) = sums::sessions(digest, &bots, &channels, &periods);
    let (concurrency, concurrency_unit) = sums::concurrency(digest, &periods);
    let (mut data, mut totals) = lists(digest, &bots, share);
    totals.insert("latency_tasks".to_owned(), json!(latency.tasks_total));
    data.extend(sums::object([
        ("facts", facts_of(facts, &periods)),
        ("definitions", json!(sums::definitions())),
        ("unit", json!(periods.unit.as_str())),
        ("periods", periods.starts.iter().map(|start| json!(start.to_string())).collect()),
        ("bots", json!(bots.shown)),
        ("bots_total", json!(bots.total)),
        ("channels", json!(channels.shown)),
        ("channels_total", json!(channels.total)),
        ("volumes", sums::volumes(digest, &bots, &channels, &periods)),
        ("sessions", sessions),
        ("languages", by_language),
        ("language_names", json!(language_names)),
        ("heatmap", sums::heatmap(digest, &channels)),
        ("concurrency", concurrency),
        ("concurrency_unit", json!(concurrency_unit)),
        ("containment_check", sums::containment_check(digest)),
        ("users", sums::users(digest, &bots)),
        ("latency", latency.table),
        ("latency_time", latency.over_time),
        ("latency_tasks", json!(latency.tasks)),
        ("totals", Value::Object(totals)),
    ]));
    Value::Object(data)
}

/// The facts as the page reads them: what is long cut short, and the days that the data spans.
fn facts_of(facts: &Facts, periods: &Periods) -> Value {
    let name = |text: &str| Shortened::name(text).0;
    let tallies = |tallies: &[Tally]| -> Vec<Tally> {
        let few = tallies.iter().take(TALLIES);
        few.map(|tally| Tally { name: name(&tally.name), count: tally.count }).collect()
    };
    let mut queries: Vec<_> = facts.queries.iter().collect();
    queries.sort_by_key(|query| (query.problem.is_none(), query.total.is_some()));
    queries.truncate(QUERIES);
    let queries = queries.into_iter().map(|query| super::facts::QueryFact {
        label: name(&query.label),
        problem: query.problem.as_deref().map(name),
        ..query.clone()
    });
    let known = Facts {
        title: name(&facts.title),
        program: name(&facts.program),
        timezone: name(&facts.timezone),
        filters: facts.filters.iter().take(TALLIES).map(|filter| name(filter)).collect(),
        rejects: tallies(&facts.rejects),
        page_statuses: tallies(&facts.page_statuses),
        queries: queries.collect(),
        ..facts.clone()
    };
    let mut value = json!(known);
    value["rules_version"] = json!(RULES_VERSION);
    value["queries_total"] = json!(facts.queries.len());
    value["queries_incomplete"] =
        json!(facts.queries.iter().filter(|query| query.problem.is_some() || query.total.is_none()).count());
    value["first_day"] = json!(periods.span.map(|(first, _)| first.to_string()));
    value["last_day"] = json!(periods.span.map(|(_, last)| last.to_string()));
    value
}
