//! What texts show that come again: bots say the same things again and again. Each is looked into twice, and known from then
//! on, while there is room.

use hashbrown::HashTable;

use crate::hash::hash;

/// The lists of an event that its texts fill: the text itself, templates, actions, forms, drift.
pub(super) const LISTS: usize = 5;
/// Which of them is that of forms.
pub(super) const FORMS: usize = 3;
/// How many texts a worker remembers at most: those that a table of 1 MiB has room for.
const MOST_KNOWN: usize = 7 << 11;
/// How many bytes of what they show.
const MOST_BYTES: usize = 2 << 20;
/// How many places there are for texts that were met once: later ones take those of earlier ones.
const MET: usize = 1 << 15;

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
    known: HashTable<(u128, Showed)>,
    /// What they add to lists, one behind the other.
    bytes: Vec<u8>,
    /// Half a hash of each text that was met once, at the place that the other half chooses: what is never met again, which
    /// is most, takes no more.
    met: Vec<u64>,
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
        if let Some(&(_, showed)) = self.known.find(hash as u64, |known| known.0 == hash) {
            return Met::Known(showed);
        }
        self.met.resize(MET, 0);
        let (place, half) = (hash as usize % MET, (hash >> 64) as u64);
        let is_again = std::mem::replace(&mut self.met[place], half) == half;
        if is_again { Met::Again(hash) } else { Met::First }
    }

    /// Remembers what a text shows that was met again: flags, the hash of what it says, and what it adds to lists. Where there
    /// is no more room, all others are forgotten: those that still come will be met again.
    pub(super) fn remember(&mut self, met: u128, flags: u32, hash: u64, lists: [&[u8]; LISTS]) {
        let len: usize = lists.iter().map(|list| list.len()).sum();
        if len > MOST_BYTES {
            return;
        }
        if self.bytes.len() + len > MOST_BYTES || self.known.len() >= MOST_KNOWN {
            self.bytes.clear();
            self.known.clear();
        }
        let start = self.bytes.len() as u32;
        let ends = lists.map(|list| {
            self.bytes.extend_from_slice(list);
            self.bytes.len() as u32
        });
        self.known
            .insert_unique(met as u64, (met, Showed { flags, hash, start, ends }), |known| known.0 as u64);
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

    fn lists(text: &str) -> [Vec<u8>; LISTS] {
        [text, "", "actions", "", text].map(|list| list.as_bytes().to_vec())
    }

    #[test]
    fn what_is_met_twice_is_known_the_third_time() {
        let mut texts = KnownTexts::default();
        for n in 0..3 * MOST_KNOWN {
            let text = format!("\"{}\"", format!("{n} ").repeat(1 + n % 40));
            let lists = lists(&text);
            for round in 0..4 {
                for is_first in [true, false] {
                    let hash = n as u64 + u64::from(is_first);
                    match texts.meet(&text, is_first) {
                        Met::First => assert_eq!(round, 0),
                        Met::Again(met) => {
                            // Or all were forgotten, to make room for this one's brother.
                            assert!(round == 1 || texts.known.len() == 1, "{n}");
                            texts.remember(met, n as u32, hash, lists.each_ref().map(Vec::as_slice));
                        }
                        Met::Known(showed) => {
                            assert!(round > 1);
                            assert_eq!((showed.flags, showed.hash), (n as u32, hash));
                            assert_eq!(texts.lists(showed), lists.each_ref().map(Vec::as_slice));
                        }
                    }
                }
            }
            assert!(texts.known.len() <= MOST_KNOWN && texts.bytes.len() <= MOST_BYTES);
        }
    }

    #[test]
    fn texts_that_are_never_met_again_take_no_more() {
        let mut texts = KnownTexts::default();
        for n in 0..3 * MET {
            assert_eq!(texts.meet(&format!("\"{n}\""), true), Met::First);
        }
        let text = "\"again\"";
        assert_eq!(texts.meet(text, true), Met::First);
        let Met::Again(met) = texts.meet(text, true) else { panic!("it was met") };
        texts.remember(met, 1, 2, [&[]; LISTS]);
        assert!(matches!(texts.meet(text, true), Met::Known(_)));
        assert_eq!((texts.known.len(), texts.met.len()), (1, MET));
        let long = vec![0; MOST_BYTES + 1];
        texts.remember(met ^ 1, 1, 2, [&long, &[], &[], &[], &[]]);
        assert_eq!(texts.known.len(), 1);
    }
}
