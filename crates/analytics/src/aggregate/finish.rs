//! From states to tables, batch by batch: no table is in memory as a whole.

use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;

use super::groups::Seen;
use super::key::KeyPart;
use super::{Aggregate, SUMMARY_CELLS, Stored};
use crate::error::Result;
use crate::events::is_link;
use crate::local_time::LocalTime;
use crate::metrics::Metric;
use crate::rows::{Cell, Rows};
use crate::sketch::estimate;

/// Rows of a batch.
const BATCH_ROWS: usize = 8192;
const MICROS_A_MINUTE: i64 = 60_000_000;
/// A clock shows another hour after this many minutes at the earliest, in every zone.
const STEP: i64 = 15;

/// The parts of a session summary that rates are made of.
const BASE: usize = 16;
const CONTAINED: usize = 17;
const TRANSFERRED: usize = 18;
const DROPPED: usize = 19;

/// Takes a table, batch by batch; at least one, which may be empty.
pub(crate) type PutBatch<'p> = &'p mut dyn FnMut(Metric, RecordBatch) -> Result<()>;

/// The rows of a table on their way.
struct Table<'p> {
    metric: Metric,
    rows: Rows,
    count: usize,
    put: PutBatch<'p>,
    is_put: bool,
}

impl<'p> Table<'p> {
    fn new(metric: Metric, put: PutBatch<'p>) -> Self {
        Self { metric, rows: Rows::new(metric), count: 0, put, is_put: false }
    }

    fn row<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) -> Result<()> {
        self.rows.push(cells);
        self.count += 1;
        if self.count == BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        (self.count, self.is_put) = (0, true);
        (self.put)(self.metric, self.rows.finish()?)
    }

    fn finish(mut self) -> Result<()> {
        if self.count > 0 || !self.is_put { self.flush() } else { Ok(()) }
    }
}

/// The hash of a text as a table shows it.
fn hex(part: &KeyPart<'_>) -> String {
    match part {
        KeyPart::Hash(hash) => format!("{hash:016x}"),
        _ => String::new(),
    }
}

fn cell<'a>(part: &'a KeyPart<'_>, hash: &'a str) -> Cell<'a> {
    match part {
        KeyPart::Null => Cell::Null,
        KeyPart::Int(value) => Cell::Int(*value),
        KeyPart::Text(value) => Cell::Text(value),
        KeyPart::Hash(_) => Cell::Text(hash),
    }
}

fn flag(part: &KeyPart<'_>) -> Cell<'static> {
    match part {
        KeyPart::Int(value) => Cell::Bool(*value != 0),
        _ => Cell::Null,
    }
}

fn ratio(numerator: i64, denominator: i64) -> Cell<'static> {
    if denominator == 0 { Cell::Null } else { Cell::Float(numerator as f64 / denominator as f64) }
}

impl Stored {
    /// The tables that the states make, in a time zone, in the order of [`Metric::ALL`]. `source` tells where a message
    /// stands, by its ordinal. Each state goes when its tables are made.
    pub(crate) fn finish(
        mut self,
        local: &mut LocalTime,
        source: &dyn Fn(u64) -> String,
        put: PutBatch<'_>,
    ) -> Result<()> {
        for metric in Metric::ALL {
            let Some(aggregate) = aggregate_of(metric) else { continue };
            let table = Table::new(metric, put);
            match metric {
                Metric::ContainmentCheck => self.containment_check(table)?,
                Metric::TaskEdges => self.task_edges(table)?,
                Metric::LatencyBuckets => self.latency_buckets(table)?,
                Metric::PathVariants => self.path_variants(table)?,
                Metric::Drift => self.drift(table, source)?,
                Metric::Concurrency => self.concurrency(table, local)?,
                Metric::SessionSummary => self.table(aggregate, table, summary)?,
                Metric::Latency => self.table(aggregate, table, latency)?,
                Metric::Users => self.table(aggregate, table, user)?,
                Metric::ActionsUsage => self.table(aggregate, table, action)?,
                _ => self.table(aggregate, table, |_, group, cells| put_cells(group, cells))?,
            }
            if metric != Metric::Latency {
                self.forget(aggregate);
            }
        }
        Ok(())
    }

    /// A table of keys, and of what `values` makes of each group.
    fn table(
        &self,
        aggregate: Aggregate,
        mut table: Table<'_>,
        values: impl Fn(&[KeyPart<'_>], Seen<'_>, &mut Vec<Cell<'static>>),
    ) -> Result<()> {
        let mut cells = Vec::new();
        self.for_each(aggregate, |parts, group| {
            cells.clear();
            values(parts, group, &mut cells);
            // No key has more than one hash.
            let hash = parts.iter().map(hex).find(|hash| !hash.is_empty()).unwrap_or_default();
            table.row(parts.iter().map(|part| cell(part, &hash)).chain(cells.iter().copied()))
        })?;
        table.finish()
    }

    fn containment_check(&self, mut table: Table<'_>) -> Result<()> {
        self.for_each(Aggregate::ContainmentCheck, |parts, group| {
            let texts = parts[1..].iter().map(|part| cell(part, ""));
            table.row([flag(&parts[0])].into_iter().chain(texts).chain([group.cells[0].into()]))
        })?;
        table.finish()
    }

    fn task_edges(&self, mut table: Table<'_>) -> Result<()> {
        self.for_each(Aggregate::TaskEdges, |parts, group| {
            let texts = parts[..3].iter().map(|part| cell(part, ""));
            let counts = group.cells.iter().map(|&count| count.into());
            table.row(texts.chain([flag(&parts[3])]).chain(counts))
        })?;
        table.finish()
    }

    fn latency_buckets(&self, mut table: Table<'_>) -> Result<()> {
        self.for_each(Aggregate::Latency, |parts, group| {
            for (bucket, count) in group.sketch.iter().flat_map(|sketch| sketch.buckets()) {
                let key = parts.iter().map(|part| cell(part, ""));
                let values: [Cell<'_>; 3] =
                    [i64::from(bucket).into(), estimate(bucket).into(), count.cast_signed().into()];
                table.row(key.chain(values))?;
            }
            Ok(())
        })?;
        table.finish()
    }

    fn path_variants(&self, mut table: Table<'_>) -> Result<()> {
        let mut of_bot: BTreeMap<Option<String>, i64> = BTreeMap::new();
        let bot = |part: &KeyPart<'_>| match part {
            KeyPart::Text(bot) => Some(bot.to_string()),
            _ => None,
        };
        self.for_each(Aggregate::Paths, |parts, group| {
            *of_bot.entry(bot(&parts[0])).or_default() += group.cells[0];
            Ok(())
        })?;
        self.for_each(Aggregate::Paths, |parts, group| {
            let all = of_bot.get(&bot(&parts[0])).copied().unwrap_or_default();
            table.row([
                cell(&parts[0], ""),
                cell(&parts[1], ""),
                group.cells[0].into(),
                all.into(),
                ratio(group.cells[0], all),
                group.sketch.and_then(|sketch| sketch.quantile(50)).into(),
            ])
        })?;
        table.finish()
    }

    fn drift(&self, mut table: Table<'_>, source: &dyn Fn(u64) -> String) -> Result<()> {
        self.for_each(Aggregate::Drift, |parts, group| {
            let source = source(group.cells[1].cast_unsigned());
            let key = parts.iter().map(|part| cell(part, ""));
            table.row(key.chain([group.cells[0].into(), source.as_str().into()]))
        })?;
        table.finish()
    }

    /// Sweeps over the minutes in which the number of sessions changes.
    fn concurrency(&self, mut table: Table<'_>, local: &mut LocalTime) -> Result<()> {
        let mut peaks: BTreeMap<(i32, i32), i64> = BTreeMap::new();
        // Since which minute how many run.
        let (mut since, mut running) = (0, 0_i64);
        self.for_each(Aggregate::Concurrency, |parts, group| {
            let KeyPart::Int(until) = parts[0] else { return Ok(()) };
            // That concerns every local hour in between.
            let mut minute = since;
            while running > 0 && minute < until {
                if let Some(local) = local.at(minute.saturating_mul(MICROS_A_MINUTE)) {
                    let peak = peaks.entry((local.day, local.hour)).or_default();
                    *peak = running.max(*peak);
                }
                minute = (minute.div_euclid(STEP) + 1) * STEP;
            }
            (since, running) = (until, running + group.cells[0]);
            Ok(())
        })?;
        for ((day, hour), peak) in peaks {
            table.row([i64::from(day).into(), i64::from(hour).into(), peak.into()])?;
        }
        table.finish()
    }
}

/// What a table is made of; `sessions` has rows of its own.
fn aggregate_of(metric: Metric) -> Option<Aggregate> {
    Some(match metric {
        Metric::Sessions => return None,
        Metric::Volumes => Aggregate::Volumes,
        Metric::SessionSummary => Aggregate::SessionSummary,
        Metric::ContainmentCheck => Aggregate::ContainmentCheck,
        Metric::Latency | Metric::LatencyBuckets => Aggregate::Latency,
        Metric::Heatmap => Aggregate::Heatmap,
        Metric::Users => Aggregate::Users,
        Metric::TemplatesUsage => Aggregate::Templates,
        Metric::ActionsUsage => Aggregate::Actions,
        Metric::Forms => Aggregate::Forms,
        Metric::DropOffPoints => Aggregate::DropOffPoints,
        Metric::Tasks => Aggregate::Tasks,
        Metric::TaskEdges => Aggregate::TaskEdges,
        Metric::PathVariants => Aggregate::Paths,
        Metric::TopInputs => Aggregate::TopInputs,
        Metric::Reprompts => Aggregate::Reprompts,
        Metric::TagsUsage => Aggregate::Tags,
        Metric::Concurrency => Aggregate::Concurrency,
        Metric::Drift => Aggregate::Drift,
    })
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
    let quantiles = group.sketch.and_then(|sketch| sketch.quantiles([50, 90, 95, 99]));
    cells.extend((0..4).map(|at| Cell::from(quantiles.map(|ms| ms[at].clamp(least, greatest)))));
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
    cells.push(Cell::Bool(!matches!(&parts[3], KeyPart::Text(name) if is_link(name))));
}
