//! Keys of groups, written so that their bytes compare as their parts do: the order of a table is that of the bytes.

use std::borrow::Cow;

use memchr::memchr;

/// What a key is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Text,
    Int,
    /// A hash of a text, shown in hexadecimal.
    Hash,
}

/// A part of a key; none come first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum KeyPart<'a> {
    Null,
    Int(i64),
    Hash(u64),
    /// The bytes of a text: those of a [key](is_key) are one.
    Text(Cow<'a, [u8]>),
}

/// What a part begins with: none, or something. Integers begin with something else, from which it is known how many bytes
/// follow: [`ZERO`] plus as many for those that are not negative, one less than `ZERO` minus as many for the others.
const NULL: u8 = 0;
const SOME: u8 = 1;
const ZERO: u8 = 0x80;
/// Stands behind the bytes of a text, as behind a C string. No part begins with [`ESCAPED`], so a zero before it is one of the text's own.
const END: u8 = 0;
const ESCAPED: u8 = 0xff;

/// A key on its way: the same bytes for the same parts.
#[derive(Debug, Default)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    /// Begins a key.
    pub(crate) fn start(&mut self) -> &mut Self {
        self.0.clear();
        self
    }

    pub(crate) fn text(&mut self, text: Option<&str>) -> &mut Self {
        let Some(text) = text else {
            self.0.push(NULL);
            return self;
        };
        let bytes = text.as_bytes();
        self.0.reserve(bytes.len() + 2);
        self.0.push(SOME);
        if has_end(bytes) {
            for &byte in bytes {
                self.0.push(byte);
                if byte == END {
                    self.0.push(ESCAPED);
                }
            }
        } else {
            self.0.extend_from_slice(bytes);
        }
        self.0.push(END);
        self
    }

    pub(crate) fn int(&mut self, value: Option<impl Into<i64>>) -> &mut Self {
        let Some(value) = value else {
            self.0.push(NULL);
            return self;
        };
        let value: i64 = value.into();
        let is_negative = value < 0;
        let distance = if is_negative { !value } else { value };
        let skipped = distance.leading_zeros() / 8;
        let len = 8 - skipped as u8;
        self.0.push(if is_negative { ZERO - 1 - len } else { ZERO + len });
        self.0.extend_from_slice(&value.to_be_bytes()[skipped as usize..]);
        self
    }

    /// The hash of a text; 0 for none.
    pub(crate) fn hash(&mut self, hash: u64) -> &mut Self {
        if hash == 0 {
            self.0.push(NULL);
        } else {
            self.0.push(SOME);
            self.0.extend_from_slice(&hash.to_be_bytes());
        }
        self
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Goes back to the first `len` bytes, which are whole parts.
    pub(crate) fn back_to(&mut self, len: usize) -> &mut Self {
        self.0.truncate(len);
        self
    }
}

/// Whether there is an [`END`] among these bytes, eight at a time: names are too short for a search that has to be set up.
fn has_end(bytes: &[u8]) -> bool {
    const LOW: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let has_zero = |word: &[u8; 8]| {
        let word = u64::from_ne_bytes(*word);
        word.wrapping_sub(LOW) & !word & HIGH != 0
    };
    match bytes.last_chunk() {
        Some(last) => bytes.as_chunks().0.iter().any(has_zero) || has_zero(last),
        None => bytes.contains(&END),
    }
}

/// The parts of a key. Bytes that are no key give some parts, never a panic: states come from outside.
pub(super) fn parts<'k>(mut key: &'k [u8], kinds: &[KeyKind]) -> impl Iterator<Item = KeyPart<'k>> {
    kinds.iter().map(move |kind| {
        let Some((&first, rest)) = key.split_first() else { return KeyPart::Null };
        key = rest;
        if first == NULL {
            return KeyPart::Null;
        }
        match kind {
            KeyKind::Text => KeyPart::Text(text(&mut key)),
            KeyKind::Int => KeyPart::Int(int(first, &mut key)),
            KeyKind::Hash => KeyPart::Hash(uint(8, 0, &mut key)),
        }
    })
}

/// Hours, days and minutes since 1970 that clocks know are nearer to 0.
const FAR: u64 = 5_000_000_000;

/// Whether bytes are a key of such parts, as [`Key`] writes it, of moments that clocks know.
pub(super) fn is_key(bytes: &[u8], kinds: &[KeyKind]) -> bool {
    let mut key = Key::default();
    let mut is_far = false;
    for (part, kind) in parts(bytes, kinds).zip(kinds) {
        match (part, kind) {
            (KeyPart::Text(text), _) => key.text(std::str::from_utf8(&text).ok()),
            (KeyPart::Int(value), _) => {
                is_far |= value.unsigned_abs() >= FAR;
                key.int(Some(value))
            }
            (KeyPart::Hash(hash), _) => key.hash(hash),
            (KeyPart::Null, KeyKind::Text) => key.text(None),
            (KeyPart::Null, KeyKind::Int) => key.int(None::<i64>),
            (KeyPart::Null, KeyKind::Hash) => key.hash(0),
        };
    }
    !is_far && key.bytes() == bytes
}

fn text<'k>(from: &mut &'k [u8]) -> Cow<'k, [u8]> {
    let mut own: Vec<u8> = Vec::new();
    loop {
        let end = memchr(END, from).unwrap_or(from.len());
        let (bytes, rest) = from.split_at(end);
        let rest = rest.get(1..).unwrap_or_default();
        let is_escaped = rest.first() == Some(&ESCAPED);
        *from = if is_escaped { &rest[1..] } else { rest };
        if own.is_empty() && !is_escaped {
            return bytes.into();
        }
        own.extend_from_slice(bytes);
        if !is_escaped {
            return own.into();
        }
        own.push(END);
    }
}

fn int(first: u8, from: &mut &[u8]) -> i64 {
    let (len, fill) = if first < ZERO { (ZERO - 1 - first, u64::MAX) } else { (first - ZERO, 0) };
    uint(usize::from(len), fill, from).cast_signed()
}

/// Reads so many bytes, the most significant first, behind those of `fill`.
fn uint(len: usize, fill: u64, from: &mut &[u8]) -> u64 {
    let (bytes, rest) = from.split_at(len.min(from.len()));
    *from = rest;
    bytes.iter().fold(fill, |value, &byte| value << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Parts = (Option<String>, Option<i64>, u64, Option<String>);
    const KINDS: [KeyKind; 4] = [KeyKind::Text, KeyKind::Int, KeyKind::Hash, KeyKind::Text];

    fn key_of((a, b, c, d): &Parts) -> Vec<u8> {
        let mut key = Key::default();
        key.start().text(a.as_deref()).int(*b).hash(*c).text(d.as_deref()).bytes().to_vec()
    }

    fn any_parts() -> impl Strategy<Value = Parts> {
        let text = || prop::option::of(prop_oneof!["[ab\0\u{1}é]{0,3}", any::<String>()]);
        let int = prop::option::of(prop_oneof![-300_i64..300, any::<i64>()]);
        (text(), int, prop_oneof![0_u64..3, any::<u64>()], text())
    }

    proptest! {
        #[test]
        fn keys_compare_as_their_parts_and_give_them_back(a in any_parts(), b in any_parts()) {
            let (one, other) = (key_of(&a), key_of(&b));
            let read = |key| parts(key, &KINDS).collect::<Vec<_>>();
            let text = |text: &Option<String>| {
                text.clone().map_or(KeyPart::Null, |text| KeyPart::Text(text.into_bytes().into()))
            };
            let expected = |(a, b, c, d): &Parts| vec![
                text(a),
                b.map_or(KeyPart::Null, KeyPart::Int),
                if *c == 0 { KeyPart::Null } else { KeyPart::Hash(*c) },
                text(d),
            ];
            prop_assert_eq!(&read(&one), &expected(&a));
            prop_assert_eq!(one.cmp(&other), expected(&a).cmp(&expected(&b)));
            let far = a.1.is_some_and(|int| int.unsigned_abs() >= FAR);
            prop_assert_eq!(is_key(&one, &KINDS), !far);
            prop_assert!(!is_key(&[&one[..], &[NULL]].concat(), &KINDS));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(parts(&bytes, &KINDS).count(), 4);
            is_key(&bytes, &KINDS);
        }
    }
}
