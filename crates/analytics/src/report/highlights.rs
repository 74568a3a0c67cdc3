//! The few numbers that somebody wants to see first, out of the tables.

use std::collections::BTreeMap;

use super::columns::Table;
use super::digest::{BOT_RESPONSE, Digest};
use crate::analyze::Counts;
use crate::error::Result;
use crate::local_time::day_name;
use crate::metrics::Metric;
use crate::sketch::Sketch;

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

impl Digest {
    /// The few numbers that somebody wants to see first.
    ///
    /// # Errors
    /// None that can be helped: a defect of korpus.
    pub fn highlights(&mut self, counts: &Counts) -> Result<Highlights> {
        self.settle_all()?;
        let summary = |column: &str| {
            let table = self.table(Metric::SessionSummary);
            let column = table.ints(column);
            (0..table.rows()).map(|row| column.or_zero(row)).sum::<i64>().unsigned_abs()
        };
        let mut outcomes = OUTCOMES.map(|outcome| (outcome, summary(outcome)));
        outcomes.sort_by_key(|&(_, sessions)| std::cmp::Reverse(sessions));
        let people = |at: usize| self.people.values().map(|people| people[at]).sum::<i64>().unsigned_abs();
        let concurrency = self.table(Metric::Concurrency);
        let peaks = concurrency.ints("peak");
        let peak = (0..concurrency.rows()).map(|row| peaks.or_zero(row)).max().unwrap_or_default();
        Ok(Highlights {
            sessions: counts.sessions,
            interactive: summary("interactive"),
            messages: self.volumes.values().sum::<i64>().unsigned_abs(),
            users: people(0),
            returning_users: people(1),
            messages_by_day: self.messages_by_day(),
            outcomes: outcomes.to_vec(),
            containment_base: summary("containment_base"),
            contained: summary("contained"),
            transferred: summary("transferred"),
            dropped: summary("dropped"),
            response_ms: self.response_ms(),
            drop_off_point: most(self.table(Metric::DropOffPoints), "text", "sessions"),
            reprompt: most(self.table(Metric::Reprompts), "text", "loops"),
            peak: peak.unsigned_abs(),
        })
    }

    fn messages_by_day(&self) -> Vec<(String, u64)> {
        let mut days: BTreeMap<i32, u64> = BTreeMap::new();
        for (&(day, _), messages) in &self.volumes {
            if let Some(day) = day.and_then(|day| i32::try_from(day).ok()) {
                *days.entry(day).or_default() += messages.unsigned_abs();
            }
        }
        let (Some((&first, _)), Some((&last, _))) = (days.first_key_value(), days.last_key_value()) else {
            return Vec::new();
        };
        let all = (first..=last).take(MOST_DAYS);
        all.map(|day| (day_name(day), days.get(&day).copied().unwrap_or_default())).collect()
    }

    fn response_ms(&self) -> Option<[f64; 3]> {
        let mut all = Sketch::default();
        for (key, waits) in &self.waits {
            if self.terms.name(key[3]) == Some(BOT_RESPONSE) {
                all.merge(&waits.sketch);
            }
        }
        all.quantiles([50, 90, 99])
    }
}

/// The text with the most of something; of equals the first.
fn most(table: Table<'_>, text: &str, count: &str) -> Option<(String, u64)> {
    let (texts, counts) = (table.texts(text), table.ints(count));
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for row in 0..table.rows() {
        if let Some(text) = texts.get(row).filter(|text| !text.is_empty()) {
            *sums.entry(text).or_default() += counts.or_zero(row);
        }
    }
    let best = sums.into_iter().rev().max_by_key(|&(_, sum)| sum)?;
    Some((best.0.to_owned(), best.1.unsigned_abs()))
}
