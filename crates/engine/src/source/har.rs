//! HAR files: the exchanges that a browser or a proxy recorded, one after another, in bounded memory.
//!
//! Only `log.entries` is looked at, and of an entry what tells the request, and the response's content. The content is
//! put aside as it comes, because what says how it is encoded may stand behind it.

mod json;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use korpus_core::{Codec, HttpHead, InputEnd, put_parameter, request_parameters, sniff};
use memchr::memmem;
use twox_hash::XxHash3_128;

use super::spill::Spill;
use super::wire::{PEEK, broken, end_in};
use crate::error::EngineError;
use json::{Json, Step};

/// URLs, methods and parameters are not longer than this; the rest of longer ones is dropped.
const LONGEST: usize = 64 << 10;
/// The key that all of a HAR file stands below, and those that may come first there.
const LOG: &[u8] = b"\"log\"";
const LOG_KEYS: [&[u8]; 6] =
    [b"\"version\"", b"\"creator\"", b"\"browser\"", b"\"pages\"", b"\"entries\"", b"\"comment\""];

/// Whether an exchange can be one with the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interest {
    /// By its URL, or as far as one can tell.
    Yes,
    /// If its content is a page of messages.
    Perhaps,
    No,
}

/// Whether a file begins as a HAR file does: with a `log` that has the keys of one. Where it comes first, other keys may come
/// before those.
pub(super) fn is_har(start: &[u8]) -> bool {
    let start = &start[..start.len().min(PEEK)];
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let Some(inside) = after(start, b"{") else { return false };
    if after(inside, LOG).and_then(opens).is_some_and(may_be_log) {
        return true;
    }
    memmem::find_iter(inside, LOG).any(|at| {
        let inner = opens(&inside[at + LOG.len()..]);
        inner.is_some_and(|inner| LOG_KEYS.iter().any(|key| after(inner, key).is_some()))
            && stands_outside(&inside[..at])
    })
}

/// What follows a token, behind white space.
fn after<'s>(text: &'s [u8], token: &[u8]) -> Option<&'s [u8]> {
    text.trim_ascii_start().strip_prefix(token)
}

/// What follows a key in the object that is its value.
fn opens(text: &[u8]) -> Option<&[u8]> {
    after(after(text, b":")?, b"{")
}

/// Whether an object is the `log` of a HAR file, as far as it is at hand: one of its keys is there, or may come yet.
fn may_be_log(inner: &[u8]) -> bool {
    let (len, _) = object(inner);
    let members = &inner[..len];
    let has = |key: &[u8]| {
        memmem::find_iter(members, key)
            .any(|at| stands_outside(&members[..at]) && after(&members[at + key.len()..], b":").is_some())
    };
    len == inner.len() || members.trim_ascii().is_empty() || LOG_KEYS.iter().any(|key| has(key))
}

/// Whether what follows `text` stands in no string, and in no object or list that begins in it.
fn stands_outside(text: &[u8]) -> bool {
    object(text).1
}

/// How much of `text` stands in the object that it begins in, and whether what follows does, with nothing around it.
fn object(text: &[u8]) -> (usize, bool) {
    let (mut depth, mut in_string, mut escaped) = (0_u32, false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return (at, false),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    (text.len(), depth == 0 && !in_string)
}

/// One exchange. Its content was put aside.
#[derive(Debug, Default)]
pub(super) struct HarEntry {
    /// Which of the entries it is, from 0.
    pub(super) index: u64,
    /// What was asked, and what kind of answer came.
    pub(super) head: HttpHead,
    /// XXH3-128 of what was asked, where that is known: method, URL, and what was sent.
    pub(super) request: Option<u128>,
    /// Whether there is a content at all.
    pub(super) has_content: bool,
    is_base64: Option<bool>,
    /// How the content ended: the file may be cut off inside it, or something else stand in its place.
    pub(super) end: Option<InputEnd>,
}

impl HarEntry {
    /// Whether the content is encoded in Base64. Where the file was cut off before it could say, the content tells.
    pub(super) fn is_base64(&self, start: &[u8]) -> bool {
        self.is_base64.unwrap_or_else(|| {
            self.end.is_some()
                && !start.is_empty()
                && start.iter().take(256).all(|&byte| sextet(byte).is_some() || byte == b'=')
        })
    }

    /// Whether this can be a response of the API: by its URL, or by a content that may be JSON, packed or not. A browser records
    /// pictures, scripts and pages too, and what they talk about with others. `start` is the start of the content, decoded.
    pub(super) fn interest(&self, start: &[u8]) -> Interest {
        const ENDPOINTS: [&str; 4] = ["getmessages", "messages-lite", "aaconversation", "getsessions"];
        if self.head.method.as_deref() == Some("OPTIONS") {
            return Interest::No;
        }
        let url = self.head.url.as_deref().unwrap_or_default().to_ascii_lowercase();
        let path = url.split(['?', '#']).next().unwrap_or_default();
        if ENDPOINTS.iter().any(|endpoint| path.contains(endpoint)) {
            return Interest::Yes;
        }
        let may_be_json = match sniff(start, None) {
            Codec::Plain => {
                let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
                matches!(text.first(), Some(b'{' | b'['))
            }
            // Other bytes may begin a stream as well, and far more often something else.
            Codec::Zlib => start.first() == Some(&0x78),
            _ => true,
        };
        match self.end {
            // Nobody knows what that was.
            Some(_) if !self.has_content && url.is_empty() => Interest::Yes,
            _ if !self.has_content => Interest::No,
            _ if url.is_empty() => Interest::Yes,
            // What is cut off tells nothing.
            Some(_) if may_be_json => Interest::Yes,
            None if may_be_json => Interest::Perhaps,
            _ => Interest::No,
        }
    }
}

/// Reads the entries of a HAR file.
pub(super) struct Har<'r> {
    json: Json<'r>,
    started: bool,
    over: bool,
    next: u64,
    found_entries: bool,
    damage: Option<InputEnd>,
    error: Option<EngineError>,
}

/// Where in an entry strings go that are wanted.
#[derive(Default)]
struct Request {
    body: Vec<u8>,
    parameters: String,
}

impl Request {
    /// See [`HarEntry::request`]. The body counts as it was sent: not all of it need be parameters.
    fn hash(&self, head: &HttpHead) -> Option<u128> {
        let [method, url] =
            [&head.method, &head.url].map(|text| text.as_deref().unwrap_or_default().as_bytes());
        let parts = [method, url, &self.body, self.parameters.as_bytes()];
        parts.iter().any(|part| !part.is_empty()).then(|| XxHash3_128::oneshot(&parts.join(&0)))
    }
}

impl<'r> Har<'r> {
    pub(super) fn new(reader: &'r mut dyn Read) -> Self {
        Self {
            json: Json::new(reader),
            started: false,
            over: false,
            next: 0,
            found_entries: false,
            damage: None,
            error: None,
        }
    }

    /// What is wrong with the file itself.
    pub(super) fn damage(&self) -> Option<InputEnd> {
        self.damage.or(self.json.is_damaged().then_some(InputEnd::Corrupt))
    }

    /// Why a content could not be put aside.
    pub(super) fn take_error(&mut self) -> Option<EngineError> {
        self.error.take()
    }

    /// Whether the file has a list of entries, be it empty.
    pub(super) fn has_entries(&self) -> bool {
        self.found_entries
    }

    /// The next entry; its content goes into `content`, which is cleared first.
    pub(super) fn next(&mut self, content: &mut Spill) -> Option<HarEntry> {
        content.clear();
        if self.over {
            return None;
        }
        let mut entry = HarEntry::default();
        match self.step(&mut entry, content) {
            Ok(true) => {}
            Ok(false) => {
                self.over = true;
                return None;
            }
            Err(step) => {
                self.over = true;
                let end = match step {
                    Step::Broken(end) => end,
                    Step::Failed(error) => {
                        self.error = Some(error);
                        return None;
                    }
                };
                self.damage = Some(end);
                if !entry.has_content {
                    return None;
                }
                entry.end.get_or_insert(end);
            }
        }
        entry.index = self.next;
        self.next += 1;
        Some(entry)
    }

    /// Reads up to the end of the next entry; whether there is one.
    fn step(&mut self, entry: &mut HarEntry, content: &mut Spill) -> Result<bool, Step> {
        let json = &mut self.json;
        if !self.started {
            self.started = true;
            json.skip_mark()?;
            json.open(b'{')?;
            if !json.find(b"log")? {
                return json.rest().map(|()| false);
            }
            json.open(b'{')?;
            if !json.find(b"entries")? {
                json.remaining_members()?;
                return json.rest().map(|()| false);
            }
            json.open(b'[')?;
            self.found_entries = true;
        }
        if !json.element(self.next == 0)? {
            // Behind the entries: the rest of `log`, and of what is around it.
            json.remaining_members()?;
            json.remaining_members()?;
            return json.rest().map(|()| false);
        }
        let mut request = Request::default();
        let outcome = read_entry(json, entry, &mut request, content);
        entry.request = request.hash(&entry.head);
        let parameters = request_parameters(&request.body)
            .or_else(|| (!request.parameters.is_empty()).then_some(request.parameters));
        entry.head.parameters = parameters;
        outcome.map(|()| true)
    }
}

fn read_entry(
    json: &mut Json<'_>,
    entry: &mut HarEntry,
    request: &mut Request,
    content: &mut Spill,
) -> Result<(), Step> {
    if !json.peek_is(b'{')? {
        entry.end = Some(InputEnd::Corrupt);
    }
    json.object(&mut |json, key| match key {
        b"request" => json.object(&mut |json, key| match key {
            b"method" => json.text_into(&mut entry.head.method, LONGEST),
            b"url" => json.text_into(&mut entry.head.url, LONGEST),
            b"postData" => json.object(&mut |json, key| match key {
                b"text" => {
                    request.body = json.text(LONGEST + 1)?.unwrap_or_default().into_bytes();
                    Ok(())
                }
                b"params" => read_parameters(json, &mut request.parameters),
                _ => json.skip(),
            }),
            _ => json.skip(),
        }),
        b"response" => expect(json, b'{', &mut entry.end)?.object(&mut |json, key| match key {
            b"status" => {
                let status = json.number()?;
                entry.head.status = status.and_then(|text| text.parse().ok()).unwrap_or(0);
                Ok(())
            }
            b"content" => expect(json, b'{', &mut entry.end)?.object(&mut |json, key| match key {
                b"mimeType" => json.text_into(&mut entry.head.content_type, LONGEST),
                b"encoding" => {
                    let encoding = json.text(LONGEST)?;
                    entry.is_base64 = Some(encoding.is_some_and(|name| name.eq_ignore_ascii_case("base64")));
                    Ok(())
                }
                b"text" => {
                    content.clear();
                    entry.has_content = json.peek_is(b'"')?;
                    expect(json, b'"', &mut entry.end)?.string(&mut |bytes| content.push(bytes))
                }
                _ => json.skip(),
            }),
            _ => json.skip(),
        }),
        _ => json.skip(),
    })
}

/// Takes for damage what does not begin as it must, but for `null`, which is nothing.
fn expect<'j, 'r>(
    json: &'j mut Json<'r>,
    byte: u8,
    end: &mut Option<InputEnd>,
) -> Result<&'j mut Json<'r>, Step> {
    if !json.peek_is(byte)? && !json.peek_is(b'n')? {
        *end = Some(InputEnd::Corrupt);
    }
    Ok(json)
}

/// Reads a list of names and values.
fn read_parameters(json: &mut Json<'_>, out: &mut String) -> Result<(), Step> {
    if !json.peek_is(b'[')? {
        return json.skip();
    }
    json.open(b'[')?;
    let mut first = true;
    while json.element(first)? {
        first = false;
        let (mut name, mut value) = (None, None);
        json.object(&mut |json, key| match key {
            b"name" => json.text_into(&mut name, LONGEST),
            b"value" => json.text_into(&mut value, LONGEST),
            _ => json.skip(),
        })?;
        if let (Some(name), Some(value)) = (name, value)
            && out.len() < LONGEST
        {
            put_parameter(out, &name, &value);
        }
    }
    Ok(())
}

/// Takes Base64 off, of either alphabet; white space in it does not matter.
pub(super) struct Base64<R> {
    reader: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Bits that are not given out yet, and how many.
    bits: u32,
    held: u32,
    /// Padding was seen: no more may come.
    padded: bool,
    failed: Option<InputEnd>,
}

impl<R: Read> Base64<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: vec![0; 16 << 10].into_boxed_slice(),
            start: 0,
            end: 0,
            bits: 0,
            held: 0,
            padded: false,
            failed: None,
        }
    }
}

impl<R: Read> Read for Base64<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut given = 0;
        while given < out.len() {
            if self.held >= 8 {
                self.held -= 8;
                out[given] = (self.bits >> self.held) as u8;
                given += 1;
                continue;
            }
            if let Some(end) = self.failed {
                return if given > 0 { Ok(given) } else { Err(broken(end)) };
            }
            if self.start == self.end {
                match self.reader.read(&mut self.buffer) {
                    Ok(0) => {
                        // Six bits alone are the start of a byte whose rest is missing.
                        if self.held == 6 {
                            self.failed = Some(InputEnd::Truncated);
                            continue;
                        }
                        return Ok(given);
                    }
                    Ok(len) => (self.start, self.end) = (0, len),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => self.failed = Some(end_in(&error).unwrap_or(InputEnd::Truncated)),
                }
                continue;
            }
            let byte = self.buffer[self.start];
            self.start += 1;
            match sextet(byte) {
                Some(six) if !self.padded => {
                    self.bits = self.bits << 6 | u32::from(six);
                    self.held += 6;
                }
                None if byte == b'=' => self.padded = true,
                None if byte.is_ascii_whitespace() => {}
                _ => self.failed = Some(InputEnd::Corrupt),
            }
        }
        Ok(given)
    }
}

fn sextet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}
