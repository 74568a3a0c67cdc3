//! The exchange: batches to partitions.

use arrow::array::{Array, AsArray, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use super::frames::{TOO_LARGE, events_schema, notes_schema, number};
use crate::error::{AnalyticsError, Result};
use crate::state::columns_of;

/// What rows are brought together by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeBy {
    /// Events by `id`: copies of a message come together. Those without one go to the first partition.
    Message,
    /// Events by `key`: sessions come together.
    Session,
    /// Notes by `key`: what is known of a user comes together.
    User,
}

impl ExchangeBy {
    fn schema(self) -> SchemaRef {
        match self {
            Self::Message | Self::Session => events_schema(),
            Self::User => notes_schema(),
        }
    }

    fn column(self) -> &'static str {
        match self {
            Self::Message => "id",
            Self::Session | Self::User => "key",
        }
    }
}

/// Puts rows into partitions, a batch each: rows that agree in what they are brought together by come to the same one, the
/// lesser values to the earlier ones. Within a partition they have the order of the input.
///
/// Any other exchange by these columns does as well.
///
/// # Errors
/// [`AnalyticsError::State`] for no partitions, for batches that are no events or notes, and where a partition takes more than
/// a batch holds.
pub fn exchange(batches: &[RecordBatch], by: ExchangeBy, partitions: usize) -> Result<Vec<RecordBatch>> {
    if partitions == 0 {
        return Err(AnalyticsError::State("there must be a partition"));
    }
    let schema = by.schema();
    let mut parts: Vec<Vec<RecordBatch>> = vec![Vec::new(); partitions];
    for batch in batches {
        let batch = RecordBatch::try_new(schema.clone(), columns_of(batch, &schema)?)?;
        let rows = u32::try_from(batch.num_rows()).map_err(|_| AnalyticsError::State(TOO_LARGE))?;
        let keys = batch.column(schema.index_of(by.column())?).as_fixed_size_binary();
        let mut places = vec![Vec::new(); partitions];
        for row in 0..rows {
            let at = row as usize;
            // Keys are hashes: their upper halves are spread evenly.
            let half = if keys.is_valid(at) { number(keys.value(at)) >> 64 } else { 0 };
            places[((half * partitions as u128) >> 64) as usize].push(row);
        }
        for (part, places) in parts.iter_mut().zip(places).filter(|(_, places)| !places.is_empty()) {
            part.push(take_record_batch(&batch, &UInt32Array::from(places)).map_err(overflow)?);
        }
    }
    parts.iter().map(|part| concat_batches(&schema, part).map_err(overflow)).collect()
}

fn overflow(error: ArrowError) -> AnalyticsError {
    match error {
        ArrowError::OffsetOverflowError(_) => AnalyticsError::State(TOO_LARGE),
        error => error.into(),
    }
}
