//! A pull reader of JSON that holds no value: what is not wanted is passed over as it comes.

use std::io::{self, Read};

use korpus_core::InputEnd;
use memchr::memchr2;

use crate::error::EngineError;
use crate::source::wire::end_in;

const BUFFER: usize = 64 << 10;
/// Numbers and words are not longer than this, nor are keys that matter.
const SHORT: usize = 64;

/// Why reading does not go on.
#[derive(Debug)]
pub(super) enum Step {
    /// The file is cut off, or no JSON.
    Broken(InputEnd),
    /// What was read could not be put aside.
    Failed(EngineError),
}

impl From<EngineError> for Step {
    fn from(error: EngineError) -> Self {
        Self::Failed(error)
    }
}

type Outcome<T = ()> = Result<T, Step>;
/// Takes the value of a member, whose key is given.
type OnMember<'f, 'r> = dyn FnMut(&mut Json<'r>, &[u8]) -> Outcome + 'f;

const NO_JSON: Step = Step::Broken(InputEnd::Corrupt);

/// The reader, at some place of the text.
pub(super) struct Json<'r> {
    reader: &'r mut dyn Read,
    buffer: Box<[u8]>,
    at: usize,
    end: usize,
    /// A piece of a string without its escapes, which come every few bytes where JSON stands in a string.
    piece: Vec<u8>,
    /// Whether the object that is being searched by [`find`](Self::find) had a member already.
    started: bool,
    /// Whether a bracket was closed by another one in what was passed over.
    mismatched: bool,
}

impl<'r> Json<'r> {
    pub(super) fn new(reader: &'r mut dyn Read) -> Self {
        let buffer = vec![0; BUFFER].into_boxed_slice();
        Self { reader, buffer, at: 0, end: 0, piece: Vec::new(), started: false, mismatched: false }
    }

    /// Whether there was damage that did not keep from reading on.
    pub(super) fn is_damaged(&self) -> bool {
        self.mismatched
    }

    /// Reads on where nothing is buffered; whether there is more.
    fn fill(&mut self) -> Outcome<bool> {
        while self.at == self.end {
            match self.reader.read(&mut self.buffer) {
                Ok(0) => return Ok(false),
                Ok(len) => (self.at, self.end) = (0, len),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Step::Broken(end_in(&error).unwrap_or(InputEnd::Truncated))),
            }
        }
        Ok(true)
    }

    fn peek(&mut self) -> Outcome<u8> {
        if self.fill()? { Ok(self.buffer[self.at]) } else { Err(Step::Broken(InputEnd::Truncated)) }
    }

    fn next(&mut self) -> Outcome<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }

    /// The next byte that is no white space, left where it is.
    fn token(&mut self) -> Outcome<u8> {
        loop {
            match self.peek()? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                byte => return Ok(byte),
            }
        }
    }

    /// Passes over the mark that some writers put in front.
    pub(super) fn skip_mark(&mut self) -> Outcome {
        if self.peek()? == 0xef {
            for expected in [0xef, 0xbb, 0xbf] {
                if self.next()? != expected {
                    return Err(NO_JSON);
                }
            }
        }
        Ok(())
    }

    /// Whether the next value begins with `byte`.
    pub(super) fn peek_is(&mut self, byte: u8) -> Outcome<bool> {
        Ok(self.token()? == byte)
    }

    /// Takes a bracket or a brace.
    pub(super) fn open(&mut self, byte: u8) -> Outcome {
        if self.token()? != byte {
            return Err(NO_JSON);
        }
        self.at += 1;
        self.started = false;
        Ok(())
    }

    /// Goes to the next element of the list that was opened; whether there is one.
    pub(super) fn element(&mut self, first: bool) -> Outcome<bool> {
        self.follows(first, b']')
    }

    fn follows(&mut self, first: bool, close: u8) -> Outcome<bool> {
        let byte = self.token()?;
        if byte == close {
            self.at += 1;
            return Ok(false);
        }
        if first {
            return Ok(true);
        }
        if byte != b',' {
            return Err(NO_JSON);
        }
        self.at += 1;
        if self.token()? == close { Err(NO_JSON) } else { Ok(true) }
    }

    /// Goes to the value of the member `key` of the object that was opened; whether there is one.
    pub(super) fn find(&mut self, key: &[u8]) -> Outcome<bool> {
        while self.follows(!self.started, b'}')? {
            self.started = true;
            if self.key()? == key {
                return Ok(true);
            }
            self.skip()?;
        }
        Ok(false)
    }

    /// Passes over the rest of an object of which a member was read.
    pub(super) fn remaining_members(&mut self) -> Outcome {
        while self.follows(false, b'}')? {
            self.key()?;
            self.skip()?;
        }
        Ok(())
    }

    /// Makes sure that nothing but white space is left.
    pub(super) fn rest(&mut self) -> Outcome {
        while self.fill()? {
            if !self.buffer[self.at].is_ascii_whitespace() {
                return Err(NO_JSON);
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Reads an object; any other value is passed over.
    pub(super) fn object(&mut self, member: &mut OnMember<'_, 'r>) -> Outcome {
        if !self.peek_is(b'{')? {
            return self.skip();
        }
        self.open(b'{')?;
        let mut first = true;
        while self.follows(first, b'}')? {
            first = false;
            let key = self.key()?;
            member(self, &key)?;
        }
        Ok(())
    }

    fn key(&mut self) -> Outcome<Vec<u8>> {
        if !self.peek_is(b'"')? {
            return Err(NO_JSON);
        }
        let mut key = Vec::new();
        self.string(&mut |bytes| {
            if key.len() + bytes.len() <= SHORT {
                key.extend_from_slice(bytes);
            }
            Ok(())
        })?;
        if self.token()? != b':' {
            return Err(NO_JSON);
        }
        self.at += 1;
        Ok(key)
    }

    /// A string, as far as it is not longer than `most`; `None` for other values.
    pub(super) fn text(&mut self, most: usize) -> Outcome<Option<String>> {
        if !self.peek_is(b'"')? {
            return self.skip().map(|()| None);
        }
        let mut text = Vec::new();
        self.string(&mut |bytes| {
            let room = most - text.len();
            text.extend_from_slice(&bytes[..bytes.len().min(room)]);
            Ok(())
        })?;
        Ok(Some(String::from_utf8_lossy(&text).into_owned()))
    }

    /// Puts what [`text`](Self::text) gives into `out`.
    pub(super) fn text_into(&mut self, out: &mut Option<String>, most: usize) -> Outcome {
        *out = self.text(most)?;
        Ok(())
    }

    /// A number, or a word, as it stands; `None` for other values.
    pub(super) fn number(&mut self) -> Outcome<Option<String>> {
        if matches!(self.token()?, b'"' | b'{' | b'[') {
            return self.skip().map(|()| None);
        }
        let mut text = String::new();
        while self.fill()?
            && !matches!(self.buffer[self.at], b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r')
        {
            if text.len() == SHORT {
                return Err(NO_JSON);
            }
            text.push(char::from(self.buffer[self.at]));
            self.at += 1;
        }
        Ok(Some(text))
    }

    /// A string, without its escapes, in pieces; any other value is passed over.
    pub(super) fn string(&mut self, take: &mut dyn FnMut(&[u8]) -> Result<(), EngineError>) -> Outcome {
        if !self.peek_is(b'"')? {
            return self.skip();
        }
        self.at += 1;
        self.piece.clear();
        let outcome = loop {
            match self.string_part() {
                Ok(true) if self.piece.len() < BUFFER => {}
                Ok(true) => {
                    take(&self.piece)?;
                    self.piece.clear();
                }
                Ok(false) => break Ok(()),
                Err(step) => break Err(step),
            }
        };
        // What stands before the damage counts.
        take(&self.piece)?;
        outcome
    }

    /// The bytes up to the next escape, and that; whether the string goes on.
    fn string_part(&mut self) -> Outcome<bool> {
        self.peek()?;
        let here = &self.buffer[self.at..self.end];
        let plain = memchr2(b'"', b'\\', here).unwrap_or(here.len());
        self.piece.extend_from_slice(&here[..plain]);
        self.at += plain;
        if self.at == self.end {
            return Ok(true);
        }
        if self.next()? == b'"' {
            return Ok(false);
        }
        if self.peek()? == b'u' {
            self.at += 1;
            self.unicode()?;
        } else {
            self.simple_escape()?;
        }
        Ok(true)
    }

    /// An escape by number, behind its `u`. Half a pair stays what it is: invalid, and only where it stands.
    fn unicode(&mut self) -> Outcome {
        let mut unit = self.four_digits()?;
        loop {
            if !(0xd800..0xdc00).contains(&unit) || self.peek()? != b'\\' {
                self.put_unit(unit);
                return Ok(());
            }
            // A backslash follows: the other half, or another escape.
            self.at += 1;
            if self.peek()? != b'u' {
                self.put_unit(unit);
                return self.simple_escape();
            }
            self.at += 1;
            let low = self.four_digits()?;
            if (0xdc00..0xe000).contains(&low) {
                self.put_unit(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
                return Ok(());
            }
            self.put_unit(unit);
            unit = low;
        }
    }

    /// A character as UTF-8; half a pair in the same manner, which no UTF-8 allows.
    fn put_unit(&mut self, unit: u32) {
        if let Some(char) = char::from_u32(unit) {
            self.piece.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            let low = |shift: u32| 0x80 | (unit >> shift & 0x3f) as u8;
            self.piece.extend_from_slice(&[0xe0 | (unit >> 12) as u8, low(6), low(0)]);
        }
    }

    /// An escape of one character, behind its backslash.
    fn simple_escape(&mut self) -> Outcome {
        let byte = match self.next()? {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            _ => return Err(NO_JSON),
        };
        self.piece.push(byte);
        Ok(())
    }

    fn four_digits(&mut self) -> Outcome<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = char::from(self.next()?).to_digit(16).ok_or(NO_JSON)?;
            unit = unit << 4 | digit;
        }
        Ok(unit)
    }

    /// Passes over a value, however deep. A bracket that another one closes is noted (in the outermost levels, which a number
    /// holds); it closes all the same, so that what stands behind the value is read.
    pub(super) fn skip(&mut self) -> Outcome {
        let (mut depth, mut braces) = (0_u64, 0_u64);
        loop {
            match self.token()? {
                b'"' => self.skip_string()?,
                byte @ (b'{' | b'[') => {
                    self.at += 1;
                    if depth < u64::from(u64::BITS) {
                        braces = braces & !(1 << depth) | u64::from(byte == b'{') << depth;
                    }
                    depth += 1;
                    continue;
                }
                byte @ (b'}' | b']') if depth > 0 => {
                    self.at += 1;
                    depth -= 1;
                    let is_brace = byte == b'}';
                    self.mismatched |= depth < u64::from(u64::BITS) && (braces >> depth & 1 == 1) != is_brace;
                }
                b',' | b':' if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => drop(self.number()?),
                _ => return Err(NO_JSON),
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn skip_string(&mut self) -> Outcome {
        self.at += 1;
        loop {
            self.peek()?;
            let here = &self.buffer[self.at..self.end];
            match memchr2(b'"', b'\\', here) {
                None => self.at = self.end,
                Some(plain) => {
                    self.at += plain + 1;
                    if here[plain] == b'"' {
                        return Ok(());
                    }
                    self.next()?;
                }
            }
        }
    }
}
