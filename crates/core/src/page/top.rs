//! Between bodies: what begins here, and what is no body at all.

use super::body::Failure;
use super::hidden::holds_array;
use super::open_page::{Array, Barren, OpenPage};
use super::{InputEnd, PageParser, State, Step, array_class, reason_of};
use std::borrow::Cow;

use crate::envelope::{PageStatus, Shape};
use crate::error::Reason;
use crate::scan::{Class, Fault, MessageField, NONE, Stop, Walked, skip_space, string_end};
use crate::text::Text;

/// What the keys of an object say that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Probe {
    /// A response body.
    Body,
    /// A message on its own.
    Message,
    /// A whole object that is neither, with the position after it, and whether it reports an error.
    Other {
        end: usize,
        error: Option<Reason>,
    },
    /// No JSON: why, and where the fault is.
    Broken(Reason, usize),
    More,
}

/// The key between quotes, decoded where it has escapes.
pub(super) fn plain_key(raw: &[u8], escaped: bool) -> Cow<'_, [u8]> {
    match std::str::from_utf8(raw) {
        Ok(key) if escaped => Cow::Owned(Text::new(key, true).lossy().into_owned().into_bytes()),
        _ => Cow::Borrowed(raw),
    }
}

fn is_envelope_key(key: &[u8]) -> bool {
    matches!(
        key,
        b"total"
            | b"moreAvailable"
            | b"icon"
            | b"messages"
            | b"results"
            | b"sessions"
            | b"skip"
            | b"limit"
            | b"hasMore"
            | b"totalPages"
            | b"totalResults"
    )
}

fn is_message_key(key: &[u8]) -> bool {
    matches!(key, b"_id" | b"type" | b"components" | b"createdOn" | b"timestamp" | b"botId" | b"sessionId")
}

/// Only a message has all of these, whatever other keys it has; but not the array of a body.
const WHOLE_MESSAGE: [MessageField; 3] = [MessageField::Id, MessageField::Type, MessageField::Components];

/// What the first key of an object says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstKey {
    Envelope,
    Message,
    Other,
}

/// What `text` begins, by the first key of the object there; `None` if more is needed.
pub(super) fn first_key(text: &[u8], eof: bool) -> Option<FirstKey> {
    let quote = skip_space(text, 1);
    match text.get(quote) {
        None => return eof.then_some(FirstKey::Other),
        Some(b'"') => {}
        Some(_) => return Some(FirstKey::Other),
    }
    match string_end(text, quote + 1, eof) {
        Ok((end, escaped)) => {
            let key = plain_key(&text[quote + 1..end], escaped);
            Some(match &*key {
                key if is_envelope_key(key) || key == b"errors" => FirstKey::Envelope,
                key if is_message_key(key) => FirstKey::Message,
                _ => FirstKey::Other,
            })
        }
        // No key of ours is that long.
        Err(Stop::Incomplete) if text.len() - quote < 64 => None,
        Err(_) => Some(FirstKey::Other),
    }
}

impl PageParser {
    pub(super) fn top(&mut self) -> Step {
        let text = self.buffer.text();
        let mut at = skip_space(text, self.buffer.at);
        // The record separator of JSON text sequences (RFC 7464).
        while text.get(at) == Some(&0x1e) {
            at = skip_space(text, at + 1);
        }
        self.on_new_line |= text[self.buffer.at..at].contains(&b'\n');
        let rest = &text[at..];
        if rest.len() < 3 && !self.eof() {
            self.buffer.at = at;
            return Step::More;
        }
        if rest.starts_with(b"\xef\xbb\xbf") {
            self.buffer.at = at + 3;
            return Step::On;
        }
        // Nothing but white space came before, half of a wide character perhaps.
        let is_first = self.next_page == 0 && !self.lists.seen;
        if is_first {
            if rest.len() < SIGN && !self.eof() {
                self.buffer.at = at;
                return Step::More;
            }
            if let Some(reason) = unreadable(rest) {
                self.buffer.at = at;
                return self.give_up(reason);
            }
        }
        let markup = rest.get(1).is_some_and(|&b| b.is_ascii_alphabetic() || matches!(b, b'!' | b'?'));
        let Some(&byte) = rest.first() else {
            self.buffer.at = at;
            return Step::More;
        };
        if self.lists.depth > 0 {
            match byte {
                b']' => {
                    self.lists.depth -= 1;
                    self.lists.comma = true;
                    self.buffer.at = at + 1;
                    return Step::On;
                }
                b',' if self.lists.comma => {
                    self.lists.comma = false;
                    self.buffer.at = at + 1;
                    return Step::On;
                }
                _ => {}
            }
        }
        self.buffer.at = at;
        match byte {
            b'{' => self.object(),
            b'[' if self.lists.depth < self.limits.depth => {
                self.lists.depth += 1;
                self.lists.comma = false;
                self.lists.seen = true;
                self.buffer.at = at + 1;
                Step::On
            }
            b'<' if markup => self.begin_junk(at, Reason::Html, Barren::HTML),
            b',' | b'}' | b']' if self.is_over() => self.after_body(at, byte),
            b',' if self.lists.depth == 0 && self.page.as_ref().is_some_and(OpenPage::is_bare) => {
                self.between_messages(at)
            }
            _ if self.page.as_ref().is_some_and(OpenPage::is_bare) => {
                self.begin_search(at, at, Reason::UnexpectedByte)
            }
            _ => self.begin_junk(at, Reason::NotAPage, Barren::NOT_A_PAGE),
        }
    }

    /// Whether a body with an array has just ended, outside of any array of bodies.
    pub(super) fn is_over(&self) -> bool {
        let ended = |page: &OpenPage| page.has_array() && !page.is_bare() && page.ended_at.is_some();
        self.lists.depth == 0 && self.page.as_ref().is_some_and(ended)
    }

    /// Punctuation after the end of a body: a comma may stand between two of them; else the body may go on, for brackets
    /// that a broken message closes too many end it early.
    fn after_body(&mut self, at: usize, byte: u8) -> Step {
        if byte == b',' {
            let text = self.buffer.text();
            let next = skip_space(text, at + 1);
            let separates = match text.get(next) {
                None => self.eof().then_some(true),
                Some(b'{') => first_key(&text[next..], self.eof()).map(|key| key == FirstKey::Envelope),
                Some(_) => Some(false),
            };
            match separates {
                None => return Step::More,
                Some(true) => {
                    self.open_page().fault(Reason::TrailingComma);
                    self.buffer.at = at + 1;
                    return Step::On;
                }
                Some(false) => {}
            }
        }
        self.begin_search(at, at, Reason::UnexpectedByte)
    }

    /// A comma behind a message that stands in no list: the next one may follow, as in a list whose brackets are gone.
    fn between_messages(&mut self, at: usize) -> Step {
        let text = self.buffer.text();
        match text.get(skip_space(text, at + 1)) {
            None if !self.eof() => Step::More,
            None | Some(b'{') => {
                self.open_page().fault(Reason::TrailingComma);
                self.buffer.at = at + 1;
                Step::On
            }
            Some(_) => self.begin_search(at, at, Reason::UnexpectedByte),
        }
    }

    fn object(&mut self) -> Step {
        match self.probe() {
            Probe::More => Step::More,
            Probe::Body => {
                self.close_page();
                self.open(false);
                self.buffer.at += 1;
                self.lists.comma = true;
                self.state = State::Member { first: true };
                Step::On
            }
            Probe::Message if self.is_over() && !self.on_new_line => {
                // The body goes on: a bracket too many ended it.
                let at = self.buffer.at;
                self.begin_search(at, at, Reason::UnexpectedByte)
            }
            Probe::Message => self.bare_message(),
            Probe::Other { end, error } => {
                let at = self.buffer.at;
                if self.hides_elements(at, end) {
                    // A body wrapped in something else, or one whose list has another name.
                    return self.begin_junk(at, Reason::NotAPage, Barren::NOT_A_PAGE);
                }
                let raw = &self.buffer.text()[at..end];
                // The brace that closes it comes with the end of the body.
                let members = raw.strip_suffix(b"}").unwrap_or(raw);
                let fits = members.len() <= self.limits.envelope_value_bytes;
                let is_empty = skip_space(members, 1) == members.len();
                let kept: &[u8] = if fits && !is_empty { members } else { b"" };
                let extra = String::from_utf8_lossy(kept).into_owned();
                self.close_page();
                self.open(false);
                self.buffer.at = end;
                self.lists.comma = true;
                let ended_at = self.buffer.offset();
                let page = self.open_page();
                page.barren = Some(if error.is_some() { Barren::ERROR } else { Barren::NOT_A_PAGE });
                page.envelope.extra = extra;
                page.ended_at = Some(ended_at);
                Step::On
            }
            Probe::Broken(reason, at) => self.begin_junk(at, reason, Barren::NOT_A_PAGE),
        }
    }

    /// Reads the keys of the object at the position until they tell what it is.
    fn probe(&mut self) -> Probe {
        let eof = self.eof();
        let text = self.buffer.text();
        let truncation = self.truncation();
        let mut at = skip_space(text, self.buffer.at + 1);
        let mut error = None;
        let mut like = None;
        let mark = self.block.arena.mark();
        if text.get(at) == Some(&b'}') {
            return Probe::Other { end: at + 1, error };
        }
        // What an object is whose JSON is broken, the keys before the fault say.
        let broken =
            |like: Option<Probe>, reason: Reason, at: usize| like.unwrap_or(Probe::Broken(reason, at));
        let missing =
            |like: Option<Probe>| if eof { broken(like, truncation, text.len()) } else { Probe::More };
        let starved = |stop: Stop, like: Option<Probe>| match stop {
            Stop::Incomplete => Probe::More,
            Stop::Bad { fault: Fault::Truncated, .. } => broken(like, truncation, text.len()),
            stop @ Stop::Bad { .. } => {
                let (reason, at) = reason_of(stop, None);
                broken(like, reason, at)
            }
        };
        loop {
            match text.get(at) {
                Some(b'"') => {}
                Some(_) => return broken(like, Reason::UnexpectedByte, at),
                None => return missing(like),
            }
            let (key_end, escaped) = match string_end(text, at + 1, eof) {
                Ok(end) => end,
                Err(stop) => return starved(stop, like),
            };
            let key = plain_key(&text[at + 1..key_end], escaped);
            if array_class(&key).is_some() {
                return Probe::Body;
            }
            match &*key {
                // A message may have a key of this name too: what comes until the array tells.
                key if is_envelope_key(key) => like = Some(Probe::Body),
                b"_id" | b"components" if like != Some(Probe::Body) => return Probe::Message,
                // An error may carry a time, a type (RFC 9457) or a bot's id too.
                key if is_message_key(key) => like = like.or(Some(Probe::Message)),
                b"errors" | b"title" | b"detail" | b"message" | b"error" | b"errorMessage" | b"msg" => {
                    error = Some(Reason::ErrorResponse);
                }
                _ => {}
            }
            at = skip_space(text, key_end + 1);
            match text.get(at) {
                Some(b':') => at = skip_space(text, at + 1),
                Some(_) => return broken(like, Reason::UnexpectedByte, at),
                None => return missing(like),
            }
            let walked = self.scanner.walk(&mut self.block.arena, text, at, eof, None);
            self.block.arena.rewind(mark);
            let read = walked.as_ref().map_or(text.len(), |walked| walked.end) - self.buffer.at;
            if like == Some(Probe::Body) && read > self.limits.envelope_value_bytes {
                return Probe::Body;
            }
            match walked {
                Ok(walked) => at = skip_space(text, walked.end),
                Err(Stop::Incomplete) if text.len() - self.buffer.at > self.limits.message_bytes => {
                    return broken(like, Reason::TooLarge, self.buffer.at);
                }
                Err(stop) => return starved(stop, like),
            }
            match text.get(at) {
                Some(b',') => at = skip_space(text, at + 1),
                Some(b'}') => return self.probe_whole(like, error, at + 1),
                Some(_) => return broken(like, Reason::UnexpectedByte, at),
                None => return missing(like),
            }
        }
    }

    /// What a whole object is that ends at `end`, by what it is like and whether it reports an error.
    fn probe_whole(&mut self, like: Option<Probe>, error: Option<Reason>, end: usize) -> Probe {
        let start = self.buffer.at;
        let is_message = match like {
            Some(Probe::Message) if holds_array(&self.buffer.text()[start..end]) => false,
            Some(Probe::Message) if error.is_none() => true,
            Some(_) => {
                let mark = self.block.arena.mark();
                let walked = self.walk(start, Class::Message).ok();
                let is_message = walked.is_some_and(|walked| match like {
                    Some(Probe::Body) => self.has_all(walked, WHOLE_MESSAGE),
                    // Beside the keys of an error, those of a message count as they do behind a fault.
                    _ => self.looks_right(walked, Class::Message),
                });
                self.block.arena.rewind(mark);
                is_message
            }
            None => false,
        };
        match like {
            _ if is_message => Probe::Message,
            Some(Probe::Body) => Probe::Body,
            _ => Probe::Other { end, error },
        }
    }

    fn has_all(&self, walked: Walked, fields: [MessageField; 3]) -> bool {
        let present = self.block.arena.objects[walked.object as usize].present;
        fields.into_iter().all(|field| present >> field as u32 & 1 != 0)
    }

    /// Whether the object at `start` is a body, whatever stands around it: keys of an envelope and nothing else up to its
    /// array, which holds an object; `None` if more is needed. And how much was read for the answer.
    pub(super) fn is_body(&mut self, start: usize) -> (Option<bool>, usize) {
        let eof = self.eof();
        let text = self.buffer.text();
        let mark = self.block.arena.mark();
        let mut at = skip_space(text, start + 1);
        loop {
            let read = at - start;
            let more = if eof { Some(false) } else { None };
            let starved = |stop| match stop {
                Stop::Incomplete if read < self.limits.envelope_value_bytes => None,
                _ => Some(false),
            };
            match text.get(at) {
                Some(b'"') => {}
                Some(_) => return (Some(false), read),
                None => return (more, read),
            }
            let (key_end, escaped) = match string_end(text, at + 1, eof) {
                Ok(end) => end,
                Err(stop) => return (starved(stop), read),
            };
            let key = plain_key(&text[at + 1..key_end], escaped);
            if !is_envelope_key(&key) {
                return (Some(false), read);
            }
            at = skip_space(text, key_end + 1);
            match text.get(at) {
                Some(b':') => at = skip_space(text, at + 1),
                Some(_) => return (Some(false), read),
                None => return (more, read),
            }
            if array_class(&key).is_some() {
                let within = skip_space(text, at + 1);
                return match (text.get(at), text.get(within)) {
                    (Some(b'['), Some(byte)) => (Some(*byte == b'{'), read),
                    (Some(b'['), None) | (None, _) => (more, read),
                    _ => (Some(false), read),
                };
            }
            let walked = self.scanner.walk(&mut self.block.arena, text, at, eof, None);
            self.block.arena.rewind(mark);
            match walked {
                Ok(walked) => at = skip_space(text, walked.end),
                Err(stop) => return (starved(stop), read),
            }
            match text.get(at) {
                Some(b',') => at = skip_space(text, at + 1),
                Some(_) => return (Some(false), read),
                None => return (more, read),
            }
        }
    }

    /// A message, or a record, that stands in no body.
    fn bare_message(&mut self) -> Step {
        let start = self.buffer.at;
        match self.walk(start, Class::Message) {
            Err(Failure::Incomplete) if !self.eof() => Step::More,
            Ok(walked) => {
                debug_assert_ne!(walked.object, NONE);
                let Some((class, walked)) = self.bare_class(start, walked) else {
                    return self.begin_junk(start, Reason::NotAPage, Barren::NOT_A_PAGE);
                };
                self.ensure_bare_page(class);
                self.accept(start, walked);
                self.buffer.at = walked.end;
                self.lists.comma = true;
                Step::On
            }
            Err(failure) => {
                let (reason, at) = match failure {
                    Failure::Bad(reason, at) => (reason, at),
                    Failure::Incomplete => (self.truncation(), self.buffer.text().len()),
                };
                // Of what begins the input: of many lines each would be looked through.
                if self.next_page == 0 && self.hides_elements(start, at) {
                    // A body whose list has another name, and which breaks off.
                    return self.begin_junk(at, reason, Barren::NOT_A_PAGE);
                }
                let class = self
                    .page
                    .as_ref()
                    .filter(|page| page.is_bare())
                    .map_or(Class::Message, |page| page.class);
                self.ensure_bare_page(class);
                self.begin_search_inside(start, at, reason)
            }
        }
    }

    /// What an object is that stands in no body, by its keys: a message unless it looks like a record and not like one; `None`
    /// where it is neither and something of an array stands in it.
    fn bare_class(&mut self, start: usize, walked: Walked) -> Option<(Class, Walked)> {
        if self.looks_right(walked, Class::Message) {
            return Some((Class::Message, walked));
        }
        for class in [Class::Conversation, Class::Session] {
            let mark = self.block.arena.mark();
            match self.walk(start, class) {
                Ok(walked) if self.looks_right(walked, class) => return Some((class, walked)),
                _ => self.block.arena.rewind(mark),
            }
        }
        let is_wrapper = self.hides_elements(start, walked.end);
        (!is_wrapper).then_some((Class::Message, walked))
    }

    fn ensure_bare_page(&mut self, class: Class) {
        if self.page.as_ref().is_some_and(|page| page.is_bare() && page.class == class) {
            return;
        }
        self.close_page();
        self.open(true);
        self.open_page().class = class;
    }

    fn open(&mut self, bare: bool) {
        let index = self.take_page_index();
        self.page = Some(OpenPage::new(index, bare, &mut self.block, &self.buffer));
    }

    fn take_page_index(&mut self) -> u64 {
        self.next_page += 1;
        self.next_page - 1
    }

    pub(super) fn open_page(&mut self) -> &mut OpenPage {
        let Some(page) = &mut self.page else { unreachable!("only called inside a body") };
        page
    }

    /// The closing brace of a body was read. Its books are closed when the next one begins, or the input ends: a
    /// checksum may still fail.
    pub(super) fn end_page(&mut self) {
        let end = self.buffer.offset();
        self.on_new_line = false;
        let page = self.open_page();
        page.ended_at = Some(end);
        if !page.has_array() && page.envelope.total != Some(0) {
            page.fault(Reason::NoMessages);
        }
    }

    /// Closes the books of the body that was read last, if they are open.
    pub(super) fn close_page(&mut self) {
        if let Some(page) = self.page.take() {
            let end = page.ended_at.unwrap_or(self.buffer.offset());
            page.end(&mut self.block, end);
        }
    }

    /// Begins a body at the position that is none as far as one can see, the fault being at `fault`: what it holds all the
    /// same is searched for.
    fn begin_junk(&mut self, fault: usize, reason: Reason, kind: Barren) -> Step {
        self.close_page();
        self.open(false);
        self.open_page().barren = Some(kind);
        let start = self.buffer.at;
        self.lists.comma = true;
        // The first byte may itself be one that could begin a body.
        self.begin_search_inside(start, fault, reason)
    }

    /// Reads nothing of the input, for this reason.
    fn give_up(&mut self, reason: Reason) -> Step {
        self.open(false);
        self.open_page().barren = Some(Barren { reason, ..Barren::NOT_A_PAGE });
        let start = self.buffer.at;
        self.begin_search(start, start, reason);
        self.state = State::Drain;
        Step::On
    }

    /// Closes what is open when the input ends.
    pub(super) fn end_of_input(&mut self) {
        let truncation = self.truncation();
        match self.state {
            State::Search | State::Drain => self.search_to_the_end(),
            State::Member { .. } | State::Element { .. } | State::AfterElement => {
                self.open_page().fault(truncation);
            }
            State::Top => {}
        }
        let damage = self.end.and_then(InputEnd::reason);
        let fault = damage.or((self.lists.depth > 0).then_some(Reason::Truncated));
        if let (Some(fault), Some(page)) = (fault, &mut self.page) {
            match damage {
                Some(damage) => page.break_off(damage),
                None => page.fault(fault),
            }
        }
        // Behind a stream that broke there may be nothing: then all was told.
        if self.page.is_none() && (self.next_page == 0 || fault.is_some()) {
            let (shape, status, reason) = match fault {
                Some(reason) => (Shape::Unknown, PageStatus::Rejected, reason),
                None if self.lists.seen => (Shape::Unknown, PageStatus::Empty, Reason::Empty),
                None => (Shape::Error, PageStatus::Empty, Reason::Empty),
            };
            // The white space before the end is part of it.
            self.open(true);
            let page = self.open_page();
            page.array = Array::Missing;
            page.barren = Some(Barren { shape, status, reason });
        }
        self.close_page();
    }
}

/// What array begins after `text`, if it ends with the key of one: quoted in any way or not, with a colon or without.
pub(super) fn ends_with_array_key(text: &[u8]) -> Option<Class> {
    const QUOTES: [&[u8]; 7] =
        [b"\"", b"'", b"`", "“".as_bytes(), "”".as_bytes(), "‘".as_bytes(), "’".as_bytes()];
    let mut text = text.trim_ascii_end();
    if let Some(before) = text.strip_suffix(b":").or_else(|| text.strip_suffix(b"=")) {
        text = before.trim_ascii_end();
    }
    for quote in QUOTES {
        if let Some(before) = text.strip_suffix(quote) {
            text = before.strip_suffix(b"\\").unwrap_or(before);
            break;
        }
    }
    let word = text.iter().rposition(|byte| !byte.is_ascii_alphabetic()).map_or(0, |at| at + 1);
    array_class(&text[word..])
}

/// How many bytes tell what cannot be read.
const SIGN: usize = 10;

/// Why something that begins like this is not read at all: it is no text as we know it, or was packed in a way that no
/// decoder of ours takes off. What two codecs gave out may be packed a third time.
fn unreadable(start: &[u8]) -> Option<Reason> {
    match start {
        [0x1f, 0x8b, 8, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Reason::NestedCodec),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Reason::Xz),
        // The first block, or the end where there is none.
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Some(Reason::Bzip2),
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, 1..=255, ..] | [1..=0x7f, 0, ..] => Some(Reason::Utf16),
        _ => None,
    }
}
