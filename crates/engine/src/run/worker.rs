//! What one thread does: read inputs, map blocks, survive failures of either.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use korpus_core::{Block, Limits};

use super::commit::Done;
use super::schedule::{Piece, Place, Schedule, State, Task, Turn};
use crate::error::EngineError;
use crate::facts::{Failures, Surveyor};
use crate::history::History;
use crate::inputs::InputInfo;
use crate::job::Job;
use crate::ledger::InputReport;
use crate::observer::Observer;
use crate::source::{BlockSink, Source, Stopped, empty_report, hash_of};
use crate::work::{Current, Work};

/// What all workers of a run share.
pub(super) struct Shared<'r, J: Job> {
    pub job: &'r J,
    pub inputs: &'r [InputInfo],
    pub surveyor: Surveyor<'r>,
    pub limits: Limits,
    pub mmap: bool,
    pub temp_dir: Option<PathBuf>,
    pub call_id: Option<String>,
    pub history: Option<Arc<History>>,
    pub cancel: &'r AtomicBool,
    pub observer: &'r dyn Observer,
    pub schedule: Schedule<'r, J>,
    /// Blocks that were mapped, for the memory that they have.
    pub spare: Mutex<Vec<Block>>,
    /// What reads inputs, while nobody does: whoever reads next has the memory of who read before.
    pub sources: Mutex<Vec<Source>>,
}

/// How many of them are kept.
const SPARE: usize = 8;

/// What one worker has for itself.
struct Mapper<'s, 'r, J: Job> {
    shared: &'s Shared<'r, J>,
    local: J::Local,
    scratch: Vec<u8>,
}

impl<J: Job> Shared<'_, J> {
    /// The life of a worker.
    pub(super) fn work(&self) {
        let mut mapper = Mapper { shared: self, local: self.job.local(), scratch: Vec::new() };
        self.schedule.begin();
        let mut has_read = false;
        loop {
            self.look_around();
            // What is left to do goes before new blocks, so that it never piles up; and before a block is taken, which others
            // may wait for. But who has just read an input reads the next: there may be nothing else to do soon.
            if !std::mem::take(&mut has_read) && self.help() {
                continue;
            }
            match self.schedule.next() {
                Task::Map(place, piece) => {
                    let block = mapper.map(place, piece);
                    self.put_back(block);
                }
                Task::Open(input) => {
                    self.observer.input_opened(&self.inputs[input]);
                    self.open(&self.inputs[input], &mut mapper);
                    self.schedule.has_read();
                    has_read = true;
                }
                Task::Again => {}
                Task::Quit => break,
            }
        }
    }

    /// Does something that the job has left to do; false where there is nothing, or the run is over. Where that fails, so does
    /// the run.
    fn help(&self) -> bool {
        if self.schedule.is_stopped() {
            return false;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| self.job.help()));
        if outcome.is_err() {
            self.schedule.fail(EngineError::Worker("on what commits had left to do".to_owned()));
        }
        outcome.unwrap_or(false)
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Block>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a block that was mapped, until a reader wants one.
    fn put_back(&self, block: Option<Block>) {
        let Some(block) = block else { return };
        let mut spare = self.spare();
        if spare.len() < SPARE {
            spare.push(block);
        }
    }

    fn sources(&self) -> MutexGuard<'_, Vec<Source>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_source(&self) -> Source {
        Source::new(&self.limits, self.mmap, self.temp_dir.clone())
            .for_call(self.call_id.clone())
            .going_on_from(self.history.clone())
    }

    /// Does what jobs left to do in the background, and hears of cancellation.
    fn look_around(&self) {
        while !self.is_cancelled() && rayon::yield_now() == Some(rayon::Yield::Executed) {}
    }

    /// Whether the run was told to stop; its end is seen to then.
    fn is_cancelled(&self) -> bool {
        let cancelled = self.cancel.load(Ordering::Relaxed);
        if cancelled {
            self.schedule.fail(EngineError::Cancelled);
        }
        cancelled
    }

    /// Reads an input; one that makes the reader itself fail costs what is left of it.
    fn open(&self, input: &InputInfo, mapper: &mut Mapper<'_, '_, J>) {
        let mut source = self.sources().pop().unwrap_or_else(|| self.new_source());
        let file = Arc::new(input.clone());
        let mut reader = Reader { mapper, place: (input.index, 0), input: Arc::clone(&file), file };
        let outcome = catch_unwind(AssertUnwindSafe(|| source.read(input, &mut reader)));
        let Reader { mut place, input: current, .. } = reader;
        let done = match outcome {
            Ok(Ok(report)) => {
                self.sources().push(source);
                Done::End { report: Box::new(report), lost: false, last: true }
            }
            Ok(Err(Stopped)) => return,
            Err(_) => {
                if current.member.is_some() {
                    let report = empty_report(&current);
                    let done = Done::End { report: Box::new(report), lost: true, last: false };
                    self.schedule.complete(place, done);
                    place.1 += 1;
                }
                let mut report = empty_report(input);
                (report.bytes, report.hash) = hash_of(input);
                Done::End { report: Box::new(report), lost: true, last: true }
            }
        };
        self.schedule.complete(place, done);
    }
}

/// Takes the blocks of the input that a worker reads.
struct Reader<'m, 's, 'r, J: Job> {
    mapper: &'m mut Mapper<'s, 'r, J>,
    /// The next block.
    place: Place,
    /// The input itself, and the member of it that is being read.
    file: Arc<InputInfo>,
    input: Arc<InputInfo>,
}

impl<'r, J: Job> Reader<'_, '_, 'r, J> {
    /// Does what there is to do, until the reader `may_read` on.
    fn help_until(&mut self, mut may_read: impl FnMut(&State<'r, J>) -> bool) -> Result<(), Stopped> {
        let shared = self.mapper.shared;
        loop {
            shared.look_around();
            if shared.schedule.must_wait(&mut may_read) && shared.help() {
                continue;
            }
            match shared.schedule.turn(&mut may_read) {
                Turn::Map(place, piece) => {
                    let block = self.mapper.map(place, piece);
                    shared.put_back(block);
                }
                Turn::Again => {}
                Turn::Read => return Ok(()),
                Turn::Stop => return Err(Stopped),
            }
        }
    }
}

impl<J: Job> BlockSink for Reader<'_, '_, '_, J> {
    fn block(&mut self, block: Block) -> Result<Option<Block>, Stopped> {
        let (shared, next) = (self.mapper.shared, (self.place.0, self.place.1 + 1));
        shared.schedule.queue(self.place, (Arc::clone(&self.input), block));
        self.place = next;
        self.help_until(|state| shared.schedule.may_read(state, next))?;
        Ok(shared.spare().pop())
    }

    fn let_go(&mut self, body: &mut Arc<Vec<u8>>) -> Result<(), Stopped> {
        self.help_until(|_| Arc::get_mut(body).is_some())
    }

    fn read(&mut self, bytes: u64) -> Result<(), Stopped> {
        let shared = self.mapper.shared;
        if bytes > 0 {
            shared.observer.bytes_read(bytes);
        }
        if shared.is_cancelled() { Err(Stopped) } else { Ok(()) }
    }

    fn begin(&mut self, member: &InputInfo) {
        self.input = Arc::new(member.clone());
    }

    fn end(&mut self, report: InputReport) -> Result<(), Stopped> {
        self.input = Arc::clone(&self.file);
        let done = Done::End { report: Box::new(report), lost: false, last: false };
        self.mapper.shared.schedule.complete(self.place, done);
        self.place.1 += 1;
        Ok(())
    }

    fn fail(&mut self, error: EngineError) -> Stopped {
        self.mapper.shared.schedule.fail(error);
        Stopped
    }
}

impl<J: Job> Mapper<'_, '_, J> {
    /// Maps a block and gives it back for its memory. What makes this panic is left out, and all else done again.
    fn map(&mut self, place: Place, (input, mut block): Piece) -> Option<Block> {
        let mut failures = Failures::default();
        loop {
            let current = Cell::new(Current::Nothing);
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                let survey = self.shared.surveyor.survey(&block, &failures, &current, &mut self.scratch);
                let mut part = self.shared.job.part();
                let work = Work::new(&input, &block, &survey, &current, self.shared.cancel);
                self.shared.job.map(&mut self.local, &work, &mut part);
                (survey, part)
            }));
            if self.shared.is_cancelled() {
                // The job may have seen a part of the block only.
                return None;
            }
            if let Ok((survey, part)) = outcome {
                self.shared.observer.messages_seen(survey.messages_seen());
                let done = Done::Block { input, part, survey, bytes: block.byte_len() };
                // Somebody may wait for the body that it shares, and hears of this when it is completed.
                block.clear();
                self.shared.schedule.complete(place, done);
                return Some(block);
            }
            self.local = self.shared.job.local();
            if !failures.blame(current.get(), &block) {
                let what = format!("on all of block {} of {}", place.1, input.display);
                self.shared.schedule.fail(EngineError::Worker(what));
                return None;
            }
        }
    }
}
