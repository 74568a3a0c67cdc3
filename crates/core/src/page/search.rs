//! After something broke: the search for the next element that can be trusted, and the span that is lost until there.
//!
//! A `{` is trusted if it parses whole, looks like what the array holds, and is followed by `,` or `]` (in a file of
//! one message a line: by the end of its line, at whose start it stands). A line that begins a new body ends the
//! search too. All reading for this is bounded by a small multiple of the body.

use xxhash_rust::xxh3::Xxh3;

use super::body::Failure;
use super::top::begins_envelope;
use super::{PageParser, State, Step};
use crate::error::Reason;
use crate::scan::{Class, ConversationField, MessageField, NONE, SessionField, Walked, skip_space};

/// How often the bytes of a body may be read again to find the next element.
const WORK: u64 = 4;
const FREE_WORK: u64 = 1 << 20;

/// The span being lost.
pub(super) struct Search {
    /// Where it begins, and where the fault is, in the decoded input.
    pub start: u64,
    pub fault: u64,
    pub reason: Reason,
    pub length: u64,
    /// Its first bytes.
    pub raw: Vec<u8>,
    hasher: Xxh3,
    /// Its last byte.
    last: u8,
    /// Bytes read to judge candidates.
    work: u64,
}

impl Default for Search {
    fn default() -> Self {
        Self::begin(0, 0, Reason::UnexpectedByte)
    }
}

impl Search {
    pub(super) fn begin(start: u64, fault: u64, reason: Reason) -> Self {
        Self { start, fault, reason, length: 0, raw: Vec::new(), hasher: Xxh3::new(), last: 0, work: 0 }
    }

    /// Adds bytes to the lost span, keeping at most `limit` of them.
    pub(super) fn take(&mut self, bytes: &[u8], limit: usize) {
        self.length += bytes.len() as u64;
        self.hasher.update(bytes);
        let room = limit.saturating_sub(self.raw.len()).min(bytes.len());
        self.raw.extend_from_slice(&bytes[..room]);
        if let Some(&last) = bytes.last() {
            self.last = last;
        }
    }

    pub(super) fn hash(&self) -> u128 {
        self.hasher.digest128()
    }

    /// The id that the broken bytes still show: the string after the first `"_id"`.
    pub(super) fn message_id(&self) -> Option<String> {
        let text = &self.raw;
        let key = b"\"_id\"";
        let found = text.windows(key.len()).position(|window| window == key)?;
        let colon = skip_space(text, found + key.len());
        let quote = skip_space(text, colon + 1);
        if text.get(colon) != Some(&b':') || text.get(quote) != Some(&b'"') {
            return None;
        }
        let id = &text[quote + 1..];
        let end = id.iter().position(|&b| matches!(b, b'"' | b'\\' | 0..0x20))?;
        if id[end] != b'"' || end == 0 || end > 256 {
            return None;
        }
        std::str::from_utf8(&id[..end]).ok().map(str::to_owned)
    }
}

impl PageParser {
    /// Gives up on what begins at `start`: the next element that can be trusted may begin there.
    pub(super) fn begin_search(&mut self, start: usize, fault: usize, reason: Reason) -> Step {
        self.open_page().fault(reason);
        let base = self.buffer.base();
        let work = self.search.work;
        self.search = Search::begin(base + start as u64, base + fault as u64, reason);
        self.search.work = work;
        self.buffer.at = start;
        self.state = State::Search;
        Step::On
    }

    /// Gives up on the element that begins at `start`, its own opening byte included.
    pub(super) fn begin_search_inside(&mut self, start: usize, fault: usize, reason: Reason) -> Step {
        self.begin_search(start, fault, reason);
        self.lose(start + 1);
        Step::On
    }

    /// Adds everything up to `end` to the lost span.
    fn lose(&mut self, end: usize) {
        let limit = self.limits.reject_bytes;
        self.search.take(&self.buffer.text()[self.buffer.at..end], limit);
        self.buffer.at = end;
    }

    /// Ends the search at the position: what was lost becomes a reject, if anything was.
    fn end_search(&mut self, next: State) -> Step {
        let work = self.search.work;
        let search = std::mem::take(&mut self.search);
        self.search.work = work;
        if search.length > 0 {
            self.push_reject(search);
        }
        self.state = next;
        Step::On
    }

    pub(super) fn search(&mut self) -> Step {
        let from = self.buffer.at;
        let text = self.buffer.text();
        let Some(found) = memchr_brace(&text[from..]) else {
            let end = text.len();
            self.lose(end);
            return Step::More;
        };
        self.lose(from + found);
        let at = self.buffer.at;
        let line_start = self.search.last == b'\n';
        if line_start {
            match begins_envelope(&self.buffer.text()[at..], self.eof()) {
                None => return Step::More,
                Some(true) => {
                    self.cut_off_by_line(at);
                    self.end_search(State::Top);
                    self.close_page();
                    return Step::On;
                }
                Some(false) => {}
            }
        }
        let (class, bare, in_array) = {
            let array = self.array.is_some();
            let page = self.open_page();
            (page.class, page.bare, !page.bare || array)
        };
        let read = if bare && !in_array && !line_start {
            None
        } else {
            let mark = self.block.arena.mark();
            let (read, trusted) = match self.walk(at, class) {
                Ok(walked) => {
                    let looks_right = walked.object != NONE && self.looks_right(walked, class);
                    let follows = if looks_right { self.follows(walked.end, in_array) } else { Some(false) };
                    (walked.end - at, follows)
                }
                Err(Failure::Incomplete) => (0, None),
                Err(Failure::Bad(_, stop)) => (stop - at, Some(false)),
            };
            self.block.arena.rewind(mark);
            match trusted {
                None => return Step::More,
                Some(true) => {
                    let next = if bare { State::Top } else { State::Element { first: false, comma: true } };
                    if bare && in_array {
                        self.array = Some(false);
                    } else if bare {
                        self.cut_off_by_line(at);
                    }
                    return self.end_search(next);
                }
                Some(false) => Some(read),
            }
        };
        self.search.work += read.unwrap_or(0) as u64;
        self.lose(at + 1);
        let body_start = self.open_page().start;
        if self.search.work > WORK * (self.buffer.offset() - body_start) + FREE_WORK {
            self.open_page().fault(Reason::ResyncLimit);
            self.search.reason = Reason::ResyncLimit;
            self.state = State::Drain;
        }
        Step::On
    }

    /// A string that only the end of its line breaks was cut off there, where the next line begins anew.
    fn cut_off_by_line(&mut self, at: usize) {
        let line_end = self.buffer.base() + at as u64 - 1;
        if self.search.reason == Reason::ControlCharacter && self.search.fault == line_end {
            self.search.reason = Reason::Truncated;
            let page = self.open_page();
            if page.fault == Some(Reason::ControlCharacter) {
                page.fault = Some(Reason::Truncated);
            }
        }
    }

    /// Whether an object has the keys of what the array holds.
    fn looks_right(&self, walked: Walked, class: Class) -> bool {
        let present = self.block.arena.objects[walked.object as usize].present;
        let has = |field: usize| present >> field & 1 != 0;
        match class {
            Class::Conversation => {
                has(ConversationField::Id as usize)
                    && (has(ConversationField::ConvId as usize)
                        || has(ConversationField::StartTime as usize)
                        || has(ConversationField::Messages as usize))
            }
            Class::Session => {
                has(SessionField::SessionId as usize)
                    && (has(SessionField::StartTime as usize) || has(SessionField::ContainmentType as usize))
            }
            // A channel of a real message can have a type and a timestamp: a time alone counts only beside the text
            // that a call's message has.
            _ => {
                has(MessageField::Type as usize)
                    && (has(MessageField::Components as usize)
                        || has(MessageField::CreatedOn as usize)
                        || has(MessageField::Timestamp as usize) && has(MessageField::Text as usize))
            }
        }
    }

    /// Whether what stands after an element is what should; `None` if that is not there yet.
    pub(super) fn follows(&self, end: usize, in_array: bool) -> Option<bool> {
        let text = self.buffer.text();
        if in_array {
            match text.get(skip_space(text, end)) {
                Some(byte) => Some(matches!(byte, b',' | b']')),
                None => self.eof().then_some(true),
            }
        } else {
            match text.get(end) {
                Some(byte) => Some(matches!(byte, b'\n' | b'\r')),
                None => self.eof().then_some(true),
            }
        }
    }

    pub(super) fn drain(&mut self) -> Step {
        let end = self.buffer.text().len();
        self.lose(end);
        Step::More
    }

    /// The input ends during a search.
    pub(super) fn search_to_the_end(&mut self) {
        let end = self.buffer.text().len();
        self.lose(end);
        self.end_search(State::Top);
    }
}

fn memchr_brace(text: &[u8]) -> Option<usize> {
    text.iter().position(|&byte| byte == b'{')
}
