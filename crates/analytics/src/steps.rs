//! The three steps one by one, over Arrow batches: for programs that bring their own exchange, such as an engine that runs
//! on many machines.
//!
//! [`map_events`] makes events of messages; whoever calls it brings those with the same `key` together. [`fold_events`]
//! makes rows of sessions, a state of the aggregates, and notes on users, which are brought together by their `key` too,
//! for [`fold_users`]. The states of both, merged in any order, [finish](Aggregates::tables) as the tables.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryBuilder, FixedSizeBinaryBuilder, UInt8Builder, UInt64Builder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt8Type, UInt64Type};
use arrow::record_batch::RecordBatch;
use korpus_engine::{InputList, Observer, Pool, RunReport};

use crate::aggregate::{Aggregates, Stored};
use crate::analyze::{Counts, Kept, mapped, place_of};
use crate::error::{AnalyticsError, Result};
use crate::exchange::{frames, put_frame};
use crate::export::Wanted;
use crate::fold::{Coverage, FoldRules, Folder, Rules};
use crate::local_time::LocalTime;
use crate::metrics::Metric;
use crate::options::AnalyzeOptions;
use crate::symbols::Names;

/// The schema of events and of notes on users: a key, by which rows are brought together, and what only the next step
/// understands.
pub fn frames_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("key", DataType::FixedSizeBinary(16), false),
        Field::new("seq", DataType::UInt64, false),
        Field::new("kind", DataType::UInt8, false),
        Field::new("payload", DataType::Binary, false),
    ]))
}

/// What [`map_events`] found.
#[derive(Debug)]
pub struct MappedEvents {
    /// The events of all kept messages, and the session records of the platform: see [`frames_schema`].
    pub batches: Vec<RecordBatch>,
    /// What the inputs cover of each bot; to be [merged](crate::MergeableState::merge) before the next step.
    pub coverage: Coverage,
    /// Every body and input, and what became of every message.
    pub run: RunReport,
}

/// The first step: the events of all messages that are kept.
///
/// De-duplication and filters have been applied, to what is in `inputs`.
///
/// # Errors
/// What ends a run.
pub fn map_events(
    inputs: &InputList,
    options: &AnalyzeOptions,
    observer: &dyn Observer,
) -> Result<MappedEvents> {
    let pool = Pool::new(options.run.memory.threads(options.threads))?;
    let mapped = mapped(&pool, inputs, options, Kept::default(), observer)?;
    let fold = mapped.fold(&pool, options);
    let coverage = fold.coverage()?;
    let mut batches = Vec::new();
    for partition in 0..mapped.exchange.partitions() {
        let mut bytes = Vec::new();
        mapped.exchange.for_each(partition, |frame| {
            if fold.is_kept(frame) {
                put_frame(&mut bytes, frame.key, frame.seq, frame.kind, |out| {
                    out.extend_from_slice(frame.payload);
                });
            }
        })?;
        if !bytes.is_empty() {
            batches.push(to_batch(&bytes)?);
        }
    }
    Ok(MappedEvents { batches, coverage, run: mapped.run })
}

/// What [`fold_events`] made of some sessions.
#[derive(Debug)]
pub struct FoldedSessions {
    /// Rows of `sessions`, in the order of the table.
    pub sessions: RecordBatch,
    /// Notes on users, to be brought together by their `key`: see [`frames_schema`].
    pub users: RecordBatch,
    /// The state of the aggregates.
    pub state: Aggregates,
}

/// The second and third step: `events` must hold whole sessions, that is all events of each key that it holds any of.
///
/// # Errors
/// [`AnalyticsError::State`] for batches that are no events.
pub fn fold_events(
    events: &[RecordBatch],
    coverage: &Coverage,
    options: &AnalyzeOptions,
) -> Result<FoldedSessions> {
    let bytes = to_frames(events)?;
    let mut folder = Folder::new(LocalTime::new(options.timezone.clone()));
    let names = Names::default();
    let coverage = coverage.clone().within(options.window);
    let rules = FoldRules {
        names: &names,
        rules: Rules { coverage: &coverage, gap: options.inactivity_gap_ms.saturating_mul(1000) },
        include_developers: options.include_developers,
        exports: Wanted::default(),
    };
    folder.fold([bytes.as_slice()], rules, |_| true);
    let sessions = folder.take_rows()?;
    let users = to_batch(&folder.feeder.users.frames)?;
    Ok(FoldedSessions { sessions, users, state: folder.feeder.states })
}

/// The exchange by user: `notes` must hold all notes of each key that it holds any of.
///
/// # Errors
/// [`AnalyticsError::State`] for batches that are no notes.
pub fn fold_users(notes: &[RecordBatch]) -> Result<Aggregates> {
    let mut state = Aggregates::default();
    crate::fold::fold_users([to_frames(notes)?.as_slice()], &mut state);
    Ok(state)
}

impl Aggregates {
    /// The tables of the aggregates, batch by batch in the order of [`Metric::ALL`], to `put`; and what there was. `run` tells
    /// where a message stands that something was seen in for the first time.
    ///
    /// # Errors
    /// What `put` fails with.
    pub fn tables(
        self,
        options: &AnalyzeOptions,
        run: Option<&RunReport>,
        put: &mut dyn FnMut(Metric, RecordBatch) -> Result<()>,
    ) -> Result<Counts> {
        let source = |seq| run.map_or_else(String::new, |run| place_of(&run.ledger, seq));
        let states = Stored::from(self);
        let counts = Counts::of(&states)?;
        states.finish(&mut LocalTime::new(options.timezone.clone()), &source, put)?;
        Ok(counts)
    }
}

fn to_batch(bytes: &[u8]) -> Result<RecordBatch> {
    let mut keys = FixedSizeBinaryBuilder::new(16);
    let mut seqs = UInt64Builder::new();
    let mut kinds = UInt8Builder::new();
    let mut payloads = BinaryBuilder::new();
    for (frame, _) in frames(bytes) {
        keys.append_value(frame.key.to_be_bytes())?;
        seqs.append_value(frame.seq);
        kinds.append_value(frame.kind);
        payloads.append_value(frame.payload);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(keys.finish()),
        Arc::new(seqs.finish()),
        Arc::new(kinds.finish()),
        Arc::new(payloads.finish()),
    ];
    Ok(RecordBatch::try_new(frames_schema(), columns)?)
}

fn to_frames(batches: &[RecordBatch]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for batch in batches {
        if batch.schema_ref().fields() != frames_schema().fields() {
            return Err(AnalyticsError::State(
                "events and notes have the columns key, seq, kind and payload",
            ));
        }
        let keys = batch.column(0).as_fixed_size_binary();
        let seqs = batch.column(1).as_primitive::<UInt64Type>();
        let kinds = batch.column(2).as_primitive::<UInt8Type>();
        let payloads = batch.column(3).as_binary::<i32>();
        for row in 0..batch.num_rows() {
            let key = keys.value(row).try_into().map_or(0, u128::from_be_bytes);
            put_frame(&mut bytes, key, seqs.value(row), kinds.value(row), |out| {
                out.extend_from_slice(payloads.value(row));
            });
        }
    }
    Ok(bytes)
}
