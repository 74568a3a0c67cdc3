//! The few numbers that somebody wants to see first, out of the tables.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Date32Type, Float64Type, Int32Type, Int64Type};
use arrow::record_batch::RecordBatch;

use crate::analyze::Analysis;
use crate::local_time::day_name;
use crate::metrics::Metric;

/// The few numbers that somebody wants to see first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Highlights {
    /// Rows of `sessions`.
    pub sessions: u64,
    /// Of them, those with an in message that somebody typed.
    pub interactive: u64,
    /// Messages, unsessioned ones too.
    pub messages: u64,
    /// End users.
    pub users: u64,
    /// Of them, those who were there on two days.
    pub returning_users: u64,
    /// How many messages there were each day, from the first to the last, without a gap; nothing past ten years.
    pub messages_by_day: Vec<(String, u64)>,
    /// How many sessions ended how, the most frequent first.
    pub outcomes: Vec<(&'static str, u64)>,
    /// Interactive sessions that containment is about.
    pub containment_base: u64,
    /// Of them, those that no agent and no drop-off ended.
    pub contained: u64,
    /// Of them, those that an agent took over.
    pub transferred: u64,
    /// Of them, those that somebody left.
    pub dropped: u64,
    /// How long bot responses took, in milliseconds: half of them, nine in ten, 99 in 100 at most.
    pub response_ms: Option<[f64; 3]>,
    /// What the bot said last before most people left, and how many did.
    pub drop_off_point: Option<(String, u64)>,
    /// The prompt that was repeated most often, and in how many loops.
    pub reprompt: Option<(String, u64)>,
    /// The most sessions at the same time.
    pub peak: u64,
}

const OUTCOMES: [&str; 5] = ["self_service", "drop_off", "agent", "open", "none"];
/// Days that are told one by one.
const MOST_DAYS: usize = 3660;

impl Analysis {
    /// The few numbers that somebody wants to see first.
    pub fn highlights(&self) -> Highlights {
        let table = |metric: Metric| self.tables.get(metric.name());
        let sum = |metric, column| table(metric).map_or(0, |batch| ints(batch, column).sum::<i64>());
        let count = |metric, column| sum(metric, column).unsigned_abs();
        let summary = |column| count(Metric::SessionSummary, column);
        let mut outcomes = OUTCOMES.map(|outcome| (outcome, summary(outcome)));
        outcomes.sort_by_key(|&(_, sessions)| std::cmp::Reverse(sessions));
        Highlights {
            sessions: self.counts.sessions,
            interactive: summary("interactive"),
            messages: count(Metric::Volumes, "messages"),
            users: table(Metric::Users).map_or(0, |batch| batch.num_rows() as u64),
            returning_users: table(Metric::Users).map_or(0, returning),
            messages_by_day: table(Metric::Volumes).map(by_day).unwrap_or_default(),
            outcomes: outcomes.to_vec(),
            containment_base: summary("containment_base"),
            contained: summary("contained"),
            transferred: summary("transferred"),
            dropped: summary("dropped"),
            response_ms: table(Metric::LatencyBuckets).and_then(responses),
            drop_off_point: table(Metric::DropOffPoints).and_then(|batch| most(batch, "text", "sessions")),
            reprompt: table(Metric::Reprompts).and_then(|batch| most(batch, "text", "loops")),
            peak: table(Metric::Concurrency)
                .and_then(|batch| ints(batch, "peak").max())
                .unwrap_or_default()
                .unsigned_abs(),
        }
    }
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> &'a dyn Array {
    batch.column_by_name(name).map_or_else(|| batch.column(0).as_ref(), AsRef::as_ref)
}

fn ints<'a>(batch: &'a RecordBatch, name: &str) -> impl Iterator<Item = i64> + 'a {
    let found = column(batch, name).as_primitive_opt::<Int64Type>();
    found.into_iter().flat_map(|column| column.values().iter().copied())
}

fn returning(users: &RecordBatch) -> u64 {
    let flags = column(users, "returning").as_boolean_opt();
    flags.map_or(0, |flags| flags.iter().filter(|flag| *flag == Some(true)).count() as u64)
}

fn by_day(volumes: &RecordBatch) -> Vec<(String, u64)> {
    let Some(dates) = column(volumes, "event_date").as_primitive_opt::<Date32Type>() else {
        return Vec::new();
    };
    let mut days: BTreeMap<i32, u64> = BTreeMap::new();
    for (date, messages) in dates.iter().zip(ints(volumes, "messages")) {
        if let Some(day) = date {
            *days.entry(day).or_default() += messages.unsigned_abs();
        }
    }
    let (Some((&first, _)), Some((&last, _))) = (days.first_key_value(), days.last_key_value()) else {
        return Vec::new();
    };
    let all = (first..=last).take(MOST_DAYS);
    all.map(|day| (day_name(day), days.get(&day).copied().unwrap_or_default())).collect()
}

fn responses(buckets: &RecordBatch) -> Option<[f64; 3]> {
    let kinds = column(buckets, "kind").as_string_opt::<i32>()?;
    let numbers = column(buckets, "bucket").as_primitive_opt::<Int32Type>()?;
    let estimates = column(buckets, "estimate_ms").as_primitive_opt::<Float64Type>()?;
    let mut all: BTreeMap<i32, (f64, u64)> = BTreeMap::new();
    for (row, count) in ints(buckets, "count").enumerate() {
        if kinds.value(row) == "bot_response" {
            all.entry(numbers.value(row)).or_insert((estimates.value(row), 0)).1 += count.unsigned_abs();
        }
    }
    let last = all.values().map(|(_, count)| count).sum::<u64>().checked_sub(1)?;
    let quantile = |percent: u64| {
        let mut left = last * percent / 100;
        all.values().find_map(|&(estimate, count)| {
            let found = left < count;
            left = left.saturating_sub(count);
            found.then_some(estimate)
        })
    };
    Some([quantile(50)?, quantile(90)?, quantile(99)?])
}

/// The text with the most of something; of equals the first.
fn most(batch: &RecordBatch, text: &str, count: &str) -> Option<(String, u64)> {
    let texts = column(batch, text).as_string_opt::<i32>()?;
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for (text, count) in texts.iter().zip(ints(batch, count)) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            *sums.entry(text).or_default() += count;
        }
    }
    let best = sums.into_iter().rev().max_by_key(|&(_, sum)| sum)?;
    Some((best.0.to_owned(), best.1.unsigned_abs()))
}
