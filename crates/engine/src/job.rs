//! The contract between the run loop and what is made of the messages.

use crate::error::EngineError;
use crate::inputs::InputInfo;
use crate::ledger::InputReport;
use crate::work::{RejectItem, Work};

/// Something that is made of all messages of a run: tables, metrics, counts.
///
/// [`map`](Self::map) runs in parallel, a block at a time; what it makes, the part, is
/// [committed](Self::commit) serially and in the order of the inputs, whatever the number of threads. What the commits
/// build up is the state, which belongs to the caller of [`run`](crate::run): finishing it is the caller's business.
///
/// ```
/// use korpus_engine::{BlockSeq, EngineError, Job, Work};
///
/// /// Counts the messages that match the filter of the run.
/// struct Count;
///
/// impl Job for Count {
///     type Local = ();
///     type Part = u64;
///     type State = u64;
///     type Error = EngineError;
///
///     fn local(&self) {}
///     fn part(&self) -> u64 {
///         0
///     }
///     fn map(&self, (): &mut (), work: &Work<'_>, part: &mut u64) {
///         *part += work.messages().filter(|item| item.matches).count() as u64;
///     }
///     fn commit(&self, total: &mut u64, _at: &BlockSeq<'_>, part: u64) -> Result<(), EngineError> {
///         *total += part;
///         Ok(())
///     }
/// }
/// ```
///
/// A pair of jobs is a job: both see every block, in one pass.
///
/// # Panics
/// A panic inside [`map`](Self::map) costs the message (or record) that the iterators of [`Work`] handed out last: the
/// part and the local are thrown away, that message becomes a reject, and the block is mapped again without it. A panic
/// inside a commit ends the run.
pub trait Job: Sync {
    /// Scratch of one worker: buffers, caches. Never part of the result.
    type Local: Send;
    /// What is made of one block.
    type Part: Send;
    /// What the parts are gathered in.
    type State: Send;
    /// Why a commit can fail.
    type Error: From<EngineError> + Send;

    /// A worker's scratch; also made anew after a panic.
    fn local(&self) -> Self::Local;

    /// An empty part; a job that reuses the memory of committed parts keeps a pool behind this.
    fn part(&self) -> Self::Part;

    /// Makes `part` of one block. `part` is fresh from [`part`](Self::part).
    fn map(&self, local: &mut Self::Local, work: &Work<'_>, part: &mut Self::Part);

    /// Takes a part, in order. Runs on a thread of the pool, one at a time; see [`Background`](crate::Background)
    /// for work that need not be done within the commit.
    ///
    /// # Errors
    /// What makes going on pointless, such as a full disk: the run ends with it.
    fn commit(&self, state: &mut Self::State, at: &BlockSeq<'_>, part: Self::Part)
    -> Result<(), Self::Error>;

    /// Does a part of what commits have left to do; false where there is nothing. Workers come by whenever they ask for
    /// something to map; a panic ends the run.
    fn help(&self) -> bool {
        false
    }

    /// How many inputs are read side by side at most, on `threads` threads; at least one is. Where most of the time goes into
    /// [`map`](Self::map), half as many as there are threads keep all of them busy; and what is made of the second input
    /// takes memory until the first has ended, unless it [is light](Self::is_light).
    fn readers(&self, threads: usize) -> usize {
        threads
    }

    /// Whether what is made of a block takes less memory than its text. Then many blocks may be mapped and wait for those before
    /// them to be committed, else no more than there are threads.
    fn is_light(&self) -> bool {
        false
    }

    /// Hears of the end of an input, after the commits of its blocks. `rejects` are those that belong to no block:
    /// what was left of an input when reading it failed inside korpus.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    fn end_input(
        &self,
        _state: &mut Self::State,
        _report: &InputReport,
        _rejects: &[RejectItem<'_>],
    ) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// Where a block stands among all of a run: what its part's block-local ordinals are to be added to.
#[derive(Debug, Clone, Copy)]
pub struct BlockSeq<'a> {
    /// The input it comes from.
    pub input: &'a InputInfo,
    /// Which block of its input it is, from 0.
    pub block: u64,
    /// How many messages (rejected spans counted) all earlier blocks hold: the `message_seq` of local ordinal 0.
    pub first_message: u64,
    /// The same for records.
    pub first_record: u64,
    /// The ordinal, among all bodies of the run, of the first body that has a part in the block.
    pub first_page: u64,
}

impl<A: Job, B: Job<Error = A::Error>> Job for (A, B) {
    type Local = (A::Local, B::Local);
    type Part = (A::Part, B::Part);
    type State = (A::State, B::State);
    type Error = A::Error;

    fn local(&self) -> Self::Local {
        (self.0.local(), self.1.local())
    }

    fn part(&self) -> Self::Part {
        (self.0.part(), self.1.part())
    }

    fn map(&self, local: &mut Self::Local, work: &Work<'_>, part: &mut Self::Part) {
        self.0.map(&mut local.0, work, &mut part.0);
        self.1.map(&mut local.1, work, &mut part.1);
    }

    fn commit(&self, state: &mut Self::State, at: &BlockSeq<'_>, part: Self::Part) -> Result<(), A::Error> {
        self.0.commit(&mut state.0, at, part.0)?;
        self.1.commit(&mut state.1, at, part.1)
    }

    fn help(&self) -> bool {
        self.0.help() || self.1.help()
    }

    fn readers(&self, threads: usize) -> usize {
        self.0.readers(threads).min(self.1.readers(threads))
    }

    fn is_light(&self) -> bool {
        self.0.is_light() && self.1.is_light()
    }

    fn end_input(
        &self,
        state: &mut Self::State,
        report: &InputReport,
        rejects: &[RejectItem<'_>],
    ) -> Result<(), A::Error> {
        self.0.end_input(&mut state.0, report, rejects)?;
        self.1.end_input(&mut state.1, report, rejects)
    }
}
