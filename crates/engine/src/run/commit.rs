//! The serial half of a run: commits in order, the books, the keys, and what becomes of it all at the end.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use korpus_core::{Reason, Reject};
use twox_hash::XxHash3_128;

use super::schedule::Place;
use super::{RunOptions, RunReport};
use crate::anchor::AnchorLog;
use crate::bits::Bits;
use crate::dedup::Fates;
use crate::error::{EngineError, Result};
use crate::facts::Survey;
use crate::history::{History, KeyWriter, Noted, read_keys};
use crate::inputs::InputInfo;
use crate::job::{BlockSeq, Job};
use crate::keylog::KeyLog;
use crate::ledger::{InputReport, Ledger};
use crate::observer::Observer;
use crate::work::RejectItem;

/// What is ready to be committed.
pub(super) enum Done<J: Job> {
    /// A block was mapped.
    Block { input: Arc<InputInfo>, part: J::Part, survey: Survey, bytes: usize },
    /// An input ended; `lost` says that the reader failed on it. `last` says that it is no member of an archive.
    End { report: Box<InputReport>, lost: bool, last: bool },
}

impl<J: Job> Done<J> {
    /// Bytes of text that it stands for.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Block { bytes, .. } => *bytes,
            Self::End { .. } => 0,
        }
    }

    /// How many things it tells of: bodies, messages, records, or an end.
    pub(super) fn things(&self) -> usize {
        match self {
            Self::Block { survey: Survey { slices, facts, .. }, .. } => {
                slices.len() + facts.messages.len() + facts.records.len()
            }
            Self::End { .. } => 1,
        }
    }
}

/// Takes parts in order.
pub(super) struct Committer<'r, J: Job> {
    job: &'r J,
    state: &'r mut J::State,
    observer: &'r dyn Observer,
    ledger: Ledger,
    keys: KeyLog,
    record_keys: KeyLog,
    /// What the filter lets pass, where there is one.
    matched: Option<(Bits, Bits)>,
    anchors: Option<AnchorLog>,
    /// Where the keys are written down for later runs.
    written: Option<KeyWriter>,
    /// Bodies of earlier runs.
    pages_before: u32,
}

impl<'r, J: Job> Committer<'r, J> {
    pub(super) fn new(
        options: &RunOptions,
        job: &'r J,
        state: &'r mut J::State,
        observer: &'r dyn Observer,
    ) -> Result<Self> {
        let log =
            || KeyLog::new(options.memory.key_log(), options.memory.resolving(), options.temp_dir.clone());
        let history = options.history.as_deref();
        let (ledger, pages_before) = match history {
            Some(History { messages, records, pages, .. }) => {
                (Ledger::starting_at(*messages, *records), *pages as u32)
            }
            None => (Ledger::default(), 0),
        };
        let written = options.keys.clone().filter(|_| options.dedup);
        Ok(Self {
            job,
            state,
            observer,
            ledger,
            keys: log(),
            record_keys: log(),
            matched: options.filter.is_selective().then(Default::default),
            anchors: options.filter.msg_id.is_some().then(|| AnchorLog::new(options.temp_dir.clone())),
            written: written.map(KeyWriter::create).transpose()?,
            pages_before,
        })
    }

    /// Commits what is next. A panic of the job ends the run, and hangs nobody.
    pub(super) fn commit(&mut self, place: Place, done: Done<J>) -> Result<(), J::Error> {
        let outcome = catch_unwind(AssertUnwindSafe(|| match done {
            Done::Block { input, part, survey, .. } => self.block(&input, place.1, survey, part),
            Done::End { report, lost, .. } => self.end(*report, lost),
        }));
        outcome.unwrap_or_else(|_| {
            let what = format!("committing block {} of input {}", place.1, place.0);
            Err(EngineError::Worker(what).into())
        })
    }

    fn block(
        &mut self,
        input: &InputInfo,
        block: u64,
        survey: Survey,
        part: J::Part,
    ) -> Result<(), J::Error> {
        let at = BlockSeq {
            input,
            block,
            first_message: self.ledger.messages_seen(),
            first_record: self.ledger.records_seen(),
            first_page: self.ledger.page_of_slice(survey.slices.first().is_none_or(|slice| slice.starts)),
        };
        let first_page = self.pages_before + at.first_page as u32;
        let facts = &survey.facts;
        let logs = [
            (&mut self.keys, survey.keys, at.first_message, false),
            (&mut self.record_keys, survey.record_keys, at.first_record, true),
        ];
        for (log, mut keys, first, is_record) in logs {
            for key in &mut keys {
                key.ordinal += first;
                key.surrogate_page = key.surrogate_page.map(|slice| slice + first_page);
            }
            log.push_all(&keys)?;
            if let Some(written) = &mut self.written {
                for key in &keys {
                    let matches = self.matched.is_none() || facts.matches(key.ordinal - first, is_record);
                    written.push(key, is_record, matches)?;
                }
            }
        }
        if let Some((messages, records)) = &mut self.matched {
            for fact in survey.facts.messages.iter().filter(|fact| fact.matches) {
                messages.insert(at.first_message + fact.ordinal);
            }
            for fact in survey.facts.records.iter().filter(|fact| fact.matches) {
                records.insert(at.first_record + fact.ordinal);
            }
        }
        if let Some(anchors) = &mut self.anchors {
            for mut entry in survey.anchors {
                entry.ordinal += at.first_message;
                anchors.push(entry)?;
            }
        }
        self.job.commit(self.state, &at, part)?;
        for slice in &survey.slices {
            self.ledger.slice(slice);
        }
        Ok(())
    }

    fn end(&mut self, report: InputReport, lost: bool) -> Result<(), J::Error> {
        let mut rejects = Vec::new();
        if lost {
            let (page_index, index) = self.ledger.lost();
            let reject = Reject {
                index,
                is_record: false,
                byte_offset: 0,
                byte_length: 0,
                fault_offset: 0,
                reason: Reason::Internal,
                message_id: None,
                raw: Vec::new(),
                raw_hash: XxHash3_128::oneshot(&[]),
            };
            rejects.push((page_index, reject));
        }
        let report = self.ledger.end_input(report);
        let rejects: Vec<RejectItem<'_>> = rejects
            .iter()
            .map(|(page_index, reject)| RejectItem { reject, page_index: *page_index })
            .collect();
        self.job.end_input(self.state, report, &rejects)?;
        if report.input.member.is_none() {
            self.observer.input_done(report);
        }
        Ok(())
    }

    /// Finds out what became of everything, and balances the books.
    pub(super) fn settle(mut self, options: &RunOptions) -> Result<RunReport> {
        let mut ledger = self.ledger;
        if let Some(call) = &options.call_id
            && ledger.left_out() > 0
            && options.history.is_none()
            && ledger.inputs().iter().all(|report| report.left_out || report.members.is_some())
        {
            return Err(EngineError::Usage(format!("no input was requested for the call {call}")));
        }
        let before = self.pages_before;
        let bodies = ledger.bodies();
        if let Some(written) = self.written {
            written.finish(|page| bodies.of((page - before) as usize))?;
        }
        let mut earlier = HashMap::new();
        if let Some(history) = &options.history {
            for file in &history.key_files {
                read_keys(file, |noted| {
                    let (key, passes, log, bits) = match noted {
                        Noted::Page(page, body) => {
                            earlier.insert(page, body);
                            return Ok(());
                        }
                        Noted::Message(key, passes) => {
                            (key, passes, &mut self.keys, self.matched.as_mut().map(|pair| &mut pair.0))
                        }
                        Noted::Record(key, passes) => {
                            let bits = self.matched.as_mut().map(|pair| &mut pair.1);
                            (key, passes, &mut self.record_keys, bits)
                        }
                    };
                    if let Some(bits) = bits.filter(|_| passes) {
                        bits.insert(key.ordinal);
                    }
                    log.push(&key)
                })?;
            }
        }
        let spilled_bytes = self.keys.spilled_bytes() + self.record_keys.spilled_bytes();
        let body = |page: u32| match page.checked_sub(before) {
            Some(page) => bodies.of(page as usize),
            None => earlier.get(&page).copied().unwrap_or_default(),
        };
        let first = options.history.as_ref().map_or((0, 0), |history| (history.messages, history.records));
        let mut messages = Fates::resolve_after(first.0, self.keys, body)?;
        let mut records = Fates::resolve_after(first.1, self.record_keys, body)?;
        if let Some((matched, matched_records)) = self.matched {
            messages.set_matched(matched);
            records.set_matched(matched_records);
        }
        let filter = &options.filter;
        let anchor_found = match self.anchors {
            Some(anchors) => Some(anchors.apply(filter.direction, &mut messages)?),
            None => None,
        };
        if filter.skip > 0 || filter.limit.is_some() {
            messages.set_window(filter.skip, filter.limit);
        }
        ledger.settle(&messages, &records)?;
        Ok(RunReport { ledger, messages, records, anchor_found, spilled_bytes })
    }
}
