//! From states to tables, batch by batch: no table is in memory as a whole.

use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;
use korpus_engine::Pool;

use super::groups::Seen;
use super::key::KeyPart;
use super::stored::with_parts;
use super::{Aggregate, LONGEST_MINUTES, MICROS_A_MINUTE, SUMMARY_CELLS, Stored};
use crate::error::Result;
use crate::events::is_link;
use crate::local_time::LocalTime;
use crate::metrics::Metric;
use crate::rows::{Cell, ManyRows, Row, Rows, hex};
use crate::sketch::estimate;

/// Rows of a batch.
const BATCH_ROWS: usize = 8192;
/// A clock shows another hour after this many minutes at the earliest, in every zone.
const STEP: i64 = 15;
/// A clock goes back by fewer days than this, be it over the date line.
const DAYS_BACK: i32 = 2;

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
    put: PutBatch<'p>,
    is_put: bool,
}

impl<'p> Table<'p> {
    fn new(metric: Metric, put: PutBatch<'p>) -> Self {
        Self { metric, rows: Rows::new(metric), put, is_put: false }
    }

    /// Adds a row that `fill` fills.
    #[inline]
    fn row(&mut self, fill: impl FnOnce(&mut Row<'_>)) -> Result<()> {
        fill(&mut self.rows.begin());
        if self.rows.len() == BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    /// Adds a row for each of `items`: all of them begin with `parts`, and `fill` fills the other columns.
    fn rows<T>(
        &mut self,
        parts: &[KeyPart<'_>],
        mut items: &[T],
        fill: impl Fn(&mut ManyRows<'_>, &[T]),
    ) -> Result<()> {
        while !items.is_empty() {
            let room = (BATCH_ROWS - self.rows.len()).min(items.len());
            let (now, later) = items.split_at(room);
            let mut rows = self.rows.begin_many(now.len());
            for part in parts {
                put_part(part, |cell| rows.put_same(cell));
            }
            fill(&mut rows, now);
            drop(rows);
            items = later;
            if self.rows.len() == BATCH_ROWS {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let batch = self.rows.finish()?;
        self.put(batch)
    }

    /// Hands a whole batch on.
    fn put(&mut self, batch: RecordBatch) -> Result<()> {
        self.is_put = true;
        (self.put)(self.metric, batch)
    }

    fn finish(mut self) -> Result<()> {
        if self.rows.len() > 0 || !self.is_put { self.flush() } else { Ok(()) }
    }
}

/// Gives a part of a key as a cell.
#[inline]
fn put_part(part: &KeyPart<'_>, put: impl FnOnce(Cell<'_>)) {
    match part {
        KeyPart::Null => put(Cell::Null),
        KeyPart::Int(value) => put(Cell::Int(*value)),
        KeyPart::Text(value) => put(Cell::Text(value)),
        KeyPart::Hash(hash) => put(Cell::Text(&hex(*hash))),
    }
}

fn put_parts(row: &mut Row<'_>, parts: &[KeyPart<'_>]) {
    for part in parts {
        put_part(part, |cell| row.put(cell));
    }
}

fn put_counts(row: &mut Row<'_>, counts: &[i64]) {
    for &count in counts {
        row.put(count);
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
        self.put_in_order();
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
                _ => self.table(aggregate, table, |_, group, row| put_counts(row, group.cells))?,
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
        values: impl Fn(&[KeyPart<'_>], Seen<'_>, &mut Row<'_>) + Sync,
    ) -> Result<()> {
        let fill = |parts: &[KeyPart<'_>], group: Seen<'_>, row: &mut Row<'_>| {
            put_parts(row, parts);
            values(parts, group, row);
        };
        let Some((groups, order)) = self.in_order(aggregate) else {
            self.for_each(aggregate, |parts, group| table.row(|row| fill(parts, group, row)))?;
            return table.finish();
        };
        let metric = table.metric;
        let batch = |places: &&[u32]| {
            let mut rows = Rows::new(metric);
            for group in groups.at_places(places) {
                with_parts(aggregate, group, |parts, group| fill(parts, group, &mut rows.begin()));
            }
            rows.finish()
        };
        // No more of them are in memory than threads make at a time. Programs that run the steps have threads of their own.
        let batches: Vec<&[u32]> = order.chunks(BATCH_ROWS).collect();
        for batches in batches.chunks(Pool::threads_here()) {
            Pool::map_here(batches, batch).into_iter().try_for_each(|batch| table.put(batch?))?;
        }
        table.finish()
    }

    fn containment_check(&self, mut table: Table<'_>) -> Result<()> {
        self.for_each(Aggregate::ContainmentCheck, |parts, group| {
            table.row(|row| {
                row.put(flag(&parts[0]));
                put_parts(row, &parts[1..]);
                row.put(group.cells[0]);
            })
        })?;
        table.finish()
    }

    fn task_edges(&self, mut table: Table<'_>) -> Result<()> {
        self.for_each(Aggregate::TaskEdges, |parts, group| {
            table.row(|row| {
                put_parts(row, &parts[..3]);
                row.put(flag(&parts[3]));
                put_counts(row, group.cells);
            })
        })?;
        table.finish()
    }

    fn latency_buckets(&self, mut table: Table<'_>) -> Result<()> {
        let mut buckets = Vec::new();
        self.for_each(Aggregate::Latency, |parts, group| {
            buckets.clear();
            buckets.extend(group.sketch.iter().flat_map(|sketch| sketch.buckets()));
            table.rows(parts, &buckets, |rows, buckets| {
                rows.put_each(buckets.iter().map(|bucket| i64::from(bucket.0)));
                rows.put_each(buckets.iter().map(|bucket| estimate(bucket.0)));
                rows.put_each(buckets.iter().map(|bucket| bucket.1.cast_signed()));
            })
        })?;
        table.finish()
    }

    fn path_variants(&self, mut table: Table<'_>) -> Result<()> {
        let mut of_bot: BTreeMap<Option<Vec<u8>>, i64> = BTreeMap::new();
        let bot = |part: &KeyPart<'_>| match part {
            KeyPart::Text(bot) => Some(bot.to_vec()),
            _ => None,
        };
        self.for_each(Aggregate::Paths, |parts, group| {
            let all = of_bot.entry(bot(&parts[0])).or_default();
            *all = all.saturating_add(group.cells[0]);
            Ok(())
        })?;
        self.for_each(Aggregate::Paths, |parts, group| {
            let all = of_bot.get(&bot(&parts[0])).copied().unwrap_or_default();
            table.row(|row| {
                put_parts(row, &parts[..2]);
                put_counts(row, &[group.cells[0], all]);
                row.put(ratio(group.cells[0], all));
                row.put(group.sketch.and_then(|sketch| sketch.quantile(50)));
            })
        })?;
        table.finish()
    }

    fn drift(&self, mut table: Table<'_>, source: &dyn Fn(u64) -> String) -> Result<()> {
        self.for_each(Aggregate::Drift, |parts, group| {
            let source = source(group.cells[1].cast_unsigned());
            table.row(|row| {
                put_parts(row, parts);
                row.put(group.cells[0]);
                row.put(source.as_str());
            })
        })?;
        table.finish()
    }

    /// Sweeps over the minutes in which the number of sessions changes.
    fn concurrency(&self, mut table: Table<'_>, local: &mut LocalTime) -> Result<()> {
        // Of the hours that a clock may still come back to.
        let mut peaks: BTreeMap<(i32, i32), i64> = BTreeMap::new();
        let mut put = |((day, hour), peak): ((i32, i32), i64)| {
            table.row(|row| put_counts(row, &[i64::from(day), i64::from(hour), peak]))
        };
        // Since which minute how many run.
        let (mut since, mut running) = (0, 0_i64);
        self.for_each(Aggregate::Concurrency, |parts, group| {
            let KeyPart::Int(until) = parts[0] else { return Ok(()) };
            // That concerns every local hour in between; but none of them runs for longer than this.
            let mut minute = since;
            while running > 0 && minute < until.min(since + LONGEST_MINUTES + 1) {
                if let Some(local) = local.at(minute.saturating_mul(MICROS_A_MINUTE)) {
                    let peak = peaks.entry((local.day, local.hour)).or_default();
                    *peak = running.max(*peak);
                    while let Some(past) = peaks.first_entry()
                        && past.key().0 + DAYS_BACK < local.day
                    {
                        put(past.remove_entry())?;
                    }
                }
                minute = (minute.div_euclid(STEP) + 1) * STEP;
            }
            (since, running) = (until, running.saturating_add(group.cells[0]));
            Ok(())
        })?;
        peaks.into_iter().try_for_each(put)?;
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

fn summary(_: &[KeyPart<'_>], group: Seen<'_>, row: &mut Row<'_>) {
    for of in [&group.cells[..SUMMARY_CELLS], &group.cells[SUMMARY_CELLS..]] {
        put_counts(row, of);
        for numerator in [CONTAINED, TRANSFERRED, DROPPED] {
            row.put(ratio(of[numerator], of[BASE]));
        }
    }
}

fn latency(_: &[KeyPart<'_>], group: Seen<'_>, row: &mut Row<'_>) {
    put_counts(row, group.cells);
    let (least, greatest) = (group.cells[2] as f64, group.cells[3] as f64);
    let quantiles = group.sketch.and_then(|sketch| sketch.quantiles([50, 90, 95, 99]));
    for at in 0..4 {
        row.put(quantiles.map(|ms| ms[at].clamp(least, greatest)));
    }
}

fn user(_: &[KeyPart<'_>], group: Seen<'_>, row: &mut Row<'_>) {
    let [first, last, sessions, messages, days] = [0, 1, 2, 3, 4].map(|cell| group.cells[cell]);
    row.put((first != i64::MAX).then_some(first));
    row.put((last != i64::MIN).then_some(last));
    put_counts(row, &[sessions, messages, days]);
    row.put(days >= 2);
}

fn action(parts: &[KeyPart<'_>], group: Seen<'_>, row: &mut Row<'_>) {
    put_counts(row, group.cells);
    row.put(!matches!(&parts[3], KeyPart::Text(name) if is_link(name)));
}
