//! A block: whole messages of one input, with what the scanner wrote down about them, owned and reusable.

use std::ops::Range;
use std::sync::Arc;

use crate::envelope::PageEnd;
use crate::error::Reason;
use crate::message::Message;
use crate::record::{Conversation, Record, SessionRecord};
use crate::scan::{Arena, Class};

/// A batch of whole messages and records of one input, in order, with the books of what could not be kept.
///
/// Blocks are cut by bytes and messages of the input alone, so the same input gives the same blocks on any machine. A
/// block owns its text and is `Send`; views such as [`Message`] borrow from it. Give used blocks back to the
/// [`PageParser`](crate::PageParser) they came from, or to any other: their memory is reused.
#[derive(Debug, Default)]
pub struct Block {
    pub(crate) text: BlockText,
    pub(crate) arena: Arena,
    pub(crate) messages: Vec<MessageEntry>,
    pub(crate) records: Vec<RecordEntry>,
    pub(crate) rejects: Vec<Reject>,
    pub(crate) pages: Vec<PageSlice>,
    pub(crate) surrogates: Vec<u128>,
}

/// The bytes that a block's spans point into.
#[derive(Debug)]
pub(crate) enum BlockText {
    /// A buffer of the block's own, and how much of it is text.
    Owned(Vec<u8>, usize),
    Shared(Arc<Vec<u8>>, Range<usize>),
}

impl Default for BlockText {
    fn default() -> Self {
        Self::Owned(Vec::new(), 0)
    }
}

impl BlockText {
    #[inline(always)]
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Owned(bytes, len) => &bytes[..*len],
            Self::Shared(bytes, range) => &bytes[range.clone()],
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct MessageEntry {
    pub object: u32,
    /// Its page among those of the block.
    pub page: u32,
    /// Its record among those of the block, or `NONE`.
    pub record: u32,
    /// Its surrogate id among those of the block, or `NONE`.
    pub surrogate: u32,
    /// Which of the messages and rejected spans of the body it is, from 0.
    pub index: u64,
    /// No white space between its tokens.
    pub compact: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct RecordEntry {
    pub object: u32,
    pub page: u32,
    pub index: u64,
    pub messages: Range<u32>,
    pub compact: bool,
}

/// The part of one body that stands in a block.
#[derive(Debug, Clone)]
pub struct PageSlice {
    /// Which body of the input, from 0.
    pub page_index: u64,
    /// Where the body begins in the decoded input.
    pub body_start: u64,
    /// Where this block's text begins, counted from the start of the body (negative where the body begins inside the block).
    pub(crate) text_offset: i64,
    /// Its messages, as indices into [`Block::messages`].
    pub messages: Range<usize>,
    /// Its records, as indices into [`Block::records`].
    pub records: Range<usize>,
    /// Its rejected spans, as indices into [`Block::rejects`].
    pub rejects: Range<usize>,
    /// Whether the body begins in this block.
    pub starts: bool,
    /// The rest of the body's envelope and its books, where it ends in this block.
    pub end: Option<Box<PageEnd>>,
}

/// One contiguous span of a body that could not be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Which of the messages (or records) and rejected spans of the body it is, from 0.
    pub index: u64,
    /// Whether it counts among the records of the body, not among its messages.
    pub is_record: bool,
    /// Where it begins, in bytes of the decoded body.
    pub byte_offset: u64,
    /// How long it is.
    pub byte_length: u64,
    /// Where the fault was found, in bytes of the decoded body.
    pub fault_offset: u64,
    /// Why it was rejected.
    pub reason: Reason,
    /// The id of the message, where the broken bytes still show one.
    pub message_id: Option<String>,
    /// Its first bytes, up to the limit.
    pub raw: Vec<u8>,
    /// XXH3-128 of all its bytes.
    pub raw_hash: u128,
}

impl Block {
    /// The messages, in the order of the input; those inside agent AI records too.
    pub fn messages(&self) -> impl ExactSizeIterator<Item = Message<'_>> + Clone {
        (0..self.messages.len()).map(|index| self.message(index))
    }

    /// How many messages there are.
    pub fn message_count(&self) -> usize {
        self.messages.len()
    }

    /// The message at `index`.
    ///
    /// # Panics
    /// If there are not that many.
    #[inline]
    pub fn message(&self, index: usize) -> Message<'_> {
        Message::new(self, &self.messages[index])
    }

    /// The conversation and session records, in the order of the input.
    pub fn records(&self) -> impl ExactSizeIterator<Item = Record<'_>> + Clone {
        (0..self.records.len()).map(|index| self.record(index))
    }

    /// The record at `index`.
    ///
    /// # Panics
    /// If there are not that many.
    pub fn record(&self, index: usize) -> Record<'_> {
        let entry = &self.records[index];
        match self.arena.objects[entry.object as usize].class {
            Class::Session => Record::Session(SessionRecord::new(self, entry)),
            _ => Record::Conversation(Conversation::new(self, entry)),
        }
    }

    /// What could not be kept, in the order of the input.
    pub fn rejects(&self) -> &[Reject] {
        &self.rejects
    }

    /// The bodies that have a part in this block, in order.
    pub fn pages(&self) -> &[PageSlice] {
        &self.pages
    }

    /// Bytes of text that the block holds.
    pub fn byte_len(&self) -> usize {
        self.text.bytes().len()
    }

    /// Whether the block holds nothing at all.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
            && self.records.is_empty()
            && self.rejects.is_empty()
            && self.pages.is_empty()
    }

    /// Forgets the contents and keeps the memory.
    pub fn clear(&mut self) {
        self.arena.clear();
        self.messages.clear();
        self.records.clear();
        self.rejects.clear();
        self.pages.clear();
        self.surrogates.clear();
        match &mut self.text {
            BlockText::Owned(_, len) => *len = 0,
            shared @ BlockText::Shared(..) => *shared = BlockText::default(),
        }
    }
}
