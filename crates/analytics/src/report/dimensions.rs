//! What the figures are broken down by: bots, channels, and periods of time, each few enough to draw.

use std::collections::HashMap;

use jiff::ToSpan;
use jiff::civil::{Date, date};

use super::digest::{Digest, Term};
use super::text::Shortened;
use crate::metrics::Metric;

/// How many bots, and how many channels, stand on their own.
const BOTS: usize = 12;
const CHANNELS: usize = 8;
/// How many periods are drawn, and how many rows of sums over them the page holds.
const PERIODS: usize = 92;
const ROWS: usize = 6_000;
/// Days further than this from all others are left out, where fewer than one message in so many is there.
const GAP_DAYS: i64 = 30;
const RARE: i64 = 1_000;

/// Names that are few: the largest, and one for the rest.
#[derive(Debug)]
pub(super) struct Names {
    /// What the page calls them.
    pub shown: Vec<String>,
    /// How many there are.
    pub total: usize,
    index: HashMap<String, usize>,
    /// Where what has no name stands.
    nameless: Option<usize>,
}

impl Names {
    /// The `most` heaviest of the names, the first of equals by name; the rest are one.
    pub(super) fn heaviest(weights: HashMap<Option<&str>, i64>, most: usize, rest: &str) -> Self {
        let mut sorted: Vec<_> = weights.into_iter().collect();
        sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let total = sorted.len();
        // A rest of one would say less than its name, in the same place.
        let alone = if total <= most + 1 { total } else { most };
        let mut shown: Vec<String> =
            sorted[..alone].iter().map(|(name, _)| Shortened::name(name.unwrap_or_default()).0).collect();
        if total > alone {
            shown.push(format!("{rest} ({})", total - alone));
        }
        let mut index = HashMap::new();
        let mut nameless = None;
        for (at, (name, _)) in sorted.into_iter().enumerate() {
            match name {
                Some(name) => _ = index.insert(name.to_owned(), at.min(alone)),
                None => nameless = Some(at.min(alone)),
            }
        }
        Self { shown, total, index, nameless }
    }

    /// Where a name stands. One that was not among the weights goes with the last.
    pub(super) fn of(&self, name: Option<&str>) -> usize {
        let place = name.map_or(self.nameless, |name| self.index.get(name).copied());
        place.unwrap_or(self.shown.len().saturating_sub(1))
    }

    /// Bots, by their messages.
    pub(super) fn bots(digest: &Digest) -> Self {
        Self::heaviest(named(digest, &digest.bots), BOTS, "other bots")
    }

    /// Channels, by their messages.
    pub(super) fn channels(digest: &Digest) -> Self {
        Self::heaviest(named(digest, &digest.channels), CHANNELS, "other channels")
    }
}

fn named<'d>(digest: &'d Digest, weights: &HashMap<Term, i64>) -> HashMap<Option<&'d str>, i64> {
    weights.iter().map(|(&term, &weight)| (digest.terms.name(term), weight)).collect()
}

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    Week,
    Month,
    Year,
}

impl Unit {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// The first day of the period that a day is in.
    pub(super) fn start(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Week => day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days()),
            Self::Month => day.first_of_month(),
            Self::Year => day.first_of_year(),
        }
    }

    fn next(self, start: Date) -> Option<Date> {
        match self {
            Self::Day => start.checked_add(1.day()),
            Self::Week => start.checked_add(7.days()),
            Self::Month => start.checked_add(1.month()),
            Self::Year => start.checked_add(1.year()),
        }
        .ok()
    }
}

/// A day by its number from 1970.
pub(super) fn civil(days: i64) -> Option<Date> {
    date(1970, 1, 1).checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

/// The periods of the report.
#[derive(Debug)]
pub(super) struct Periods {
    pub unit: Unit,
    /// The first day of each, without a gap.
    pub starts: Vec<Date>,
    /// The first and the last day of all, also of those that are not drawn.
    pub span: Option<(Date, Date)>,
    index: HashMap<i64, usize>,
}

impl Periods {
    /// The finest periods that are few enough; `share` divides what is enough.
    pub(super) fn new(digest: &Digest, bots: &Names, channels: &Names, share: usize) -> Self {
        let mut days: HashMap<i64, i64> = HashMap::new();
        let mut cells = Vec::new();
        let mut add = |day: Option<i64>, messages: i64, bot: Option<&str>, channel: Option<&str>| {
            if let Some(day) = day {
                *days.entry(day).or_insert(0) += messages;
                cells.push((day, bots.of(bot), channels.of(channel)));
            }
        };
        let name = |term| digest.terms.name(term);
        for (&(day, [bot, channel, _]), &messages) in &digest.volumes {
            add(day, messages, name(bot), name(channel));
        }
        let table = digest.table(Metric::SessionSummary);
        let (dates, messages) = (table.ints("day"), table.ints("messages"));
        let (bot, channel) = (table.texts("bot_id"), table.texts("channel"));
        for row in 0..table.rows() {
            add(dates.get(row), messages.or_zero(row), bot.get(row), channel.get(row));
        }
        cells.sort_unstable();
        cells.dedup();
        let mut days: Vec<_> = days.into_iter().filter(|&(day, _)| civil(day).is_some()).collect();
        days.sort_unstable();
        let span = days.first().zip(days.last()).and_then(|(a, b)| civil(a.0).zip(civil(b.0)));
        let days = without_strays(&days);
        let units = [Unit::Day, Unit::Week, Unit::Month, Unit::Year];
        let mut found = None;
        for unit in units {
            let periods = Self::by(unit, days, span);
            let mut used: Vec<_> = cells
                .iter()
                .filter_map(|&(day, bot, channel)| Some((periods.of(Some(day))?, bot, channel)))
                .collect();
            used.sort_unstable();
            used.dedup();
            let fits = periods.starts.len() <= PERIODS && used.len() <= ROWS / share;
            found = Some(periods);
            if fits {
                break;
            }
        }
        found.unwrap_or_else(|| Self::by(Unit::Day, &[], None))
    }

    fn by(unit: Unit, days: &[(i64, i64)], span: Option<(Date, Date)>) -> Self {
        let mut starts = Vec::new();
        if let Some((first, last)) =
            days.first().zip(days.last()).and_then(|(a, b)| civil(a.0).zip(civil(b.0)))
        {
            let mut at = Some(unit.start(first));
            while let Some(start) = at.filter(|&start| start <= last) {
                starts.push(start);
                at = unit.next(start);
            }
        }
        let place = |day: i64| {
            let start = unit.start(civil(day)?);
            starts.binary_search(&start).ok()
        };
        let index = days.iter().filter_map(|&(day, _)| Some((day, place(day)?))).collect();
        Self { unit, starts, span, index }
    }

    /// The period of a day; `None` for what is not drawn.
    pub(super) fn of(&self, day: Option<i64>) -> Option<usize> {
        self.index.get(&day?).copied()
    }
}

/// The days less those at either end that are far from the rest and hold next to nothing: one message with the clock of
/// 1970 must not squeeze a quarter into one bar.
fn without_strays(days: &[(i64, i64)]) -> &[(i64, i64)] {
    let all: i64 = days.iter().map(|&(_, messages)| messages).sum();
    let (mut from, mut to) = (0, days.len());
    let mut held = 0;
    for at in 1..days.len() {
        held += days[at - 1].1;
        if held * RARE > all {
            break;
        }
        if days[at].0 - days[at - 1].0 > GAP_DAYS {
            from = at;
        }
    }
    held = 0;
    for at in (from + 1..days.len()).rev() {
        held += days[at].1;
        if held * RARE > all {
            break;
        }
        if days[at].0 - days[at - 1].0 > GAP_DAYS {
            to = at;
        }
    }
    &days[from..to]
}
