//! How events and states are written as bytes: small integers, and texts that are written out or are the number of a name.

use crate::symbols::{Name, Names, OwnName};

/// Appends an integer in as few bytes as it needs.
#[inline]
pub(crate) fn put_uint(out: &mut Vec<u8>, mut value: u64) {
    if value < 0x80 {
        return out.push(value as u8);
    }
    if value < 0x4000 {
        return out.extend_from_slice(&[value as u8 | 0x80, (value >> 7) as u8]);
    }
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed integer.
pub(crate) fn put_int(out: &mut Vec<u8>, value: i64) {
    put_uint(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Appends an integer that may be missing.
pub(crate) fn put_maybe(out: &mut Vec<u8>, value: Option<i64>) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        put_int(out, value);
    }
}

/// Appends a text: 0 for none, an odd number for that of a name, an even one for its length plus 1.
#[inline]
pub(crate) fn put_text(out: &mut Vec<u8>, text: Option<&str>) {
    let Some(text) = text else { return out.push(0) };
    put_uint(out, (text.len() as u64 + 1) << 1);
    out.extend_from_slice(text.as_bytes());
}

/// Appends what takes four bytes, such as flags.
#[inline]
pub(crate) fn put_short(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends what takes eight bytes, such as a hash.
#[inline]
pub(crate) fn put_fixed(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends the number of a name.
#[inline]
pub(crate) fn put_symbol(out: &mut Vec<u8>, number: u32) {
    put_uint(out, u64::from(number) << 1 | 1);
}

/// Reads what was written. Bytes that were never written this way give zeros, never a panic: states come from outside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    names: &'a Names,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], names: &'a Names) -> Self {
        Self { bytes, names }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.bytes.split_at(len.min(self.bytes.len()));
        self.bytes = rest;
        taken
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    #[inline]
    pub(crate) fn uint(&mut self) -> u64 {
        match self.bytes.split_first() {
            Some((&byte, rest)) if byte < 0x80 => {
                self.bytes = rest;
                u64::from(byte)
            }
            _ => self.long_uint(),
        }
    }

    fn long_uint(&mut self) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            if shift < 64 {
                value |= u64::from(byte & 0x7f) << shift;
            }
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    }

    pub(crate) fn int(&mut self) -> i64 {
        let value = self.uint();
        (value >> 1) as i64 ^ -((value & 1) as i64)
    }

    /// Reads what takes four bytes, such as flags.
    #[inline]
    pub(crate) fn short(&mut self) -> u32 {
        self.take(4).try_into().map_or(0, u32::from_le_bytes)
    }

    /// Reads what takes eight bytes, such as a hash.
    #[inline]
    pub(crate) fn fixed(&mut self) -> u64 {
        self.take(8).try_into().map_or(0, u64::from_le_bytes)
    }

    pub(crate) fn maybe(&mut self) -> Option<i64> {
        (self.byte() != 0).then(|| self.int())
    }

    /// The names that it reads numbers of.
    pub(crate) fn names(&self) -> &'a Names {
        self.names
    }

    /// The same, from a place on.
    #[inline]
    pub(crate) fn from(&self, place: usize) -> Self {
        Self { bytes: self.bytes.get(place..).unwrap_or_default(), names: self.names }
    }

    /// Nothing to be read.
    pub(crate) fn nothing(&self) -> Self {
        Self { bytes: &[], names: self.names }
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        self.unread_text().read()
    }

    pub(crate) fn name(&mut self) -> Option<Name<'a>> {
        self.unread_text().name()
    }

    /// The bytes of a text, whether or not they are one.
    pub(crate) fn text_bytes(&mut self) -> Option<&'a [u8]> {
        self.unread_text().bytes()
    }

    #[inline]
    fn unread_text(&mut self) -> Unread<'a> {
        match self.uint() {
            0 => Unread::None,
            odd if odd & 1 == 1 => match self.names.get((odd >> 1) as u32) {
                Some(name) => Unread::Name(name),
                None => Unread::Bytes(&[]),
            },
            even => Unread::Bytes(self.take(len_of(even))),
        }
    }

    /// Passes a text.
    #[inline]
    pub(crate) fn skip_text(&mut self) {
        let tag = self.uint();
        if tag & 1 == 0 && tag > 0 {
            self.take(len_of(tag));
        }
    }

    /// Reads a list that was written with its length in bytes.
    pub(crate) fn list(&mut self) -> Reader<'a> {
        let len = usize::try_from(self.uint()).unwrap_or(usize::MAX);
        Reader { bytes: self.take(len), names: self.names }
    }
}

/// The length of a text that is written out.
#[inline]
fn len_of(tag: u64) -> usize {
    usize::try_from((tag >> 1) - 1).unwrap_or(usize::MAX)
}

/// A text, of which not yet is known whether its bytes are one.
enum Unread<'a> {
    None,
    Name(&'a OwnName),
    Bytes(&'a [u8]),
}

impl<'a> Unread<'a> {
    #[inline]
    fn read(self) -> Option<&'a str> {
        match self {
            Self::None => None,
            Self::Name(name) => Some(name.name().text()),
            Self::Bytes(bytes) => Some(std::str::from_utf8(bytes).unwrap_or_default()),
        }
    }

    #[inline]
    fn name(self) -> Option<Name<'a>> {
        match self {
            Self::Name(name) => Some(name.name()),
            unread => unread.read().map(Name::new),
        }
    }

    /// The bytes of the text.
    fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::None => None,
            Self::Name(name) => Some(name.name().text().as_bytes()),
            Self::Bytes(bytes) => Some(bytes),
        }
    }
}

/// Appends a list with its length in bytes, and empties it.
pub(crate) fn put_list(out: &mut Vec<u8>, list: &mut Vec<u8>) {
    if list.is_empty() {
        return out.push(0);
    }
    put_uint(out, list.len() as u64);
    out.extend_from_slice(list);
    list.clear();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(a in any::<u64>(), b in any::<i64>(), c in any::<Option<i64>>(), text in any::<Option<String>>()) {
            let mut out = Vec::new();
            put_uint(&mut out, a);
            put_int(&mut out, b);
            put_maybe(&mut out, c);
            put_text(&mut out, text.as_deref());
            let mut list = vec![7; 3];
            put_list(&mut out, &mut list);
            let names = Names::default();
            let mut reader = Reader::new(&out, &names);
            prop_assert_eq!((reader.uint(), reader.int(), reader.maybe()), (a, b, c));
            prop_assert_eq!(reader.text(), text.as_deref());
            prop_assert_eq!(reader.list().rest(), &[7, 7, 7]);
            prop_assert!(reader.is_empty() && list.is_empty());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let names = Names::default();
            let mut reader = Reader::new(&bytes, &names);
            for _ in 0..20 {
                let mut passed = reader;
                passed.skip_text();
                reader.text();
                prop_assert_eq!(passed.rest(), reader.rest());
                reader.list();
                reader.maybe();
            }
        }
    }
}
