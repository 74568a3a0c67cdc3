//! A JSON value as it stands in the body: its kind and its raw bytes, read lazily.

use crate::number;
use crate::text::Text;

/// What a JSON value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// `null`
    Null = 1,
    /// `false`
    False,
    /// `true`
    True,
    /// A number of any size and notation.
    Number,
    /// A string without escapes: its bytes are its text.
    PlainString,
    /// A string that holds at least one escape.
    EscapedString,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// What stands for a plain string that is [bare](crate::text::begins_bare).
    pub(crate) const BARE_BITS: u32 = 9;

    #[inline(always)]
    pub(crate) fn from_bits(bits: u32) -> Option<Self> {
        Some(match bits {
            1 => Self::Null,
            2 => Self::False,
            3 => Self::True,
            4 => Self::Number,
            5 | Self::BARE_BITS => Self::PlainString,
            6 => Self::EscapedString,
            7 => Self::Array,
            8 => Self::Object,
            _ => return None,
        })
    }

    /// Whether this is one of the two kinds of string.
    #[inline]
    pub fn is_string(self) -> bool {
        matches!(self, Self::PlainString | Self::EscapedString)
    }
}

/// Some kinds of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindSet(u16);

impl KindSet {
    /// These kinds.
    pub const fn of(kinds: &[Kind]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < kinds.len() {
            bits |= 1 << kinds[at] as u16;
            at += 1;
        }
        if bits >> Kind::PlainString as u16 & 1 != 0 {
            bits |= 1 << Kind::BARE_BITS;
        }
        Self(bits)
    }

    #[inline(always)]
    pub(crate) const fn bits(self) -> u32 {
        self.0 as u32
    }
}

/// A borrowed, validated JSON value.
///
/// Nothing is decoded until asked for; [`raw`](Self::raw) is always the exact bytes of the body.
#[derive(Clone, Copy)]
pub struct Value<'b> {
    raw: &'b str,
    kind: Kind,
    /// A string that is known to be [bare](crate::text::begins_bare).
    bare: bool,
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.raw, self.kind) == (other.raw, other.kind)
    }
}

impl Eq for Value<'_> {}

impl std::fmt::Debug for Value<'_> {
    /// Kind and length only: values may be personal, and debug output ends up in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}({} bytes)", self.kind, self.raw.len())
    }
}

impl<'b> Value<'b> {
    /// `raw` must be one validated token or container, with its quotes where it is a string.
    pub(crate) fn new(raw: &'b str, kind: Kind) -> Self {
        Self { raw, kind, bare: false }
    }

    #[inline]
    pub(crate) fn known_bare(self, bare: bool) -> Self {
        Self { bare, ..self }
    }

    /// The one value that `text` is, white space around it aside; `None` where it is no JSON, or nested past 128 levels.
    ///
    /// ```
    /// use korpus_core::{Kind, Value};
    /// assert_eq!(Value::parse(" [1, 2] ").map(Value::kind), Some(Kind::Array));
    /// assert_eq!(Value::parse("[1, 2"), None);
    /// ```
    pub fn parse(text: &'b str) -> Option<Self> {
        crate::validate::validate(text.as_bytes()).ok()?;
        Some(take_value(trim_start(text)).0)
    }

    /// What the value is.
    #[inline]
    pub fn kind(self) -> Kind {
        self.kind
    }

    /// The exact bytes of the value, quotes and all.
    #[inline]
    pub fn raw(self) -> &'b str {
        self.raw
    }

    /// Whether the value is `null`.
    #[inline]
    pub fn is_null(self) -> bool {
        self.kind == Kind::Null
    }

    /// The string that the value is.
    #[inline]
    pub fn as_text(self) -> Option<Text<'b>> {
        match self.kind {
            Kind::PlainString | Kind::EscapedString => {
                let text = Text::new(&self.raw[1..self.raw.len() - 1], self.kind == Kind::EscapedString);
                Some(text.known_bare(self.bare))
            }
            _ => None,
        }
    }

    /// The boolean that the value is.
    #[inline]
    pub fn as_bool(self) -> Option<bool> {
        match self.kind {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// The integer that the value is, where it is written as a plain integer that fits: `-?(0|[1-9][0-9]*)`, not `-0`.
    #[inline]
    pub fn as_i64(self) -> Option<i64> {
        if self.kind == Kind::Number { number::parse_i64(self.raw.as_bytes()) } else { None }
    }

    /// The number nearest to the value, and whether printing it gives back exactly the decimal value that was written.
    pub fn as_f64(self) -> Option<(f64, bool)> {
        if self.kind == Kind::Number { number::parse_f64(self.raw) } else { None }
    }

    /// Whether the value is `[]` or `{}`, white space aside.
    pub fn is_empty_container(self) -> bool {
        matches!(self.kind, Kind::Array | Kind::Object)
            && self.raw.as_bytes()[1..self.raw.len() - 1].iter().all(u8::is_ascii_whitespace)
    }

    /// The elements of an array, in order; nothing for any other kind.
    pub fn elements(self) -> Elements<'b> {
        let rest = if self.kind == Kind::Array { inner(self.raw) } else { "" };
        Elements { rest }
    }

    /// The members of an object as (key, value), in order, repeated keys and all; nothing for any other kind.
    pub fn members(self) -> Members<'b> {
        let rest = if self.kind == Kind::Object { inner(self.raw) } else { "" };
        Members { rest }
    }

    /// The value of the last member called `key`, where the value is an object that has one.
    pub fn get(self, key: &str) -> Option<Self> {
        self.members().filter(|(k, _)| k.is(key)).last().map(|(_, v)| v)
    }
}

fn inner(raw: &str) -> &str {
    trim_start(&raw[1..raw.len() - 1])
}

fn trim_start(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

/// Takes one value off the front of validated JSON.
fn take_value(text: &str) -> (Value<'_>, &str) {
    let bytes = text.as_bytes();
    let (end, kind) = match bytes[0] {
        b'"' => {
            let mut at = 1;
            let mut kind = Kind::PlainString;
            while bytes[at] != b'"' {
                if bytes[at] == b'\\' {
                    kind = Kind::EscapedString;
                    at += 1;
                }
                at += 1;
            }
            (at + 1, kind)
        }
        open @ (b'{' | b'[') => {
            (skip_container(bytes), if open == b'{' { Kind::Object } else { Kind::Array })
        }
        first => {
            let end = bytes.iter().position(|b| matches!(b, b',' | b']' | b'}') || b.is_ascii_whitespace());
            let kind = match first {
                b'n' => Kind::Null,
                b't' => Kind::True,
                b'f' => Kind::False,
                _ => Kind::Number,
            };
            (end.unwrap_or(bytes.len()), kind)
        }
    };
    (Value::new(&text[..end], kind), trim_start(&text[end..]))
}

/// Length of the array or object at the front of validated JSON.
fn skip_container(bytes: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        match bytes[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            b'"' => {
                at += 1;
                while bytes[at] != b'"' {
                    at += 1 + usize::from(bytes[at] == b'\\');
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// The elements of an array. See [`Value::elements`].
#[derive(Debug, Clone)]
pub struct Elements<'b> {
    rest: &'b str,
}

impl<'b> Iterator for Elements<'b> {
    type Item = Value<'b>;

    fn next(&mut self) -> Option<Value<'b>> {
        if self.rest.is_empty() {
            return None;
        }
        let (value, rest) = take_value(self.rest);
        self.rest = trim_start(rest.strip_prefix(',').unwrap_or(rest));
        Some(value)
    }
}

/// The members of an object. See [`Value::members`].
#[derive(Debug, Clone)]
pub struct Members<'b> {
    rest: &'b str,
}

impl<'b> Iterator for Members<'b> {
    type Item = (Text<'b>, Value<'b>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let (key, rest) = take_value(self.rest);
        let key = key.as_text()?;
        let (value, rest) = take_value(trim_start(rest.strip_prefix(':')?));
        self.rest = trim_start(rest.strip_prefix(',').unwrap_or(rest));
        Some((key, value))
    }
}
