//! What a job is given to map: one block, with what the engine knows about its messages already.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use korpus_core::{Block, Message, PageSlice, Record, Reject};

use crate::facts::Survey;
use crate::inputs::InputInfo;
use crate::keylog::Key;
use crate::times::MessageTimes;

/// A block on its way through [`Job::map`](crate::Job::map), less what a worker failed on before.
#[derive(Debug)]
pub struct Work<'b> {
    input: &'b InputInfo,
    block: &'b Block,
    survey: &'b Survey,
    /// What the iterators handed out last: whom to blame for a panic.
    current: &'b Cell<Current>,
    /// Set when the run is to stop: the iterators end early then, and the part is thrown away.
    cancel: &'b AtomicBool,
}

/// What a job is at work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Current {
    #[default]
    Nothing,
    Message(usize),
    Record(usize),
}

/// A message to be mapped.
#[derive(Debug, Clone, Copy)]
pub struct Item<'b> {
    /// The message.
    pub message: Message<'b>,
    /// Which message of the block it is: `block.message(index)`.
    pub index: usize,
    /// Its ordinal within the block, rejected spans counted: add [`BlockSeq::first_message`](crate::BlockSeq) at commit.
    pub ordinal: u64,
    /// Whether the filter of the run lets it pass. De-duplication looks at all messages; tables only at these.
    pub matches: bool,
    /// When it happened and was changed.
    pub times: MessageTimes,
}

/// A conversation or session record to be mapped.
#[derive(Debug, Clone, Copy)]
pub struct RecordItem<'b> {
    /// The record.
    pub record: Record<'b>,
    /// Which record of the block it is: `block.record(index)`.
    pub index: usize,
    /// Its ordinal within the block, rejected spans counted: add [`BlockSeq::first_record`](crate::BlockSeq) at commit.
    pub ordinal: u64,
    /// Whether the filter of the run lets it pass.
    pub matches: bool,
}

/// A rejected span.
#[derive(Debug, Clone, Copy)]
pub struct RejectItem<'b> {
    /// The span.
    pub reject: &'b Reject,
    /// Which body of the input it stands in, from 0.
    pub page_index: u64,
}

/// What the engine found out about a block before the job sees it.
#[derive(Debug, Default)]
pub(crate) struct BlockFacts {
    /// One a message, in order.
    pub messages: Vec<MessageFact>,
    /// One a record, in order.
    pub records: Vec<RecordFact>,
    /// Messages and records that a worker failed on, as rejects, in the order of their failing.
    pub failed: Vec<(u64, Reject)>,
}

impl BlockFacts {
    /// Whether the filter lets the message, or record, pass that has this ordinal in the block.
    pub(crate) fn matches(&self, ordinal: u64, is_record: bool) -> bool {
        if is_record {
            let found = self.records.binary_search_by_key(&ordinal, |fact| fact.ordinal);
            found.is_ok_and(|at| self.records[at].matches)
        } else {
            let found = self.messages.binary_search_by_key(&ordinal, |fact| fact.ordinal);
            found.is_ok_and(|at| self.messages[at].matches)
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct MessageFact {
    pub ordinal: u64,
    pub times: MessageTimes,
    pub matches: bool,
    pub failed: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordFact {
    pub ordinal: u64,
    pub matches: bool,
    pub failed: bool,
}

impl<'b> Work<'b> {
    pub(crate) fn new(
        input: &'b InputInfo,
        block: &'b Block,
        survey: &'b Survey,
        current: &'b Cell<Current>,
        cancel: &'b AtomicBool,
    ) -> Self {
        Self { input, block, survey, current, cancel }
    }

    /// Whether the run was told to stop: what is made of this block is thrown away then. For jobs whose work on a single
    /// message is long; the iterators end by themselves.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// The input that the block comes from.
    pub fn input(&self) -> &'b InputInfo {
        self.input
    }

    /// The block itself. Go through [`messages`](Self::messages) and [`records`](Self::records) to reach what it holds:
    /// they leave out what must not be touched again after a panic.
    pub fn block(&self) -> &'b Block {
        self.block
    }

    /// The parts of bodies that stand in the block, in order. Their `rejects` are those of the reader only:
    /// [`rejects`](Self::rejects) has all.
    pub fn pages(&self) -> &'b [PageSlice] {
        self.block.pages()
    }

    /// The messages, in order, matching or not; those inside agent AI records too. No more of them come once the run was
    /// told to stop.
    pub fn messages(&self) -> impl Iterator<Item = Item<'b>> + '_ {
        let (block, facts) = (self.block, &self.survey.facts);
        let left = facts.messages.iter().enumerate().take_while(|_| !self.is_cancelled());
        left.filter(|(_, fact)| !fact.failed).map(move |(index, fact)| {
            self.current.set(Current::Message(index));
            Item {
                message: block.message(index),
                index,
                ordinal: fact.ordinal,
                matches: fact.matches,
                times: fact.times,
            }
        })
    }

    /// The message at `index` of the block, as [`messages`](Self::messages) gives it; `None` where a worker failed on it.
    pub fn item(&self, index: usize) -> Option<Item<'b>> {
        let fact = self.survey.facts.messages.get(index).filter(|fact| !fact.failed)?;
        self.current.set(Current::Message(index));
        Some(Item {
            message: self.block.message(index),
            index,
            ordinal: fact.ordinal,
            matches: fact.matches,
            times: fact.times,
        })
    }

    /// The conversation and session records, in order, matching or not.
    pub fn records(&self) -> impl Iterator<Item = RecordItem<'b>> + '_ {
        let (block, facts) = (self.block, &self.survey.facts);
        let left = facts.records.iter().enumerate().take_while(|_| !self.is_cancelled());
        left.filter(|(_, fact)| !fact.failed).map(move |(index, fact)| {
            self.current.set(Current::Record(index));
            RecordItem { record: block.record(index), index, ordinal: fact.ordinal, matches: fact.matches }
        })
    }

    /// What de-duplication knows of the messages, in the order of [`messages`](Self::messages); nothing without
    /// de-duplication. Ordinals count from the start of the block, and where an id is a surrogate its body is an index of
    /// [`pages`](Self::pages): see [`Key::settle`].
    pub fn message_keys(&self) -> &'b [Key] {
        &self.survey.keys
    }

    /// The same of [`records`](Self::records).
    pub fn record_keys(&self) -> &'b [Key] {
        &self.survey.record_keys
    }

    /// What could not be kept, by body and in the order of each body: the reader's rejects, and messages that a worker
    /// failed on.
    pub fn rejects(&self) -> Vec<RejectItem<'b>> {
        let mut all: Vec<RejectItem<'b>> = self
            .block
            .pages()
            .iter()
            .flat_map(|page| {
                self.block.rejects()[page.rejects.clone()]
                    .iter()
                    .map(|reject| RejectItem { reject, page_index: page.page_index })
            })
            .chain(
                self.survey
                    .facts
                    .failed
                    .iter()
                    .map(|(page_index, reject)| RejectItem { reject, page_index: *page_index }),
            )
            .collect();
        all.sort_by_key(|item| (item.page_index, item.reject.byte_offset));
        all
    }
}
