//! Sums by what the page can be asked for: periods, bots, channels.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::columns::Ints;
use super::digest::Digest;
use super::dimensions::{Names, Periods, Unit, civil};
use super::text::Shortened;
use crate::metrics::Metric;

/// How many languages, and how many verdicts of the platform, stand on their own.
const LANGUAGES: usize = 11;
const VERDICTS: usize = 8;
/// Up to so many days, concurrency is told by the hour; up to so many, by the day.
const DAYS_BY_HOUR: usize = 15;
const DAYS_BY_DAY: usize = 400;

/// What is summed of sessions: what the page calls it, and its column.
const SESSION_SUMS: [(&str, &str); 21] = [
    ("sessions", "sessions"),
    ("interactive", "interactive"),
    ("turns", "turns"),
    ("timeout_closed", "timeout_closed"),
    ("self_service", "self_service"),
    ("drop_off", "drop_off"),
    ("agent", "agent"),
    ("open", "open"),
    ("none", "none"),
    ("no_response", "no_response"),
    ("fallback", "fallback"),
    ("left_waiting", "left_waiting"),
    ("handoff_connected", "handoff_connected"),
    ("handoff_requested", "handoff_requested"),
    ("contained", "contained"),
    ("dropped", "dropped"),
    ("transferred", "transferred"),
    ("uncut_sessions", "sessions_uncut"),
    ("uncut_contained", "contained_uncut"),
    ("uncut_dropped", "dropped_uncut"),
    ("uncut_transferred", "transferred_uncut"),
];

/// Sums by key.
pub(super) type Sums<const K: usize> = BTreeMap<[i64; K], Vec<i64>>;

/// Sums as columns: first those of the key.
pub(super) fn written<const K: usize>(keys: [&str; K], values: &[&str], sums: Sums<K>) -> Value {
    let mut columns: Vec<Vec<i64>> = vec![Vec::with_capacity(sums.len()); K + values.len()];
    for (key, values) in sums {
        for (column, value) in columns.iter_mut().zip(key.into_iter().chain(values)) {
            column.push(value);
        }
    }
    let named = keys.iter().chain(values).map(|&name| name.to_owned()).zip(columns);
    Value::Object(named.map(|(name, column)| (name, json!(column))).collect())
}

fn add<const K: usize>(sums: &mut Sums<K>, key: [i64; K], values: &[Ints<'_>], row: usize) {
    let sum = sums.entry(key).or_insert_with(|| vec![0; values.len()]);
    for (sum, column) in sum.iter_mut().zip(values) {
        *sum += column.or_zero(row);
    }
}

fn place(at: Option<usize>) -> i64 {
    at.map_or(-1, |at| at as i64)
}

/// Messages by period, bot, channel, and kind: 0 from people, 1 from bots and agents, 2 others.
pub(super) fn volumes(digest: &Digest, bots: &Names, channels: &Names, periods: &Periods) -> Value {
    let name = |term| digest.terms.name(term);
    let mut sums = Sums::new();
    for (&(day, [bot, channel, kind]), &messages) in &digest.volumes {
        let kind = match name(kind) {
            Some("incoming") => 0,
            Some("outgoing") => 1,
            _ => 2,
        };
        let period = place(periods.of(day));
        let key = [period, bots.of(name(bot)) as i64, channels.of(name(channel)) as i64, kind];
        sums.entry(key).or_insert_with(|| vec![0])[0] += messages;
    }
    written(["period", "bot", "channel", "kind"], &["messages"], sums)
}

/// Sessions and what became of them by period, bot and channel; and by bot, channel and language.
pub(super) fn sessions(
    digest: &Digest,
    bots: &Names,
    channels: &Names,
    periods: &Periods,
) -> (Value, Value, Vec<String>) {
    let table = digest.table(Metric::SessionSummary);
    let (days, language) = (table.ints("day"), table.texts("language"));
    let (bot, channel) = (table.texts("bot_id"), table.texts("channel"));
    let all: Vec<_> = SESSION_SUMS.iter().map(|&(_, column)| table.ints(column)).collect();
    let few = [table.ints("sessions"), table.ints("interactive")];
    let mut weights = std::collections::HashMap::new();
    for row in 0..table.rows() {
        *weights.entry(language.get(row)).or_insert(0) += few[0].or_zero(row);
    }
    let languages = Names::heaviest(weights, LANGUAGES, "other languages");
    let (mut sums, mut by_language) = (Sums::new(), Sums::new());
    for row in 0..table.rows() {
        let period = place(periods.of(days.get(row)));
        let (bot, channel) = (bots.of(bot.get(row)) as i64, channels.of(channel.get(row)) as i64);
        add(&mut sums, [period, bot, channel], &all, row);
        add(&mut by_language, [bot, channel, languages.of(language.get(row)) as i64], &few, row);
    }
    let names: Vec<_> = SESSION_SUMS.iter().map(|&(name, _)| name).collect();
    (
        written(["period", "bot", "channel"], &names, sums),
        written(["bot", "channel", "language"], &["sessions", "interactive"], by_language),
        languages.shown,
    )
}

/// The week by the hour; Monday is 0.
pub(super) fn heatmap(digest: &Digest, channels: &Names) -> Value {
    let table = digest.table(Metric::Heatmap);
    let (weekday, hour, channel) = (table.ints("weekday"), table.ints("hour"), table.texts("channel"));
    let values = [table.ints("sessions"), table.ints("messages")];
    let mut sums = Sums::new();
    for row in 0..table.rows() {
        if let (Some(weekday @ 1..=7), Some(hour @ 0..=23)) = (weekday.get(row), hour.get(row)) {
            add(&mut sums, [weekday - 1, hour, channels.of(channel.get(row)) as i64], &values, row);
        }
    }
    written(["weekday", "hour", "channel"], &["sessions", "messages"], sums)
}

/// The most sessions at a time, by hour or by longer, without a gap; and by what.
pub(super) fn concurrency(digest: &Digest, periods: &Periods) -> (Value, &'static str) {
    let table = digest.table(Metric::Concurrency);
    let (days, hours, peaks) = (table.ints("day"), table.ints("hour"), table.ints("peak"));
    let mut by_hour: BTreeMap<(Date, i64), i64> = BTreeMap::new();
    for row in 0..table.rows() {
        let day = days.get(row).filter(|&day| periods.of(Some(day)).is_some()).and_then(civil);
        if let Some((day, hour @ 0..=23)) = day.zip(hours.get(row)) {
            let peak = by_hour.entry((day, hour)).or_insert(0);
            *peak = peaks.or_zero(row).max(*peak);
        }
    }
    let Some((first, last)) = by_hour.keys().next().zip(by_hour.keys().next_back()).map(|(a, b)| (a.0, b.0))
    else {
        return (json!({ "label": [], "peak": [] }), "hour");
    };
    let all: Vec<Date> =
        std::iter::successors(Some(first), |day| day.checked_add(1.day()).ok().filter(|&day| day <= last))
            .collect();
    let (unit, labels): (_, BTreeMap<String, i64>) = if all.len() <= DAYS_BY_HOUR {
        let hour_of = |day: Date, hour: i64| {
            (format!("{day} {hour:02}:00"), by_hour.get(&(day, hour)).copied().unwrap_or(0))
        };
        (
            "hour",
            all.iter()
                .flat_map(|&day| (0..24).map(move |hour| (day, hour)))
                .map(|(d, h)| hour_of(d, h))
                .collect(),
        )
    } else {
        let unit = if all.len() <= DAYS_BY_DAY { Unit::Day } else { periods.unit };
        let mut labels: BTreeMap<String, i64> =
            all.iter().map(|&day| (unit.start(day).to_string(), 0)).collect();
        for ((day, _), peak) in by_hour {
            let most = labels.entry(unit.start(day).to_string()).or_insert(0);
            *most = peak.max(*most);
        }
        (unit.as_str(), labels)
    };
    let (labels, peaks): (Vec<_>, Vec<_>) = labels.into_iter().unzip();
    (json!({ "label": labels, "peak": peaks }), unit)
}

/// Our outcome beside the platform's verdict; nothing where the platform's is nowhere known.
pub(super) fn containment_check(digest: &Digest) -> Value {
    let table = digest.table(Metric::ContainmentCheck);
    let outcomes = table.texts("outcome");
    let (kind, containment) = (table.texts("platform_session_type"), table.texts("platform_containment"));
    let sessions = table.ints("sessions");
    let verdict = |row: usize| match (kind.get(row), containment.get(row), outcomes.get(row)) {
        (None, None, Some(_)) => None,
        (None, None, None) => Some("listed without a verdict".to_owned()),
        (kind, containment, _) => {
            let both = [kind, containment].into_iter().flatten().filter(|name| !name.is_empty());
            Some(both.collect::<Vec<_>>().join(", "))
        }
    };
    let verdicts: Vec<_> = (0..table.rows()).map(verdict).collect();
    if verdicts.iter().all(Option::is_none) {
        return json!({ "outcome": [], "platform": [], "sessions": [] });
    }
    let mut weights = std::collections::HashMap::new();
    for (row, verdict) in verdicts.iter().enumerate() {
        if let Some(verdict) = verdict {
            *weights.entry(Some(verdict.as_str())).or_insert(0) += sessions.or_zero(row);
        }
    }
    let names = Names::heaviest(weights, VERDICTS, "other verdicts");
    let mut sums: BTreeMap<(String, String), i64> = BTreeMap::new();
    for (row, verdict) in verdicts.iter().enumerate() {
        let platform = verdict.as_deref().map_or_else(
            || "not listed".to_owned(),
            |verdict| names.shown.get(names.of(Some(verdict))).cloned().unwrap_or_default(),
        );
        let outcome = Shortened::name(outcomes.get(row).unwrap_or_default()).0;
        *sums.entry((outcome, platform)).or_insert(0) += sessions.or_zero(row);
    }
    let mut columns = [vec![], vec![], vec![]];
    for ((outcome, platform), sessions) in sums {
        columns[0].push(json!(outcome));
        columns[1].push(json!(platform));
        columns[2].push(json!(sessions));
    }
    let [outcome, platform, sessions] = columns;
    json!({ "outcome": outcome, "platform": platform, "sessions": sessions })
}

/// People by bot: how many, how many returned, and how many had 1, 2, 3 to 5, 6 to 10 and more sessions. Nobody by name.
pub(super) fn users(digest: &Digest, bots: &Names) -> Value {
    let mut sums: Sums<1> = Sums::new();
    for (&bot, people) in &digest.people {
        let sum =
            sums.entry([bots.of(digest.terms.name(bot)) as i64]).or_insert_with(|| vec![0; people.len()]);
        sum.iter_mut().zip(people).for_each(|(sum, count)| *sum += count);
    }
    written(["bot"], &["users", "returning", "s1", "s2", "s3", "s6", "s11"], sums)
}

/// The words that the page uses, by their declaration: word, column, formula, caveat, and the platform's own.
pub(super) fn definitions() -> Vec<[&'static str; 5]> {
    const WORDS: [(&str, Metric, &str); 19] = [
        ("Conversation", Metric::Sessions, "session_id"),
        ("With a person's message", Metric::Sessions, "interactive"),
        ("Outcome", Metric::Sessions, "outcome"),
        ("Why it broke off", Metric::Sessions, "outcome_reason"),
        ("Agent", Metric::Sessions, "handoff_state"),
        ("Rates: of which", Metric::SessionSummary, "containment_base"),
        ("Contained", Metric::SessionSummary, "containment"),
        ("Went to an agent", Metric::SessionSummary, "transfer_rate"),
        ("Broke off", Metric::SessionSummary, "drop_off_rate"),
        ("Duration", Metric::Sessions, "duration_ms"),
        ("Closed by time-out", Metric::Sessions, "timeout_closed"),
        ("Repeated prompt", Metric::Sessions, "reprompt_count"),
        ("Fallback", Metric::Sessions, "fallback_count"),
        ("Cut at the start", Metric::Sessions, "left_cut"),
        ("Cut at the end", Metric::Sessions, "right_cut"),
        ("Still open", Metric::Sessions, "open"),
        ("Wait", Metric::Latency, "kind"),
        ("Median, 90 %, 95 %, 99 %", Metric::Latency, "p50_ms"),
        ("Came back", Metric::Users, "returning"),
    ];
    let declared = |(word, metric, name): (&'static str, Metric, &str)| {
        let column = metric.columns().find(|column| column.name == name)?;
        Some([word, column.name, column.formula, column.caveat, column.platform])
    };
    WORDS.into_iter().filter_map(declared).collect()
}

/// An object of its entries.
pub(super) fn object(entries: impl IntoIterator<Item = (&'static str, Value)>) -> Map<String, Value> {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
