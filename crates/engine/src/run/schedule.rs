//! Who does what next: the queue of blocks, the order of commits, and the bound on what is ahead of them.
//!
//! Blocks are numbered (input, block). A worker that reads an input is its *reader*; all others are *helpers*. A reader
//! puts its blocks into the queue while helpers are there to map them, and maps the oldest itself when the queue is
//! long enough. The *head* is the next block to be committed; whoever completes it commits it, and all that are ready
//! after it. No one gets far ahead of the head: readers wait while too many bytes are read and not committed yet, and
//! mappers while as many blocks are mapped and not committed as there are workers, because rows take more memory than text;
//! where they take less, while many are, of so many messages.
//!
//! Why nobody waits for ever: the head is either queued (any waiting worker maps it), being mapped, being committed, or
//! still to be read. In the last case its reader is let through whatever is ahead; and inputs are opened in order, so
//! the head's input has a reader, or nothing is ahead and any worker may open it. A reader also waits for the blocks of a
//! body before, for its memory: these come before what it reads next, so that they are done when that is the head.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use korpus_core::Block;

use super::commit::{Committer, Done};
use crate::error::EngineError;
use crate::inputs::InputInfo;
use crate::job::Job;

/// (input, block); the end of a member of an archive counts as a block.
pub(super) type Place = (usize, u64);
/// A block, and the input, or member, that it comes from.
pub(super) type Piece = (Arc<InputInfo>, Block);

/// How long a waiting worker sleeps before it looks for background tasks and cancellation again.
const NAP: Duration = Duration::from_millis(20);
/// How many blocks are queued a helper, at most: as many as are mapped while a member of an archive is inflated whole.
const QUEUED_A_HELPER: usize = 8;

/// What may be mapped and wait for a block before it: how many blocks, or ends, and [things](Done::things) in them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    pub blocks: usize,
    pub things: usize,
}

pub(super) struct Schedule<'r, J: Job> {
    inputs: usize,
    /// How many inputs may be read side by side.
    most_readers: usize,
    most_waiting: Waiting,
    /// Bytes of text that may be read and not committed.
    ahead_limit: usize,
    state: Mutex<State<'r, J>>,
    changed: Condvar,
}

pub(super) struct State<'r, J: Job> {
    next_input: usize,
    queue: BTreeMap<Place, Piece>,
    done: BTreeMap<Place, Done<J>>,
    /// How many [things](Done::things) they are.
    things_done: usize,
    head: Place,
    ahead: usize,
    readers: usize,
    helpers: usize,
    /// Absent while someone commits.
    committer: Option<Committer<'r, J>>,
    error: Option<J::Error>,
    stopped: bool,
}

impl<J: Job> State<'_, J> {
    /// Takes the oldest block from the queue, unless enough are mapped that wait for their commit.
    fn next_to_map(&mut self, most: Waiting) -> Option<(Place, Piece)> {
        let next = self.queue.first_entry()?;
        let has_room = self.done.len() < most.blocks && self.things_done < most.things;
        let may_map = has_room || *next.key() == self.head;
        may_map.then(|| next.remove_entry())
    }
}

/// What a worker is to do.
#[expect(clippy::large_enum_variant, reason = "moved once a block, and never stored")]
pub(super) enum Task {
    /// Map this block.
    Map(Place, Piece),
    /// Read this input.
    Open(usize),
    /// Look for other tasks, then ask again.
    Again,
    /// Go home.
    Quit,
}

/// What a reader is to do.
#[expect(clippy::large_enum_variant, reason = "moved once a block, and never stored")]
pub(super) enum Turn {
    /// Map this block, then ask again.
    Map(Place, Piece),
    /// Look for other tasks, then ask again.
    Again,
    /// Read on.
    Read,
    /// The run is over.
    Stop,
}

impl<'r, J: Job> Schedule<'r, J> {
    pub(super) fn new(
        inputs: usize,
        most_readers: usize,
        most_waiting: Waiting,
        ahead_limit: usize,
        committer: Committer<'r, J>,
    ) -> Self {
        let state = State {
            next_input: 0,
            queue: BTreeMap::new(),
            done: BTreeMap::new(),
            things_done: 0,
            head: (0, 0),
            ahead: 0,
            readers: 0,
            helpers: 0,
            committer: Some(committer),
            error: None,
            stopped: false,
        };
        let (state, changed) = (Mutex::new(state), Condvar::new());
        Self { inputs, most_readers: most_readers.max(1), most_waiting, ahead_limit, state, changed }
    }

    fn lock(&self) -> MutexGuard<'_, State<'r, J>> {
        // Nothing that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next task of a worker that reads nothing: a helper. Where there is none, it comes back after a nap, or when
    /// something has changed.
    pub(super) fn next(&self) -> Task {
        let mut state = self.lock();
        if state.stopped || state.head.0 == self.inputs {
            return Task::Quit;
        }
        // An input is opened while the others still have what to map: the first block takes time.
        let may_open = state.next_input < self.inputs
            && state.readers < self.most_readers
            && state.ahead < self.ahead_limit;
        if may_open && state.queue.len() <= QUEUED_A_HELPER * (state.helpers - 1) {
            state.next_input += 1;
            state.readers += 1;
            state.helpers -= 1;
            return Task::Open(state.next_input - 1);
        }
        if let Some((place, piece)) = state.next_to_map(self.most_waiting) {
            return Task::Map(place, piece);
        }
        drop(self.changed.wait_timeout(state, NAP));
        Task::Again
    }

    /// Says that a worker begins to help.
    pub(super) fn begin(&self) {
        self.lock().helpers += 1;
    }

    /// Says that the reader of an input has read all of it, and helps again.
    pub(super) fn has_read(&self) {
        let mut state = self.lock();
        state.readers -= 1;
        state.helpers += 1;
        drop(state);
        self.changed.notify_all();
    }

    /// Queues the block that a reader has just read.
    pub(super) fn queue(&self, place: Place, piece: Piece) {
        let mut state = self.lock();
        state.ahead += piece.1.byte_len();
        state.queue.insert(place, piece);
        drop(state);
        self.changed.notify_one();
    }

    /// Whether a reader whose next block will be `next` is not too far ahead to read it.
    pub(super) fn may_read(&self, state: &State<'r, J>, next: Place) -> bool {
        let has_room = state.ahead < self.ahead_limit && state.queue.len() <= QUEUED_A_HELPER * state.helpers;
        has_room || state.head == next
    }

    /// Whether a reader is not to read on now, as far as `may_read` tells.
    pub(super) fn must_wait(&self, may_read: impl FnOnce(&State<'r, J>) -> bool) -> bool {
        let state = self.lock();
        !state.stopped && !may_read(&state)
    }

    /// What a reader does: it reads on where it may, by `may_read`. Where it can do nothing, it comes back after a nap, or when
    /// something has changed.
    pub(super) fn turn(&self, may_read: impl FnOnce(&State<'r, J>) -> bool) -> Turn {
        let mut state = self.lock();
        if state.stopped {
            return Turn::Stop;
        }
        if may_read(&state) {
            return Turn::Read;
        }
        if let Some((place, piece)) = state.next_to_map(self.most_waiting) {
            return Turn::Map(place, piece);
        }
        // Waiting is helping: others may queue blocks meanwhile.
        state.helpers += 1;
        let (mut state, _) = self.changed.wait_timeout(state, NAP).unwrap_or_else(PoisonError::into_inner);
        state.helpers -= 1;
        Turn::Again
    }

    /// Takes what was made of a block, or the end of an input, and commits all that is ready.
    pub(super) fn complete(&self, place: Place, done: Done<J>) {
        let mut state = self.lock();
        state.things_done += done.things();
        state.done.insert(place, done);
        // Before anything of it is committed, somebody may wait for the memory of its block.
        self.changed.notify_all();
        while !state.stopped
            && state.done.first_key_value().is_some_and(|(place, _)| *place == state.head)
            && let Some(mut committer) = state.committer.take()
        {
            let Some((place, done)) = state.done.pop_first() else { break };
            state.things_done -= done.things();
            drop(state);
            let (bytes, is_end) = (done.bytes(), matches!(done, Done::End { last: true, .. }));
            let outcome = committer.commit(place, done);
            state = self.lock();
            state.committer = Some(committer);
            state.ahead -= bytes;
            state.head = if is_end { (place.0 + 1, 0) } else { (place.0, place.1 + 1) };
            if let Err(error) = outcome {
                state.error.get_or_insert(error);
                state.stopped = true;
            }
            self.changed.notify_all();
        }
    }

    /// Whether the run is to end.
    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Ends the run with an error, unless it has one already.
    pub(super) fn fail(&self, error: EngineError) {
        let mut state = self.lock();
        state.error.get_or_insert(error.into());
        state.stopped = true;
        drop(state);
        self.changed.notify_all();
    }

    /// The committer, after all workers went home; or why they did before the end.
    pub(super) fn into_committer(self) -> Result<Committer<'r, J>, J::Error> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        match (state.error, state.committer) {
            (Some(error), _) => Err(error),
            (None, Some(committer)) if state.head.0 == self.inputs => Ok(committer),
            _ => Err(EngineError::Worker("the run ended early".to_owned()).into()),
        }
    }
}
