//! Copies to winners, sessions to rows and states, and states to tables.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;

use arrow::compute::filter_record_batch;
use arrow::record_batch::RecordBatch;
use korpus_engine::RunReport;

use super::frames::{Events, notes_of, to_notes};
use crate::aggregate::{Aggregates, Stored};
use crate::analyze::{Counts, place_of};
use crate::codec::Reader;
use crate::error::{AnalyticsError, Result};
use crate::events::{Event, FILTERED, is_record};
use crate::export::Wanted;
use crate::fold::{Coverage, FoldRules, Folder, Reach, Rules, is_message};
use crate::local_time::LocalTime;
use crate::metrics::Metric;
use crate::options::AnalyzeOptions;
use crate::symbols::{FastMap, Names};

/// What [`fold_events`] made of some sessions.
#[derive(Debug)]
pub struct FoldedSessions {
    /// Rows of `sessions`, in the order of the table.
    pub sessions: RecordBatch,
    /// Notes on users, to be brought together by their `key`: see [`notes_schema`](super::notes_schema).
    pub users: RecordBatch,
    /// The state of the aggregates.
    pub state: Aggregates,
}

/// Of the copies of each message, or session record, the one that is kept: the newest, where one that says nothing of its
/// version is the oldest; of equally new ones the one with the most keys that hold something; then the one whose content hash is
/// smallest. `events` must hold all events of each `id` that it holds any of. What has no `id` is kept.
///
/// Messages that the filters leave out win over their copies, and are gone then. Batches and rows keep their order.
///
/// # Errors
/// [`AnalyticsError::State`] for batches that are no events.
pub fn deduplicate_events(events: &[RecordBatch]) -> Result<Vec<RecordBatch>> {
    let read = events.iter().map(Events::new).collect::<Result<Vec<_>>>()?;
    let kept = kept(&read, true);
    let winners = events.iter().zip(kept).map(|(batch, kept)| filter_record_batch(batch, &kept.into()));
    Ok(winners.collect::<Result<Vec<_>, _>>()?)
}

/// Which events are kept, by batch and row.
fn kept(events: &[Events], dedup: bool) -> Vec<Vec<bool>> {
    let mut kept: Vec<Vec<bool>> = events.iter().map(|events| vec![true; events.len()]).collect();
    let mut winners: FastMap<(bool, u128), (usize, usize)> = FastMap::default();
    for (batch, rows) in events.iter().enumerate().filter(|_| dedup) {
        for row in 0..rows.len() {
            let Some(id) = rows.id(row) else { continue };
            match winners.entry((is_record(rows.frame(row).kind), id)) {
                Entry::Vacant(winner) => drop(winner.insert((batch, row))),
                Entry::Occupied(mut winner) => {
                    let (other, at) = *winner.get();
                    let wins = rank(rows, row) > rank(&events[other], at);
                    let (batch, row) = if wins { winner.insert((batch, row)) } else { (batch, row) };
                    kept[batch][row] = false;
                }
            }
        }
    }
    for (events, kept) in events.iter().zip(&mut kept) {
        for (row, kept) in kept.iter_mut().enumerate() {
            *kept &= events.frame(row).kind != FILTERED;
        }
    }
    kept
}

/// The greatest of the copies of a message is kept. Equal ones that nothing tells apart may still be of different sessions, as
/// the messages of calls that nobody knows: what tells them apart then is the same in any order.
fn rank(events: &Events, row: usize) -> impl Ord + '_ {
    let frame = events.frame(row);
    (events.rank(row), Reverse((frame.key, frame.kind, frame.payload)))
}

/// The fold: `events` must hold whole sessions, that is all events of each `key` that it holds any of. `coverage` is that of all
/// workers.
///
/// Copies of a message are brought down to one, as by [`deduplicate_events`], unless the options say to keep them; those of
/// other sessions cannot be seen here.
///
/// # Errors
/// [`AnalyticsError::State`] for batches that are no events.
pub fn fold_events(
    events: &[RecordBatch],
    coverage: &Coverage,
    options: &AnalyzeOptions,
) -> Result<FoldedSessions> {
    let events = events.iter().map(Events::new).collect::<Result<Vec<_>>>()?;
    let mut bytes = Vec::new();
    for (events, kept) in events.iter().zip(kept(&events, options.dedup())) {
        for (row, _) in kept.iter().enumerate().filter(|(_, kept)| **kept) {
            events.put(row, &mut bytes);
        }
    }
    drop(events);
    let mut folder = Folder::new(LocalTime::new(options.timezone.clone()), Reach::Anywhere);
    let names = Names::default();
    let coverage = coverage.clone().within(options.window);
    let rules = FoldRules {
        names: &names,
        rules: Rules { coverage: &coverage, gap: options.inactivity_gap_ms.saturating_mul(1000) },
        include_developers: options.include_developers,
        exports: Wanted::default(),
    };
    folder.fold([bytes.as_slice()], rules, |_| true);
    let sessions = folder.take_rows().map_err(AnalyticsError::of_foreign)?;
    let users = notes_of(&folder.feeder.users.frames)?;
    Ok(FoldedSessions { sessions, users, state: folder.feeder.into_states() })
}

/// Counts users: `notes` must hold all notes of each `key` that it holds any of.
///
/// # Errors
/// [`AnalyticsError::State`] for batches that are no notes, and for notes that name no group.
pub fn fold_users(notes: &[RecordBatch]) -> Result<Aggregates> {
    let mut state = Aggregates::default();
    crate::fold::fold_users([to_notes(notes)?.as_slice()], Reach::Anywhere, &mut state)?;
    Ok(state)
}

impl Coverage {
    /// What the messages cover that `events` are of, from the first to the last of each bot: to be asked of the winners, as
    /// copies that lose cover nothing.
    ///
    /// # Errors
    /// [`AnalyticsError::State`] for batches that are no events.
    pub fn of_events(events: &[RecordBatch]) -> Result<Self> {
        let names = Names::default();
        let mut coverage = Self::default();
        for batch in events {
            let events = Events::new(batch)?;
            for frame in (0..events.len()).map(|row| events.frame(row)).filter(|frame| is_message(frame.kind))
            {
                if let (bot, Some(at)) = Event::read_coverage(Reader::new(frame.payload, &names)) {
                    coverage.add(bot, at);
                }
            }
        }
        Ok(coverage)
    }
}

impl Aggregates {
    /// The tables of the aggregates, batch by batch in the order of [`Metric::ALL`], to `put`; and what there was. `run` tells
    /// where a message stands that something was seen in for the first time; it can where all events are of that run, and
    /// `first_source` is empty without it.
    ///
    /// # Errors
    /// What `put` fails with; [`AnalyticsError::State`] for a state that no sessions have.
    pub fn tables(
        self,
        options: &AnalyzeOptions,
        run: Option<&RunReport>,
        put: &mut dyn FnMut(Metric, RecordBatch) -> Result<()>,
    ) -> Result<Counts> {
        let source = |seq| run.map_or_else(String::new, |run| place_of(&run.ledger, seq));
        let states = Stored::from(self);
        let counts = Counts::of(&states)?;
        let mut has_failed = false;
        let mut put = |metric, batch| {
            let outcome = put(metric, batch);
            has_failed = outcome.is_err();
            outcome
        };
        let outcome = states.finish(&mut LocalTime::new(options.timezone.clone()), &source, &mut put);
        outcome.map_err(|error| if has_failed { error } else { error.of_foreign() })?;
        Ok(counts)
    }
}
