//! After something broke: the search for the next element that can be trusted, and the span that is lost until there.
//!
//! A `{` is trusted if it parses whole, looks like what the array holds, and is followed by `,` or `]` (in a file of
//! one message a line: by the end of its line, as the first on it, behind a comma or not). The key of an array with its bracket
//! is trusted where no array was seen yet, a line that begins a new body always, one that does so behind white space if it is a
//! body up to its first element, and a body within a line where none is open. All reading for
//! this is bounded by a small multiple of the body; past that, only lines that begin a body are looked at.

use twox_hash::XxHash3_128;

use super::body::Failure;
use super::hidden::ELEMENTS;
use super::open_page::{Array, OpenPage};
use super::top::{FirstKey, ends_with_array_key, first_key};
use super::{PageParser, State, Step};
use crate::error::Reason;
use crate::scan::{
    Class, ConversationField, MessageField, NONE, SessionField, Walked, skip_space, string_end,
};

/// How often the bytes of a body may be read again to find the next element.
pub(super) const WORK: u64 = 4;
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
    hasher: XxHash3_128,
    /// Its last bytes, enough to see the key before a bracket.
    tail: Vec<u8>,
    line: Line,
    /// Whether it began behind a message that was found in it.
    between: bool,
}

/// What stands between the last line break and the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// White space.
    Blank,
    /// Something, but no brace yet.
    Text,
    Braces,
}

/// Room for a key, its quotes, a colon and some white space.
const TAIL: usize = 64;

impl Default for Search {
    fn default() -> Self {
        Self::begin(0, 0, Reason::UnexpectedByte)
    }
}

impl Search {
    pub(super) fn begin(start: u64, fault: u64, reason: Reason) -> Self {
        Self {
            start,
            fault,
            reason,
            length: 0,
            raw: Vec::new(),
            hasher: XxHash3_128::new(),
            tail: Vec::new(),
            line: Line::Text,
            between: false,
        }
    }

    /// Adds bytes to the lost span, keeping at most `limit` of them.
    pub(super) fn take(&mut self, bytes: &[u8], limit: usize) {
        self.length += bytes.len() as u64;
        self.hasher.write(bytes);
        let room = limit.saturating_sub(self.raw.len()).min(bytes.len());
        self.raw.extend_from_slice(&bytes[..room]);
        let excess = (self.tail.len() + bytes.len()).saturating_sub(TAIL).min(self.tail.len());
        self.tail.drain(..excess);
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
        let line = memchr::memrchr(b'\n', bytes);
        if line.is_some() {
            self.line = Line::Blank;
        }
        let rest = &bytes[line.map_or(0, |at| at + 1)..];
        if rest.contains(&b'{') {
            self.line = Line::Braces;
        } else if self.line == Line::Blank && !rest.trim_ascii().is_empty() {
            self.line = Line::Text;
        }
    }

    /// Whether a line begins at the position.
    fn begins_line(&self) -> bool {
        self.tail.last() == Some(&b'\n')
    }

    /// Whether nothing but closing brackets, commas and white space was lost.
    fn is_punctuation(&self) -> bool {
        self.length == self.raw.len() as u64 && self.raw.iter().all(|byte| b"}], \t\r\n".contains(byte))
    }

    pub(super) fn hash(&self) -> u128 {
        self.hasher.finish_128()
    }

    /// The id that the broken bytes still show: the string behind `"_id"` in the object that they begin with, and in none
    /// inside it.
    pub(super) fn message_id(&self) -> Option<String> {
        let text = &self.raw;
        let (mut at, mut depth) = (0, 0_usize);
        while at < text.len() {
            match text[at] {
                b'"' => {
                    let end = string_end(text, at + 1, true).ok()?.0;
                    let colon = skip_space(text, end + 1);
                    if depth == 1 && &text[at + 1..end] == b"_id" && text.get(colon) == Some(&b':') {
                        return id_at(text, skip_space(text, colon + 1));
                    }
                    at = end;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.checked_sub(1).filter(|&depth| depth > 0)?,
                _ => {}
            }
            at += 1;
        }
        None
    }
}

/// The string at `quote`, if it looks like an id.
fn id_at(text: &[u8], quote: usize) -> Option<String> {
    let id = text.get(quote..)?.strip_prefix(b"\"")?;
    let end = id.iter().position(|&b| matches!(b, b'"' | b'\\' | 0..0x20))?;
    if id[end] != b'"' || end == 0 || end > 256 {
        return None;
    }
    std::str::from_utf8(&id[..end]).ok().map(str::to_owned)
}

/// What may end a search.
#[derive(Debug, Clone, Copy)]
enum Begins {
    /// Nothing that can be trusted, and how many bytes were read to know.
    Nothing { read: usize },
    /// More bytes are needed to tell.
    More,
    /// A body.
    Body,
    /// The array of this body, which was not reached before.
    Array(Class),
    /// An element of the array; `in_line` says that only the end of its line follows it.
    Element { class: Class, in_line: bool },
    /// A message of a record that is lost.
    Inner(Walked),
}

impl PageParser {
    /// Gives up on what begins at `start`: the next element that can be trusted may begin there.
    pub(super) fn begin_search(&mut self, start: usize, fault: usize, reason: Reason) -> Step {
        self.open_page().fault(reason);
        let base = self.buffer.base();
        self.search = Search::begin(base + start as u64, base + fault as u64, reason);
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

    /// Ends the search at the position: what was lost becomes a reject, if anything was, and if it was lost from a body.
    fn end_search(&mut self, next: State) -> Step {
        let search = std::mem::take(&mut self.search);
        let offset = self.buffer.offset();
        let page = self.open_page();
        let was_over = page.ended_at.is_some();
        // A body that seemed to be over ends here, or goes on.
        page.ended_at = page.ended_at.map(|_| offset).filter(|_| next == State::Top);
        // Brackets too many behind the end hold nothing.
        let is_loss = search.length > 0 && !((was_over || search.between) && search.is_punctuation());
        if is_loss && !page.is_barren() {
            self.push_reject(search);
        }
        self.state = next;
        Step::On
    }

    pub(super) fn search(&mut self) -> Step {
        let from = self.buffer.at;
        let text = self.buffer.text();
        let page = self.page.as_ref();
        let no_array = page.is_some_and(|page| !page.has_array());
        let found = if no_array {
            memchr::memchr2(b'{', b'[', &text[from..])
        } else {
            memchr::memchr(b'{', &text[from..])
        };
        let Some(found) = found else {
            let end = text.len();
            self.lose(end);
            return Step::More;
        };
        let bracket = text[from + found] == b'[';
        self.lose(from + found);
        let begins = if bracket { self.bracket() } else { self.brace() };
        let Begins::Nothing { read } = begins else { return self.go_on(begins) };
        self.lose(self.buffer.at + 1);
        let offset = self.buffer.offset();
        let page = self.open_page();
        let before = page.search_work;
        page.search_work += read as u64;
        if before <= page.search_bound(offset) && page.search_work > page.search_bound(offset) {
            page.fault(Reason::ResyncLimit);
            self.search.reason = Reason::ResyncLimit;
        }
        Step::On
    }

    /// Leaves the search for what begins at the position.
    fn go_on(&mut self, begins: Begins) -> Step {
        let at = self.buffer.at;
        match begins {
            Begins::Nothing { .. } => Step::On,
            Begins::More => Step::More,
            Begins::Body => {
                self.cut_off_by_line(at);
                self.end_search(State::Top);
                self.close_page();
                Step::On
            }
            Begins::Array(class) => {
                self.open_page().array = Array::Bracketed;
                self.end_search(State::Search);
                self.begin_array(at + 1, class)
            }
            Begins::Inner(walked) => {
                let (fault, reason) = (self.search.fault, self.search.reason);
                self.end_search(State::Search);
                self.accept_message(walked.object, NONE, walked.compact);
                self.search = Search::begin(self.buffer.base() + walked.end as u64, fault, reason);
                self.search.between = true;
                self.buffer.at = walked.end;
                Step::On
            }
            Begins::Element { class, in_line } => {
                let bare = self.lists.depth > 0 || in_line;
                let page = self.open_page();
                if !page.has_array() {
                    page.class = class;
                    page.array = if bare && class == Class::Message { Array::Bare } else { Array::Bracketed };
                }
                if !page.is_bare() {
                    return self.end_search(State::Element { first: false, comma: true });
                }
                self.lists.comma = false;
                if self.lists.depth == 0 {
                    self.cut_off_by_line(at);
                }
                self.end_search(State::Top)
            }
        }
    }

    /// What the bracket at the position begins, where no array was seen yet.
    fn bracket(&mut self) -> Begins {
        let array = ends_with_array_key(&self.search.tail);
        let barren = self.open_page().is_barren();
        if let (Some(class), false) = (array, barren) {
            return Begins::Array(class);
        }
        let in_place = self.search.line == Line::Blank && self.lists.depth == 0;
        if array.is_none() && !(barren && in_place) {
            return Begins::Nothing { read: 0 };
        }
        // An empty array makes no body of what is none.
        let text = self.buffer.text();
        let next = skip_space(text, self.buffer.at + 1);
        match (text.get(next), array) {
            (None, _) if !self.eof() => Begins::More,
            (Some(b'{'), Some(class)) => Begins::Array(class),
            (Some(b'{'), None) => match first_key(&text[next..], self.eof()) {
                None => Begins::More,
                Some(FirstKey::Other) => Begins::Nothing { read: 0 },
                Some(_) => Begins::Body,
            },
            _ => Begins::Nothing { read: 0 },
        }
    }

    /// What the brace at the position begins.
    fn brace(&mut self) -> Begins {
        let at = self.buffer.at;
        let line = self.search.line;
        let (class, bare, has_array, barren) = {
            let page = self.open_page();
            (page.class, page.is_bare(), page.has_array(), page.is_barren())
        };
        let mut indented = false;
        if line == Line::Blank {
            match first_key(&self.buffer.text()[at..], self.eof()) {
                None => return Begins::More,
                // What is indented may stand in what is broken.
                Some(FirstKey::Envelope) if barren || self.search.begins_line() => return Begins::Body,
                Some(FirstKey::Envelope) => indented = true,
                Some(FirstKey::Message) if barren => return Begins::Body,
                Some(_) => {}
            }
        }
        let offset = self.buffer.offset();
        let page = self.open_page();
        if page.search_work > page.search_bound(offset) {
            return Begins::Nothing { read: 0 };
        }
        let mut read = 0;
        if barren || indented || self.is_over() {
            match self.is_body(at) {
                (None, _) => return Begins::More,
                (Some(true), _) => return Begins::Body,
                (Some(false), n) => read += n,
            }
        }
        let in_array = self.lists.depth > 0 || !bare;
        if !in_array && line == Line::Braces {
            return Begins::Nothing { read };
        }
        // Where no array tells what to look for, everything is.
        let classes: &[Class] = match class {
            _ if !has_array => &ELEMENTS,
            Class::Conversation => &[Class::Conversation],
            Class::Session => &[Class::Session],
            _ => &[Class::Message],
        };
        if has_array && class == Class::Conversation {
            // The messages of a broken record are not broken.
            let mark = self.block.arena.mark();
            match self.walk(at, Class::Message) {
                Ok(walked) if self.looks_right(walked, Class::Message) => {
                    match self.follows(walked.end, true) {
                        Some(true) => return Begins::Inner(walked),
                        None => {
                            self.block.arena.rewind(mark);
                            return Begins::More;
                        }
                        Some(false) => read += walked.end - at,
                    }
                }
                Ok(walked) => read += walked.end - at,
                Err(Failure::Incomplete) => return Begins::More,
                Err(Failure::Bad(_, stop)) => read += stop - at,
            }
            self.block.arena.rewind(mark);
        }
        for &class in classes {
            let mark = self.block.arena.mark();
            let (trusted, in_line) = match self.walk(at, class) {
                Ok(walked) if walked.object != NONE && self.looks_right(walked, class) => {
                    read += walked.end - at;
                    self.is_followed(walked.end, in_array, has_array)
                }
                Ok(walked) => {
                    read += walked.end - at;
                    (Some(false), false)
                }
                Err(Failure::Incomplete) => (None, false),
                Err(Failure::Bad(_, stop)) => {
                    read += stop - at;
                    (Some(false), false)
                }
            };
            self.block.arena.rewind(mark);
            match trusted {
                None => return Begins::More,
                Some(true) => return Begins::Element { class, in_line },
                Some(false) => {}
            }
        }
        Begins::Nothing { read }
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
    pub(super) fn looks_right(&self, walked: Walked, class: Class) -> bool {
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

    /// Whether what stands after a candidate is what should, and whether that is no more than the end of its line.
    fn is_followed(&self, end: usize, in_array: bool, has_array: bool) -> (Option<bool>, bool) {
        let listed = if in_array { self.is_listed(end) } else { Some(false) };
        let last = skip_space(self.buffer.text(), end) == self.buffer.text().len();
        match listed {
            Some(true) if has_array || !last => (listed, false),
            None => (None, false),
            _ if in_array && has_array => (listed, false),
            _ => (self.follows(end, false), true),
        }
    }

    /// Whether a comma or the end of the array stands after a candidate, but not of a list inside a message: further keys of
    /// the message would follow that.
    fn is_listed(&self, end: usize) -> Option<bool> {
        let text = self.buffer.text();
        let bracket = skip_space(text, end);
        if text.get(bracket) != Some(&b']') {
            return self.follows(end, true);
        }
        let comma = skip_space(text, bracket + 1);
        match text.get(comma) {
            Some(b',') => first_key(&text[comma..], self.eof()).map(|key| key != FirstKey::Message),
            Some(_) => Some(true),
            None => self.eof().then_some(true),
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
            // One behind the other, as in a list whose brackets are gone.
            let end = end + usize::from(text.get(end) == Some(&b','));
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

impl OpenPage {
    /// How many bytes may be read in searches up to `offset`.
    pub(super) fn search_bound(&self, offset: u64) -> u64 {
        WORK * (offset - self.start) + FREE_WORK
    }
}
