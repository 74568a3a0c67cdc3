//! Keys of groups, written so that their bytes compare as their parts do: the order of a table is that of the bytes.

use std::borrow::Cow;

use memchr::memchr;

use crate::hash::{HashPart, hash_parts};
use crate::places::{KeyHash, key_hash};
use crate::symbols::Name;

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

impl KeyPart<'_> {
    /// The same, to ask for it; nothing where what should be a text is none.
    fn asked(&self) -> Option<Part<'_>> {
        Some(match self {
            Self::Null => Part::Null,
            Self::Int(value) => Part::Int(*value),
            Self::Hash(hash) => Part::hash(*hash),
            Self::Text(text) => Part::Text(Name::new(std::str::from_utf8(text).ok()?)),
        })
    }
}

/// A part of a key that is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part<'k> {
    Null,
    Int(i64),
    Hash(u64),
    Text(Name<'k>),
}

impl<'k> Part<'k> {
    pub(crate) fn text(name: Option<Name<'k>>) -> Self {
        name.map_or(Self::Null, Self::Text)
    }

    pub(crate) fn int(value: Option<impl Into<i64>>) -> Self {
        value.map_or(Self::Null, |value| Self::Int(value.into()))
    }

    /// The hash of a text; 0 for none.
    pub(crate) fn hash(hash: u64) -> Self {
        if hash == 0 { Self::Null } else { Self::Hash(hash) }
    }

    fn hashed(self) -> HashPart {
        match self {
            Self::Null => HashPart::Null,
            Self::Int(value) => HashPart::Int(value.cast_unsigned()),
            Self::Hash(hash) => HashPart::Int(hash),
            Self::Text(name) => HashPart::Hashed(name.hash()),
        }
    }

    fn put(self, key: &mut Vec<u8>) {
        match self {
            Self::Null => key.push(NULL),
            Self::Int(value) => put_int(key, value),
            Self::Hash(hash) => put_hash(key, hash),
            Self::Text(name) => put_text(key, name.text()),
        }
    }
}

/// The hash of a key that is made of these parts.
#[inline]
pub(crate) fn hash_of(parts: &[Part<'_>]) -> KeyHash {
    key_hash(hash_parts(parts.iter().map(|part| part.hashed())))
}

/// The hash of a [key](is_key) of such parts.
pub(crate) fn hash_of_key(key: &[u8], kinds: &[KeyKind]) -> KeyHash {
    key_hash(hash_parts(parts(key, kinds).map(|part| part.asked().unwrap_or(Part::Null).hashed())))
}

/// Appends the key that is made of these parts: the same bytes for the same parts.
pub(crate) fn put_key(key: &mut Vec<u8>, parts: &[Part<'_>]) {
    for part in parts {
        part.put(key);
    }
}

fn put_text(key: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    key.reserve(bytes.len() + 2);
    key.push(SOME);
    if has_end(bytes) {
        for &byte in bytes {
            key.push(byte);
            if byte == END {
                key.push(ESCAPED);
            }
        }
    } else {
        key.extend_from_slice(bytes);
    }
    key.push(END);
}

fn put_int(key: &mut Vec<u8>, value: i64) {
    let is_negative = value < 0;
    let distance = if is_negative { !value } else { value };
    let skipped = distance.leading_zeros() / 8;
    let len = 8 - skipped as u8;
    key.push(if is_negative { ZERO - 1 - len } else { ZERO + len });
    key.extend_from_slice(&value.to_be_bytes()[skipped as usize..]);
}

fn put_hash(key: &mut Vec<u8>, hash: u64) {
    key.push(SOME);
    key.extend_from_slice(&hash.to_be_bytes());
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

/// Whether bytes are a key of such parts, as [`put_key`] writes it, of moments that clocks know.
pub(super) fn is_key(bytes: &[u8], kinds: &[KeyKind]) -> bool {
    let mut key = Vec::with_capacity(bytes.len());
    let mut is_far = false;
    for part in parts(bytes, kinds) {
        let Some(part) = part.asked() else { return false };
        is_far |= matches!(part, Part::Int(value) if value.unsigned_abs() >= FAR);
        part.put(&mut key);
    }
    !is_far && key == bytes
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
        let [a, d] = [a, d].map(|text| Part::text(text.as_deref().map(Name::new)));
        let parts = [a, Part::int(*b), Part::hash(*c), d];
        let mut key = Vec::new();
        put_key(&mut key, &parts);
        assert_eq!(hash_of(&parts), hash_of_key(&key, &KINDS));
        key
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
            prop_assert_eq!(hash_of_key(&one, &KINDS) == hash_of_key(&other, &KINDS), one == other);
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
