//! From states to tables.

use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;

use super::groups::{KeyPart, Seen, parts};
use super::state::Aggregates;
use super::{Aggregate, Key, SUMMARY_CELLS, USERS};
use crate::error::Result;
use crate::events::is_link;
use crate::fold::{distinct_key, group_hash};
use crate::local_time::LocalTime;
use crate::metrics::Metric;
use crate::rows::{Cell, Rows};
use crate::sketch::{Sketch, estimate};

const MICROS_A_MINUTE: i64 = 60_000_000;
/// A clock shows another hour after this many minutes at the earliest, in every zone.
const STEP: i64 = 15;

/// The parts of a session summary that rates are made of.
const BASE: usize = 16;
const CONTAINED: usize = 17;
const TRANSFERRED: usize = 18;
const DROPPED: usize = 19;

const HASH_DIGITS: usize = 16;

/// The hash of a text as a table shows it.
fn hex(part: KeyPart<'_>) -> String {
    match part {
        KeyPart::Hash(hash) => format!("{hash:016x}"),
        _ => String::new(),
    }
}

fn cell<'a>(part: KeyPart<'a>, hash: &'a str) -> Cell<'a> {
    match part {
        KeyPart::Null => Cell::Null,
        KeyPart::Int(value) => Cell::Int(value),
        KeyPart::Text(value) => Cell::Text(value),
        KeyPart::Hash(_) => Cell::Text(hash),
    }
}

fn flag(part: KeyPart<'_>) -> Cell<'static> {
    match part {
        KeyPart::Int(value) => Cell::Bool(value != 0),
        _ => Cell::Null,
    }
}

fn ratio(numerator: i64, denominator: i64) -> Cell<'static> {
    if denominator == 0 { Cell::Null } else { Cell::Float(numerator as f64 / denominator as f64) }
}

impl Aggregates {
    /// The tables that the states make, in a time zone. `source` tells where a message stands, by its ordinal. Each state
    /// goes as soon as its table is made: both at once would take much memory.
    ///
    /// # Errors
    /// None that can be helped: a defect of korpus.
    pub(crate) fn finish(
        mut self,
        local: &mut LocalTime,
        source: &dyn Fn(u64) -> String,
    ) -> Result<BTreeMap<&'static str, RecordBatch>> {
        type Make<'m> = &'m mut dyn FnMut(&Aggregates) -> Result<RecordBatch>;
        let mut tables = BTreeMap::new();
        let mut add = |metric: Metric, from: &[Aggregate], make: Make<'_>| -> Result<()> {
            tables.insert(metric.name(), make(&self)?);
            for &aggregate in from {
                self.forget(aggregate);
            }
            Ok(())
        };
        add(Metric::Volumes, &[Aggregate::Volumes], &mut |states| states.volumes())?;
        let of_tags = [Aggregate::Tags, Aggregate::DistinctUsers];
        add(Metric::TagsUsage, &of_tags, &mut |states| states.tags_usage())?;
        add(Metric::Latency, &[], &mut |states| states.table(Aggregate::Latency, Metric::Latency, latency))?;
        add(Metric::LatencyBuckets, &[Aggregate::Latency], &mut |states| states.latency_buckets())?;
        add(Metric::ContainmentCheck, &[], &mut |states| states.containment_check())?;
        add(Metric::TaskEdges, &[], &mut |states| states.task_edges())?;
        add(Metric::PathVariants, &[Aggregate::Paths], &mut |states| states.path_variants())?;
        add(Metric::Concurrency, &[], &mut |states| states.concurrency(local))?;
        add(Metric::Drift, &[], &mut |states| states.drift(source))?;
        let users = Aggregate::Users;
        add(Metric::Users, &[users], &mut |states| states.table(users, Metric::Users, user))?;
        let actions = Aggregate::Actions;
        add(Metric::ActionsUsage, &[actions], &mut |states| {
            states.table(actions, Metric::ActionsUsage, action)
        })?;
        let sessions = Aggregate::SessionSummary;
        add(Metric::SessionSummary, &[sessions], &mut |states| {
            states.table(sessions, Metric::SessionSummary, summary)
        })?;
        for (aggregate, metric) in [
            (Aggregate::Heatmap, Metric::Heatmap),
            (Aggregate::Templates, Metric::TemplatesUsage),
            (Aggregate::Forms, Metric::Forms),
            (Aggregate::DropOffPoints, Metric::DropOffPoints),
            (Aggregate::Tasks, Metric::Tasks),
            (Aggregate::TopInputs, Metric::TopInputs),
            (Aggregate::Reprompts, Metric::Reprompts),
        ] {
            add(metric, &[aggregate], &mut |states| {
                states.table(aggregate, metric, |_, group, cells| put_cells(group, cells))
            })?;
        }
        Ok(tables)
    }

    /// A number about the run.
    pub(crate) fn count(&self, name: &str) -> u64 {
        let mut key = Key::default();
        let group = self.groups(Aggregate::Counts).get(key.start().text(Some(name)).bytes());
        group.map_or(0, |group| group.cells[0].cast_unsigned())
    }

    /// An empty table with room for all that will stand in it: as many rows a group as `rows_of` says.
    fn room(&self, aggregate: Aggregate, metric: Metric, rows_of: impl Fn(Seen<'_>) -> usize) -> Rows {
        let mut texts = vec![0; aggregate.key().len()];
        let mut rows = 0;
        for group in self.groups(aggregate).iter() {
            let count = rows_of(group);
            rows += count;
            for (bytes, part) in texts.iter_mut().zip(parts(group.key, aggregate.key())) {
                *bytes += count
                    * match part {
                        KeyPart::Text(text) => text.len(),
                        KeyPart::Hash(_) => HASH_DIGITS,
                        _ => 0,
                    };
            }
        }
        Rows::with_room(metric, rows, &texts)
    }

    /// A table of keys, and of what `values` makes of each group.
    fn table(
        &self,
        aggregate: Aggregate,
        metric: Metric,
        values: impl Fn(&[KeyPart<'_>], Seen<'_>, &mut Vec<Cell<'static>>),
    ) -> Result<RecordBatch> {
        let mut rows = self.room(aggregate, metric, |_| 1);
        let mut cells = Vec::new();
        self.groups(aggregate).for_each_sorted(aggregate.key(), |parts, group| {
            cells.clear();
            values(parts, group, &mut cells);
            // No key has more than one hash.
            let hash = parts.iter().map(|&part| hex(part)).find(|hash| !hash.is_empty()).unwrap_or_default();
            rows.push(parts.iter().map(|&part| cell(part, &hash)).chain(cells.iter().copied()));
        });
        rows.finish()
    }

    /// How many distinct users of a group stand in a state by themselves.
    fn users_in(&self, aggregate: Aggregate, key: &[u8]) -> i64 {
        let group = group_hash(aggregate, key);
        let found = self.groups(Aggregate::DistinctUsers).get(distinct_key(&mut Key::default(), group));
        found.map_or(0, |group| group.cells[0])
    }

    fn volumes(&self) -> Result<RecordBatch> {
        self.table(Aggregate::Volumes, Metric::Volumes, |_, group, cells| {
            put_cells(group, cells);
            cells[USERS] = (group.cells[USERS] + self.users_in(Aggregate::Volumes, group.key)).into();
        })
    }

    fn tags_usage(&self) -> Result<RecordBatch> {
        self.table(Aggregate::Tags, Metric::TagsUsage, |_, group, cells| {
            put_cells(group, cells);
            cells[USERS] = (group.cells[USERS] + self.users_in(Aggregate::Tags, group.key)).into();
        })
    }

    fn containment_check(&self) -> Result<RecordBatch> {
        let mut rows = Rows::new(Metric::ContainmentCheck);
        let groups = self.groups(Aggregate::ContainmentCheck);
        groups.for_each_sorted(Aggregate::ContainmentCheck.key(), |parts, group| {
            let texts = parts[1..].iter().map(|&part| cell(part, ""));
            rows.push([flag(parts[0])].into_iter().chain(texts).chain([group.cells[0].into()]));
        });
        rows.finish()
    }

    fn task_edges(&self) -> Result<RecordBatch> {
        let mut rows = Rows::new(Metric::TaskEdges);
        let groups = self.groups(Aggregate::TaskEdges);
        groups.for_each_sorted(Aggregate::TaskEdges.key(), |parts, group| {
            let texts = parts[..3].iter().map(|&part| cell(part, ""));
            let counts = group.cells.iter().map(|&count| count.into());
            rows.push(texts.chain([flag(parts[3])]).chain(counts));
        });
        rows.finish()
    }

    fn latency_buckets(&self) -> Result<RecordBatch> {
        let buckets = |group: Seen<'_>| group.sketch.map_or(0, |sketch| sketch.buckets().count());
        let mut rows = self.room(Aggregate::Latency, Metric::LatencyBuckets, buckets);
        let groups = self.groups(Aggregate::Latency);
        groups.for_each_sorted(Aggregate::Latency.key(), |parts, group| {
            for (bucket, count) in group.sketch.iter().flat_map(|sketch| sketch.buckets()) {
                let key = parts.iter().map(|&part| cell(part, ""));
                let values: [Cell<'_>; 3] =
                    [i64::from(bucket).into(), estimate(bucket).into(), count.cast_signed().into()];
                rows.push(key.chain(values));
            }
        });
        rows.finish()
    }

    fn path_variants(&self) -> Result<RecordBatch> {
        let paths = self.groups(Aggregate::Paths);
        let mut of_bot: BTreeMap<KeyPart<'_>, i64> = BTreeMap::new();
        paths.for_each_sorted(Aggregate::Paths.key(), |parts, group| {
            *of_bot.entry(parts[0]).or_default() += group.cells[0];
        });
        let mut rows = Rows::new(Metric::PathVariants);
        paths.for_each_sorted(Aggregate::Paths.key(), |parts, group| {
            let all = of_bot.get(&parts[0]).copied().unwrap_or_default();
            rows.push([
                cell(parts[0], ""),
                cell(parts[1], ""),
                group.cells[0].into(),
                all.into(),
                ratio(group.cells[0], all),
                group.sketch.and_then(|sketch| sketch.quantile(50)).into(),
            ]);
        });
        rows.finish()
    }

    fn drift(&self, source: &dyn Fn(u64) -> String) -> Result<RecordBatch> {
        let mut rows = Rows::new(Metric::Drift);
        let groups = self.groups(Aggregate::Drift);
        groups.for_each_sorted(Aggregate::Drift.key(), |parts, group| {
            let source = source(group.cells[1].cast_unsigned());
            let key = parts.iter().map(|&part| cell(part, ""));
            rows.push(key.chain([group.cells[0].into(), source.as_str().into()]));
        });
        rows.finish()
    }

    /// Sweeps over the minutes in which the number of sessions changes.
    fn concurrency(&self, local: &mut LocalTime) -> Result<RecordBatch> {
        let mut changes: Vec<(i64, i64)> = Vec::new();
        self.groups(Aggregate::Concurrency).for_each_sorted(Aggregate::Concurrency.key(), |parts, group| {
            if let KeyPart::Int(minute) = parts[0] {
                changes.push((minute, group.cells[0]));
            }
        });
        let mut peaks: BTreeMap<(i32, i32), i64> = BTreeMap::new();
        let mut running = 0;
        for (at, &(minute, change)) in changes.iter().enumerate() {
            running += change;
            let Some(&(until, _)) = changes.get(at + 1).filter(|_| running > 0) else { continue };
            // From this minute until the next change, as many run: that concerns every local hour in between.
            let mut minute = minute;
            while minute < until {
                if let Some(local) = local.at(minute.saturating_mul(MICROS_A_MINUTE)) {
                    let peak = peaks.entry((local.day, local.hour)).or_default();
                    *peak = running.max(*peak);
                }
                minute = (minute.div_euclid(STEP) + 1) * STEP;
            }
        }
        let mut rows = Rows::new(Metric::Concurrency);
        for ((day, hour), peak) in peaks {
            rows.push([i64::from(day).into(), i64::from(hour).into(), peak.into()]);
        }
        rows.finish()
    }
}

fn put_cells(group: Seen<'_>, cells: &mut Vec<Cell<'static>>) {
    cells.extend(group.cells.iter().map(|&count| Cell::Int(count)));
}

fn summary(_: &[KeyPart<'_>], group: Seen<'_>, cells: &mut Vec<Cell<'static>>) {
    for of in [&group.cells[..SUMMARY_CELLS], &group.cells[SUMMARY_CELLS..]] {
        cells.extend(of.iter().map(|&count| Cell::Int(count)));
        cells.extend([CONTAINED, TRANSFERRED, DROPPED].map(|numerator| ratio(of[numerator], of[BASE])));
    }
}

fn latency(_: &[KeyPart<'_>], group: Seen<'_>, cells: &mut Vec<Cell<'static>>) {
    put_cells(group, cells);
    let (least, greatest) = (group.cells[2] as f64, group.cells[3] as f64);
    let quantile = |sketch: &Sketch, percent| sketch.quantile(percent).map(|ms| ms.clamp(least, greatest));
    cells.extend(
        [50, 90, 95, 99].map(|percent| Cell::from(group.sketch.and_then(|sketch| quantile(sketch, percent)))),
    );
}

fn user(_: &[KeyPart<'_>], group: Seen<'_>, cells: &mut Vec<Cell<'static>>) {
    let [first, last, sessions, messages, days] = [0, 1, 2, 3, 4].map(|cell| group.cells[cell]);
    let time = |time: i64, none: i64| if time == none { Cell::Null } else { Cell::Int(time) };
    cells.extend([time(first, i64::MAX), time(last, i64::MIN)]);
    cells.extend([sessions, messages, days].map(Cell::Int));
    cells.push((days >= 2).into());
}

fn action(parts: &[KeyPart<'_>], group: Seen<'_>, cells: &mut Vec<Cell<'static>>) {
    put_cells(group, cells);
    cells.push(Cell::Bool(!matches!(parts[3], KeyPart::Text(name) if is_link(name))));
}
