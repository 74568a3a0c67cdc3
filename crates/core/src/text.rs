//! JSON strings, borrowed as they stand and decoded only on request.

use std::borrow::Cow;

use crate::date::{ParsedTime, parse_timestamp};

/// The inside of a JSON string: borrowed, still escaped where it holds escapes.
#[derive(Clone, Copy)]
pub struct Text<'b> {
    raw: &'b str,
    escaped: bool,
    /// Known to be [bare](begins_bare).
    bare: bool,
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.raw, self.escaped) == (other.raw, other.escaped)
    }
}

impl Eq for Text<'_> {}

impl std::fmt::Debug for Text<'_> {
    /// Length only: texts are personal, and debug output ends up in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Text({} bytes)", self.raw.len())
    }
}

impl<'b> Text<'b> {
    #[inline]
    pub(crate) fn new(raw: &'b str, escaped: bool) -> Self {
        Self { raw, escaped, bare: false }
    }

    /// The same, of which the scanner has seen whether it is [bare](begins_bare).
    #[inline]
    pub(crate) fn known_bare(self, bare: bool) -> Self {
        Self { bare, ..self }
    }

    /// Whether it is known that the text is [bare](begins_bare).
    #[inline(always)]
    pub(crate) fn is_bare(self) -> bool {
        self.bare
    }

    /// The bytes between the quotes, as they stand in the body.
    #[inline]
    pub fn raw(self) -> &'b str {
        self.raw
    }

    /// Whether anything in it is written as an escape.
    #[inline]
    pub fn is_escaped(self) -> bool {
        self.escaped
    }

    /// The text itself, where nothing needs decoding.
    #[inline]
    pub fn plain(self) -> Option<&'b str> {
        if self.escaped { None } else { Some(self.raw) }
    }

    /// The time that the text tells, if it is one: see [`parse_timestamp`].
    #[inline]
    pub fn timestamp(self) -> Option<ParsedTime> {
        match self.plain() {
            Some(plain) => parse_timestamp(plain),
            None => parse_timestamp(&self.exact()?),
        }
    }

    /// Whether the text is empty.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.raw.is_empty()
    }

    /// Appends the decoded text to `out`; false where it held a lone surrogate, which becomes U+FFFD.
    ///
    /// `out` is the caller's scratch: a warm one makes decoding free of allocations.
    #[inline]
    pub fn decode_into(self, out: &mut String) -> bool {
        if self.escaped {
            decode(self.raw, out)
        } else {
            out.push_str(self.raw);
            true
        }
    }

    /// The decoded text, borrowed where it can be; `None` where it holds a lone surrogate.
    pub fn exact(self) -> Option<Cow<'b, str>> {
        if !self.escaped {
            return Some(Cow::Borrowed(self.raw));
        }
        let mut out = String::with_capacity(self.raw.len());
        decode(self.raw, &mut out).then_some(Cow::Owned(out))
    }

    /// The decoded text, with U+FFFD in the place of lone surrogates.
    #[inline]
    pub fn lossy(self) -> Cow<'b, str> {
        if self.escaped { Cow::Owned(self.decoded()) } else { Cow::Borrowed(self.raw) }
    }

    fn decoded(self) -> String {
        let mut out = String::with_capacity(self.raw.len());
        decode(self.raw, &mut out);
        out
    }

    /// Whether the decoded text equals `other`.
    pub fn is(self, other: &str) -> bool {
        if self.escaped { self.exact().is_some_and(|text| text == other) } else { self.raw == other }
    }
}

/// Whether a text without escapes begins with what neither white space (or a byte order mark) nor an object begins with. One
/// that holds no `<` or `&` either is bare: it is what a person saw, and no payload.
#[inline(always)]
pub(crate) fn begins_bare(text: &[u8]) -> bool {
    match *text {
        [b'!'..=b'z' | b'|'..=b'~' | 0xc3..=0xe0 | 0xe4..=0xee | 0xf0.., ..] => true,
        // Some of these lead to white space.
        [0xc2, next, ..] => !matches!(next, 0x85 | 0xa0),
        [0xe1, next, ..] => next != 0x9a,
        [0xe2, next, ..] => !matches!(next, 0x80 | 0x81),
        [0xe3, next, ..] => next != 0x80,
        [0xef, next, ..] => next != 0xbb,
        _ => false,
    }
}

/// Decodes validated string contents; false where a lone surrogate was replaced.
///
/// JSON inside a string has an escape every few bytes. So what stands between them is moved eight bytes at a time, and
/// what was decoded reaches `out` in pieces of this buffer's size.
fn decode(raw: &str, out: &mut String) -> bool {
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    const LOW_BITS: u64 = 0x0101_0101_0101_0101;
    let bytes = raw.as_bytes();
    let mut exact = true;
    let mut piece = [0_u8; 256];
    let (mut from, mut len) = (0, 0);
    out.reserve(raw.len());
    while from < bytes.len() {
        // Of a step, the eight bytes of the longest may be written.
        if len > piece.len() - 8 {
            len = flush(&mut piece, len, out);
        }
        if let Some(chunk) = bytes[from..].first_chunk::<8>() {
            piece[len..len + 8].copy_from_slice(chunk);
            let other = u64::from_le_bytes(*chunk) ^ (LOW_BITS * u64::from(b'\\'));
            // The lowest bit set is that of the first backslash.
            let found = other.wrapping_sub(LOW_BITS) & !other & HIGH_BITS;
            let plain = (found.trailing_zeros() / 8) as usize;
            from += plain;
            len += plain;
            if found == 0 {
                continue;
            }
        } else if bytes[from] != b'\\' {
            piece[len] = bytes[from];
            from += 1;
            len += 1;
            continue;
        }
        if len > piece.len() - 8 {
            len = flush(&mut piece, len, out);
        }
        let byte = match bytes[from + 1] {
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (c, end) = unicode_escape(bytes, from);
                exact &= c.is_some();
                from = end;
                len += c.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut piece[len..]).len();
                continue;
            }
            other => other,
        };
        piece[len] = byte;
        len += 1;
        from += 2;
    }
    flush(&mut piece, len, out);
    exact
}

/// Appends the whole characters of a piece to `out`; the start of one more moves to the front, and its length is
/// returned.
fn flush(piece: &mut [u8], len: usize, out: &mut String) -> usize {
    let whole = match std::str::from_utf8(&piece[..len]) {
        Ok(text) => {
            out.push_str(text);
            return 0;
        }
        Err(error) => error.valid_up_to(),
    };
    out.push_str(std::str::from_utf8(&piece[..whole]).unwrap_or_default());
    piece.copy_within(whole..len, 0);
    len - whole
}

/// The character that the `\u` escape at `at` stands for (its second half included), where it is one, and the position
/// after it.
fn unicode_escape(bytes: &[u8], at: usize) -> (Option<char>, usize) {
    let unit = hex4(&bytes[at + 2..]);
    let end = at + 6;
    if (0xd800..=0xdbff).contains(&unit) && bytes[end..].starts_with(b"\\u") {
        let low = hex4(&bytes[end + 2..]);
        if (0xdc00..=0xdfff).contains(&low) {
            let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            return (char::from_u32(code), end + 6);
        }
    }
    (char::from_u32(unit), end)
}

fn hex4(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |unit, &b| unit << 4 | char::from(b).to_digit(16).unwrap_or(0))
}

/// Where `part` begins in `whole`; `None` where it is no part of it.
pub(crate) fn start_in(whole: &str, part: &str) -> Option<usize> {
    let (whole, part) = (whole.as_bytes().as_ptr_range(), part.as_bytes().as_ptr_range());
    (whole.start <= part.start && part.end <= whole.end).then(|| part.start as usize - whole.start as usize)
}

/// Whether validated JSON holds the escape of half a surrogate pair, on which many readers of JSON fail.
///
/// ```
/// assert!(korpus_core::has_lone_surrogate(r#"{"a":["\ud83d"]}"#));
/// assert!(!korpus_core::has_lone_surrogate(r#"{"a":["\ud83d\ude00", "\\ud83d"]}"#));
/// ```
pub fn has_lone_surrogate(raw: &str) -> bool {
    // Outside strings there are no escapes.
    memchr::memchr(b'\\', raw.as_bytes()).is_some() && Text::new(raw, true).exact().is_none()
}

/// Appends `text` to `out` as a JSON string, quotes and all, with the fewest escapes that JSON allows.
///
/// ```
/// let mut out = String::new();
/// korpus_core::write_json_string("a\"b\u{1}ü", &mut out);
/// assert_eq!(out, r#""a\"b\u0001ü""#);
/// ```
pub fn write_json_string(text: &str, out: &mut String) {
    out.push('"');
    let mut from = 0;
    let plain = plain_prefix(text.as_bytes());
    for (at, byte) in text.bytes().enumerate().skip(plain) {
        let short = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        if short.is_empty() {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.push_str("\\u00");
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        } else {
            out.push_str(short);
        }
        from = at + 1;
    }
    out.push_str(&text[from..]);
    out.push('"');
}

/// How many bytes, in steps of 16, a JSON string may begin with as they are.
fn plain_prefix(text: &[u8]) -> usize {
    // Sums need no branch, so all bytes of a step are looked at together.
    let escapes = |&b: &u8| u8::from(b < 0x20) + u8::from(b == b'"') + u8::from(b == b'\\');
    let is_plain = |chunk: &&[u8; 16]| chunk.iter().map(escapes).sum::<u8>() == 0;
    16 * text.as_chunks().0.iter().take_while(is_plain).count()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use proptest::prelude::*;

    fn decoded(raw: &str) -> (String, bool) {
        let mut out = String::new();
        let exact = Text::new(raw, true).decode_into(&mut out);
        (out, exact)
    }

    #[test]
    fn lone_surrogates_are_replaced_and_told() {
        assert_eq!(decoded(r"\ud83d\ude00"), ("😀".to_owned(), true));
        assert_eq!(decoded(r"a\ud83dz"), ("a\u{fffd}z".to_owned(), false));
        assert_eq!(decoded(r"\ude00\ud83d"), ("\u{fffd}\u{fffd}".to_owned(), false));
        assert_eq!(decoded(r"\ud83d\u0041"), ("\u{fffd}A".to_owned(), false));
        assert_eq!(decoded(r"\ud83d\ud83d\ude00"), ("\u{fffd}😀".to_owned(), false));
    }

    #[test]
    fn nothing_that_may_lead_to_a_payload_begins_bare() {
        let mut bare = 0;
        for c in '\0'..=char::MAX {
            let leads = c.is_whitespace() || matches!(c, '\u{feff}' | '{') || c < ' ';
            let is_bare = begins_bare(c.encode_utf8(&mut [0; 4]).as_bytes());
            assert!(!(leads && is_bare), "{c:?}");
            bare += u32::from(is_bare);
        }
        assert!(bare > 1_100_000, "{bare}");
        assert!(!begins_bare(b""));
    }

    proptest! {
        #[test]
        fn decoding_agrees_with_serde_json(text in "(?s).{0,30}|[a-z\"\\\\\n\u{e9}\u{20ac}\u{1f600}]{0,900}", escape_all in any::<bool>()) {
            let mut json = String::new();
            if escape_all {
                json.push('"');
                for unit in text.encode_utf16() {
                    write!(json, "\\u{unit:04X}").unwrap();
                }
                json.push('"');
            } else {
                write_json_string(&text, &mut json);
            }
            prop_assert_eq!(&serde_json::from_str::<String>(&json).unwrap(), &text);
            let inner = &json[1..json.len() - 1];
            let view = Text::new(inner, inner.contains('\\'));
            prop_assert_eq!(view.exact().unwrap(), text.as_str());
            prop_assert!(view.is(&text));
        }
    }
}
