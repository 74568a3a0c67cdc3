//! The third step: the events of a partition, session by session, to rows and states.

mod by_session;
mod coverage;
mod feed;
mod observed;
mod row;
mod session;
mod users;
mod walked;

use std::ops::Range;

use arrow::record_batch::RecordBatch;
use korpus_engine::fetch_all;

use crate::codec::Reader;
use crate::error::Result;
use crate::events::{
    Event, Flags, MESSAGE, PLATFORM, PLATFORM_ALONE, PlatformRecord, UNSESSIONED, is_record,
};
use crate::exchange::{Frame, frames};
use crate::export::{Exported, Wanted};
use crate::local_time::LocalTime;
use crate::metrics::Metric;
use crate::rows::Rows;
use crate::symbols::Names;

use by_session::BySession;
pub use coverage::Coverage;
pub(crate) use feed::Feeder;
use session::Lists;
use session::developer_of;
pub(crate) use session::{Handoff, Rules, Session};
pub(crate) use users::{NOTE, Reach, fold_users};
use walked::{AllWalked, Counted};

/// What decides about all sessions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FoldRules<'c> {
    pub names: &'c Names,
    pub rules: Rules<'c>,
    pub include_developers: bool,
    pub exports: Wanted,
}

/// Folds partitions, one after the other.
#[derive(Debug)]
pub(crate) struct Folder {
    pub feeder: Feeder,
    /// What the sessions give that are folded so far.
    pub exported: Exported,
    rows: Rows,
    lists: Lists,
    room: row::Room,
    by_session: BySession,
    /// The memory of what was there before, with nothing in it.
    frames: Vec<Frame<'static>>,
    events: Vec<Event<'static>>,
    sessions: Vec<Session<'static, 'static>>,
    walked: AllWalked<'static>,
    counted: Counted<'static>,
}

/// Sessions that are folded side by side: each step takes all of them before the next one does, as the code of all steps does
/// not fit into the cache of a core.
#[derive(Debug)]
struct Batch<'a> {
    /// Of all sessions, one behind the other.
    events: Vec<Event<'a>>,
    found: Vec<Found<'a>>,
    walked: AllWalked<'a>,
    counted: Counted<'a>,
}

/// A session that was found: its key, which of the events are its own, and what the platform says of it.
#[derive(Debug)]
struct Found<'a> {
    key: u128,
    events: Range<usize>,
    platform: Option<PlatformRecord<'a>>,
}

/// So many events are folded side by side, and those of the session that the last of them is of.
const SIDE_BY_SIDE: usize = 128;

/// Lists of sessions do not keep room for more than this from one to the next.
const KEPT: usize = 64;
/// More memory than this is not kept from one partition to the next, of each list.
const KEPT_BYTES: usize = 1 << 20;

/// What such a list has for memory, with nothing in it.
fn emptied<T, U>(mut list: Vec<T>) -> Vec<U> {
    list.clear();
    list.shrink_to(KEPT_BYTES / size_of::<T>());
    // Elements of the same layout are collected where they were.
    list.into_iter().map(|_| unreachable!("it is empty")).collect()
}

impl Folder {
    /// Notes on users will go as far as `reach` says.
    pub(crate) fn new(local: LocalTime, reach: Reach) -> Self {
        Self {
            feeder: Feeder::new(local, reach),
            exported: Exported::default(),
            rows: Rows::new(Metric::Sessions),
            lists: Lists::default(),
            room: row::Room::default(),
            by_session: BySession::default(),
            frames: Vec::new(),
            events: Vec::new(),
            sessions: Vec::new(),
            walked: AllWalked::default(),
            counted: Counted::default(),
        }
    }

    /// Folds all frames in `runs` that are `kept`, which are whole sessions, to rows in the order of their keys.
    pub(crate) fn fold<'b>(
        &mut self,
        runs: impl IntoIterator<Item = &'b [u8]>,
        rules: FoldRules<'b>,
        kept: impl Fn(Frame<'_>) -> bool,
    ) {
        let all = runs.into_iter().inspect(|run| fetch_all(run)).flat_map(frames).map(|(frame, _)| frame);
        let mut of_sessions = std::mem::take(&mut self.frames);
        for frame in all.filter(|&frame| kept(frame)) {
            match frame.kind {
                UNSESSIONED => self.feeder.unsessioned(&Event::read(frame, rules.names)),
                PLATFORM_ALONE => {
                    let record = PlatformRecord::read(Reader::new(frame.payload, rules.names));
                    if rules.include_developers || record.is_developer != Some(true) {
                        self.feeder.unmatched(record);
                    }
                }
                _ => of_sessions.push(frame),
            }
        }
        let mut batch = Batch {
            events: std::mem::take(&mut self.events),
            found: Vec::new(),
            walked: std::mem::take(&mut self.walked),
            counted: std::mem::take(&mut self.counted),
        };
        let mut by_session = std::mem::take(&mut self.by_session);
        by_session.each(&of_sessions, |key, group| {
            let frames = || group.iter().map(|&(_, at)| of_sessions[at as usize]);
            let messages = frames().filter(|frame| !is_record(frame.kind));
            let start = batch.events.len();
            batch.events.extend(messages.map(|frame| Event::read(frame, rules.names)));
            let events = &mut batch.events[start..];
            // Where copies were kept there may be several: one of them, whichever order they came in.
            let counts = |frame: &Frame<'_>| frame.kind == PLATFORM || !events.is_empty();
            let records = frames().filter(|frame| is_record(frame.kind) && counts(frame));
            let platform =
                records.map(|frame| PlatformRecord::read(Reader::new(frame.payload, rules.names))).max();
            // They come by their times, and mostly those differ.
            if !events.is_sorted_by(Event::is_before) {
                events.sort_unstable_by(Event::compare);
            }
            self.sift(&mut batch.events, start, platform, rules.include_developers);
            if batch.events.len() > start {
                batch.found.push(Found { key, events: start..batch.events.len(), platform });
            }
            if batch.events.len() >= SIDE_BY_SIDE {
                self.sessions(&mut batch, rules);
            }
        });
        self.by_session = by_session;
        self.sessions(&mut batch, rules);
        self.feeder.end();
        (self.frames, self.events) = (emptied(of_sessions), emptied(batch.events));
        (self.walked, self.counted) = (batch.walked.emptied(), batch.counted.emptied());
    }

    /// How many rows wait to be taken.
    pub(crate) fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// The rows of all that was folded since they were last taken.
    pub(crate) fn take_rows(&mut self) -> Result<RecordBatch> {
        self.rows.finish()
    }

    /// Takes out those events of the last session, which begins at `start`, that do not count: all of them, where it does not.
    fn sift<'a>(
        &mut self,
        events: &mut Vec<Event<'a>>,
        start: usize,
        platform: Option<PlatformRecord<'a>>,
        include_developers: bool,
    ) {
        let is_original =
            |event: &Event<'_>| event.flags.has(Flags::HAS_ID) && !event.flags.has(Flags::AGENT_AI);
        if events[start..].iter().any(is_original) {
            let is_copy = |event: &mut Event<'a>| event.flags.has(Flags::COPY);
            events.extract_if(start.., is_copy).for_each(|event| self.feeder.drift(&event));
        }
        let of_session = &events[start..];
        self.feeder.inversions(of_session);
        if developer_of(of_session, platform) == Some(true) {
            self.feeder.count("developer_sessions", i64::from(!of_session.is_empty()));
            if !include_developers {
                for event in of_session {
                    self.feeder.drift(event);
                }
                return events.truncate(start);
            }
        }
        if of_session.is_empty()
            && let Some(platform) = platform
        {
            self.feeder.unmatched(platform);
        }
    }

    /// Folds the sessions of a batch, and empties it.
    fn sessions<'a>(&mut self, batch: &mut Batch<'a>, rules: FoldRules<'_>) {
        let Batch { events, found, walked, counted } = batch;
        let mut sessions: Vec<Session<'_, 'a>> = std::mem::take(&mut self.sessions);
        sessions.extend(found.drain(..).map(|found| {
            Session::new(found.key, &events[found.events], found.platform, rules.rules, &mut self.lists)
        }));
        row::push(&mut self.rows, &sessions, &mut self.room);
        for session in &sessions {
            self.exported.add(session, rules.exports);
        }
        self.feeder.sessions(&sessions, walked, counted);
        self.lists.take_back(sessions.iter_mut().map(|session| std::mem::take(&mut session.waits)));
        self.sessions = emptied(sessions);
        self.room.let_go();
        if events.len() > 2 * SIDE_BY_SIDE {
            // Others will not take the memory that the last of them took.
            (*walked, *counted) = (AllWalked::default(), Counted::default());
        }
        events.clear();
    }
}

/// Whether a frame is a message, of a session or not.
pub(crate) fn is_message(kind: u8) -> bool {
    matches!(kind, MESSAGE | UNSESSIONED)
}
