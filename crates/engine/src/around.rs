//! What is known around messages: the same message may stand in several records, or be the answer to several requests. Which of
//! these it is kept with must not depend on the order of the inputs.

use std::borrow::Cow;

use korpus_core::{Conversation, Message, Position, Text};
use twox_hash::XxHash3_128;

use crate::ledger::{Ledger, Pages};

/// Bits that tell what is equally rich apart: records that differ come to the same here once in 16 million cases.
const TAIL: u32 = 24;

/// How much is known around a message by something that has so many keys and this hash: see [`Key::around`](crate::Key).
///
/// Of records of one id the same is kept as of the messages in them: the richest one, then the one with the least hash.
fn around(richness: u32, hash: u128) -> u32 {
    let most = u32::MAX >> TAIL;
    let head = richness.saturating_add(1).min(most);
    let tail = (hash >> (u128::BITS - TAIL)) as u32;
    // Of the tail, the complement: the greatest is kept.
    (head << TAIL) + ((1 << TAIL) - 1 - tail)
}

/// What tells the records of one block apart, found out once for all messages in each.
#[derive(Debug, Default)]
pub struct RecordHashes {
    last: Option<Known>,
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    /// Where the record begins.
    at: Position,
    hash: u128,
    richness: u32,
}

impl RecordHashes {
    /// The id of a record; of one without, or with an empty one, its [content hash](Conversation::content_hash) in hexadecimal.
    /// It must be of the same block as those before it.
    pub fn id_of<'b>(&mut self, record: Conversation<'b>) -> Cow<'b, str> {
        record.filled_id().map_or_else(|| format!("{:032x}", self.known(record).hash).into(), Text::lossy)
    }

    /// How much the record around a message makes known; 0 where there is none.
    pub(crate) fn around(&mut self, message: Message<'_>) -> u32 {
        message.conversation().map_or(0, |record| {
            let Known { hash, richness, .. } = self.known(record);
            around(richness, hash)
        })
    }

    fn known(&mut self, record: Conversation<'_>) -> Known {
        let at = record.position();
        match self.last {
            Some(last) if last.at == at => last,
            _ => {
                let hash = record.content_hash(&mut self.bytes);
                *self.last.insert(Known { at, hash, richness: record.richness() })
            }
        }
    }
}

/// What de-duplication knows of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BodyKey {
    /// Hash of the messages without an id in it: see [`PageRow::array_hash`](crate::PageRow).
    pub array_hash: u128,
    /// How much the request for it makes known of its messages: the call, or nothing.
    pub around: u32,
}

/// What de-duplication knows of all bodies.
#[derive(Debug)]
pub struct Bodies<'l> {
    pages: &'l Pages,
    /// By input.
    around: Vec<u32>,
}

impl<'l> Bodies<'l> {
    pub(crate) fn new(ledger: &'l Ledger) -> Self {
        let around_call = |call: String| around(0, XxHash3_128::oneshot(call.as_bytes()));
        let around = ledger.inputs().iter().map(|input| input.call_id().map_or(0, around_call)).collect();
        Self { pages: ledger.pages(), around }
    }

    /// What is known of a body, by its ordinal; nothing where there is none.
    pub fn of(&self, page: usize) -> BodyKey {
        self.pages.get(page).map_or_else(BodyKey::default, |page| BodyKey {
            array_hash: page.array_hash,
            around: self.around.get(page.input).copied().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_richest_is_the_greatest_and_of_equals_that_with_the_least_hash() {
        let hash = |upper: u32| u128::from(upper) << 96;
        assert!(around(0, u128::MAX) > 0, "anything is more than nothing");
        assert!(around(3, u128::MAX) > around(2, 0));
        assert!(around(2, hash(256)) > around(2, hash(512)));
        // Past what there is room for, all are alike; nothing runs over.
        assert_eq!(around(254, 7), around(u32::MAX, 7));
        assert_eq!(around(u32::MAX, 0), u32::MAX);
    }
}
