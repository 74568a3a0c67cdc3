//! Between bodies: what begins here, and what is no body at all.

use super::body::Failure;
use super::open_page::{OpenPage, barren};
use super::{InputEnd, PageParser, State, Step};
use std::borrow::Cow;

use crate::envelope::{PageStatus, Shape};
use crate::error::Reason;
use crate::scan::{Class, NONE, Stop, skip_space, string_end};
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
    /// No JSON.
    Broken,
    More,
}

/// What an object is whose JSON is broken, by the keys before the fault.
fn broken(like_message: bool) -> Probe {
    if like_message { Probe::Message } else { Probe::Broken }
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

/// Whether `text` begins an object whose first key is one of an envelope, or an error's; `None` if more is needed.
pub(super) fn begins_envelope(text: &[u8], eof: bool) -> Option<bool> {
    let quote = skip_space(text, 1);
    match text.get(quote) {
        None => return eof.then_some(false),
        Some(b'"') => {}
        Some(_) => return Some(false),
    }
    match string_end(text, quote + 1, eof) {
        Ok((end, escaped)) => {
            let key = plain_key(&text[quote + 1..end], escaped);
            Some(is_envelope_key(&key) || *key == *b"errors")
        }
        // No key of an envelope is that long.
        Err(Stop::Incomplete) if text.len() - quote < 64 => None,
        Err(_) => Some(false),
    }
}

impl PageParser {
    pub(super) fn top(&mut self) -> Step {
        let text = self.buffer.text();
        let mut at = skip_space(text, self.buffer.at);
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
        let is_first = self.next_page == 0 && !self.saw_array;
        if is_first && is_utf16(rest) {
            return self.begin_junk(at, (Shape::Unknown, PageStatus::NotAPage, Reason::Utf16));
        }
        let markup = rest.get(1).is_some_and(|&b| b.is_ascii_alphabetic() || matches!(b, b'!' | b'?'));
        let Some(&byte) = rest.first() else {
            self.buffer.at = at;
            return Step::More;
        };
        if let Some(comma) = self.array {
            match byte {
                b']' => {
                    self.array = None;
                    self.buffer.at = at + 1;
                    return Step::On;
                }
                b',' if comma => {
                    self.array = Some(false);
                    self.buffer.at = at + 1;
                    return Step::On;
                }
                _ => {}
            }
        }
        self.buffer.at = at;
        match byte {
            b'{' => self.object(),
            b'[' if self.array.is_none() => {
                self.array = Some(false);
                self.saw_array = true;
                at += 1;
                self.buffer.at = at;
                Step::On
            }
            b',' | b'}' | b']' if self.ended_too_soon() => {
                self.open_page().ended_at = None;
                self.begin_search(at, at, Reason::UnexpectedByte)
            }
            b'<' if markup => self.begin_junk(at, (Shape::Error, PageStatus::ErrorResponse, Reason::Html)),
            _ => self.begin_junk(at, (Shape::Unknown, PageStatus::NotAPage, Reason::NotAPage)),
        }
    }

    /// Whether the body that has just ended may go on: brackets that a broken message closes too many end it early, and
    /// what follows then is punctuation, where another body would begin with a brace.
    fn ended_too_soon(&self) -> bool {
        self.array.is_none() && self.page.as_ref().is_some_and(|page| page.has_array && !page.bare)
    }

    fn object(&mut self) -> Step {
        match self.probe() {
            Probe::More => Step::More,
            Probe::Body => {
                self.close_page();
                self.open(false);
                self.buffer.at += 1;
                self.array = self.array.map(|_| true);
                self.state = State::Member { first: true };
                Step::On
            }
            Probe::Message => self.bare_message(),
            Probe::Other { end, error } => {
                self.close_page();
                let kind = match error {
                    Some(reason) => (Shape::Error, PageStatus::ErrorResponse, reason),
                    None => (Shape::Unknown, PageStatus::NotAPage, Reason::NotAPage),
                };
                let raw = &self.buffer.text()[self.buffer.at..end];
                let raw = if raw.len() <= self.limits.envelope_value_bytes { raw } else { b"{}" };
                let extra = String::from_utf8_lossy(raw).into_owned();
                let start = self.buffer.offset();
                let length = (end - self.buffer.at) as u64;
                let index = self.take_page_index();
                barren(&mut self.block, index, start..start + length, kind, extra);
                self.buffer.at = end;
                self.array = self.array.map(|_| true);
                Step::On
            }
            Probe::Broken => {
                let at = self.buffer.at;
                self.begin_junk(at, (Shape::Unknown, PageStatus::NotAPage, Reason::NotAPage))
            }
        }
    }

    /// Reads the keys of the object at the position until they tell what it is.
    fn probe(&mut self) -> Probe {
        let eof = self.eof();
        let text = self.buffer.text();
        let mut at = skip_space(text, self.buffer.at + 1);
        let mut error = None;
        let mut like_message = false;
        let mark = self.block.arena.mark();
        if text.get(at) == Some(&b'}') {
            return Probe::Other { end: at + 1, error };
        }
        loop {
            let starved = |stop, like_message| match stop {
                Stop::Incomplete => Probe::More,
                Stop::Bad { .. } => broken(like_message),
            };
            match text.get(at) {
                Some(b'"') => {}
                Some(_) => return broken(like_message),
                None => return if eof { broken(like_message) } else { Probe::More },
            }
            let (key_end, escaped) = match string_end(text, at + 1, eof) {
                Ok(end) => end,
                Err(stop) => return starved(stop, like_message),
            };
            let key = plain_key(&text[at + 1..key_end], escaped);
            if is_envelope_key(&key) {
                return Probe::Body;
            }
            match &*key {
                b"_id" | b"type" | b"components" => return Probe::Message,
                // An error may carry a time or a bot's id too.
                key if is_message_key(key) => like_message = true,
                b"errors" => error = Some(Reason::ErrorResponse),
                b"message" | b"error" | b"errorMessage" | b"msg" => {
                    error = error.or(Some(Reason::ErrorResponse));
                }
                _ => {}
            }
            at = skip_space(text, key_end + 1);
            match text.get(at) {
                Some(b':') => at = skip_space(text, at + 1),
                Some(_) => return broken(like_message),
                None => return if eof { broken(like_message) } else { Probe::More },
            }
            let walked = self.scanner.walk(&mut self.block.arena, text, at, eof, None);
            self.block.arena.rewind(mark);
            match walked {
                Ok(walked) => at = skip_space(text, walked.end),
                Err(Stop::Incomplete) if text.len() - self.buffer.at > self.limits.message_bytes => {
                    return broken(like_message);
                }
                Err(stop) => return starved(stop, like_message),
            }
            match text.get(at) {
                Some(b',') => at = skip_space(text, at + 1),
                Some(b'}') if like_message && error.is_none() => return Probe::Message,
                Some(b'}') => return Probe::Other { end: at + 1, error },
                Some(_) => return broken(like_message),
                None => return if eof { broken(like_message) } else { Probe::More },
            }
        }
    }

    fn bare_message(&mut self) -> Step {
        let start = self.buffer.at;
        match self.walk(start, Class::Message) {
            Err(Failure::Incomplete) if !self.eof() => Step::More,
            Ok(walked) => {
                let first_object = walked.object;
                debug_assert_ne!(first_object, NONE);
                self.ensure_bare_page();
                self.accept(start, walked);
                self.buffer.at = walked.end;
                self.array = self.array.map(|_| true);
                Step::On
            }
            Err(failure) => {
                self.ensure_bare_page();
                let (reason, at) = match failure {
                    Failure::Bad(reason, at) => (reason, at),
                    Failure::Incomplete => (self.truncation(), self.buffer.text().len()),
                };
                self.begin_search_inside(start, at, reason)
            }
        }
    }

    fn ensure_bare_page(&mut self) {
        if self.page.as_ref().is_some_and(|page| page.bare) {
            return;
        }
        self.close_page();
        self.open(true);
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
    pub(super) fn end_page(&mut self, fault: Option<Reason>) {
        let end = self.buffer.offset();
        let page = self.open_page();
        page.ended_at = Some(end);
        if let Some(fault) = fault {
            page.fault(fault);
        }
        if !page.has_array && page.envelope.total != Some(0) {
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

    fn begin_junk(&mut self, at: usize, kind: (Shape, PageStatus, Reason)) -> Step {
        self.close_page();
        self.buffer.at = at;
        self.junk = Some((self.buffer.offset(), kind));
        // The first byte may itself be one that could begin a body.
        self.junk_line_start = false;
        self.state = State::Junk;
        self.buffer.at += 1;
        Step::On
    }

    /// Passes over what is no body, up to a line that begins one.
    pub(super) fn junk(&mut self) -> Step {
        let utf16 = self.junk.is_some_and(|(_, kind)| kind.2 == Reason::Utf16);
        loop {
            let text = self.buffer.text();
            let rest = &text[self.buffer.at..];
            if self.junk_line_start && !utf16 && rest.first() == Some(&b'{') {
                match line_begins_body(rest, self.eof()) {
                    None => return Step::More,
                    Some(true) => {
                        self.end_junk();
                        self.state = State::Top;
                        return Step::On;
                    }
                    Some(false) => {}
                }
            }
            if self.junk_line_start && rest.is_empty() {
                return Step::More;
            }
            self.junk_line_start = false;
            if let Some(found) = rest.iter().position(|&byte| byte == b'\n') {
                self.buffer.at += found + 1;
                self.junk_line_start = true;
            } else {
                self.buffer.at += rest.len();
                return Step::More;
            }
        }
    }

    fn end_junk(&mut self) {
        if let Some((start, kind)) = self.junk.take() {
            let index = self.take_page_index();
            let end = self.buffer.offset();
            barren(&mut self.block, index, start..end, kind, String::new());
        }
    }

    /// Closes what is open when the input ends.
    pub(super) fn end_of_input(&mut self) {
        let truncation = self.truncation();
        match self.state {
            State::Search | State::Drain => self.search_to_the_end(),
            State::Junk => self.end_junk(),
            State::Member { .. } | State::Element { .. } | State::AfterElement => {
                self.open_page().fault(truncation);
            }
            State::Top => {}
        }
        let damage = self.end.and_then(InputEnd::reason);
        let fault = damage.or(self.array.is_some().then_some(Reason::Truncated));
        if let (Some(fault), Some(page)) = (fault, &mut self.page) {
            page.fault(fault);
        }
        let orphan = fault.is_some() && self.page.is_none();
        self.close_page();
        if self.next_page == 0 || orphan {
            let kind = match fault {
                Some(reason) => (Shape::Unknown, PageStatus::Rejected, reason),
                None if self.saw_array => (Shape::Unknown, PageStatus::Empty, Reason::Empty),
                None => (Shape::Error, PageStatus::Empty, Reason::Empty),
            };
            let index = self.take_page_index();
            let offset = self.buffer.offset();
            let start = if index == 0 { 0 } else { offset };
            barren(&mut self.block, index, start..offset, kind, String::new());
        }
    }
}

/// Whether a line of junk begins a body or a message after all.
fn line_begins_body(text: &[u8], eof: bool) -> Option<bool> {
    let quote = skip_space(text, 1);
    match text.get(quote) {
        None => return eof.then_some(false),
        Some(b'"') => {}
        Some(_) => return Some(false),
    }
    match string_end(text, quote + 1, eof) {
        Ok((end, escaped)) => {
            let key = plain_key(&text[quote + 1..end], escaped);
            Some(is_envelope_key(&key) || is_message_key(&key) || *key == *b"errors")
        }
        Err(Stop::Incomplete) if text.len() - quote < 64 => None,
        Err(_) => Some(false),
    }
}

fn is_utf16(text: &[u8]) -> bool {
    matches!(text, [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, 1..=255, ..] | [1..=0x7f, 0, ..])
}
