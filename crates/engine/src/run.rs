//! The run: inputs in, commits out, in order, on all threads, within bounds.

mod commit;
mod schedule;
#[cfg(test)]
mod tests;
mod worker;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use korpus_core::Limits;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::dedup::Fates;
use crate::error::{EngineError, Result};
use crate::facts::Surveyor;
use crate::filter::Filter;
use crate::history::History;
use crate::inputs::InputList;
use crate::job::Job;
use crate::ledger::Ledger;
use crate::memory::MemoryBudget;
use crate::observer::Observer;

use commit::Committer;
use schedule::{Schedule, Waiting};
use worker::Shared;

/// What shapes a run. The default reads everything with the defaults of the core.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Bounds of what one body or message may cost.
    pub limits: Limits,
    /// Which messages are kept.
    pub filter: Filter,
    /// Whether copies of a message are recognised.
    pub dedup: bool,
    /// How much memory may be used.
    pub memory: MemoryBudget,
    /// Where keys, and archives from streams, go that do not fit into memory; the system's directory for temporary files
    /// otherwise.
    pub temp_dir: Option<PathBuf>,
    /// `callId`: only bodies that were requested for this call are read. What does not hold its request ends the run with
    /// [`EngineError::Usage`], and so does a call for which nothing was requested.
    pub call_id: Option<String>,
    /// What earlier runs have seen: ordinals go on from theirs, and their messages are copies like any other. Does not go
    /// together with the filter's `skip`, `limit` and `msg_id`, which need all messages at hand.
    pub history: Option<Arc<History>>,
    /// A file to be made, where the keys of this run are written down for the [`History`] of later ones. Without
    /// de-duplication there are none.
    pub keys: Option<PathBuf>,
    /// Whether large files are mapped instead of read.
    pub mmap: bool,
    /// Set from anywhere to stop the run, which then ends with [`EngineError::Cancelled`].
    pub cancel: Arc<AtomicBool>,
}

/// Whether what [`RunOptions::cancel`] stops may go on.
///
/// # Errors
/// [`EngineError::Cancelled`] where it may not.
pub fn check_cancelled(cancel: &AtomicBool) -> Result<()> {
    if cancel.load(Ordering::Relaxed) { Err(EngineError::Cancelled) } else { Ok(()) }
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            filter: Filter::default(),
            dedup: true,
            memory: MemoryBudget::default(),
            temp_dir: None,
            call_id: None,
            history: None,
            keys: None,
            mmap: false,
            cancel: Arc::default(),
        }
    }
}

/// Why a run cannot go on from earlier ones.
const NEEDS_ALL: &str =
    "skip, limit and msg-id count in all messages at once, and cannot go on from what was counted before";

/// How many blocks may wait for their commit, for each thread, where they are [light](Job::is_light): of a usual size as many as
/// there may be ahead by their text.
const LIGHT_BLOCKS: usize = 64;

/// The threads of a run, and of what the jobs do around it.
#[derive(Debug)]
pub struct Pool(rayon::ThreadPool);

impl Pool {
    /// A pool of `threads` threads; as many as the machine has processors where that is 0.
    ///
    /// # Errors
    /// [`EngineError::Worker`] where the system gives no threads.
    pub fn new(threads: usize) -> Result<Self> {
        let builder =
            rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|n| format!("korpus-{n}"));
        let pool =
            builder.build().map_err(|error| EngineError::Worker(format!("no threads to be had: {error}")))?;
        Ok(Self(pool))
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.0.current_num_threads()
    }

    /// How many threads share what is done here: those of the pool that the caller runs on, else the caller alone.
    pub fn threads_here() -> usize {
        rayon::current_thread_index().map_or(1, |_| rayon::current_num_threads())
    }

    /// What `each` makes of all items, on [the threads that are here](Self::threads_here), in order.
    pub fn map_here<T: Sync, R: Send>(items: &[T], each: impl Fn(&T) -> R + Sync) -> Vec<R> {
        match Self::threads_here() {
            1 => items.iter().map(each).collect(),
            _ => items.par_iter().with_max_len(1).map(&each).collect(),
        }
    }

    /// Does `work` on the pool; what it does with rayon, and [`Background`](crate::Background), uses these threads.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.0.install(work)
    }
}

/// What a run found, besides the state of its job.
#[derive(Debug)]
pub struct RunReport {
    /// Every body and every input, with books that balance.
    pub ledger: Ledger,
    /// What became of each message, by its `message_seq`.
    pub messages: Fates,
    /// What became of each record, by its ordinal.
    pub records: Fates,
    /// Whether the message that the filter's `msg_id` names was seen, where one is named.
    pub anchor_found: Option<bool>,
    /// Bytes of de-duplication keys that did not fit into memory.
    pub spilled_bytes: u64,
}

/// Reads all inputs and has `job` map their blocks, in parallel, and commit the parts to `state`, in order; then finds
/// out which messages are copies, and balances the books.
///
/// What is built from the parts is the same for any number of threads. Memory stays bounded however many and however
/// large the inputs are. What is wrong with inputs, bodies and messages stands in the ledger and fails nothing.
///
/// # Errors
/// The first error of a commit; [`EngineError::Cancelled`]; [`EngineError::Usage`] for filters that contradict
/// themselves; I/O errors of the temporary file; a failing worker outside any message.
pub fn run<J: Job>(
    pool: &Pool,
    inputs: &InputList,
    options: &RunOptions,
    job: &J,
    state: &mut J::State,
    observer: &dyn Observer,
) -> Result<RunReport, J::Error> {
    let ahead = options.memory.ahead(job.readers(pool.threads()));
    run_within(pool, inputs, options, ahead, job, state, observer)
}

/// [`run`], with the bytes given that may be read and not committed.
fn run_within<J: Job>(
    pool: &Pool,
    inputs: &InputList,
    options: &RunOptions,
    ahead: usize,
    job: &J,
    state: &mut J::State,
    observer: &dyn Observer,
) -> Result<RunReport, J::Error> {
    options.filter.check()?;
    if options.history.is_some() && options.filter.needs_all() {
        return Err(EngineError::Usage(NEEDS_ALL.to_owned()).into());
    }
    let threads = pool.threads();
    let mut limits = options.limits.clone();
    limits.whole_bytes = limits.whole_bytes.min(options.memory.whole_body(threads));
    let most_waiting = if job.is_light() {
        Waiting { blocks: LIGHT_BLOCKS * threads, things: options.memory.waiting() }
    } else {
        Waiting { blocks: threads, things: usize::MAX }
    };
    let committer = Committer::new(options, job, state, observer)?;
    let shared = Shared {
        job,
        inputs: &inputs.inputs,
        surveyor: Surveyor {
            filter: &options.filter,
            dedup: options.dedup,
            reject_bytes: limits.reject_bytes,
        },
        limits,
        mmap: options.mmap,
        temp_dir: options.temp_dir.clone(),
        call_id: options.call_id.clone(),
        history: options.history.clone(),
        cancel: &options.cancel,
        observer,
        schedule: Schedule::new(inputs.inputs.len(), job.readers(threads), most_waiting, ahead, committer),
        spare: Mutex::default(),
        sources: Mutex::default(),
    };
    pool.0.broadcast(|_| shared.work());
    let committer = shared.schedule.into_committer()?;
    pool.install(|| committer.settle(options)).map_err(J::Error::from)
}
