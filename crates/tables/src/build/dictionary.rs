//! Distinct texts, numbered in the order in which they first came.

use std::ops::Range;

use hashbrown::HashTable;
use twox_hash::XxHash3_64;

use super::column::span;

/// Distinct texts, end to end, and the way from a text to its code.
#[derive(Default)]
pub(crate) struct Dictionary {
    text: String,
    ends: Vec<u32>,
    codes: HashTable<u32>,
}

impl std::fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Dictionary {
    /// How many texts there are: their codes are the numbers below.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of all texts together.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The text of a code that was given out.
    #[inline]
    pub(crate) fn get(&self, code: u32) -> &str {
        &self.text[span_of(&self.ends, code)]
    }

    /// The same, for those to whom its bytes are enough.
    #[inline]
    pub(crate) fn bytes_of(&self, code: u32) -> &[u8] {
        bytes_of(&self.text, &self.ends, code)
    }

    /// The bytes of all texts, end to end.
    #[inline]
    pub(crate) fn all_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Where the text of a code begins among them.
    #[inline]
    pub(crate) fn start_of(&self, code: u32) -> u32 {
        span_of(&self.ends, code).start as u32
    }

    /// The code of `text`, which is added where it is new.
    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        let Self { text: all, ends, codes } = self;
        let hash = XxHash3_64::oneshot(text.as_bytes());
        if let Some(&code) = codes.find(hash, |&code| bytes_of(all, ends, code) == text.as_bytes()) {
            return code;
        }
        let code = ends.len() as u32;
        all.push_str(text);
        ends.push(all.len() as u32);
        codes.insert_unique(hash, code, |&code| XxHash3_64::oneshot(bytes_of(all, ends, code)));
        code
    }

    /// The code here of the text that has `code` in `other`; `known` remembers those that were asked for, and is empty first.
    #[inline]
    pub(crate) fn adopt(&mut self, other: &Self, code: u32, known: &mut Vec<u32>) -> u32 {
        const UNKNOWN: u32 = u32::MAX;
        if known.is_empty() {
            known.resize(other.len(), UNKNOWN);
        }
        let own = &mut known[code as usize];
        if *own == UNKNOWN {
            *own = self.intern(other.get(code));
        }
        *own
    }

    /// The texts, in the order of their codes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|code| self.get(code as u32))
    }

    /// Forgets the texts and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.codes.clear();
    }
}

#[inline]
fn bytes_of<'d>(text: &'d str, ends: &[u32], code: u32) -> &'d [u8] {
    &text.as_bytes()[span_of(ends, code)]
}

#[inline]
fn span_of(ends: &[u32], code: u32) -> Range<usize> {
    span(ends, code as usize..code as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_one_code() {
        let mut dictionary = Dictionary::default();
        for _ in 0..2 {
            let codes: Vec<u32> = ["b", "", "a", "b", ""].map(|text| dictionary.intern(text)).into();
            assert_eq!(codes, [0, 1, 2, 0, 1]);
            assert_eq!(dictionary.iter().collect::<Vec<_>>(), ["b", "", "a"]);
            assert_eq!((dictionary.len(), dictionary.bytes()), (3, 2));
            dictionary.clear();
        }
    }

    #[test]
    fn many_texts_stay_apart() {
        let mut dictionary = Dictionary::default();
        for round in 0..2 {
            for n in 0..5000_u32 {
                assert_eq!(dictionary.intern(&n.to_string()), n, "{round}");
            }
        }
        assert_eq!(dictionary.get(4711), "4711");
    }
}
