//! Quantiles of what the page can be asked for: of all bots and channels, of each, by task and over time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use super::columns::{Table, Tables};
use super::dimensions::{Names, Periods};
use super::lists::rounded;
use super::sums::written;
use super::text::Shortened;
use crate::metrics::Metric;
use crate::sketch::Sketch;

/// How many tasks of a bot stand on their own.
const TASKS: usize = 10;
/// In the place of a bot, a channel or a task: all of them together.
const ALL: i64 = -1;
/// The wait that is told by task and over time.
const BOT_RESPONSE: &str = "bot_response";

/// What the page knows of waits.
pub(super) struct Latency {
    /// By bot, channel, task (of bot responses) and kind.
    pub table: Value,
    /// Bot responses by bot, channel and period.
    pub over_time: Value,
    /// The tasks that `table` counts by.
    pub tasks: Vec<String>,
    /// How many tasks there are.
    pub tasks_total: usize,
}

/// Quantiles can only be had from sketches; what is shortest and longest is exact.
#[derive(Default)]
struct Waits {
    sketch: Sketch,
    bounds: Option<(i64, i64)>,
}

impl Waits {
    fn bound(&mut self, min: i64, max: i64) {
        self.bounds = Some(self.bounds.map_or((min, max), |(low, high)| (low.min(min), high.max(max))));
    }

    fn merge(&mut self, other: &Self) {
        self.sketch.merge(&other.sketch);
        if let Some((min, max)) = other.bounds {
            self.bound(min, max);
        }
    }

    fn values(&self) -> Vec<i64> {
        let (low, high) = self.bounds.unwrap_or((0, i64::MAX));
        let quantile =
            |percent| self.sketch.quantile(percent).map_or(low, |value| rounded(value).max(low).min(high));
        let count = i64::try_from(self.sketch.count()).unwrap_or(i64::MAX);
        let longest = self.bounds.map_or_else(|| quantile(100), |(_, high)| high);
        vec![count, quantile(50), quantile(90), quantile(95), quantile(99), longest]
    }
}

/// Each, and all values of each of the first `keys` keys together.
fn rolled_up<const K: usize>(waits: &HashMap<[i64; K], Waits>, keys: usize) -> HashMap<[i64; K], Waits> {
    let mut all: HashMap<[i64; K], Waits> = HashMap::new();
    for (key, one) in waits {
        for which in 0..1_usize << keys {
            let widened = |at: usize| which >> at & 1 == 1;
            // What is of no shown task stands among all tasks as it is, and counts once.
            if (0..keys).any(|at| widened(at) && key[at] == ALL) {
                continue;
            }
            let wider = std::array::from_fn(|at| if at < keys && widened(at) { ALL } else { key[at] });
            all.entry(wider).or_default().merge(one);
        }
    }
    all
}

/// Merges the sketches. `share` divides how many tasks stand on their own.
pub(super) fn latency(
    tables: &Tables,
    bots: &Names,
    channels: &Names,
    periods: &Periods,
    share: usize,
) -> Latency {
    let tasks = Tasks::new(tables, bots, (TASKS / share).max(1));
    let mut kinds: BTreeMap<&str, i64> = BTreeMap::new();
    let mut waits: HashMap<[i64; 4], Waits> = HashMap::new();
    let mut over_time: HashMap<[i64; 3], Waits> = HashMap::new();

    let mut each = |metric: Metric, add: &dyn Fn(&mut Waits, usize)| {
        let table = Table::of(tables, metric);
        let (days, kind_names) = (table.ints("day"), table.texts("kind"));
        let (bot_ids, channel_names, task_names) =
            (table.texts("bot_id"), table.texts("channel"), table.texts("task"));
        for row in 0..table.rows() {
            let Some(kind_name) = kind_names.get(row) else { continue };
            let next = kinds.len() as i64;
            let kind = *kinds.entry(kind_name).or_insert(next);
            let bot_at = bots.of(bot_ids.get(row));
            let (bot, channel) = (bot_at as i64, channels.of(channel_names.get(row)) as i64);
            let is_response = kind_name == BOT_RESPONSE;
            let task = if is_response { tasks.place(bot_at, task_names.get(row)) } else { None };
            let period = periods.of(days.get(row)).filter(|_| is_response);
            let task = task.map_or(ALL, |task| task as i64);
            add(waits.entry([bot, channel, task, kind]).or_default(), row);
            if let Some(period) = period {
                add(over_time.entry([bot, channel, period as i64]).or_default(), row);
            }
        }
    };
    let buckets = Table::of(tables, Metric::LatencyBuckets);
    let (bucket, count) = (buckets.ints("bucket"), buckets.ints("count"));
    each(Metric::LatencyBuckets, &|waits, row| {
        let bucket = i32::try_from(bucket.or_zero(row)).unwrap_or(0);
        waits.sketch.add_many(bucket, u64::try_from(count.or_zero(row)).unwrap_or(0));
    });
    let table = Table::of(tables, Metric::Latency);
    let (min, max) = (table.ints("min_ms"), table.ints("max_ms"));
    each(Metric::Latency, &|waits, row| waits.bound(min.or_zero(row), max.or_zero(row)));

    // Only now that few are left: there may be many more rows than these.
    let waits = rolled_up(&waits, 3);
    let over_time = rolled_up(&over_time, 2);

    let mut names = vec![String::new(); kinds.len()];
    for (name, at) in kinds {
        names[at as usize] = Shortened::name(name).0;
    }
    let values = ["count", "p50", "p90", "p95", "p99", "max"];
    let sums = |waits: &Waits| waits.values();
    let known = waits.iter().filter(|(_, waits)| waits.sketch.count() > 0);
    let table = known.map(|(key, waits)| (*key, sums(waits))).collect();
    let mut table = written(["bot", "channel", "task", "kind"], &values, table);
    if let Some(kinds) = table["kind"].as_array_mut() {
        for kind in kinds {
            *kind = json!(kind.as_u64().and_then(|at| names.get(usize::try_from(at).ok()?)));
        }
    }
    let known = over_time.iter().filter(|(_, waits)| waits.sketch.count() > 0);
    let over_time = known
        .map(|(key, waits)| {
            let values = sums(waits);
            (*key, vec![values[0], values[1], values[2], values[4]])
        })
        .collect();
    let over_time = written(["bot", "channel", "period"], &["count", "p50", "p90", "p99"], over_time);
    Latency { table, over_time, tasks: tasks.shown, tasks_total: tasks.total }
}

/// The tasks with the most bot responses of each bot.
struct Tasks<'a> {
    shown: Vec<String>,
    /// Where the task of a bot stands among them.
    index: HashMap<(usize, Option<&'a str>), usize>,
    /// How many tasks there are.
    total: usize,
}

impl<'a> Tasks<'a> {
    fn new(tables: &'a Tables, bots: &Names, most: usize) -> Self {
        let table = Table::of(tables, Metric::Latency);
        let (bot_ids, names, kinds, counts) =
            (table.texts("bot_id"), table.texts("task"), table.texts("kind"), table.ints("count"));
        let mut weights: HashMap<(usize, Option<&str>), i64> = HashMap::new();
        for row in (0..table.rows()).filter(|&row| kinds.get(row) == Some(BOT_RESPONSE)) {
            *weights.entry((bots.of(bot_ids.get(row)), names.get(row))).or_insert(0) += counts.or_zero(row);
        }
        let total = weights.keys().map(|&(_, task)| task).collect::<BTreeSet<_>>().len();
        let mut sorted: Vec<_> = weights.into_iter().collect();
        sorted.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let mut taken = vec![0; bots.shown.len()];
        let mut shown = Vec::new();
        // A task of several bots is one task where all bots are asked for.
        let mut places: HashMap<Option<&str>, usize> = HashMap::new();
        for ((bot, task), _) in &sorted {
            let Some(taken) = taken.get_mut(*bot) else { continue };
            if *taken < most {
                *taken += 1;
                places.entry(*task).or_insert_with(|| {
                    shown.push(Shortened::name(task.unwrap_or_default()).0);
                    shown.len() - 1
                });
            }
        }
        // Every bot's share of such a task counts, so that its row for all bots is not short of any.
        let index = sorted
            .into_iter()
            .filter_map(|((bot, task), _)| Some(((bot, task), *places.get(&task)?)))
            .collect();
        Self { shown, index, total }
    }

    fn place(&self, bot: usize, task: Option<&str>) -> Option<usize> {
        self.index.get(&(bot, task)).copied()
    }
}
