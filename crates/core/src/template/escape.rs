//! Escapes of JSON strings: what they decode to, and where in a string something stands that was decoded.

use std::cell::RefCell;

use bumpalo::Bump;
use memchr::memchr;

use crate::text::Text;

/// Decodes a string into the arena; borrowed where it holds no escape. The flag says whether that was exact.
pub(super) fn decode_in<'s>(bump: &'s Bump, buffer: &RefCell<String>, text: Text<'s>) -> (&'s str, bool) {
    if let Some(plain) = text.plain() {
        return (plain, true);
    }
    let mut buffer = buffer.borrow_mut();
    buffer.clear();
    let exact = text.decode_into(&mut buffer);
    (bump.alloc_str(&buffer), exact)
}

/// Decodes the inside of a JSON string, but for lone surrogates, which stay the escapes that they are.
pub(super) fn decode_keeping_surrogates(raw: &str, out: &mut String) {
    let (mut at, mut from) = (0, 0);
    while let Some(found) = memchr(b'\\', &raw.as_bytes()[at..]) {
        at += found;
        let len = escape_at(raw, at).0;
        if is_lone_surrogate(raw, at) {
            Text::new(&raw[from..at], true).decode_into(out);
            from = at + len;
            // After a backslash of the JSON inside, an escape would not be one.
            let is_escaped = out.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1;
            out.push_str(if is_escaped { "\u{fffd}" } else { &raw[at..from] });
        }
        at += len;
    }
    Text::new(&raw[from..], true).decode_into(out);
}

/// The unit of UTF-16 that the escape at `at` stands for, where it is one of that kind.
fn unit_at(raw: &str, at: usize) -> Option<u32> {
    u32::from_str_radix(raw.get(at..at + 6)?.strip_prefix("\\u")?, 16).ok()
}

/// How many bytes the escape at `at` has, and how many what it stands for, if it is no lone surrogate.
fn escape_at(raw: &str, at: usize) -> (usize, Option<usize>) {
    match unit_at(raw, at) {
        Some(0xd800..=0xdbff) if matches!(unit_at(raw, at + 6), Some(0xdc00..=0xdfff)) => (12, Some(4)),
        Some(code) => (6, char::from_u32(code).map(char::len_utf8)),
        None => (2, Some(1)),
    }
}

fn is_lone_surrogate(raw: &str, at: usize) -> bool {
    escape_at(raw, at).1.is_none()
}

/// Where in the inside of a JSON string the byte stands that is at `decoded` after decoding its escapes, but for lone surrogates.
pub(super) fn escape_source(raw: &str, decoded: usize) -> usize {
    let (mut at, mut out) = (0, 0);
    while out < decoded {
        let Some(first) = raw[at..].chars().next() else { break };
        let (len, width) = if first == '\\' {
            let (len, width) = escape_at(raw, at);
            // A lone surrogate stays as it is written.
            (len, width.unwrap_or(len))
        } else {
            (first.len_utf8(), first.len_utf8())
        };
        at += len;
        out += width;
    }
    at
}

/// Where in the text that has U+FFFD for each lone surrogate the byte stands that is at `at` of the one that
/// [keeps](decode_keeping_surrogates) them as escapes.
pub(super) fn replaced_source(replaced: &str, kept: &str, at: usize) -> usize {
    let (mut source, mut out) = (0, 0);
    while out < at {
        let (Some(was), Some(is)) = (replaced[source..].chars().next(), kept[out..].chars().next()) else {
            break;
        };
        source += was.len_utf8();
        out += if was == is { is.len_utf8() } else { "\\ud800".len() };
    }
    source
}

/// The first escape in validated JSON that is half a surrogate pair.
pub(super) fn first_lone_surrogate(raw: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = memchr(b'\\', &raw.as_bytes()[at..]) {
        at += found;
        if is_lone_surrogate(raw, at) {
            return Some(at);
        }
        at += escape_at(raw, at).0;
    }
    None
}
