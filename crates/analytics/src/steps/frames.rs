//! Events and notes on users as Arrow batches.

use std::cmp::Reverse;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, FixedSizeBinaryArray, FixedSizeBinaryBuilder,
    Int64Array, Int64Builder, UInt8Array, UInt8Builder, UInt32Array, UInt32Builder, UInt64Array,
    UInt64Builder,
};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, UInt8Type, UInt32Type, UInt64Type};
use arrow::record_batch::RecordBatch;
use korpus_core::is_timestamp;
use korpus_engine::Key;

use crate::error::{AnalyticsError, Result};
use crate::events::{Event, FILTERED, MESSAGE, UNSESSIONED, is_alone, is_record};
use crate::exchange::{Frame, frames, put_frame};
use crate::fold::NOTE;
use crate::state::columns_of;

/// The schema of notes on users: what [`fold_events`](super::fold_events) gives and [`fold_users`](super::fold_users) takes.
///
/// | column | |
/// |---|---|
/// | `key` | a hash of the user: all notes of one belong together |
/// | `seq` | 0 |
/// | `kind` | what tells notes from events |
/// | `payload` | what only the next step understands |
pub fn notes_schema() -> SchemaRef {
    Arc::new(Schema::new(frame_fields().to_vec()))
}

/// The schema of events, and of the session records of the platform that go with them: what [`map_events`](super::map_events)
/// gives and [`fold_events`](super::fold_events) takes.
///
/// | column | |
/// |---|---|
/// | `key` | a hash of the session: all events of one belong together. Of a message or record without a session, of its id |
/// | `seq` | the ordinal of the message or record within its run. Workers count each for themselves: nothing but `first_source` of the table `drift` goes by it |
/// | `kind` | what it is: a message of a session, one of none, a session record, or what the filters left out |
/// | `payload` | what only the next steps understand |
/// | `id` | a hash of what copies have in common: the id of the message, or bot and session of the record; of what has no id, its content and its place in a body like this. Null where nothing is to be de-duplicated, as are the columns behind it |
/// | `version` | when the message was last changed, in microseconds since 1970: the later of `lmodifiedOn` and `__lModifiedOn__`. Null where nothing says so |
/// | `richness` | how many of its keys hold something |
/// | `content` | a hash of its content without white space: among copies of one `id`, equal hashes are equal messages |
/// | `around` | how much is known around it, by the record that it stands in or the call that was asked for; 0 where nothing is |
pub fn events_schema() -> SchemaRef {
    let mut fields = frame_fields().to_vec();
    fields.extend([
        Field::new("id", DataType::FixedSizeBinary(16), true),
        Field::new("version", DataType::Int64, true),
        Field::new("richness", DataType::UInt32, true),
        Field::new("content", DataType::UInt64, true),
        Field::new("around", DataType::UInt32, true),
    ]);
    Arc::new(Schema::new(fields))
}

fn frame_fields() -> [Field; 4] {
    [
        Field::new("key", DataType::FixedSizeBinary(16), false),
        Field::new("seq", DataType::UInt64, false),
        Field::new("kind", DataType::UInt8, false),
        Field::new("payload", DataType::Binary, false),
    ]
}

/// The columns that all frames have, on their way.
struct FrameColumns {
    keys: FixedSizeBinaryBuilder,
    seqs: UInt64Builder,
    kinds: UInt8Builder,
    payloads: BinaryBuilder,
}

impl FrameColumns {
    fn new() -> Self {
        Self {
            keys: FixedSizeBinaryBuilder::new(16),
            seqs: UInt64Builder::new(),
            kinds: UInt8Builder::new(),
            payloads: BinaryBuilder::new(),
        }
    }

    fn push(&mut self, key: u128, frame: Frame<'_>, payload: &[u8]) -> Result<()> {
        let bytes = self.payloads.values_slice().len() + payload.len();
        if i32::try_from(bytes).is_err() {
            return Err(AnalyticsError::State(TOO_LARGE));
        }
        self.keys.append_value(key.to_be_bytes())?;
        self.seqs.append_value(frame.seq);
        self.kinds.append_value(frame.kind);
        self.payloads.append_value(payload);
        Ok(())
    }

    fn finish(mut self) -> Vec<ArrayRef> {
        vec![
            Arc::new(self.keys.finish()),
            Arc::new(self.seqs.finish()),
            Arc::new(self.kinds.finish()),
            Arc::new(self.payloads.finish()),
        ]
    }
}

pub(super) const TOO_LARGE: &str =
    "a batch holds 2 GiB at most: make more partitions, or map fewer bodies at a time";

/// Notes, as they come of the fold.
pub(super) fn notes_of(bytes: &[u8]) -> Result<RecordBatch> {
    let mut columns = FrameColumns::new();
    for (frame, _) in frames(bytes) {
        columns.push(frame.key, frame, frame.payload)?;
    }
    Ok(RecordBatch::try_new(notes_schema(), columns.finish())?)
}

/// Events on their way.
pub(super) struct EventColumns {
    frames: FrameColumns,
    ids: FixedSizeBinaryBuilder,
    versions: Int64Builder,
    richness: UInt32Builder,
    contents: UInt64Builder,
    around: UInt32Builder,
    len: usize,
}

impl EventColumns {
    pub(super) fn new() -> Self {
        Self {
            frames: FrameColumns::new(),
            ids: FixedSizeBinaryBuilder::new(16),
            versions: Int64Builder::new(),
            richness: UInt32Builder::new(),
            contents: UInt64Builder::new(),
            around: UInt32Builder::new(),
            len: 0,
        }
    }

    /// Adds an event, with what de-duplication knows of it: its key, once it is settled.
    pub(super) fn push(&mut self, frame: Frame<'_>, payload: &[u8], known: Option<Key>) -> Result<()> {
        self.len += 1;
        // What has no session comes together with its copies.
        let key = known.filter(|_| is_alone(frame.kind)).map_or(frame.key, |known| known.id);
        self.frames.push(key, frame, payload)?;
        match known {
            Some(known) => self.ids.append_value(known.id.to_be_bytes())?,
            None => self.ids.append_null(),
        }
        self.versions.append_option(known.map(|key| key.version).filter(|&version| version != i64::MIN));
        self.richness.append_option(known.map(|key| key.richness));
        self.contents.append_option(known.map(|key| key.content));
        self.around.append_option(known.map(|key| key.around));
        Ok(())
    }

    /// The events, if there are any.
    pub(super) fn finish(mut self) -> Result<Option<RecordBatch>> {
        if self.len == 0 {
            return Ok(None);
        }
        let mut columns = self.frames.finish();
        let known: [ArrayRef; 5] = [
            Arc::new(self.ids.finish()),
            Arc::new(self.versions.finish()),
            Arc::new(self.richness.finish()),
            Arc::new(self.contents.finish()),
            Arc::new(self.around.finish()),
        ];
        columns.extend(known);
        Ok(Some(RecordBatch::try_new(events_schema(), columns)?))
    }
}

/// The columns that all frames have, as they are read.
#[derive(Debug, Clone)]
struct Frames {
    keys: FixedSizeBinaryArray,
    seqs: UInt64Array,
    kinds: UInt8Array,
    payloads: BinaryArray,
}

impl Frames {
    fn new(columns: &[ArrayRef]) -> Self {
        Self {
            keys: columns[0].as_fixed_size_binary().clone(),
            seqs: columns[1].as_primitive::<UInt64Type>().clone(),
            kinds: columns[2].as_primitive::<UInt8Type>().clone(),
            payloads: columns[3].as_binary::<i32>().clone(),
        }
    }

    fn frame(&self, row: usize) -> Frame<'_> {
        Frame {
            key: number(self.keys.value(row)),
            seq: self.seqs.value(row),
            kind: self.kinds.value(row),
            payload: self.payloads.value(row),
        }
    }
}

/// What 16 bytes are, the most significant first: numbers compare as the bytes do.
pub(super) fn number(bytes: &[u8]) -> u128 {
    bytes.try_into().map_or(0, u128::from_be_bytes)
}

/// Appends a frame.
fn put(bytes: &mut Vec<u8>, frame: Frame<'_>) {
    put_frame(bytes, frame.key, frame.seq, frame.kind, |out| out.extend_from_slice(frame.payload));
}

/// The frames of notes.
pub(super) fn to_notes(batches: &[RecordBatch]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for batch in batches {
        let notes = Frames::new(&columns_of(batch, &notes_schema())?);
        for row in 0..batch.num_rows() {
            let frame = notes.frame(row);
            if frame.kind != NOTE {
                return Err(AnalyticsError::State("that is no note on a user"));
            }
            put(&mut bytes, frame);
        }
    }
    Ok(bytes)
}

/// Events as they are read.
#[derive(Debug, Clone)]
pub(super) struct Events {
    frames: Frames,
    ids: FixedSizeBinaryArray,
    versions: Int64Array,
    richness: UInt32Array,
    contents: UInt64Array,
    around: UInt32Array,
}

impl Events {
    /// Reads a batch; one with something in it that is no event is refused.
    pub(super) fn new(batch: &RecordBatch) -> Result<Self> {
        let columns = columns_of(batch, &events_schema())?;
        let events = Self {
            frames: Frames::new(&columns),
            ids: columns[4].as_fixed_size_binary().clone(),
            versions: columns[5].as_primitive::<Int64Type>().clone(),
            richness: columns[6].as_primitive::<UInt32Type>().clone(),
            contents: columns[7].as_primitive::<UInt64Type>().clone(),
            around: columns[8].as_primitive::<UInt32Type>().clone(),
        };
        for row in 0..events.len() {
            let frame = events.frame(row);
            match frame.kind {
                MESSAGE | UNSESSIONED if Event::time_of(frame).is_none_or(is_timestamp) => {}
                FILTERED => {}
                kind if is_record(kind) => {}
                _ => return Err(AnalyticsError::State("that is no event")),
            }
        }
        Ok(events)
    }

    pub(super) fn len(&self) -> usize {
        self.frames.keys.len()
    }

    pub(super) fn frame(&self, row: usize) -> Frame<'_> {
        self.frames.frame(row)
    }

    /// What its copies have in common, where copies are known.
    pub(super) fn id(&self, row: usize) -> Option<u128> {
        self.ids.is_valid(row).then(|| number(self.ids.value(row)))
    }

    /// Where it stands among its copies, the greatest of which is kept: as in [`Key`].
    pub(super) fn rank(&self, row: usize) -> impl Ord + use<> {
        let version = self.versions.is_valid(row).then(|| self.versions.value(row));
        let richness = self.richness.is_valid(row).then(|| self.richness.value(row));
        let content = self.contents.is_valid(row).then(|| self.contents.value(row));
        let around = self.around.is_valid(row).then(|| self.around.value(row));
        (version, richness, Reverse(content), around)
    }

    /// Appends an event as a frame.
    pub(super) fn put(&self, row: usize, bytes: &mut Vec<u8>) {
        put(bytes, self.frame(row));
    }
}
