//! The body being read: its envelope so far, its books, and its part of the current block.

use std::collections::HashMap;

use twox_hash::XxHash3_128;

use super::buffer::Buffer;
use crate::block::{Block, PageSlice};
use crate::envelope::{Envelope, PageEnd, PageStatus, Shape};
use crate::error::Reason;
use crate::message::Form;
use crate::scan::Class;
use crate::text::Text;
use crate::value::Value;

/// What something is that holds no messages by its nature, as far as one can see.
#[derive(Debug, Clone, Copy)]
pub(super) struct Barren {
    pub shape: Shape,
    pub status: PageStatus,
    pub reason: Reason,
}

impl Barren {
    pub(super) const NOT_A_PAGE: Self =
        Self { shape: Shape::Unknown, status: PageStatus::NotAPage, reason: Reason::NotAPage };
    pub(super) const ERROR: Self =
        Self { shape: Shape::Error, status: PageStatus::ErrorResponse, reason: Reason::ErrorResponse };
    pub(super) const HTML: Self = Self { reason: Reason::Html, ..Self::ERROR };
}

/// The list of messages or records of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Array {
    /// None was found so far.
    Missing,
    Bracketed,
    /// Its opening bracket is missing.
    Unbracketed,
    /// Messages that stand in no envelope: a file of one message a line.
    Bare,
}

/// A key around the array that has a place in the envelope.
#[derive(Clone)]
enum Member {
    Taken { key: String, value: String },
    InExtra,
}

type Members = [Option<Member>; 5];

/// What the envelope was before a member that holds what the array should.
struct Hidden {
    /// Where the member begins in the decoded input.
    offset: u64,
    envelope: Envelope,
    members: Members,
}

pub(super) struct OpenPage {
    pub index: u64,
    /// Where the body begins in the decoded input.
    pub start: u64,
    /// Where it ended, where its closing brace was read.
    pub ended_at: Option<u64>,
    /// What the array being read holds.
    pub class: Class,
    pub array: Array,
    /// What it is if no array and no message turns up in it.
    pub barren: Option<Barren>,
    pub envelope: Envelope,
    /// Bytes read to judge what may be an element, while searching.
    pub search_work: u64,
    /// Its slice of the current block.
    pub slice: usize,
    pub messages: u64,
    pub messages_rejected: u64,
    pub records: u64,
    pub records_rejected: u64,
    /// The envelope reports an error.
    pub has_errors: bool,
    /// The first thing that made the body less than whole; or that it is a bomb.
    pub fault: Option<Reason>,
    forms: [u64; 3],
    /// What took the places of the envelope.
    members: Members,
    /// Where its elements are, if it turns out to have no array.
    hidden: Option<Box<Hidden>>,
    /// How many messages without an id were equal to which one of the same record so far.
    surrogates: HashMap<(u128, u64), u64>,
    array_hash: XxHash3_128,
}

impl OpenPage {
    pub(super) fn new(index: u64, bare: bool, block: &mut Block, buffer: &Buffer) -> Self {
        let mut page = Self {
            index,
            // Lines of messages count from the start of the file, whatever white space precedes them.
            start: if bare && index == 0 { 0 } else { buffer.offset() },
            ended_at: None,
            class: Class::Message,
            array: if bare { Array::Bare } else { Array::Missing },
            barren: None,
            envelope: Envelope::default(),
            search_work: 0,
            slice: 0,
            messages: 0,
            messages_rejected: 0,
            records: 0,
            records_rejected: 0,
            has_errors: false,
            fault: None,
            forms: [0; 3],
            members: Default::default(),
            hidden: None,
            surrogates: HashMap::new(),
            array_hash: XxHash3_128::new(),
        };
        page.begin_slice(block, buffer, true);
        page
    }

    /// Goes on in a new block.
    pub(super) fn continues_in(&mut self, block: &mut Block, buffer: &Buffer) {
        self.begin_slice(block, buffer, false);
    }

    fn begin_slice(&mut self, block: &mut Block, buffer: &Buffer, starts: bool) {
        self.slice = block.pages.len();
        block.pages.push(PageSlice {
            page_index: self.index,
            body_start: self.start,
            text_offset: buffer.base() as i64 - self.start as i64,
            messages: block.messages.len()..block.messages.len(),
            records: block.records.len()..block.records.len(),
            rejects: block.rejects.len()..block.rejects.len(),
            starts,
            end: None,
        });
    }

    /// Whether its messages stand in no envelope.
    pub(super) fn is_bare(&self) -> bool {
        self.array == Array::Bare
    }

    pub(super) fn has_array(&self) -> bool {
        self.array != Array::Missing
    }

    /// Whether nothing was found in it so far that makes it a body.
    pub(super) fn is_barren(&self) -> bool {
        self.barren.is_some() && !self.has_array()
    }

    /// What the elements of the array count as.
    pub(super) fn counts_records(&self) -> bool {
        self.class != Class::Message
    }

    /// The index of the next element or rejected span.
    pub(super) fn next_index(&self) -> u64 {
        if self.counts_records() { self.records } else { self.messages }
    }

    pub(super) fn fault(&mut self, reason: Reason) {
        self.fault.get_or_insert(reason);
    }

    /// Notes that the stream broke, or became too much. That is what is told, whatever was made of its last bytes: the rest was
    /// never seen. What came before may still be an error or a page of HTML; of a bomb nobody knows.
    pub(super) fn break_off(&mut self, reason: Reason) {
        let is_bomb = reason == Reason::RatioExceeded;
        self.fault = Some(reason);
        self.has_errors &= !is_bomb;
        if let Some(kind) = self.barren.as_mut().filter(|kind| is_bomb || kind.status == PageStatus::NotAPage)
        {
            (kind.status, kind.reason) = (PageStatus::Rejected, reason);
        }
    }

    pub(super) fn count_form(&mut self, form: Form) {
        match form {
            Form::Full => self.forms[0] += 1,
            Form::Lite => self.forms[1] += 1,
            Form::Call => self.forms[2] += 1,
            Form::AgentAi => {}
        }
    }

    /// How many messages equal to this one came before it in the same record, and notes this one.
    pub(super) fn nth_equal(&mut self, equal: (u128, u64), content: u128) -> u64 {
        self.array_hash.write(&content.to_le_bytes());
        let count = self.surrogates.entry(equal).or_default();
        *count += 1;
        *count - 1
    }

    /// Notes that the member at `offset` holds messages or records. The first one counts.
    pub(super) fn note_hidden(&mut self, offset: u64) {
        if self.hidden.is_none() {
            let (envelope, members) = (self.envelope.clone(), self.members.clone());
            self.hidden = Some(Box::new(Hidden { offset, envelope, members }));
        }
    }

    /// Whether there is such a member, and no array.
    pub(super) fn hides(&self) -> bool {
        self.hidden.is_some() && !self.has_array()
    }

    /// Makes the envelope what it was before such a member, if there is no array; where the member begins.
    pub(super) fn take_hidden(&mut self) -> Option<u64> {
        let hidden = self.hidden.take().filter(|_| !self.has_array())?;
        (self.envelope, self.members) = (hidden.envelope, hidden.members);
        Some(hidden.offset)
    }

    /// Takes a member of the object around the array. Where a place of the envelope is taken twice the last value counts,
    /// and all of them stand in `extra`.
    pub(super) fn member(&mut self, key: Text<'_>, value: Value<'_>) {
        self.has_errors |= key.is("errors");
        let envelope = &mut self.envelope;
        let (number, flag) = (value.as_i64(), value.as_bool());
        let slot = match &*key.lossy() {
            "total" | "totalResults" => {
                envelope.total = number;
                0
            }
            "skip" => {
                envelope.skip = number;
                1
            }
            "limit" => {
                envelope.limit = number;
                2
            }
            "totalPages" => {
                envelope.total_pages = number;
                3
            }
            "moreAvailable" | "hasMore" => {
                envelope.more_available = flag;
                4
            }
            _ => return envelope.add_extra(key.raw(), value.raw()),
        };
        let taken = if slot == 4 { flag.is_some() } else { number.is_some() };
        let before = self.members[slot].replace(Member::InExtra);
        if let Some(Member::Taken { key, value }) = &before {
            envelope.add_extra(key, value);
        }
        if before.is_some() || !taken {
            envelope.add_extra(key.raw(), value.raw());
        } else {
            let member = Member::Taken { key: key.raw().to_owned(), value: value.raw().to_owned() };
            self.members[slot] = Some(member);
        }
    }

    fn shape(&self) -> Shape {
        match self.class {
            _ if self.fault == Some(Reason::ErrorResponse) => Shape::Error,
            _ if !self.has_array() && self.fault.is_some() => Shape::Unknown,
            Class::Conversation => Shape::AgentAi,
            Class::Session => Shape::Sessions,
            _ if self.forms[0] == 0 && self.forms[1] > 0 => Shape::Lite,
            _ if self.forms[0] == 0 && self.forms[2] > 0 => Shape::Call,
            _ => Shape::Full,
        }
    }

    /// Closes the books.
    pub(super) fn end(mut self, block: &mut Block, end_offset: u64) {
        if !self.envelope.extra.is_empty() {
            self.envelope.extra.push('}');
        }
        let rejected = self.messages_rejected + self.records_rejected;
        let kept = self.messages + self.records - rejected;
        if self.has_errors && self.messages + self.records == 0 {
            self.fault = Some(Reason::ErrorResponse);
        }
        let status = match self.fault {
            Some(Reason::ErrorResponse) => PageStatus::ErrorResponse,
            None => PageStatus::Ok,
            Some(Reason::NoMessages) => PageStatus::NotAPage,
            Some(_) if !self.has_array() => PageStatus::Rejected,
            Some(_) if kept == 0 && rejected > 0 => PageStatus::Rejected,
            Some(_) => PageStatus::Partial,
        };
        let kind = match self.barren.filter(|_| !self.has_array()) {
            Some(kind) => kind,
            None => Barren { shape: self.shape(), status, reason: self.fault.unwrap_or(Reason::Empty) },
        };
        self.array_hash.write(&self.messages.to_le_bytes());
        let is_fault = self.fault.is_some() || self.is_barren();
        let end = PageEnd {
            shape: kind.shape,
            status: kind.status,
            reason: is_fault.then_some(kind.reason),
            body_bytes: end_offset - self.start,
            messages_seen: self.messages,
            messages_rejected: self.messages_rejected,
            records_seen: self.records,
            records_rejected: self.records_rejected,
            array_hash: self.array_hash.finish_128(),
            envelope: self.envelope,
        };
        block.pages[self.slice].end = Some(Box::new(end));
        block.close_slices();
    }
}

impl Envelope {
    /// Adds a member that has no place, both halves raw. The brace that closes the object comes with the end of the body.
    fn add_extra(&mut self, key: &str, value: &str) {
        let extra = &mut self.extra;
        extra.push(if extra.is_empty() { '{' } else { ',' });
        extra.push('"');
        extra.push_str(key);
        extra.push_str("\":");
        extra.push_str(value);
    }
}

impl Block {
    /// Makes the last slice end where the block does now.
    pub(crate) fn close_slices(&mut self) {
        if let Some(slice) = self.pages.last_mut() {
            slice.messages.end = slice.messages.end.max(self.messages.len());
            slice.records.end = slice.records.end.max(self.records.len());
            slice.rejects.end = slice.rejects.end.max(self.rejects.len());
        }
    }

    /// Whether there is anything in it that somebody has to hear of.
    pub(crate) fn has_content(&self) -> bool {
        !self.messages.is_empty()
            || !self.records.is_empty()
            || !self.rejects.is_empty()
            || self.pages.iter().any(|slice| slice.starts || slice.end.is_some())
    }
}
