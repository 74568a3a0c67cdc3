//! What the scanner has learned of a dump: which key follows which, byte for byte.
//!
//! A page repeats the layout of its messages, so after a key there is nearly always one and the same next key. A
//! *state* stands for "the value of key K of class C has just ended"; it holds the two byte patterns seen last between
//! that point and the next value: comma, white space, key, colon, opening byte. One 32-byte comparison then replaces
//! tokenising and looking up a key. A pattern that matches was validated when it was learned, so nothing is skipped by
//! trusting it. Objects below unknown keys get classes of their own as they turn up. All of it is bounded: what does
//! not fit is read the slow way, with the same result.

use super::fields::{Child, Class};
use super::walk::{Fault, Stop};
use crate::simd::{Always, Isa, PATTERN_LEN};
use crate::text::Text;

/// A key that has no slot.
pub(crate) const UNKNOWN: u8 = u8::MAX;
/// A value whose objects have no class yet.
const NO_CLASS: u16 = u16::MAX;
/// A power of two: an index is cut to it, which saves checking it.
pub(crate) const MAX_STATES: usize = 1024;
const MAX_KEYS: usize = 96;

/// How a value begins, as far as a pattern tells.
pub(crate) struct Opener;

impl Opener {
    pub(crate) const STRING: u8 = 0;
    pub(crate) const OBJECT: u8 = 1;
    pub(crate) const ARRAY: u8 = 2;
    pub(crate) const EMPTY_OBJECT: u8 = 3;
    pub(crate) const EMPTY_ARRAY: u8 = 4;
    /// A number or a literal: the pattern ends before it.
    pub(crate) const OTHER: u8 = 5;
}

/// From one value to the next: how far, over which key, to what kind of value. Packed, to travel in a register.
///
/// Bits from the lowest: target state 16, length 8, start of the key 8, its length 8, field 8, opener 3, known 2, and
/// one each for [`SPACED`](Self::SPACED), [`READ`](Self::READ) and [`END`](Self::END).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step(u64);

impl Step {
    /// White space stands somewhere in it.
    pub(crate) const SPACED: u64 = 1 << 53;
    /// It was read, not predicted: in the place of the lengths, which may not fit, stands an index into the keys
    /// that were read.
    const READ: u64 = 1 << 54;
    /// There is no next value: the object ends here.
    pub(crate) const END: Self = Self(1 << 55);

    fn new(target: u16, field: u8, opener: u8, known: Known, spaced: bool) -> Self {
        Self(
            u64::from(target)
                | u64::from(field) << 40
                | u64::from(opener) << 48
                | (known as u64) << 51
                | if spaced { Self::SPACED } else { 0 },
        )
    }

    fn with_lengths(self, len: usize, key_start: usize, key_len: usize) -> Self {
        Self(self.0 | (len as u64) << 16 | (key_start as u64) << 24 | (key_len as u64) << 32)
    }

    #[inline(always)]
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    #[inline(always)]
    pub(crate) fn is_end(self) -> bool {
        self.0 & Self::END.0 != 0
    }

    #[inline(always)]
    fn is_read(self) -> bool {
        self.0 & Self::READ != 0
    }

    /// The state to go on from.
    #[inline(always)]
    pub(crate) fn target(self) -> u16 {
        self.0 as u16
    }

    /// From the end of the previous value to the value, its opening bytes included.
    #[inline(always)]
    pub(crate) fn len(self) -> usize {
        usize::from((self.0 >> 16) as u8)
    }

    /// Where the key begins, from the end of the previous value, and its length.
    #[inline(always)]
    pub(crate) fn key(self, read: &[(u32, u32)]) -> (usize, usize) {
        if self.is_read() {
            let (start, len) = read[(self.0 >> 16) as usize & 0xff_ffff];
            (start as usize, len as usize)
        } else {
            (usize::from((self.0 >> 24) as u8), usize::from((self.0 >> 32) as u8))
        }
    }

    /// The field of the key, or [`UNKNOWN`].
    #[inline(always)]
    pub(crate) fn field(self) -> u8 {
        (self.0 >> 40) as u8
    }

    /// How its value begins, as the number of an [`Opener`].
    #[inline(always)]
    pub(crate) fn opener(self) -> u8 {
        (self.0 >> 48) as u8 & 7
    }

    /// What the value is known to be made of.
    #[inline(always)]
    pub(crate) fn known(self) -> Known {
        match self.0 >> 51 & 3 {
            0 => Known::None,
            1 => Known::Object,
            _ => Known::List,
        }
    }
}

/// A step that was seen before, with its bytes.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Prediction {
    pub bytes: [u8; PATTERN_LEN],
    /// One bit a byte of the pattern.
    pub mask: u32,
    pub step: Step,
}

impl Prediction {
    /// NUL bytes are never valid outside a string, so this matches no JSON. Where it does match, the step leads to a
    /// value that is none, at the same place: the same fault that reading would have found.
    const NONE: Self =
        Self { bytes: [0; PATTERN_LEN], mask: u32::MAX, step: Step((Opener::OTHER as u64) << 48) };
}

/// What a known key's value is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Known {
    None,
    Object,
    List,
}

/// "The value of this key has just ended", with what came next before.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub next: [Prediction; 2],
}

impl State {
    const NEW: Self = Self { next: [Prediction::NONE; 2] };
}

/// What is needed of a state only now and then.
#[derive(Debug, Clone)]
struct Details {
    class: u16,
    /// The class of objects inside this key's value.
    child: u16,
    field: u8,
    known: Known,
    known_class: Class,
    child_slot: u8,
    second_hits: u8,
}

#[derive(Debug, Default)]
struct Keys {
    entry: u16,
    /// The state of keys that are too many to tell apart.
    anonymous: u16,
    known: Option<Class>,
    by_key: Vec<(Box<[u8]>, u16)>,
}

#[derive(Debug)]
pub(crate) struct Learned {
    pub states: Box<[State; MAX_STATES]>,
    details: Vec<Details>,
    classes: Vec<Keys>,
    /// The keys of steps that were read, relative to the end of the value before them.
    pub read_keys: Vec<(u32, u32)>,
    /// Something did not fit.
    full: bool,
}

impl Learned {
    pub(crate) fn new() -> Self {
        let mut learned = Self {
            states: vec![State::NEW; MAX_STATES]
                .try_into()
                .unwrap_or_else(|_| unreachable!("the length is the array's")),
            details: Vec::new(),
            classes: Vec::new(),
            read_keys: Vec::new(),
            full: false,
        };
        for class in Class::ALL {
            learned.push_class(Some(class));
        }
        // The class of everything that has no room for one of its own.
        learned.push_class(None);
        learned
    }

    const OVERFLOW: u16 = Class::ALL.len() as u16;

    /// Forgets what was learned where it filled up, so that one odd file does not slow down those after it.
    pub(crate) fn refresh(&mut self) {
        if self.full {
            *self = Self::new();
        }
    }

    fn push_class(&mut self, known: Option<Class>) -> u16 {
        let id = self.classes.len() as u16;
        let entry = self.push_state(id, UNKNOWN);
        let anonymous = self.push_state(id, UNKNOWN);
        self.classes.push(Keys { entry, anonymous, known, by_key: Vec::new() });
        if let Some(class) = known {
            for (field, spec) in class.specs().iter().enumerate() {
                let state = self.push_state(id, field as u8);
                let details = &mut self.details[usize::from(state)];
                details.child_slot = class.child_slot(field) as u8;
                (details.known, details.known_class) = match spec.child {
                    Child::None => (Known::None, class),
                    Child::Object(child) => (Known::Object, child),
                    Child::Array(child) => (Known::List, child),
                };
                self.classes[usize::from(id)].by_key.push((spec.key.as_bytes().into(), state));
            }
        }
        id
    }

    fn push_state(&mut self, class: u16, field: u8) -> u16 {
        self.details.push(Details {
            class,
            child: NO_CLASS,
            field,
            known: Known::None,
            known_class: Class::Message,
            child_slot: 0,
            second_hits: 0,
        });
        (self.details.len() - 1) as u16
    }

    #[inline(always)]
    pub(crate) fn entry(&self, class: u16) -> u16 {
        self.classes[usize::from(class)].entry
    }

    /// The class of objects inside the value of the key of `state`, made now if there is room.
    #[inline]
    pub(crate) fn child_class(&mut self, state: u16) -> u16 {
        let child = self.details[usize::from(state)].child;
        if child == NO_CLASS { self.new_child(state) } else { child }
    }

    #[cold]
    fn new_child(&mut self, state: u16) -> u16 {
        let child = if self.details.len() + 2 > MAX_STATES {
            self.full = true;
            Self::OVERFLOW
        } else {
            self.push_class(None)
        };
        self.details[usize::from(state)].child = child;
        child
    }

    /// Counts a use of the second prediction, and makes it the first when it is used often.
    #[inline]
    pub(crate) fn second_hit(&mut self, state: u16) {
        let hits = &mut self.details[usize::from(state)].second_hits;
        *hits += 1;
        if *hits == 32 {
            *hits = 0;
            self.states[usize::from(state)].next.swap(0, 1);
        }
    }

    /// Reads what stands after a value (or after the opening brace) the slow way, and learns it; gives the step and
    /// the position after it.
    #[cold]
    #[inline(never)]
    pub(crate) fn member(
        &mut self,
        text: &[u8],
        from: usize,
        previous: u16,
        eof: bool,
        keep_key: bool,
    ) -> Result<(Step, usize), Stop> {
        let class = self.details[usize::from(previous)].class;
        let first = self.classes[usize::from(class)].entry == previous;
        let mut at = skip_space(text, from);
        let mut byte = peek(text, at, eof)?;
        if byte == b'}' {
            let spaced = if at > from { Step::SPACED } else { 0 };
            return Ok((Step(Step::END.0 | spaced), at + 1));
        }
        if !first {
            if byte != b',' {
                return Err(Stop::bad(at, Fault::UnexpectedByte));
            }
            at = skip_space(text, at + 1);
            byte = peek(text, at, eof)?;
        }
        if byte != b'"' {
            let fault = if byte == b'}' { Fault::TrailingComma } else { Fault::UnexpectedByte };
            return Err(Stop::bad(at, fault));
        }
        let key_start = at + 1;
        let (key_end, escaped) = string_end(text, key_start, eof)?;
        at = skip_space(text, key_end + 1);
        if peek(text, at, eof)? != b':' {
            return Err(Stop::bad(at, Fault::UnexpectedByte));
        }
        at = skip_space(text, at + 1);
        let opener = match (peek(text, at, eof)?, text.get(at + 1)) {
            (b'"', _) => Opener::STRING,
            (b'{', Some(b'}')) => Opener::EMPTY_OBJECT,
            (b'[', Some(b']')) => Opener::EMPTY_ARRAY,
            (b'{', _) => Opener::OBJECT,
            (b'[', _) => Opener::ARRAY,
            _ => Opener::OTHER,
        };
        at += match opener {
            Opener::STRING | Opener::OBJECT | Opener::ARRAY => 1,
            Opener::EMPTY_OBJECT | Opener::EMPTY_ARRAY => 2,
            _ => 0,
        };
        let state = self.key_state(class, &text[key_start..key_end], escaped);
        let details = &self.details[usize::from(state)];
        let spaced = text[from..key_start].iter().chain(&text[key_end..at]).any(u8::is_ascii_whitespace);
        let step = Step::new(state, details.field, opener, details.known, spaced);
        let pattern = &text[from..at];
        if pattern.len() <= PATTERN_LEN && state != self.classes[usize::from(class)].anonymous {
            let mut bytes = [0; PATTERN_LEN];
            bytes[..pattern.len()].copy_from_slice(pattern);
            let predicted = step.with_lengths(pattern.len(), key_start - from, key_end - key_start);
            let next = &mut self.states[usize::from(previous)].next;
            let slot = usize::from(next[0].step.len() != 0);
            next[slot] =
                Prediction { bytes, mask: u32::MAX >> (PATTERN_LEN - pattern.len()), step: predicted };
        }
        if !keep_key {
            return Ok((Step(step.0 | Step::READ), at));
        }
        let index = self.read_keys.len() as u64 & 0xff_ffff;
        self.read_keys.push(((key_start - from) as u32, (key_end - key_start) as u32));
        Ok((Step(step.0 | Step::READ | index << 16), at))
    }

    /// The class of the objects in the value of a known key, and where they go among the slots.
    #[inline(always)]
    pub(crate) fn child(&self, state: u16) -> (Class, usize) {
        let details = &self.details[usize::from(state)];
        (details.known_class, usize::from(details.child_slot))
    }

    /// The state of a key of a class.
    fn key_state(&mut self, class: u16, key: &[u8], escaped: bool) -> u16 {
        let keys = &self.classes[usize::from(class)];
        if let Some((_, state)) = keys.by_key.iter().find(|(known, _)| **known == *key) {
            return *state;
        }
        // A known key may be spelled with escapes; its own state is then shared, as the meaning is the same.
        if escaped && let Some(known) = keys.known {
            let text = std::str::from_utf8(key).ok().map(|key| Text::new(key, true));
            let field = known.specs().iter().position(|spec| text.is_some_and(|text| text.is(spec.key)));
            if let Some(field) = field {
                return keys.by_key[field].1;
            }
        }
        if class == Self::OVERFLOW || keys.by_key.len() >= MAX_KEYS || self.details.len() >= MAX_STATES {
            self.full = true;
            return keys.anonymous;
        }
        let state = self.push_state(class, UNKNOWN);
        self.classes[usize::from(class)].by_key.push((key.into(), state));
        state
    }
}

#[inline]
pub(crate) fn skip_space(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < text.len() && matches!(text[at], b' ' | b'\n' | b'\r' | b'\t') {
        at += 1;
    }
    at
}

/// The byte at `at`, or why there is none.
#[inline]
pub(crate) fn peek(text: &[u8], at: usize, eof: bool) -> Result<u8, Stop> {
    text.get(at).copied().ok_or_else(|| Stop::short(text, eof))
}

/// The position of the quote that ends a string, and whether there are escapes before it.
#[inline]
pub(crate) fn string_end(text: &[u8], from: usize, eof: bool) -> Result<(usize, bool), Stop> {
    let mut at = Always::string_stop(text, from);
    let mut escaped = false;
    loop {
        match peek(text, at, eof)? {
            b'"' => return Ok((at, escaped)),
            b'\\' => at = escape_end(text, at, eof)?,
            _ => return Err(Stop::bad(at, Fault::ControlCharacter)),
        }
        escaped = true;
        at = Always::escaped_stop(text, at);
    }
}

/// The position after the escape whose backslash is at `at`.
#[inline]
pub(crate) fn escape_end(text: &[u8], at: usize, eof: bool) -> Result<usize, Stop> {
    match peek(text, at + 1, eof)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(at + 2),
        b'u' => {
            for digit in at + 2..at + 6 {
                if !peek(text, digit, eof)?.is_ascii_hexdigit() {
                    return Err(Stop::bad(at, Fault::BadEscape));
                }
            }
            Ok(at + 6)
        }
        _ => Err(Stop::bad(at, Fault::BadEscape)),
    }
}
