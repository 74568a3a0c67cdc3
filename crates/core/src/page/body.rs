//! Inside a body: the members around the array, and its elements.

use twox_hash::XxHash3_128;

use super::open_page::Array;
use super::search::Search;
use super::top::plain_key;
use super::{PageParser, State, Step, array_class, reason_of};
use crate::block::{MessageEntry, RecordEntry, Reject};
use crate::error::Reason;
use crate::hash;
use crate::message::form_of;
use crate::object::ObjectRef;
use crate::scan::{
    Class, ComponentField, ConversationField, DataField, Fault, MessageField, NONE, Stop, Walked, skip_space,
    string_end,
};
use crate::text::Text;
use crate::value::{Kind, Value};

/// The longest `_id` that is one, in bytes: real ones have 39. It is repeated in every row that is made of a message.
const MAX_ID: usize = 1024;

impl PageParser {
    /// A member of the object around the array, or its closing brace.
    pub(super) fn member(&mut self, first: bool) -> Step {
        let text = self.buffer.text();
        let eof = self.eof();
        let start = skip_space(text, self.buffer.at);
        let Some(&byte) = text.get(start) else { return self.starved(start) };
        if byte == b'}' {
            if self.turn_to_hidden() {
                return Step::On;
            }
            self.buffer.at = start + 1;
            self.end_page();
            self.state = State::Top;
            return Step::On;
        }
        let mut at = start;
        if !first {
            if byte != b',' {
                return self.begin_search(start, start, Reason::UnexpectedByte);
            }
            at = skip_space(text, at + 1);
            match text.get(at) {
                None => return self.starved(start),
                Some(b'}') => {
                    // A comma too many around the array costs nothing but the body's good name.
                    self.open_page().fault(Reason::TrailingComma);
                    self.buffer.at = at;
                    return Step::On;
                }
                Some(_) => {}
            }
        }
        if text[at] != b'"' {
            return self.begin_search(at, at, Reason::UnexpectedByte);
        }
        let key_start = at + 1;
        let (key_end, escaped) = match string_end(text, key_start, eof) {
            Ok(end) => end,
            Err(stop) => return self.fail(start, stop),
        };
        at = skip_space(text, key_end + 1);
        match text.get(at) {
            None => return self.starved(start),
            Some(b':') => {}
            Some(_) => return self.begin_search(start, at, Reason::UnexpectedByte),
        }
        at = skip_space(text, at + 1);
        let Some(&opener) = text.get(at) else { return self.starved(start) };
        let name = plain_key(&text[key_start..key_end], escaped);
        let class = array_class(&name);
        if matches!(&*name, b"components" | b"channels" | b"createdOn") {
            let page = self.page.as_ref();
            if page.is_some_and(|page| page.array == Array::Bracketed) {
                // A broken message closed the array before its time: what goes on here is the message.
                return self.begin_search(start, start, Reason::UnexpectedByte);
            }
        }
        if let (Some(class), b'[') = (class, opener) {
            return self.begin_array(at + 1, class);
        }
        let mark = self.block.arena.mark();
        let walked = self.scanner.walk(&mut self.block.arena, text, at, eof, class);
        let is_element = match (class, &walked) {
            (Some(class), Ok(walked)) => walked.object != NONE && self.looks_right(*walked, class),
            (Some(_), Err(Stop::Bad { .. })) => opener == b'{',
            _ => false,
        };
        self.block.arena.rewind(mark);
        if let (Some(class), true) = (class, is_element) {
            // The bracket of the array is missing.
            self.begin_array(at, class);
            let page = self.open_page();
            page.fault(Reason::UnexpectedByte);
            page.array = Array::Unbracketed;
            return Step::On;
        }
        let walked = match walked {
            Ok(walked) => walked,
            Err(stop) => {
                // Whether it was too large before it broke does not depend on where windows end.
                let reached = match stop {
                    Stop::Bad { at, fault } if fault != Fault::Truncated => at,
                    _ => text.len(),
                };
                if reached - at > self.limits.envelope_value_bytes {
                    return self.begin_search(start, at, Reason::TooLarge);
                }
                return self.fail(start, stop);
            }
        };
        let may_hide = matches!(opener, b'{' | b'[') && !self.open_page().has_array();
        if may_hide && self.hides_elements(at, walked.end) {
            let offset = self.buffer.base() + start as u64;
            self.open_page().note_hidden(offset);
        }
        let text = self.buffer.text();
        let kept = self.page.as_ref().map_or(0, |page| page.envelope.extra.len());
        if walked.end - start + kept > self.limits.envelope_value_bytes {
            return self.begin_search(start, at, Reason::TooLarge);
        }
        let Ok(raw) = simdutf8::basic::from_utf8(&text[start..walked.end]) else {
            return self.begin_search(start, start, Reason::InvalidUtf8);
        };
        let key = Text::new(&raw[key_start - start..key_end - start], escaped);
        let value = Value::new(&raw[at - start..], walked.kind);
        let Some(page) = &mut self.page else { unreachable!("members stand in a body") };
        page.member(key, value);
        self.buffer.at = walked.end;
        self.state = State::Member { first: false };
        Step::On
    }

    /// Enters an array whose first element may begin at `at`.
    pub(super) fn begin_array(&mut self, at: usize, class: Class) -> Step {
        self.buffer.at = at;
        let page = self.open_page();
        page.class = class;
        page.array = Array::Bracketed;
        self.state = State::Element { first: true, comma: false };
        Step::On
    }

    /// An element of the array, or its end.
    pub(super) fn element(&mut self, first: bool, comma: bool) -> Step {
        let text = self.buffer.text();
        let start = skip_space(text, self.buffer.at);
        let Some(&byte) = text.get(start) else { return self.starved(start) };
        if byte == b']' {
            if comma {
                self.open_page().fault(Reason::TrailingComma);
                self.reject_span(start, start, start, Reason::TrailingComma);
            }
            self.buffer.at = start + 1;
            self.end_array();
            return Step::On;
        }
        debug_assert!(first || comma);
        if byte == b'"' && self.open_page().array == Array::Unbracketed {
            // What follows an element that stands in no array is the next key.
            self.buffer.at = start;
            self.state = State::Member { first: true };
            return Step::On;
        }
        let class = self.open_page().class;
        let mark = self.block.arena.mark();
        match self.walk(start, class) {
            Ok(walked) if walked.object != NONE => {
                match self.swallows(start, walked.end) {
                    Some(false) => {}
                    swallows => {
                        self.block.arena.rewind(mark);
                        let Some(_) = swallows else { return Step::More };
                        return self.begin_search_inside(start, walked.end, Reason::UnexpectedByte);
                    }
                }
                self.accept(start, walked);
                self.buffer.at = walked.end;
                self.state = State::AfterElement;
                Step::On
            }
            Ok(walked) => {
                // A broken object may begin with what looks like a value: `"_id": …` without its brace.
                match self.follows(walked.end, true) {
                    None => return Step::More,
                    Some(false) => {
                        let at = skip_space(self.buffer.text(), walked.end);
                        return self.begin_search(start, at, Reason::UnexpectedByte);
                    }
                    Some(true) => {}
                }
                self.open_page().fault(Reason::NotAnObject);
                self.reject_span(start, walked.end, start, Reason::NotAnObject);
                self.buffer.at = walked.end;
                self.state = State::AfterElement;
                Step::On
            }
            Err(Failure::Incomplete) => self.starved(start),
            Err(Failure::Bad(reason, at)) => self.begin_search_inside(start, at, reason),
        }
    }

    /// What stands after an element: a comma or the end of the array.
    pub(super) fn after_element(&mut self) -> Step {
        let text = self.buffer.text();
        let at = skip_space(text, self.buffer.at);
        let unbracketed = self.page.as_ref().is_some_and(|page| page.array == Array::Unbracketed);
        match text.get(at) {
            None => self.starved(at),
            Some(b',') => {
                self.buffer.at = at + 1;
                self.state = State::Element { first: false, comma: true };
                Step::On
            }
            Some(b']') => {
                self.buffer.at = at + 1;
                self.end_array();
                Step::On
            }
            Some(b'}') if unbracketed => {
                self.buffer.at = at;
                self.state = State::Member { first: false };
                Step::On
            }
            Some(_) => self.begin_search(at, at, Reason::UnexpectedByte),
        }
    }

    fn end_array(&mut self) {
        self.state = if self.open_page().is_bare() { State::Top } else { State::Member { first: false } };
    }

    /// Walks a whole element at `start`, and checks its size and its text. A failed one leaves no trace.
    pub(super) fn walk(&mut self, start: usize, class: Class) -> Result<Walked, Failure> {
        let text = self.buffer.text();
        let mark = self.block.arena.mark();
        let eof = self.end.is_some();
        let walked = match self.scanner.walk(&mut self.block.arena, text, start, eof, Some(class)) {
            Ok(walked) => walked,
            Err(stop) => {
                let too_large = text.len() - start > self.limits.message_bytes;
                self.block.arena.rewind(mark);
                return Err(match stop {
                    Stop::Incomplete if too_large => Failure::Bad(Reason::TooLarge, start),
                    Stop::Incomplete => Failure::Incomplete,
                    Stop::Bad { at, .. } if at - start > self.limits.message_bytes => {
                        Failure::Bad(Reason::TooLarge, start)
                    }
                    stop @ Stop::Bad { .. } => {
                        let (reason, at) = reason_of(stop, self.end);
                        Failure::Bad(reason, at)
                    }
                });
            }
        };
        let failure = if walked.end - start > self.limits.message_bytes {
            Some(Failure::Bad(Reason::TooLarge, start))
        } else if simdutf8::basic::from_utf8(&text[start..walked.end]).is_err() {
            let valid =
                std::str::from_utf8(&text[start..walked.end]).err().map_or(0, |error| error.valid_up_to());
            Some(Failure::Bad(Reason::InvalidUtf8, start + valid))
        } else {
            None
        };
        match failure {
            Some(failure) => {
                self.block.arena.rewind(mark);
                Err(failure)
            }
            None => Ok(walked),
        }
    }

    /// Enters a message or record into the block.
    pub(super) fn accept(&mut self, start: usize, walked: Walked) {
        // The object's own span is written here: inside lists the scanner knows it from the frame around.
        debug_assert_eq!(self.block.arena.objects[walked.object as usize].span.range().start, start);
        let Some(page) = &mut self.page else { unreachable!("elements stand in a body") };
        let page_slot = page.slice as u32;
        if page.class == Class::Message {
            self.accept_message(walked.object, NONE, walked.compact);
            return;
        }
        let record = self.block.records.len() as u32;
        let index = page.records;
        page.records += 1;
        let is_conversation = page.class == Class::Conversation;
        let first = self.block.messages.len() as u32;
        self.block.records.push(RecordEntry {
            object: walked.object,
            page: page_slot,
            index,
            messages: first..first,
            compact: walked.compact,
        });
        if is_conversation {
            let object = self.block.arena.objects[walked.object as usize];
            let slot = Class::Conversation.child_slot(ConversationField::Messages as usize);
            let mut child = self.block.arena.slot(&object, slot).first_child();
            while child != NONE {
                let element = self.block.arena.objects[child as usize];
                if element.span.kind() == Some(Kind::Object) {
                    self.accept_message(child, record, walked.compact);
                }
                child = element.next;
            }
        }
        self.block.records[record as usize].messages.end = self.block.messages.len() as u32;
    }

    /// Enters a message, of the record `record` if it stands in one, into the block.
    pub(super) fn accept_message(&mut self, object: u32, record: u32, compact: bool) {
        let Some(page) = &mut self.page else { unreachable!("messages stand in a body") };
        let page_slot = page.slice as u32;
        let index = page.messages;
        page.messages += 1;
        let arena = &self.block.arena;
        let entry = &arena.objects[object as usize];
        let field = |field: MessageField| arena.slot(entry, field as usize);
        let id = field(MessageField::Id);
        let has_id = id.kind().is_some_and(Kind::is_string) && (1..=MAX_ID).contains(&id.range().len());
        // The text is not in the block yet, so views of it are made by hand.
        let text = self.buffer.text();
        if record == NONE {
            page.count_form(form_of(|name| !field(name).is_absent()));
        }
        let surrogate = if has_id {
            NONE
        } else {
            let whole = self.block.arena.objects[object as usize].span.range();
            let raw = crate::utf8::validated(&text[whole]);
            let mut scratch = Vec::new();
            let content = hash::content(raw, compact, &mut scratch);
            let mut key = Vec::new();
            let owner_id = if record == NONE {
                field(MessageField::SessionId)
            } else {
                let owner = self.block.records[record as usize].object as usize;
                arena.slot(&arena.objects[owner], ConversationField::Id as usize)
            };
            key.push(u8::from(record != NONE));
            for slot in [
                owner_id,
                field(MessageField::Type),
                field(MessageField::CreatedOn),
                field(MessageField::Timestamp),
                field(MessageField::TimestampValue),
                field(MessageField::Text),
                first_text(arena, object),
            ] {
                key.extend_from_slice(&(slot.range().len() as u64).to_le_bytes());
                key.extend_from_slice(&text[slot.range()]);
            }
            // A record counts its own, so that another copy of it gives the same ids.
            let place = if record == NONE { 0 } else { page.records };
            let nth = page.nth_equal((XxHash3_128::oneshot(&key), place), content);
            key.extend_from_slice(&nth.to_le_bytes());
            self.block.surrogates.push(XxHash3_128::oneshot(&key));
            (self.block.surrogates.len() - 1) as u32
        };
        self.block.messages.push(MessageEntry { object, page: page_slot, record, surrogate, index, compact });
    }

    /// Enters a rejected span into the block, from `start` to `end`, relative to the block's text.
    pub(super) fn reject_span(&mut self, start: usize, end: usize, fault: usize, reason: Reason) {
        let bytes = &self.buffer.text()[start..end];
        let mut search =
            Search::begin(self.buffer.base() + start as u64, self.buffer.base() + fault as u64, reason);
        search.take(bytes, self.limits.reject_bytes);
        self.push_reject(search);
    }

    /// Enters what a search collected into the block.
    pub(super) fn push_reject(&mut self, search: Search) {
        let Some(page) = &mut self.page else { unreachable!("rejected spans stand in a body") };
        let index = page.next_index();
        let is_record = page.counts_records();
        if is_record {
            page.records += 1;
            page.records_rejected += 1;
        } else {
            page.messages += 1;
            page.messages_rejected += 1;
        }
        let (message_id, raw_hash) = (search.message_id(), search.hash());
        self.block.rejects.push(Reject {
            index,
            is_record,
            byte_offset: search.start - page.start,
            byte_length: search.length,
            fault_offset: search.fault.saturating_sub(page.start),
            reason: search.reason,
            message_id,
            raw: search.raw,
            raw_hash,
        });
    }

    /// Not enough bytes to go on from `start`; at the end of the input, what is there is lost.
    pub(super) fn starved(&mut self, start: usize) -> Step {
        if !self.eof() {
            return Step::More;
        }
        let end = self.buffer.text().len();
        // An envelope that is cut off before its array holds nothing that could be lost, unless something in it has another name,
        // or a damaged one. Where there was such a thing before, all is read again from there.
        let page = self.open_page();
        let (has_array, hides) = (page.has_array(), page.hides());
        let may_lose = has_array || !hides && self.buffer.text()[start..].contains(&b'{');
        if start < end && may_lose {
            return self.begin_search(start, end, self.truncation());
        }
        self.buffer.at = end;
        Step::More
    }

    /// Why a body ends too soon.
    pub(super) fn truncation(&self) -> Reason {
        self.end.and_then(super::InputEnd::reason).unwrap_or(Reason::Truncated)
    }

    /// What begins at `start` was not read to its end.
    fn fail(&mut self, start: usize, stop: Stop) -> Step {
        if matches!(stop, Stop::Incomplete | Stop::Bad { fault: Fault::Truncated, .. }) {
            return self.starved(start);
        }
        let (reason, at) = reason_of(stop, self.end);
        self.begin_search(start, at, reason)
    }
}

/// Why an element was not taken.
#[derive(Debug, Clone, Copy)]
pub(super) enum Failure {
    Incomplete,
    Bad(Reason, usize),
}

/// The first component's text, as a slot.
fn first_text(arena: &crate::scan::Arena, message: u32) -> crate::scan::Slot {
    let child = |object: u32, class: Class, field: usize| {
        arena.slot(&arena.objects[object as usize], class.child_slot(field)).first_child()
    };
    let component = child(message, Class::Message, MessageField::Components as usize);
    if component == NONE {
        return crate::scan::Slot::ABSENT;
    }
    let data = child(component, Class::Component, ComponentField::Data as usize);
    if data == NONE {
        return crate::scan::Slot::ABSENT;
    }
    arena.slot(&arena.objects[data as usize], DataField::Text as usize)
}

impl ObjectRef<'_> {
    pub(crate) fn form(self) -> crate::message::Form {
        form_of(|field: MessageField| self.has(field as usize))
    }
}
