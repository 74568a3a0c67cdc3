//! From inputs to tables of metrics: the one entry that everything else serves.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::compute::{BatchCoalescer, concat_batches};
use arrow::record_batch::RecordBatch;
use korpus_engine::{
    EngineError, Fate, InputList, Ledger, Observer, Pool, RunOptions, RunReport, check_cancelled, run,
};
use rayon::prelude::*;

use crate::aggregate::{Runs, Stored};
use crate::codec::Reader;
use crate::error::Result;
use crate::events::{Event, EventJob, EventState, is_record};
use crate::exchange::{Exchange, Frame};
use crate::export::{Exported, Wanted};
use crate::fold::{Coverage, FoldRules, Folder, Reach, Rules, fold_users, is_message};
use crate::local_time::LocalTime;
use crate::metrics::Metric;
use crate::options::AnalyzeOptions;
use crate::requests;
use crate::state::MergeableState;
use crate::symbols::{Names, Symbols};
use crate::text::Phrases;

/// Rows of `sessions` that are handed on at a time.
const BATCH_ROWS: usize = 8192;
/// Partitions that a worker takes at a time, at most.
const PARTITIONS_AT_ONCE: usize = 16;
/// How often each worker takes some before what was found in them is handed on: who is done sooner takes more.
const TURNS: usize = 4;
/// What is read of a partition at a time, at least.
const LEAST_AT_ONCE: usize = 1 << 20;

/// What came of an analysis, besides the rows of its tables.
#[derive(Debug)]
pub struct Analysis {
    /// What there was.
    pub counts: Counts,
    /// Every body and input, and what became of every message.
    pub run: RunReport,
    /// Bytes of events and states that did not fit into memory.
    pub spilled_bytes: u64,
}

/// How many sessions and messages there were, and how far they can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rows of `sessions`.
    pub sessions: u64,
    /// Of them, those that began before the data does.
    pub left_cut: u64,
    /// Of them, those that may go on after the data ends.
    pub right_cut: u64,
    /// Of them, those of which nothing says whether they are a developer's.
    pub developer_unknown: u64,
    /// Sessions of developers, left out or not.
    pub developer_sessions: u64,
    /// Kept messages that belong to no session.
    pub unsessioned: u64,
    /// Kept messages without a time, of sessions that count and of none.
    pub untimed: u64,
}

impl Counts {
    pub(crate) fn of(states: &Stored) -> Result<Self> {
        Ok(Self {
            sessions: states.count("sessions")?,
            left_cut: states.count("left_cut")?,
            right_cut: states.count("right_cut")?,
            developer_unknown: states.count("developer_unknown")?,
            developer_sessions: states.count("developer_sessions")?,
            unsessioned: states.count("unsessioned")?,
            untimed: states.count("untimed")?,
        })
    }
}

/// Reads `inputs` and hands all tables to `put`, batch by batch: `sessions` first, then the others in the order of
/// [`Metric::ALL`]; the rows of each in the order of its keys. A table without rows is one empty batch, but for `sessions`.
///
/// No table is in memory as a whole; [`collect`] does that, for those who want it. `put` is called on a thread of the
/// analysis, and what comes next waits for it.
///
/// ```
/// use korpus_analytics::{AnalyzeOptions, Metric, analyze};
/// use korpus_engine::InputList;
///
/// let page = br#"{"total":1,"messages":[{"_id":"ms-1","botId":"st-1","sessionId":"s-1","type":"incoming",
///     "createdOn":"2025-09-03T10:00:00.000Z","components":[{"cT":"text","data":{"text":"Hello?"}}]}]}"#;
/// let inputs = InputList::from_bytes([("page.json", &page[..])]);
/// let mut rows = 0;
/// let analysis = analyze(&inputs, &AnalyzeOptions::default(), &mut |metric, batch| {
///     rows += if metric == Metric::Sessions { batch.num_rows() } else { 0 };
///     Ok(())
/// }, &())?;
/// assert_eq!((rows, analysis.counts.sessions), (1, 1));
/// # Ok::<(), korpus_analytics::AnalyticsError>(())
/// ```
///
/// # Errors
/// What ends a run, and what `put` fails with.
pub fn analyze(
    inputs: &InputList,
    options: &AnalyzeOptions,
    put: &mut (dyn FnMut(Metric, RecordBatch) -> Result<()> + Send),
    observer: &dyn Observer,
) -> Result<Analysis> {
    analyze_for(inputs, options, Wanted::default(), &mut OnlyTables(put), observer)
}

/// All tables by name, each in one piece.
pub type Tables = BTreeMap<&'static str, RecordBatch>;

/// [`analyze`], with all tables in memory.
///
/// ```
/// use korpus_analytics::{AnalyzeOptions, Metric, collect};
/// use korpus_engine::InputList;
///
/// let (tables, analysis) = collect(&InputList::default(), &AnalyzeOptions::default(), &())?;
/// assert_eq!((tables.len(), analysis.counts.sessions), (Metric::ALL.len(), 0));
/// # Ok::<(), korpus_analytics::AnalyticsError>(())
/// ```
///
/// # Errors
/// What ends a run.
pub fn collect(
    inputs: &InputList,
    options: &AnalyzeOptions,
    observer: &dyn Observer,
) -> Result<(Tables, Analysis)> {
    let mut found = Collected::default();
    let analysis = analyze(inputs, options, &mut |metric, batch| found.add(metric, batch), observer)?;
    Ok((found.tables()?, analysis))
}

/// Batches by their table.
#[derive(Debug, Default)]
pub(crate) struct Collected(BTreeMap<Metric, Vec<RecordBatch>>);

impl Collected {
    #[expect(clippy::unnecessary_wraps, reason = "it is what takes tables, which may fail elsewhere")]
    pub(crate) fn add(&mut self, metric: Metric, batch: RecordBatch) -> Result<()> {
        self.0.entry(metric).or_default().push(batch);
        Ok(())
    }

    /// All tables, those without a batch too.
    pub(crate) fn tables(mut self) -> Result<Tables> {
        let table = |metric: Metric| {
            let batches = self.0.remove(&metric).unwrap_or_default();
            Ok((metric.name(), concat_batches(&metric.arrow_schema(), &batches)?))
        };
        Metric::ALL.into_iter().map(table).collect()
    }
}

/// Takes what comes of an analysis, in order, on the threads of its pool.
pub(crate) trait Sink: Send {
    /// Rows of a table.
    fn table(&mut self, metric: Metric, rows: RecordBatch) -> Result<()>;
    /// What the sessions give for other programs.
    fn exported(&mut self, exported: Exported) -> Result<()>;
    /// Nothing more will come: waits for what goes on beside. Where something failed, what there is `is_whole` no more, and
    /// will be thrown away.
    fn end(&mut self, is_whole: bool) -> Result<()>;
}

/// For those who want no more than the tables.
struct OnlyTables<'s>(&'s mut (dyn FnMut(Metric, RecordBatch) -> Result<()> + Send));

impl Sink for OnlyTables<'_> {
    fn table(&mut self, metric: Metric, rows: RecordBatch) -> Result<()> {
        (self.0)(metric, rows)
    }

    fn exported(&mut self, _: Exported) -> Result<()> {
        Ok(())
    }

    fn end(&mut self, _: bool) -> Result<()> {
        Ok(())
    }
}

/// [`analyze`], with what other programs want too.
pub(crate) fn analyze_for(
    inputs: &InputList,
    options: &AnalyzeOptions,
    exports: Wanted,
    sink: &mut dyn Sink,
    observer: &dyn Observer,
) -> Result<Analysis> {
    let pool = Pool::new(options.run.memory.threads(options.threads))?;
    let kept = Kept { names_aside: true, verbatim: exports.corpus, keys: false };
    let mapped = mapped(&pool, inputs, options, kept, observer)?;
    pool.install(|| {
        let analysis = tables_of(&pool, mapped, options, exports, sink);
        // What fails beside fails on what came before.
        sink.end(analysis.is_ok())?;
        analysis
    })
}

/// The steps after the first, to tables.
fn tables_of(
    pool: &Pool,
    mapped: Mapped,
    options: &AnalyzeOptions,
    exports: Wanted,
    sink: &mut dyn Sink,
) -> Result<Analysis> {
    let (states, users_spilled) = {
        let fold = mapped.fold(pool, options);
        let coverage = fold.coverage()?;
        let mut users = Exchange::new(options.share(16), options.run.temp_dir.clone());
        let mut workers = fold.workers();
        fold.sessions(&coverage, &mut workers, &mut users, exports, sink)?;
        users.seal();
        fold.users(&users, &mut workers)?;
        let states = workers.into_iter().map(|worker| (worker.folder.feeder.into_states(), worker.runs));
        (Stored::new(states)?, users.spilled_bytes())
    };
    let Mapped { run, spilled_bytes, .. } = mapped;
    let analysis = Analysis {
        counts: Counts::of(&states)?,
        spilled_bytes: spilled_bytes + users_spilled + states.spilled_bytes() + run.spilled_bytes,
        run,
    };
    let mut local = LocalTime::new(options.timezone.clone());
    let source = |seq| place_of(&analysis.run.ledger, seq);
    let put = &mut |metric, rows| {
        check_cancelled(&options.run.cancel)?;
        sink.table(metric, rows)
    };
    states.finish(&mut local, &source, put)?;
    Ok(analysis)
}

/// All events of a run, waiting for each other.
pub(crate) struct Mapped {
    pub exchange: Exchange,
    pub run: RunReport,
    names: Names,
    spilled_bytes: u64,
    /// What the kept messages cover, where nothing was left out that was counted for it.
    seen: Option<Coverage>,
}

/// What is kept of messages, and where.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Kept {
    /// Whether names are kept aside, for as long as the process lives; else they are written out.
    pub names_aside: bool,
    /// Whether all that was said is kept.
    pub verbatim: bool,
    /// Whether what de-duplication knows of each is kept behind its event, also of those that filters leave out.
    pub keys: bool,
}

/// The first step: runs over the inputs.
pub(crate) fn mapped(
    pool: &Pool,
    inputs: &InputList,
    options: &AnalyzeOptions,
    kept: Kept,
    observer: &dyn Observer,
) -> Result<Mapped> {
    let temp_dir = || options.run.temp_dir.clone();
    let dedup = options.dedup();
    let keyed = kept.keys && dedup;
    let job = EventJob {
        limits: options.run.limits.clone(),
        phrases: Phrases::new(options),
        symbols: kept.names_aside.then(|| Symbols::new(options.share(32))),
        copies: !options.run.dedup,
        restored: options.restored,
        verbatim: kept.verbatim,
        keyed,
        free: Mutex::default(),
    };
    let mut state = EventState {
        exchange: Exchange::new(options.share(8), temp_dir()),
        of_bodies: Exchange::new(options.share(32), temp_dir()),
        seen: Coverage::default(),
        is_told_around: false,
        keyed,
    };
    let run_options = RunOptions { dedup, ..options.run.clone() };
    let run = run(pool, inputs, &run_options, &job, &mut state, observer)?;
    if let Some(failed) =
        run.ledger.inputs().iter().find(|report| options.restored && report.io_error.is_some())
    {
        // What is restored lies in temporary files of our own.
        let error = std::io::Error::other(failed.io_error.clone().unwrap_or_default());
        return Err(EngineError::io("read back", Path::new(&failed.input.display), error).into());
    }
    let is_kept = |seq: &u64| run.messages.fate(*seq) == Fate::Kept;
    state.resolve_bodies(
        |seq| Some(seq).filter(is_kept).and_then(|seq| run.ledger.page_of_message(seq)),
        |page| call_of(&run.ledger, page),
    )?;
    let EventState { mut exchange, of_bodies, seen, is_told_around, .. } = state;
    // Duplicates are equal to what is kept, and cover nothing else.
    let copies_agree =
        run.messages.superseded_count() == 0 && !(is_told_around && run.messages.duplicate_count() > 0);
    let seen = Some(seen).filter(|_| copies_agree && !options.run.filter.needs_all());
    exchange.seal();
    let names = job.symbols.map(Symbols::into_names).unwrap_or_default();
    let spilled_bytes = exchange.spilled_bytes() + of_bodies.spilled_bytes();
    Ok(Mapped { exchange, run, names, spilled_bytes, seen })
}

impl Mapped {
    /// The steps after it.
    pub(crate) fn fold<'r>(&'r self, pool: &'r Pool, options: &'r AnalyzeOptions) -> Fold<'r> {
        let Self { run: report, names, exchange, seen, .. } = self;
        Fold { pool, options, report, names, exchange, seen: seen.as_ref() }
    }
}

/// The call that a body was requested for, where that is known.
fn call_of(ledger: &Ledger, page: usize) -> Option<String> {
    ledger.inputs().get(ledger.pages().get(page)?.input)?.call_id()
}

/// Where a message stands, in words.
pub(crate) fn place_of(ledger: &Ledger, seq: u64) -> String {
    let Some(page) = ledger.page_of_message(seq).and_then(|page| ledger.pages().get(page)) else {
        return String::new();
    };
    let file = ledger.inputs().get(page.input).map_or("", |input| &input.input.display);
    format!("{file}, body {}, message {}", page.page_index, seq.saturating_sub(page.first_message))
}

/// What the steps after the run go by.
pub(crate) struct Fold<'r> {
    pool: &'r Pool,
    options: &'r AnalyzeOptions,
    report: &'r RunReport,
    names: &'r Names,
    exchange: &'r Exchange,
    seen: Option<&'r Coverage>,
}

impl Fold<'_> {
    /// Whether de-duplication lets it pass, and, where it is a message, the filters too: what a record is told by its kind.
    pub(crate) fn is_kept(&self, frame: Frame<'_>) -> bool {
        if is_record(frame.kind) {
            return !matches!(self.report.records.fate(frame.seq), Fate::Duplicate | Fate::Superseded);
        }
        self.report.messages.fate(frame.seq) == Fate::Kept
    }

    /// How many bytes of a partition may be read at a time.
    fn at_once(&self) -> usize {
        (self.options.share(32) / self.pool.threads()).max(LEAST_AT_ONCE)
    }

    /// The edges of all bots.
    pub(crate) fn coverage(&self) -> Result<Coverage> {
        let mut coverage = Coverage::new(self.options.window);
        if coverage.is_given() {
            return Ok(coverage);
        }
        let ledger = &self.report.ledger;
        for request in (0..ledger.inputs().len()).filter_map(|input| requests::of_input(ledger, input)) {
            if let Some((bot, edges)) = requests::window(&request) {
                coverage.add_request(&bot, edges);
            }
        }
        if let Some(seen) = self.seen {
            coverage.merge(seen.clone());
            return Ok(coverage);
        }
        let partitions = 0..self.exchange.partitions();
        let found: Vec<Result<Coverage>> = self.pool.install(|| {
            partitions
                .into_par_iter()
                .map(|partition| {
                    let mut found = Coverage::default();
                    self.exchange.for_each(partition, |frame| {
                        if is_message(frame.kind) && self.is_kept(frame) {
                            let (bot, at) = Event::read_coverage(Reader::new(frame.payload, self.names));
                            if let Some(at) = at {
                                found.add(bot, at);
                            }
                        }
                    })?;
                    Ok(found)
                })
                .collect()
        });
        for found in found {
            coverage.merge(found?);
        }
        check_cancelled(&self.options.run.cancel)?;
        Ok(coverage)
    }

    /// As many as there are threads.
    fn workers(&self) -> Vec<Worker> {
        let new = || Worker {
            folder: Folder::new(LocalTime::new(self.options.timezone.clone()), Reach::Process),
            runs: Runs::new(self.options.run.temp_dir.clone()),
            // Tables that grow by doubling take up to twice what they hold.
            budget: self.options.share(16) / self.pool.threads(),
        };
        std::iter::repeat_with(new).take(self.pool.threads()).collect()
    }

    /// Folds all sessions: their rows go to `sink`, in order, what they know of their users to `users`.
    fn sessions(
        &self,
        coverage: &Coverage,
        workers: &mut [Worker],
        users: &mut Exchange,
        exports: Wanted,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let rules = FoldRules {
            names: self.names,
            rules: Rules { coverage, gap: self.options.inactivity_gap_ms.saturating_mul(1000) },
            include_developers: self.options.include_developers,
            exports,
        };
        let mut batches = BatchCoalescer::new(Metric::Sessions.arrow_schema(), BATCH_ROWS);
        let partitions: Vec<usize> = (0..self.exchange.partitions()).collect();
        // What small ones come to is handed on together; large ones, and all that was said, would be too much at a time.
        let few = if exports.any() { 0 } else { LEAST_AT_ONCE / self.exchange.bytes_a_partition().max(1) };
        let at_once = few.clamp(1, PARTITIONS_AT_ONCE);
        let turns = (TURNS * few).clamp(1, TURNS);
        for round in partitions.chunks(workers.len() * turns * at_once) {
            let next = AtomicUsize::new(0);
            let fold = |worker: &mut Worker| {
                let take = || round.chunks(at_once).enumerate().nth(next.fetch_add(1, Ordering::Relaxed));
                std::iter::from_fn(take)
                    .map(|(at, partitions)| Ok((at, self.partitions(worker, partitions, rules)?)))
                    .collect::<Result<Vec<_>>>()
            };
            let folded: Vec<Result<Vec<_>>> =
                self.pool.install(|| workers.par_iter_mut().map(fold).collect());
            let mut folded: Vec<(usize, Folded)> =
                folded.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
            folded.sort_unstable_by_key(|(at, _)| *at);
            for (_, Folded { rows, exported, notes }) in folded {
                for batch in rows {
                    batches.push_batch(batch)?;
                    while let Some(batch) = batches.next_completed_batch() {
                        sink.table(Metric::Sessions, batch)?;
                    }
                }
                sink.exported(exported)?;
                users.push(&notes, |_| 0)?;
            }
            check_cancelled(&self.options.run.cancel)?;
        }
        batches.finish_buffered_batch()?;
        while let Some(batch) = batches.next_completed_batch() {
            sink.table(Metric::Sessions, batch)?;
        }
        Ok(())
    }

    /// Folds partitions that follow one another.
    fn partitions(&self, worker: &mut Worker, partitions: &[usize], rules: FoldRules<'_>) -> Result<Folded> {
        let mut rows = Vec::new();
        for &partition in partitions {
            let passes = self.exchange.passes(partition, self.at_once());
            for pass in 0..passes {
                let runs = self.exchange.take(partition, pass, passes)?;
                let Worker { folder, .. } = worker;
                folder.fold(runs.iter().map(Vec::as_slice), rules, |frame| self.is_kept(frame));
                if folder.row_count() >= BATCH_ROWS {
                    rows.push(folder.take_rows()?);
                }
                worker.relieve()?;
            }
        }
        let Worker { folder, .. } = worker;
        if folder.row_count() > 0 {
            rows.push(folder.take_rows()?);
        }
        let exported = std::mem::take(&mut folder.exported);
        let notes = std::mem::take(&mut folder.feeder.users.frames);
        Ok(Folded { rows, exported, notes })
    }

    /// Brings together what is known of each user: no order matters, so each worker takes the next partition that is left.
    fn users(&self, users: &Exchange, workers: &mut [Worker]) -> Result<()> {
        let next = AtomicUsize::new(0);
        let folded: Vec<Result<()>> = self.pool.install(|| {
            let fold = |worker: &mut Worker| {
                let partitions = users.partitions();
                let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&next| next < partitions);
                while let Some(partition) = take() {
                    let passes = users.passes(partition, self.at_once());
                    for pass in 0..passes {
                        let notes = users.take(partition, pass, passes)?;
                        let states = worker.folder.feeder.settled();
                        fold_users(notes.iter().map(Vec::as_slice), Reach::Process, states)?;
                        worker.relieve()?;
                    }
                    check_cancelled(&self.options.run.cancel)?;
                }
                Ok(())
            };
            workers.par_iter_mut().map(fold).collect()
        });
        folded.into_iter().collect()
    }
}

/// What comes of some partitions, besides what goes into states.
struct Folded {
    /// The rows of their sessions, in order.
    rows: Vec<RecordBatch>,
    exported: Exported,
    /// What is known of their users.
    notes: Vec<u8>,
}

/// What a thread folds with.
struct Worker {
    folder: Folder,
    /// What of the states did not fit.
    runs: Runs,
    /// What the states may take.
    budget: usize,
}

impl Worker {
    /// Puts states aside where they take too much.
    fn relieve(&mut self) -> Result<()> {
        let feeder = &mut self.folder.feeder;
        if feeder.bytes() <= self.budget { Ok(()) } else { self.runs.relieve(feeder.settled(), self.budget) }
    }
}
