//! The first step: messages to events.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use korpus_engine::{BodyKey, Fate, InputList, Observer, Pool, RunReport};

use super::frames::EventColumns;
use crate::analyze::{Kept, mapped};
use crate::error::{AnalyticsError, Result};
use crate::events::{FILTERED, is_record, split_key};
use crate::exchange::Frame;
use crate::fold::Coverage;
use crate::options::AnalyzeOptions;

/// What [`map_events`] found.
#[derive(Debug)]
pub struct MappedEvents {
    /// The events of all kept messages, and the session records of the platform: see [`events_schema`](super::events_schema).
    pub batches: Vec<RecordBatch>,
    /// What the inputs cover of each bot, by requests and by the messages that are kept.
    pub coverage: Coverage,
    /// Every body and input, and what became of every message.
    pub run: RunReport,
}

/// The first step: the events of all messages that are kept.
///
/// De-duplication and filters have been applied, to what is in `inputs`. Copies may come together later that are in the inputs
/// of several workers, and the filters decide about the one that wins: of what they leave out the events hold what
/// de-duplication needs. The filter's `skip`, `limit` and `msg_id` go by what this worker sees.
///
/// # Errors
/// What ends a run; [`AnalyticsError::State`] where events take more than a batch holds.
pub fn map_events(
    inputs: &InputList,
    options: &AnalyzeOptions,
    observer: &dyn Observer,
) -> Result<MappedEvents> {
    let pool = Pool::new(options.run.memory.threads(options.threads))?;
    let kept = Kept { keys: true, ..Kept::default() };
    let mapped = mapped(&pool, inputs, options, kept, observer)?;
    let fold = mapped.fold(&pool, options);
    let coverage = fold.coverage()?;
    let ledger = &mapped.run.ledger;
    let bodies = ledger.bodies();
    let body = |frame: Frame<'_>| {
        let seq = frame.seq;
        let page =
            if is_record(frame.kind) { ledger.page_of_record(seq) } else { ledger.page_of_message(seq) };
        page.map_or_else(BodyKey::default, |page| bodies.of(page))
    };
    let mut batches = Vec::new();
    for partition in 0..mapped.exchange.partitions() {
        let mut events = EventColumns::new();
        let mut failed = Ok(());
        mapped.exchange.for_each(partition, |frame| {
            let is_kept = if frame.kind == FILTERED {
                mapped.run.messages.fate(frame.seq) == Fate::Filtered
            } else {
                fold.is_kept(frame)
            };
            if !is_kept || failed.is_err() {
                return;
            }
            let keyed = split_key(frame.payload).filter(|_| options.dedup());
            let payload = keyed.map_or(frame.payload, |(payload, _)| payload);
            let known = keyed.map(|(_, mut key)| {
                key.settle(|_| body(frame));
                key
            });
            failed = events.push(frame, payload, known);
        })?;
        failed?;
        batches.extend(events.finish()?);
    }
    Ok(MappedEvents { batches, coverage, run: mapped.run })
}

/// [`map_events`] over bodies that stand in Arrow batches: in the column `body`, of strings or bytes, each a response of the
/// API, compressed or not, or a line of NDJSON. Null is no body. A column `source`, of strings, names each in reports; a body
/// that it does not name is named by its row, counted over all batches.
///
/// # Errors
/// [`AnalyticsError::State`] for batches without such columns, and those of [`map_events`].
pub fn map_batches(
    bodies: &[RecordBatch],
    options: &AnalyzeOptions,
    observer: &dyn Observer,
) -> Result<MappedEvents> {
    let mut inputs = Vec::new();
    let mut rows = 0;
    for batch in bodies {
        let body = batch.column_by_name("body").ok_or(AnalyticsError::State("there is no column `body`"))?;
        let body_at = bytes_of(body)?;
        let name_at = batch.column_by_name("source").map(strings_of).transpose()?;
        for row in 0..batch.num_rows() {
            if let Some(body) = body_at(row) {
                let name = name_at.as_ref().and_then(|name_at| name_at(row));
                let name = name.map_or_else(|| format!("row {}", rows + row), str::to_owned);
                inputs.push((name, body));
            }
        }
        rows += batch.num_rows();
    }
    map_events(&InputList::from_bytes(inputs), options, observer)
}

/// What gives the values of a column.
type Values<'c, T> = Box<dyn Fn(usize) -> Option<&'c T> + 'c>;

/// Gives the value of each row where there is one.
macro_rules! values {
    ($array:expr, $as:expr) => {{
        let array = $array;
        Ok(Box::new(move |row| array.is_valid(row).then(|| $as(array.value(row)))))
    }};
}

fn strings_of(column: &ArrayRef) -> Result<Values<'_, str>> {
    let same = |text| text;
    match column.data_type() {
        DataType::Utf8 => values!(column.as_string::<i32>(), same),
        DataType::LargeUtf8 => values!(column.as_string::<i64>(), same),
        DataType::Utf8View => values!(column.as_string_view(), same),
        _ => Err(AnalyticsError::State("the column `source` holds no strings")),
    }
}

fn bytes_of(column: &ArrayRef) -> Result<Values<'_, [u8]>> {
    let same = |bytes| bytes;
    match column.data_type() {
        DataType::Utf8 => values!(column.as_string::<i32>(), str::as_bytes),
        DataType::LargeUtf8 => values!(column.as_string::<i64>(), str::as_bytes),
        DataType::Utf8View => values!(column.as_string_view(), str::as_bytes),
        DataType::Binary => values!(column.as_binary::<i32>(), same),
        DataType::LargeBinary => values!(column.as_binary::<i64>(), same),
        DataType::BinaryView => values!(column.as_binary_view(), same),
        _ => Err(AnalyticsError::State("the column `body` holds neither strings nor bytes")),
    }
}
