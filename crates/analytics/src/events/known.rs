//! What texts show that come again: bots say the same things again and again. Each is looked into twice, and known from then
//! on, while there is room.

use korpus_engine::fetch;

use crate::hash::hash;
use crate::places::{KeyHash, Places, key_hash};

/// The lists of an event that its texts fill: the text itself, templates, actions, forms, drift.
pub(super) const LISTS: usize = 5;
/// Which of them is that of forms.
pub(super) const FORMS: usize = 3;
/// How many texts a worker remembers at most.
const MOST_KNOWN: usize = 1 << 14;
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

#[derive(Debug)]
struct Known {
    hash: KeyHash,
    showed: Showed,
}

/// Texts that were met.
#[derive(Debug, Default)]
pub(super) struct KnownTexts {
    places: Places,
    known: Vec<Known>,
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
    Again,
    Known(Showed),
}

impl KnownTexts {
    /// What tells a text from others, as it stands in the body; the first of a message shows more.
    pub(super) fn hash_of(raw: &str, is_first: bool) -> KeyHash {
        key_hash(hash(raw.as_bytes()) ^ u128::from(is_first))
    }

    /// Fetches what it takes to meet texts.
    pub(super) fn fetch(&self, texts: &[KeyHash]) {
        let start_of = |place: usize| self.bytes.get(self.known[place].showed.start as usize);
        self.places.fetch(texts, |place| start_of(place).copied().unwrap_or_default());
        fetch(texts.iter().filter_map(|hash| self.met.get(met_at(*hash))).map(|&half| half as u8));
    }

    /// Meets a text.
    pub(super) fn meet(&mut self, hash: KeyHash) -> Met {
        if let Some(place) = self.places.find(hash, |place| self.known[place].hash == hash) {
            return Met::Known(self.known[place].showed);
        }
        self.met.resize(MET, 0);
        let (place, half) = (met_at(hash), hash[1]);
        let is_again = std::mem::replace(&mut self.met[place], half) == half;
        if is_again { Met::Again } else { Met::First }
    }

    /// Remembers what a text shows that was met again, by its hash: flags, the hash of what it says, and what it adds to
    /// lists. Where there is no more room, all others are forgotten: those that still come will be met again.
    pub(super) fn remember(&mut self, met: KeyHash, flags: u32, hash: u64, lists: [&[u8]; LISTS]) {
        let len: usize = lists.iter().map(|list| list.len()).sum();
        if len > MOST_BYTES {
            return;
        }
        if self.bytes.len() + len > MOST_BYTES || self.known.len() >= MOST_KNOWN {
            self.bytes.clear();
            self.known.clear();
            self.places.clear();
        }
        let start = self.bytes.len() as u32;
        let ends = lists.map(|list| {
            self.bytes.extend_from_slice(list);
            self.bytes.len() as u32
        });
        let known = &self.known;
        self.places.push(met, |place| known[place].hash[1]);
        self.known.push(Known { hash: met, showed: Showed { flags, hash, start, ends } });
    }

    /// What a text adds to lists.
    pub(super) fn lists(&self, showed: Showed) -> [&[u8]; LISTS] {
        let mut start = showed.start as usize;
        showed.ends.map(|end| &self.bytes[std::mem::replace(&mut start, end as usize)..end as usize])
    }
}

/// Where a text is noted that is met first.
fn met_at(hash: KeyHash) -> usize {
    hash[0] as usize % MET
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meet(texts: &mut KnownTexts, text: &str, is_first: bool) -> (KeyHash, Met) {
        let hash = KnownTexts::hash_of(text, is_first);
        texts.fetch(&[hash]);
        (hash, texts.meet(hash))
    }

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
                    let (met, how) = meet(&mut texts, &text, is_first);
                    match how {
                        Met::First => assert_eq!(round, 0),
                        Met::Again => {
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
            assert_eq!(meet(&mut texts, &format!("\"{n}\""), true).1, Met::First);
        }
        let text = "\"again\"";
        assert_eq!(meet(&mut texts, text, true).1, Met::First);
        let (met, how) = meet(&mut texts, text, true);
        assert_eq!(how, Met::Again);
        texts.remember(met, 1, 2, [&[]; LISTS]);
        assert!(matches!(meet(&mut texts, text, true).1, Met::Known(_)));
        assert_eq!((texts.known.len(), texts.met.len()), (1, MET));
        let long = vec![0; MOST_BYTES + 1];
        texts.remember(KnownTexts::hash_of(text, false), 1, 2, [&long, &[], &[], &[], &[]]);
        assert_eq!(texts.known.len(), 1);
    }
}
