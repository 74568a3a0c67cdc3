//! HTML entities: found, decoded, and the way back. Every function is linear in its text.

use std::collections::HashMap;
use std::sync::LazyLock;

use memchr::{memchr, memchr2};

/// What stands at an ampersand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entity {
    decoded: Decoded,
    /// How many bytes write it, ampersand and semicolon included.
    pub len: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decoded {
    Char(char),
    /// A named one; some are two characters.
    Named(&'static str),
}

impl Entity {
    pub(super) fn is_quote(self) -> bool {
        matches!(self.decoded, Decoded::Char('"') | Decoded::Named("\""))
    }

    fn decoded_len(self) -> usize {
        match self.decoded {
            Decoded::Char(c) => c.len_utf8(),
            Decoded::Named(text) => text.len(),
        }
    }
}

/// The names that are met every day.
const COMMON: [(&str, char); 6] =
    [("quot;", '"'), ("amp;", '&'), ("lt;", '<'), ("gt;", '>'), ("apos;", '\''), ("nbsp;", '\u{a0}')];

/// What the codes 128 to 159 stand for, which are no characters of their own: those of Windows-1252, as the HTML standard
/// says of numeric character references. Zero where there is none.
const WINDOWS: [u16; 32] = [
    0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
    0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
    0x0153, 0, 0x017e, 0x0178,
];

/// The longest name of an entity, with its semicolon.
const LONGEST_NAME: usize = 32;

/// The entity at the start of `text`, which begins with an ampersand: all names of HTML and all numbers of characters, each with
/// its semicolon.
pub(super) fn entity_at(text: &str) -> Option<Entity> {
    let rest = &text[1..];
    if let Some(number) = rest.strip_prefix('#') {
        return numbered(text, number);
    }
    if let Some(&(name, c)) = COMMON.iter().find(|(name, _)| rest.starts_with(name)) {
        return Some(Entity { decoded: Decoded::Char(c), len: 1 + name.len() });
    }
    let end = rest.bytes().take(LONGEST_NAME).position(|byte| !byte.is_ascii_alphanumeric())?;
    if end < 2 || rest.as_bytes()[end] != b';' {
        return None;
    }
    named(&text[..end + 2])
}

fn numbered(text: &str, number: &str) -> Option<Entity> {
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    // Longer numbers are no characters, but for leading zeros that nobody writes.
    let len = digits.bytes().take(9).position(|b| b == b';')?;
    if len == 0 || !digits[..len].chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let code = u32::from_str_radix(&digits[..len], radix).ok().filter(|&code| code != 0)?;
    let windows = code.checked_sub(128).and_then(|index| WINDOWS.get(index as usize));
    let code = windows.map(|&code| u32::from(code)).filter(|&code| code != 0).unwrap_or(code);
    let start = text.len() - digits.len();
    Some(Entity { decoded: Decoded::Char(char::from_u32(code)?), len: start + len + 1 })
}

/// The entity of that name, written with ampersand and semicolon.
#[cold]
fn named(written: &str) -> Option<Entity> {
    static NAMED: LazyLock<HashMap<&str, &str>> =
        LazyLock::new(|| entities::ENTITIES.iter().map(|known| (known.entity, known.characters)).collect());
    let characters = NAMED.get(written)?;
    Some(Entity { decoded: Decoded::Named(characters), len: written.len() })
}

/// Whether `text` holds an entity.
pub(super) fn has_entity(text: &str) -> bool {
    let mut from = 0;
    while let Some(found) = memchr(b'&', &text.as_bytes()[from..]) {
        if entity_at(&text[from + found..]).is_some() {
            return true;
        }
        from += found + 1;
    }
    false
}

/// Whether the first quote in `text` is written as an entity: so it is in JSON that was escaped as a whole.
pub(super) fn has_quotes_as_entities(text: &str) -> bool {
    let mut from = 0;
    while let Some(found) = memchr2(b'"', b'&', &text.as_bytes()[from..]) {
        let at = from + found;
        if text.as_bytes()[at] == b'"' {
            return false;
        }
        if entity_at(&text[at..]).is_some_and(Entity::is_quote) {
            return true;
        }
        from = at + 1;
    }
    false
}

/// Appends `text` to `out` with its entities decoded, once.
pub(super) fn decode_entities(text: &str, out: &mut String) {
    let mut from = 0;
    let mut search = 0;
    while let Some(found) = memchr(b'&', &text.as_bytes()[search..]) {
        let at = search + found;
        search = at + 1;
        if let Some(entity) = entity_at(&text[at..]) {
            out.push_str(&text[from..at]);
            match entity.decoded {
                Decoded::Char(c) => out.push(c),
                Decoded::Named(characters) => out.push_str(characters),
            }
            from = at + entity.len;
            search = from;
        }
    }
    out.push_str(&text[from..]);
}

/// Where in `text` the byte stands that is at `decoded` after decoding its entities.
pub(super) fn entity_source(text: &str, decoded: usize) -> usize {
    let (mut at, mut out) = (0, 0);
    while at < text.len() && out < decoded {
        let ampersand = memchr(b'&', &text.as_bytes()[at..]).map_or(text.len(), |found| at + found);
        let plain = (ampersand - at).min(decoded - out);
        at += plain;
        out += plain;
        if out == decoded || at == text.len() {
            break;
        }
        let (len, decoded_len) =
            entity_at(&text[at..]).map_or((1, 1), |entity| (entity.len, entity.decoded_len()));
        at += len;
        out += decoded_len;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(text: &str) -> String {
        let mut out = String::new();
        decode_entities(text, &mut out);
        out
    }

    #[test]
    fn entities_are_decoded_once() {
        for (text, expected) in [
            ("a &amp; b", "a & b"),
            ("&amp;quot;", "&quot;"),
            ("&#39;&#x27;&#X27;", "'''"),
            ("&#128512;", "😀"),
            ("&nbsp;", "\u{a0}"),
            ("&eacute;&Eacute;&rsquo;&copy;&euro;&hellip;", "éÉ’©€…"),
            ("&frac12;&there4;&CounterClockwiseContourIntegral;", "½∴∳"),
            ("&NotEqualTilde;", "≂\u{338}"),
            ("&#146;s &#x80;5 &#150; &#129;", "’s €5 – \u{81}"),
            ("&#0;&#xd800;&#1114112;&#;&#x;&#12a;", "&#0;&#xd800;&#1114112;&#;&#x;&#12a;"),
            ("&copy &quot & &; &x; &nosuch; &Amp;", "&copy &quot & &; &x; &nosuch; &Amp;"),
            ("?a=1&copy=2&amp;b=3", "?a=1&copy=2&b=3"),
            ("&&lt;", "&<"),
            ("&#000000000039;", "&#000000000039;"),
            ("&#x1f600", "&#x1f600"),
        ] {
            assert_eq!(decoded(text), expected, "{text}");
            assert_eq!(has_entity(text), text != expected, "{text}");
        }
    }

    #[test]
    fn every_name_of_html_is_known() {
        let mut count = 0;
        for known in entities::ENTITIES.iter().filter(|known| known.entity.ends_with(';')) {
            assert_eq!(decoded(&format!("a{}b", known.entity)), format!("a{}b", known.characters));
            assert!(known.entity.len() <= LONGEST_NAME + 1, "{}", known.entity);
            count += 1;
        }
        assert!(count > 2000, "{count}");
    }

    proptest! {
        #[test]
        fn offsets_are_found_back(parts in proptest::collection::vec(
            prop_oneof![
                "[a-z&;#ü]{0,3}",
                prop::sample::select(vec!["&quot;", "&#128512;", "&eacute;", "&NotEqualTilde;", "&#146;"]).prop_map(str::to_owned),
            ], 0..12)
        ) {
            let text = parts.concat();
            prop_assert_eq!(entity_source(&text, decoded(&text).len()), text.len());
            for (at, _) in text.char_indices() {
                // Whatever stands before the place decodes to that many bytes, unless the cut broke an entity.
                let before = decoded(&text[..at]);
                if decoded(&text).starts_with(&before) && decoded(&text[at..]).len() + before.len() == decoded(&text).len() {
                    prop_assert_eq!(entity_source(&text, before.len()), at);
                }
            }
        }
    }
}
