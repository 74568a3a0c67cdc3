//! Quantiles of what the page can be asked for: of all bots and channels, of each, by task and over time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use super::digest::{BOT_RESPONSE, Digest};
use super::dimensions::{Names, Periods};
use super::sums::written;
use super::text::Shortened;
use super::waits::Waits;

/// How many tasks of a bot stand on their own.
const TASKS: usize = 10;
/// In the place of a bot, a channel or a task: all of them together.
const ALL: i64 = -1;

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
    digest: &Digest,
    bots: &Names,
    channels: &Names,
    periods: &Periods,
    share: usize,
) -> Latency {
    let name = |term| digest.terms.name(term);
    let tasks = Tasks::new(digest, bots, (TASKS / share).max(1));
    let mut kinds: BTreeMap<&str, i64> =
        digest.waits.keys().filter_map(|key| Some((name(key[3])?, 0))).collect();
    kinds.values_mut().enumerate().for_each(|(at, kind)| *kind = at as i64);
    let mut waits: HashMap<[i64; 4], Waits> = HashMap::new();
    for (&[bot, channel, task, kind], one) in &digest.waits {
        let Some((kind_name, &kind)) = name(kind).and_then(|name| kinds.get_key_value(name)) else {
            continue;
        };
        let bot = bots.of(name(bot));
        let task = if *kind_name == BOT_RESPONSE { tasks.place(bot, name(task)) } else { None };
        let task = task.map_or(ALL, |task| task as i64);
        waits.entry([bot as i64, channels.of(name(channel)) as i64, task, kind]).or_default().merge(one);
    }
    let mut over_time: HashMap<[i64; 3], Waits> = HashMap::new();
    for (&(day, [bot, channel]), one) in &digest.responses {
        if let Some(period) = periods.of(day) {
            let key = [bots.of(name(bot)) as i64, channels.of(name(channel)) as i64, period as i64];
            over_time.entry(key).or_default().merge(one);
        }
    }

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
    fn new(digest: &'a Digest, bots: &Names, most: usize) -> Self {
        let name = |term| digest.terms.name(term);
        let mut weights: HashMap<(usize, Option<&str>), i64> = HashMap::new();
        for (&[bot, task], &count) in &digest.tasks {
            *weights.entry((bots.of(name(bot)), name(task))).or_insert(0) += count;
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
