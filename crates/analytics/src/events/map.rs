//! The job that makes events of messages: the first of the three steps.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use korpus_core::{Limits, Scratch};
use korpus_engine::{BlockSeq, Job, Work};
use twox_hash::XxHash3_128;

use super::keyed::{KEY_BYTES, put_key};
use super::known::KnownTexts;
use super::message::{Ahead, EventWriter, Lists, NameWriter, OF_CALL, RecentSessions, session_key};
use super::{Event, MESSAGE, OF_BODY, is_record};
use crate::codec::put_text;
use crate::error::{AnalyticsError, Result};
use crate::exchange::{Exchange, put_frame};
use crate::fold::Coverage;
use crate::state::MergeableState;
use crate::symbols::{Names, SymbolCache, Symbols};
use crate::text::{Phrases, TextCache};

/// Makes the events of a run.
#[allow(clippy::struct_excessive_bools, reason = "each is an option by itself")]
#[derive(Debug)]
pub(crate) struct EventJob {
    pub limits: Limits,
    pub phrases: Phrases,
    /// Names are kept here, or written out where there is none.
    pub symbols: Option<Symbols>,
    /// Whether several messages with the same id may be kept.
    pub copies: bool,
    /// Whether messages hold the ids that were made up for them.
    pub restored: bool,
    /// Whether all that was said is wanted.
    pub verbatim: bool,
    /// Whether each event has its key behind it, and messages that filters leave out are told: for programs that bring
    /// copies together themselves. Needs a run that de-duplicates.
    pub keyed: bool,
    /// Emptied parts, to be filled again.
    pub free: Mutex<Vec<Vec<u8>>>,
}

/// How many emptied parts are kept.
const SPARE: usize = 16;

/// What a worker has for itself.
#[derive(Debug)]
pub(crate) struct EventLocal {
    scratch: Scratch,
    cache: SymbolCache,
    texts: TextCache,
    known: KnownTexts,
    lists: Lists,
    recent: RecentSessions,
    bytes: Vec<u8>,
    decoded: String,
}

/// Where events wait for each other.
#[derive(Debug)]
pub(crate) struct EventState {
    pub exchange: Exchange,
    /// Events whose session is their body: they go to the exchange when all bodies are read.
    pub of_bodies: Exchange,
    /// What all messages cover, copies too.
    pub seen: Coverage,
    /// Whether equal messages may be of different bots, as only the records around them say whose they are.
    pub is_told_around: bool,
    /// Whether each event has its key behind it.
    pub keyed: bool,
}

impl EventJob {
    pub(crate) fn new_local(&self) -> EventLocal {
        EventLocal {
            scratch: Scratch::new(&self.limits),
            cache: SymbolCache::default(),
            texts: TextCache::default(),
            known: KnownTexts::default(),
            lists: Lists::default(),
            recent: RecentSessions::default(),
            bytes: Vec::new(),
            decoded: String::new(),
        }
    }

    /// Appends the frames of all messages that match in a block, and of all records, with the ordinals of the block.
    pub(crate) fn events(&self, local: &mut EventLocal, work: &Work<'_>, part: &mut EventPart) {
        let EventPart { frames: out, seen, is_told_around } = part;
        let EventLocal { scratch, cache, texts, known, lists, recent, bytes, decoded } = local;
        let names = NameWriter { symbols: self.symbols.as_ref(), cache, decoded };
        let (copies, restored, verbatim) = (self.copies, self.restored, self.verbatim);
        let mut writer = EventWriter {
            names,
            phrases: &self.phrases,
            texts,
            known,
            lists,
            recent,
            bytes,
            copies,
            restored,
            verbatim,
        };
        // One after the other, what the texts of all messages are known by, what they show, and then the rest: the code of all
        // together does not fit into the cache of a core. Who panics is told by the message that was handed out last.
        writer.begin();
        let mut ahead = Ahead::with_room(work.block().message_count());
        for item in work.messages().filter(|item| item.matches) {
            writer.note_texts(&mut ahead, item.message);
        }
        for (at, _) in work.messages().filter(|item| item.matches).enumerate() {
            writer.texts(&ahead, at, scratch);
            scratch.reset();
        }
        if self.keyed {
            return Self::keyed_events(&mut writer, work, part);
        }
        for (at, item) in work.messages().filter(|item| item.matches).enumerate() {
            writer.frame(out, seen, &item, at);
            *is_told_around |= item.message.conversation().is_some();
        }
        for item in work.records() {
            writer.record(out, &item);
        }
    }

    /// The frames themselves, where each has its key behind it.
    fn keyed_events(writer: &mut EventWriter<'_>, work: &Work<'_>, part: &mut EventPart) {
        let EventPart { frames: out, seen, is_told_around } = part;
        let mut at = 0;
        for (item, key) in work.messages().zip(work.message_keys()) {
            let start = out.len();
            if item.matches {
                writer.frame(out, seen, &item, at);
                *is_told_around |= item.message.conversation().is_some();
                at += 1;
            } else {
                writer.filtered(out, &item, key.id);
            }
            put_key(out, start, key);
        }
        for (item, key) in work.records().zip(work.record_keys()) {
            let start = out.len();
            writer.record(out, &item);
            put_key(out, start, key);
        }
    }
}

/// The events of one block.
#[derive(Debug, Default)]
pub(crate) struct EventPart {
    frames: Vec<u8>,
    /// From the first to the last of its messages, by bot.
    seen: Coverage,
    /// Whether only the record around a message says whose it is.
    is_told_around: bool,
}

impl Job for EventJob {
    type Local = EventLocal;
    type Part = EventPart;
    type State = EventState;
    type Error = AnalyticsError;

    fn local(&self) -> EventLocal {
        self.new_local()
    }

    fn part(&self) -> EventPart {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        EventPart { frames: free.pop().unwrap_or_default(), ..EventPart::default() }
    }

    fn map(&self, local: &mut EventLocal, work: &Work<'_>, part: &mut EventPart) {
        self.events(local, work, part);
    }

    fn is_light(&self) -> bool {
        true
    }

    fn commit(&self, state: &mut EventState, at: &BlockSeq<'_>, part: EventPart) -> Result<()> {
        let base = |kind| if is_record(kind) { at.first_record } else { at.first_message };
        let EventPart { mut frames, seen, is_told_around } = part;
        let passed = state.exchange.push_some(&frames, base, |kind| kind != OF_BODY)?;
        if passed > 0 {
            state.of_bodies.push_some(&frames, base, |kind| kind == OF_BODY)?;
        }
        state.seen.merge(seen);
        state.is_told_around |= is_told_around;
        frames.clear();
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < SPARE {
            free.push(frames);
        }
        Ok(())
    }
}

impl EventState {
    /// Gives the events of bodies their sessions. `page_of` gives the body of a message that is kept, `call_of` the call
    /// that a body was requested for; otherwise the session is named by a hash of the ids in the body.
    pub(crate) fn resolve_bodies(
        &mut self,
        page_of: impl Fn(u64) -> Option<usize>,
        call_of: impl Fn(usize) -> Option<String>,
    ) -> Result<()> {
        let Self { exchange, of_bodies, keyed, .. } = self;
        let key_bytes = if *keyed { KEY_BYTES } else { 0 };
        let names = Names::default();
        let mut sums: BTreeMap<usize, u128> = BTreeMap::new();
        for partition in 0..of_bodies.partitions() {
            of_bodies.for_each(partition, |frame| {
                if let Some(page) = page_of(frame.seq) {
                    let sum = sums.entry(page).or_default();
                    // A sum does not depend on the order in which they come.
                    let event = Event::read(frame, &names);
                    *sum = sum.wrapping_add(XxHash3_128::oneshot(event.id().as_bytes()));
                }
            })?;
        }
        let mut moved = Vec::new();
        for partition in 0..of_bodies.partitions() {
            let mut failed = Ok(());
            of_bodies.for_each(partition, |frame| {
                let Some(page) = page_of(frame.seq) else { return };
                let id = call_of(page).unwrap_or_else(|| format!("{:032x}", sums.get(&page).unwrap_or(&0)));
                let (payload, key) = frame.payload.split_at(frame.payload.len().saturating_sub(key_bytes));
                moved.clear();
                put_frame(&mut moved, session_key(OF_CALL, None, &id), frame.seq, MESSAGE, |out| {
                    // The last byte is that of the session id that it did not have.
                    out.extend_from_slice(payload.split_last().map_or(&[], |(_, before)| before));
                    put_text(out, Some(&id));
                    out.extend_from_slice(key);
                });
                if failed.is_ok() {
                    failed = exchange.push(&moved, |_| 0);
                }
            })?;
            failed?;
        }
        Ok(())
    }
}
