//! The third step: the events of a partition, session by session, to rows and states.

mod by_session;
mod coverage;
mod feed;
mod observed;
mod row;
mod session;
mod users;
mod walked;

use arrow::record_batch::RecordBatch;
use korpus_engine::fetch_all;

use crate::codec::Reader;
use crate::error::Result;
use crate::events::{Event, Flags, MESSAGE, PLATFORM, PlatformRecord, UNSESSIONED, is_record};
use crate::exchange::{Frame, frames};
use crate::export::{Exported, Wanted};
use crate::local_time::LocalTime;
use crate::metrics::Metric;
use crate::rows::Rows;
use crate::symbols::Names;

use by_session::by_session;
pub use coverage::Coverage;
pub(crate) use feed::Feeder;
use session::Lists;
use session::developer_of;
pub(crate) use session::{Handoff, Rules, Session};
pub(crate) use users::{NOTE, Reach, fold_users};
use walked::Walked;

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
    /// The memory of frames and events of the partition before.
    found: Vec<Frame<'static>>,
    events: Vec<Event<'static>>,
}

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
            found: Vec::new(),
            events: Vec::new(),
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
        let mut found = std::mem::take(&mut self.found);
        for frame in all.filter(|&frame| kept(frame)) {
            if frame.kind == UNSESSIONED {
                self.feeder.unsessioned(&Event::read(frame, rules.names));
            } else {
                found.push(frame);
            }
        }
        let (mut events, mut walked) = (std::mem::take(&mut self.events), Walked::default());
        by_session(&found, |key, group| {
            let frames = || group.iter().map(|&(_, at)| found[at as usize]);
            let messages = frames().filter(|frame| !is_record(frame.kind));
            events.clear();
            events.extend(messages.map(|frame| Event::read(frame, rules.names)));
            // Where copies were kept there may be several: one of them, whichever order they came in.
            let counts = |frame: &Frame<'_>| frame.kind == PLATFORM || !events.is_empty();
            let records = frames().filter(|frame| is_record(frame.kind) && counts(frame));
            let platform =
                records.map(|frame| PlatformRecord::read(Reader::new(frame.payload, rules.names))).max();
            // They come by their times, and mostly those differ.
            if !events.is_sorted_by(Event::is_before) {
                events.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
            }
            self.session(key, &mut events, platform, &mut walked, rules);
        });
        self.feeder.end();
        (self.found, self.events) = (emptied(found), emptied(events));
    }

    /// How many rows wait to be taken.
    pub(crate) fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// The rows of all that was folded since they were last taken.
    pub(crate) fn take_rows(&mut self) -> Result<RecordBatch> {
        self.rows.finish()
    }

    fn session<'a>(
        &mut self,
        key: u128,
        events: &mut Vec<Event<'a>>,
        platform: Option<PlatformRecord<'a>>,
        walked: &mut Walked<'a>,
        rules: FoldRules<'_>,
    ) {
        let is_original =
            |event: &Event<'_>| event.flags.has(Flags::HAS_ID) && !event.flags.has(Flags::AGENT_AI);
        if events.iter().any(is_original) {
            events.retain(|event| {
                let stays = !event.flags.has(Flags::COPY);
                if !stays {
                    self.feeder.drift(event);
                }
                stays
            });
        }
        self.feeder.inversions(events);
        if developer_of(events, platform) == Some(true) {
            self.feeder.count("developer_sessions", i64::from(!events.is_empty()));
            if !rules.include_developers {
                for event in events.iter() {
                    self.feeder.drift(event);
                }
                return;
            }
        }
        if events.is_empty() {
            if let Some(platform) = platform {
                self.feeder.unmatched(platform);
            }
            return;
        }
        let session = Session::new(key, events, platform, rules.rules, &mut self.lists);
        row::push(&mut self.rows, &session, &mut self.room);
        self.exported.add(&session, rules.exports);
        self.feeder.session(&session, walked);
        self.lists.waits = session.waits;
        self.lists.let_go();
        self.room.let_go();
    }
}

/// Whether a frame is a message, of a session or not.
pub(crate) fn is_message(kind: u8) -> bool {
    matches!(kind, MESSAGE | UNSESSIONED)
}
