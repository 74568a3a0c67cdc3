//! What the engine finds out about a block before the job sees it: ordinals, times, filter, keys, books.

use std::cell::Cell;

use korpus_core::{Block, Conversation, Message, Reason, Record, Reject, SessionRecord, Text};
use twox_hash::{XxHash3_64, XxHash3_128};

use crate::anchor::AnchorEntry;
use crate::around::RecordHashes;
use crate::filter::{Filter, filter_time};
use crate::keylog::{ID_TAIL, Key};
use crate::ledger::SliceBooks;
use crate::times::MessageTimes;
use crate::work::{BlockFacts, Current, MessageFact, RecordFact};

/// All that a block adds to a run, besides the part of the job. Ordinals count from the start of the block.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub facts: BlockFacts,
    pub slices: Vec<SliceBooks>,
    /// Of messages; the surrogate page is the index of the slice.
    pub keys: Vec<Key>,
    /// Of records; likewise.
    pub record_keys: Vec<Key>,
    pub anchors: Vec<AnchorEntry>,
}

impl Survey {
    pub(crate) fn messages_seen(&self) -> u64 {
        self.slices.iter().map(|slice| slice.messages_seen).sum()
    }
}

/// What is to be found out.
#[derive(Debug)]
pub(crate) struct Surveyor<'a> {
    pub filter: &'a Filter,
    pub dedup: bool,
    pub reject_bytes: usize,
}

/// What of a block a worker failed on so far.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    messages: Vec<usize>,
    records: Vec<usize>,
}

impl Failures {
    /// Notes what is to blame; all of the block where nothing is, and false where that was tried before.
    pub(crate) fn blame(&mut self, current: Current, block: &Block) -> bool {
        let before = self.messages.len() + self.records.len();
        match current {
            Current::Message(index) if !self.messages.contains(&index) => self.messages.push(index),
            Current::Record(index) if !self.records.contains(&index) => self.records.push(index),
            _ => {
                self.messages = (0..block.message_count()).collect();
                self.records = (0..block.records().len()).collect();
            }
        }
        self.messages.len() + self.records.len() > before
    }
}

impl Surveyor<'_> {
    /// Surveys `block`, less what a worker failed on. `current` says what is being looked at, should this panic.
    pub(crate) fn survey(
        &self,
        block: &Block,
        failures: &Failures,
        current: &Cell<Current>,
        scratch: &mut Vec<u8>,
    ) -> Survey {
        let mut survey = Survey::default();
        survey.facts.messages.reserve(block.message_count());
        if self.dedup {
            survey.keys.reserve(block.message_count());
        }
        let mut records = RecordHashes::default();
        // Running totals: a block may hold thousands of small bodies.
        let (mut messages_seen, mut records_seen) = (0, 0);
        for (slice, page) in block.pages().iter().enumerate() {
            let mut books = SliceBooks {
                page_index: page.page_index,
                starts: page.starts,
                end: page.end.clone(),
                ..SliceBooks::default()
            };
            let rejects = &block.rejects()[page.rejects.clone()];
            for reject in rejects {
                books.note(reject);
            }
            let mut ordinals = Ordinals::new(messages_seen, rejects, false);
            for index in page.messages.clone() {
                let message = block.message(index);
                let ordinal = ordinals.next(message.message_index());
                let failed = failures.messages.contains(&index);
                let mut fact =
                    MessageFact { ordinal, times: MessageTimes::default(), matches: false, failed };
                if failed {
                    books.messages_rejected += 1;
                    books.failed = true;
                    let reject = self.failed_message(message);
                    books.note(&reject);
                    survey.facts.failed.push((page.page_index, reject));
                } else {
                    current.set(Current::Message(index));
                    fact.times = MessageTimes::of(message);
                    let event_at = fact.times.event_at;
                    fact.matches = self.filter.matches(message, event_at);
                    if let Some(at) = event_at {
                        books.times.push(at);
                    }
                    if self.dedup {
                        let around = records.around(message);
                        survey.keys.push(message_key(message, &fact, slice as u32, around, scratch));
                    }
                    if let Some(id) = &self.filter.msg_id {
                        let is_anchor = message.id().is_some_and(|text| text.is(id));
                        if is_anchor || fact.matches {
                            let session = session_hash(message);
                            let at = filter_time(message, event_at).unwrap_or(i64::MIN);
                            survey.anchors.push(AnchorEntry { ordinal, session, at, is_anchor });
                        }
                    }
                    current.set(Current::Nothing);
                }
                survey.facts.messages.push(fact);
            }
            books.messages_seen = ordinals.seen();
            messages_seen += books.messages_seen;
            books.messages_rejected += ordinals.rejects.len() as u64;

            let mut ordinals = Ordinals::new(records_seen, rejects, true);
            for index in page.records.clone() {
                let record = block.record(index);
                let record_index = match record {
                    Record::Conversation(record) => record.record_index(),
                    Record::Session(record) => record.record_index(),
                };
                let ordinal = ordinals.next(record_index);
                let failed = failures.records.contains(&index);
                let mut fact = RecordFact { ordinal, matches: false, failed };
                if failed {
                    books.records_rejected += 1;
                    books.failed = true;
                    let reject = self.failed_record(record);
                    books.note(&reject);
                    survey.facts.failed.push((page.page_index, reject));
                } else {
                    current.set(Current::Record(index));
                    fact.matches = self.filter.matches_record(record);
                    if self.dedup {
                        survey.record_keys.push(record_key(
                            record,
                            record_index,
                            ordinal,
                            slice as u32,
                            scratch,
                        ));
                    }
                    current.set(Current::Nothing);
                }
                survey.facts.records.push(fact);
            }
            books.records_seen = ordinals.seen();
            records_seen += books.records_seen;
            books.records_rejected += ordinals.rejects.len() as u64;
            survey.slices.push(books);
        }
        survey
    }

    fn failed_message(&self, message: Message<'_>) -> Reject {
        let id = message.id().and_then(Text::exact).map(std::borrow::Cow::into_owned);
        let raw = message.whole().raw().as_bytes();
        self.failed(message.message_index(), false, message.position().byte_offset, raw, id)
    }

    fn failed_record(&self, record: Record<'_>) -> Reject {
        let (index, offset, raw) = match record {
            Record::Conversation(r) => (r.record_index(), r.position().byte_offset, r.whole().raw()),
            Record::Session(r) => (r.record_index(), r.position().byte_offset, r.whole().raw()),
        };
        self.failed(index, true, offset, raw.as_bytes(), None)
    }

    fn failed(
        &self,
        index: u64,
        is_record: bool,
        offset: u64,
        raw: &[u8],
        message_id: Option<String>,
    ) -> Reject {
        Reject {
            index,
            is_record,
            byte_offset: offset,
            byte_length: raw.len() as u64,
            fault_offset: offset,
            reason: Reason::Internal,
            message_id,
            raw: raw[..raw.len().min(self.reject_bytes)].to_vec(),
            raw_hash: XxHash3_128::oneshot(raw),
        }
    }
}

/// Gives out ordinals in the order of a body, where rejected spans take one too.
struct Ordinals {
    next: u64,
    first: u64,
    /// Indices of the rejected spans, ascending.
    rejects: Vec<u64>,
    passed: usize,
}

impl Ordinals {
    fn new(first: u64, rejects: &[Reject], records: bool) -> Self {
        let rejects =
            rejects.iter().filter(|reject| reject.is_record == records).map(|reject| reject.index).collect();
        Self { next: first, first, rejects, passed: 0 }
    }

    fn next(&mut self, index: u64) -> u64 {
        while self.rejects.get(self.passed).is_some_and(|&reject| reject < index) {
            self.passed += 1;
            self.next += 1;
        }
        self.next += 1;
        self.next - 1
    }

    /// All that were given out, and the rejects after them.
    fn seen(&self) -> u64 {
        self.next - self.first + (self.rejects.len() - self.passed) as u64
    }
}

/// Hash of a string's decoded text; of its raw bytes where it holds a lone surrogate.
fn text_hash(text: Text<'_>) -> u128 {
    match text.exact() {
        Some(text) => XxHash3_128::oneshot(text.as_bytes()),
        None => XxHash3_128::oneshot(text.raw().as_bytes()),
    }
}

fn message_key(
    message: Message<'_>,
    fact: &MessageFact,
    slice: u32,
    around: u32,
    scratch: &mut Vec<u8>,
) -> Key {
    let surrogate = message.surrogate_id();
    // The id of the record around it stands for the body: pages that overlap repeat whole records.
    let is_of_record = message.conversation().and_then(Conversation::filled_id).is_some();
    let id = surrogate.or_else(|| message.id().map(text_hash)).unwrap_or_default();
    Key {
        id: shortened(id),
        content: upper_half(message.content_hash(scratch)),
        version: fact.times.version().unwrap_or(i64::MIN),
        richness: message.richness(),
        around,
        ordinal: fact.ordinal,
        surrogate_page: surrogate.filter(|_| !is_of_record).map(|_| slice),
    }
}

/// Sessions are the same by (`botId`, `sessionId`), conversations by `_id`. One without an id is the same only where
/// body, place and content are.
fn record_key(record: Record<'_>, index: u64, ordinal: u64, slice: u32, scratch: &mut Vec<u8>) -> Key {
    let id_of = |text: Option<Text<'_>>| text.filter(|text| !text.is_empty()).map(text_hash);
    let (id, content, richness) = match record {
        Record::Conversation(record) => conversation_key(record, id_of(record.id()), scratch),
        Record::Session(record) => {
            session_key(record, id_of(record.session_id()), id_of(record.bot_id()), scratch)
        }
    };
    let key = |id, surrogate_page| Key {
        id: shortened(id),
        content: upper_half(content),
        version: i64::MIN,
        richness,
        around: 0,
        ordinal,
        surrogate_page,
    };
    match id {
        Some(id) => key(id, None),
        None => key(mix(&[content, u128::from(index)]), Some(slice)),
    }
}

fn conversation_key(
    record: Conversation<'_>,
    id: Option<u128>,
    scratch: &mut Vec<u8>,
) -> (Option<u128>, u128, u32) {
    (id.map(|id| mix(&[1, id])), record.content_hash(scratch), record.richness())
}

fn session_key(
    record: SessionRecord<'_>,
    session: Option<u128>,
    bot: Option<u128>,
    scratch: &mut Vec<u8>,
) -> (Option<u128>, u128, u32) {
    let id = session.map(|session| mix(&[2, session, bot.unwrap_or_default()]));
    (id, record.content_hash(scratch), record.richness())
}

/// The bits of an id that a key holds.
pub(crate) fn shortened(id: u128) -> u128 {
    id >> ID_TAIL << ID_TAIL
}

/// The half of a hash that is looked at first.
pub(crate) fn upper_half(hash: u128) -> u64 {
    (hash >> 64) as u64
}

fn mix(parts: &[u128]) -> u128 {
    let mut hasher = XxHash3_128::new();
    for part in parts {
        hasher.write(&part.to_le_bytes());
    }
    hasher.finish_128()
}

/// Which conversation a message belongs to: by session, else by the record around it; 0 where nothing says.
fn session_hash(message: Message<'_>) -> u64 {
    let text = message.session_id().or_else(|| message.conversation().and_then(Conversation::id));
    text.filter(|text| !text.is_empty()).map_or(0, |text| match text.exact() {
        Some(text) => XxHash3_64::oneshot(text.as_bytes()),
        None => XxHash3_64::oneshot(text.raw().as_bytes()),
    })
}
