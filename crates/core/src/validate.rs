//! Strict validation of any JSON, by the scanner that reads messages.

use crate::error::{Error, Reason};
use crate::limits::Limits;
use crate::scan::{Arena, Fault, Scanner, Stop, skip_space};

/// Checks that `bytes` are one JSON value and nothing else but white space, exactly as RFC 8259 says.
///
/// # Errors
/// Where and why they are not; nested deeper than [`Limits::depth`] counts too.
///
/// ```
/// assert!(korpus_core::validate(br#"{"a":[1,"\ud83d"]}"#).is_ok());
/// let error = korpus_core::validate(b"[1,]").unwrap_err();
/// assert_eq!(error.position().unwrap().byte_offset, 3);
/// ```
pub fn validate(bytes: &[u8]) -> Result<(), Error> {
    validate_with(bytes, &mut Scanner::new(Limits::default().depth))
}

pub(crate) fn validate_with(bytes: &[u8], scanner: &mut Scanner) -> Result<(), Error> {
    if let Err(error) = std::str::from_utf8(bytes) {
        return Err(Error::syntax(Reason::InvalidUtf8, error.valid_up_to() as u64));
    }
    let start = skip_space(bytes, 0);
    match scanner.walk(&mut Arena::default(), bytes, start, true, None) {
        Ok(walked) => {
            let end = skip_space(bytes, walked.end);
            if end < bytes.len() {
                return Err(Error::syntax(Reason::UnexpectedByte, end as u64));
            }
            Ok(())
        }
        Err(Stop::Bad { at, fault }) => Err(Error::syntax(fault.reason(), at as u64)),
        Err(Stop::Incomplete) => Err(Error::syntax(Reason::Truncated, bytes.len() as u64)),
    }
}

impl Fault {
    pub(crate) fn reason(self) -> Reason {
        match self {
            Self::UnexpectedByte => Reason::UnexpectedByte,
            Self::TrailingComma => Reason::TrailingComma,
            Self::ControlCharacter => Reason::ControlCharacter,
            Self::BadEscape => Reason::BadEscape,
            Self::BadNumber => Reason::BadNumber,
            Self::BadLiteral => Reason::BadLiteral,
            Self::TooDeep => Reason::TooDeep,
            Self::Truncated => Reason::Truncated,
        }
    }
}

/// Appends validated JSON to `out` without the white space between its tokens.
///
/// ```
/// let mut out = Vec::new();
/// korpus_core::minify(b"{ \"a b\" : [ 1 ] }", &mut out);
/// assert_eq!(out, b"{\"a b\":[1]}");
/// ```
pub fn minify(raw: &[u8], out: &mut Vec<u8>) {
    crate::hash::minify(raw, out);
}

/// How many arrays and objects stand inside each other, at the most, in validated JSON.
///
/// ```
/// assert_eq!(korpus_core::nesting(r#"{"a":["[",[]]}"#), 3);
/// ```
pub fn nesting(raw: &str) -> usize {
    let (mut level, mut deepest) = (0_usize, 0);
    let (mut in_string, mut is_escaped) = (false, false);
    for byte in raw.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                level += 1;
                deepest = deepest.max(level);
            }
            b']' | b'}' => level = level.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
