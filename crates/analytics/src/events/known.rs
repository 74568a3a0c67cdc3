//! What texts show that come again: bots say the same things again and again, and each is looked into twice.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::hash::hash;

/// The lists of an event that its texts fill: the text itself, templates, actions, forms, drift.
const LISTS: usize = 5;
/// Which of them is that of forms.
pub(super) const FORMS: usize = 3;
/// How long each of them is.
pub(super) type Ends = [usize; LISTS];
/// How many texts a worker remembers at most: those that a table of 3 MiB has room for.
const MOST_KNOWN: usize = 7 << 12;
/// How many bytes of what they show.
const MOST_BYTES: usize = 2 << 20;

/// What a text is known to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Showed {
    pub flags: u32,
    /// The hash of what it says.
    pub hash: u64,
    /// Where what it adds to the first list begins, and where what it adds to each ends.
    start: u32,
    ends: [u32; LISTS],
}

/// Texts that were met.
#[derive(Debug, Default)]
pub(super) struct KnownTexts {
    known: HashTable<Known>,
    /// What they add to lists, one behind the other.
    bytes: Vec<u8>,
}

#[derive(Debug)]
struct Known {
    hash: u128,
    /// Nothing of what was met once.
    showed: Option<Showed>,
}

/// How a text was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    First,
    /// Before: what it shows is worth remembering.
    Again(u128),
    Known(Showed),
}

impl KnownTexts {
    /// Meets a text as it stands in the body; the first of a message shows more.
    pub(super) fn meet(&mut self, raw: &str, is_first: bool) -> Met {
        let hash = hash(raw.as_bytes()) ^ u128::from(is_first);
        let is_full = self.known.len() >= MOST_KNOWN;
        match self.known.entry(hash as u64, |known| known.hash == hash, |known| known.hash as u64) {
            Entry::Occupied(known) => known.get().showed.map_or(Met::Again(hash), Met::Known),
            Entry::Vacant(free) => {
                if !is_full {
                    free.insert(Known { hash, showed: None });
                }
                Met::First
            }
        }
    }

    /// Remembers what a text shows that was met again: flags, the hash of what it says, and what it adds to lists.
    pub(super) fn remember(&mut self, met: u128, flags: u32, hash: u64, lists: [&[u8]; LISTS]) {
        let len: usize = lists.iter().map(|list| list.len()).sum();
        if self.bytes.len() + len > MOST_BYTES {
            return;
        }
        let Some(known) = self.known.find_mut(met as u64, |known| known.hash == met) else { return };
        let start = self.bytes.len() as u32;
        let ends = lists.map(|list| {
            self.bytes.extend_from_slice(list);
            self.bytes.len() as u32
        });
        known.showed = Some(Showed { flags, hash, start, ends });
    }

    /// What a text adds to lists.
    pub(super) fn lists(&self, showed: Showed) -> [&[u8]; LISTS] {
        let mut start = showed.start as usize;
        showed.ends.map(|end| &self.bytes[std::mem::replace(&mut start, end as usize)..end as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_met_twice_is_known_the_third_time() {
        let mut texts = KnownTexts::default();
        let lists = |text: &str| [text, "", "actions", "", text].map(|list| list.as_bytes().to_vec());
        let mut kept = 0;
        for round in 0..4_u64 {
            for n in 0..(MOST_KNOWN as u64 + 100) {
                let text = format!("\"{}\"", n.to_string().repeat(1 + n as usize % 20));
                let lists = lists(&text);
                for is_first in [true, false] {
                    match texts.meet(&text, is_first) {
                        Met::First => assert!(round == 0 || n * 2 >= MOST_KNOWN as u64),
                        Met::Again(hash) => {
                            assert!(round > 0);
                            let lists = lists.each_ref().map(Vec::as_slice);
                            texts.remember(hash, n as u32, n + u64::from(is_first), lists);
                        }
                        Met::Known(showed) => {
                            assert!(round > 1);
                            assert_eq!((showed.flags, showed.hash), (n as u32, n + u64::from(is_first)));
                            assert_eq!(texts.lists(showed), lists.each_ref().map(Vec::as_slice));
                            kept += 1;
                        }
                    }
                }
            }
        }
        assert!(kept > 20_000 && texts.known.len() == MOST_KNOWN);
        assert!(texts.bytes.len() <= MOST_BYTES && texts.bytes.len() > MOST_BYTES - 1000);
    }
}
