//! JSON strings, borrowed as they stand and decoded only on request.

use std::borrow::Cow;

/// The inside of a JSON string: borrowed, still escaped where it holds escapes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<'b> {
    raw: &'b str,
    escaped: bool,
}

impl std::fmt::Debug for Text<'_> {
    /// Length only: texts are personal, and debug output ends up in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Text({} bytes)", self.raw.len())
    }
}

impl<'b> Text<'b> {
    #[inline]
    pub(crate) fn new(raw: &'b str, escaped: bool) -> Self {
        Self { raw, escaped }
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
    pub fn lossy(self) -> Cow<'b, str> {
        if !self.escaped {
            return Cow::Borrowed(self.raw);
        }
        let mut out = String::with_capacity(self.raw.len());
        decode(self.raw, &mut out);
        Cow::Owned(out)
    }

    /// Whether the decoded text equals `other`.
    pub fn is(self, other: &str) -> bool {
        if self.escaped { self.exact().is_some_and(|text| text == other) } else { self.raw == other }
    }
}

/// Decodes validated string contents; false where a lone surrogate was replaced.
fn decode(raw: &str, out: &mut String) -> bool {
    let bytes = raw.as_bytes();
    let mut exact = true;
    let mut from = 0;
    out.reserve(raw.len());
    while let Some(found) = bytes[from..].iter().position(|&b| b == b'\\') {
        let at = from + found;
        out.push_str(&raw[from..at]);
        from = at + 2;
        out.push(match bytes[at + 1] {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = hex4(&bytes[at + 2..]);
                from = at + 6;
                match unit {
                    0xd800..=0xdbff if bytes[from..].starts_with(b"\\u") => {
                        let low = hex4(&bytes[from + 2..]);
                        if (0xdc00..=0xdfff).contains(&low) {
                            from += 6;
                            let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
                        } else {
                            exact = false;
                            char::REPLACEMENT_CHARACTER
                        }
                    }
                    _ => char::from_u32(unit).unwrap_or_else(|| {
                        exact = false;
                        char::REPLACEMENT_CHARACTER
                    }),
                }
            }
            other => char::from(other),
        });
    }
    out.push_str(&raw[from..]);
    exact
}

fn hex4(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |unit, &b| unit << 4 | char::from(b).to_digit(16).unwrap_or(0))
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
    for (at, byte) in text.bytes().enumerate() {
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

    proptest! {
        #[test]
        fn decoding_agrees_with_serde_json(text in any::<String>(), escape_all in any::<bool>()) {
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
