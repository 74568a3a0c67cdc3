//! Walking JSON that was validated before, and comparing two values of it.

use std::borrow::Cow;

use crate::number::numbers_equal;

/// Whether two JSON texts are the same value.
///
/// The order of keys does not matter, but that of the values of one repeated key does. Numbers are equal if their exact
/// decimal values are, texts if their code units are, lone surrogates included. Text that is no JSON equals nothing.
///
/// ```
/// use korpus_core::json_equal;
///
/// assert!(json_equal(r#"{"a": 1e2, "b": "\u0041"}"#, r#"{"b":"A","a":100.0}"#));
/// assert!(!json_equal(r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#));
/// assert!(!json_equal(r#""\ud83d""#, r#""\ufffd""#));
/// ```
pub fn json_equal(a: &str, b: &str) -> bool {
    let valid = |text: &str| crate::validate::validate(text.as_bytes()).is_ok();
    valid(a) && valid(b) && values_equal(a.trim(), b.trim())
}

/// Both are validated, so their nesting is bounded.
fn values_equal(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    match (a.as_bytes().first(), b.as_bytes().first()) {
        (Some(b'{'), Some(b'{')) => {
            let sorted = |object| {
                let mut all: Vec<_> = members(object).map(|(key, value)| (decode(key), value)).collect();
                // Stable: the values of one key stay in their order.
                all.sort_by(|a, b| a.0.cmp(&b.0));
                all
            };
            let (a, b) = (sorted(a), sorted(b));
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.0 == b.0 && values_equal(a.1, b.1))
        }
        (Some(b'['), Some(b'[')) => {
            let (mut a, mut b) = (elements(a), elements(b));
            loop {
                match (a.next(), b.next()) {
                    (None, None) => return true,
                    (Some(a), Some(b)) if values_equal(a, b) => {}
                    _ => return false,
                }
            }
        }
        (Some(b'"'), Some(b'"')) => decode(&a[1..a.len() - 1]) == decode(&b[1..b.len() - 1]),
        (Some(b'-' | b'0'..=b'9'), Some(b'-' | b'0'..=b'9')) => numbers_equal(a, b),
        _ => false,
    }
}

/// The members of a validated object, as the inside of the key and the raw value.
pub fn members(object: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = inside(object);
    std::iter::from_fn(move || {
        let (key, after) = take(rest)?;
        let (value, after) = take(trim(after.strip_prefix(':')?))?;
        rest = trim(after.strip_prefix(',').unwrap_or(after));
        Some((key.get(1..key.len() - 1)?, value))
    })
}

/// The elements of a validated array, raw.
fn elements(array: &str) -> impl Iterator<Item = &str> {
    let mut rest = inside(array);
    std::iter::from_fn(move || {
        let (value, after) = take(rest)?;
        rest = trim(after.strip_prefix(',').unwrap_or(after));
        Some(value)
    })
}

fn inside(container: &str) -> &str {
    container.get(1..container.len() - 1).map_or("", trim)
}

fn trim(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

/// Takes one value off the front; what follows begins with its comma, colon or closing bracket.
fn take(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let end = match bytes.first()? {
        b'"' => string_end(bytes, 0),
        b'{' | b'[' => {
            let (mut depth, mut at) = (0_usize, 0);
            loop {
                match bytes.get(at)? {
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    b'"' => at = string_end(bytes, at) - 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    break at;
                }
            }
        }
        _ => {
            let ends = |b: &u8| matches!(b, b',' | b']' | b'}') || b.is_ascii_whitespace();
            bytes.iter().position(ends).unwrap_or(bytes.len())
        }
    };
    Some((&text[..end], trim(&text[end..])))
}

/// Where the string that begins at `at` ends, its quote included.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += 1 + usize::from(bytes[at] == b'\\');
    }
    (at + 1).min(bytes.len())
}

/// The code units of a string's inside, in a form of their own: UTF-8 where they are text, lone surrogates as three bytes.
pub fn decode(raw: &str) -> Cow<'_, [u8]> {
    let bytes = raw.as_bytes();
    if !bytes.contains(&b'\\') {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    let mut high: Option<u32> = None;
    while at < bytes.len() {
        let unit = if bytes[at] != b'\\' {
            flush(&mut out, &mut high);
            out.push(bytes[at]);
            at += 1;
            continue;
        } else if bytes.get(at + 1) == Some(&b'u') {
            at += 6;
            raw.get(at - 4..at).and_then(|hex| u32::from_str_radix(hex, 16).ok()).unwrap_or(0xfffd)
        } else {
            at += 2;
            u32::from(match bytes.get(at - 1) {
                Some(b'b') => 8,
                Some(b'f') => 12,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                other => other.copied().unwrap_or_default(),
            })
        };
        match (high, unit) {
            (Some(first), 0xdc00..=0xdfff) => {
                high = None;
                push(&mut out, 0x1_0000 + ((first - 0xd800) << 10) + (unit - 0xdc00));
            }
            (_, 0xd800..=0xdbff) => {
                flush(&mut out, &mut high);
                high = Some(unit);
            }
            _ => {
                flush(&mut out, &mut high);
                push(&mut out, unit);
            }
        }
    }
    flush(&mut out, &mut high);
    Cow::Owned(out)
}

fn flush(out: &mut Vec<u8>, high: &mut Option<u32>) {
    if let Some(unit) = high.take() {
        push(out, unit);
    }
}

fn push(out: &mut Vec<u8>, code: u32) {
    if let Some(text) = char::from_u32(code) {
        out.extend_from_slice(text.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        out.extend([0xe0 | (code >> 12) as u8, 0x80 | (code >> 6 & 63) as u8, 0x80 | (code & 63) as u8]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_equal_however_they_are_written() {
        for (a, b) in [
            ("1", "1.0"),
            ("1e5", "100000"),
            ("[ 1 , [] , {} ]", "[1,[],{}]"),
            (r#"{"a":{"b":[1,2]},"c":null}"#, "{ \"c\" : null , \"a\" : { \"b\" : [ 1 , 2e0 ] } }"),
            (r#""\ud83d\ude00\/\n""#, "\"😀/\\u000a\""),
            (r#"{"\u0061":1,"a":2}"#, r#"{"a":1,"a":2}"#),
            (r#"["}",",\"]"]"#, r#"[ "}" , ",\"]" ]"#),
            (r#""\ud83d""#, r#""\uD83D""#),
            (r#""\ud83d""#, r#""\ud83d""#),
        ] {
            assert!(json_equal(a, b), "{a} {b}");
            assert!(json_equal(b, a), "{b} {a}");
        }
    }

    #[test]
    fn different_values_are_not() {
        for (a, b) in [
            ("1", "2"),
            ("1", "\"1\""),
            ("0", "-0"),
            ("0", "false"),
            ("null", "{}"),
            ("9007199254740993", "9007199254740992"),
            ("[1,2]", "[2,1]"),
            ("[1]", "[1,1]"),
            (r#"{"a":1}"#, r#"{"a":1,"a":1}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#),
            (r#""\ud83d""#, r#""\ud83e""#),
            (r#""\ud83d""#, "\"\u{fffd}\""),
            (r#""\ud83d""#, r#""\ude00""#),
            ("{", "{"),
            ("", ""),
        ] {
            assert!(!json_equal(a, b), "{a} {b}");
        }
    }
}
