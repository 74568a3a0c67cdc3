//! States that merge and travel: what the steps hand on besides events, as Arrow batches too.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use crate::error::{AnalyticsError, Result};

/// What is known of a part of the data. The states of parts that share nothing, merged in any order, are the state of all
/// of them; the default is that of nothing.
///
/// [`Aggregates`](crate::Aggregates), all aggregates at once, and [`Coverage`](crate::Coverage) are such states.
///
/// ```
/// use korpus_analytics::{AnalyticsError, MergeableState};
///
/// /// Brings together what other machines sent.
/// fn merged<S: MergeableState>(sent: &[arrow::record_batch::RecordBatch]) -> Result<S, AnalyticsError> {
///     let mut all = S::default();
///     for batch in sent {
///         all.merge(S::from_arrow(batch)?);
///     }
///     Ok(all)
/// }
/// # assert!(merged::<korpus_analytics::Aggregates>(&[]).is_ok());
/// ```
pub trait MergeableState: Clone + Default {
    /// Adds what another state knows.
    fn merge(&mut self, other: Self);

    /// The schema of a state that is written.
    fn arrow_schema() -> SchemaRef;

    /// The state as a batch, whose rows have no order that means anything.
    ///
    /// # Errors
    /// [`AnalyticsError::State`] where it takes more than a batch holds.
    fn to_arrow(&self) -> Result<RecordBatch>;

    /// The state that a batch holds, as [`to_arrow`](Self::to_arrow) writes it. Columns are known by their names.
    ///
    /// # Errors
    /// [`AnalyticsError::State`] for anything else, as far as that can be told.
    fn from_arrow(batch: &RecordBatch) -> Result<Self>;
}

/// The columns of a batch in the order of `schema`, by which they are known. Other columns are passed over, and so is whether
/// a column may hold nulls, if it holds none.
pub(crate) fn columns_of(batch: &RecordBatch, schema: &SchemaRef) -> Result<Vec<ArrayRef>> {
    let column = |field: &arrow::datatypes::FieldRef| {
        let column =
            batch.column_by_name(field.name()).ok_or(AnalyticsError::State("a column is missing"))?;
        if !column.data_type().equals_datatype(field.data_type()) {
            return Err(AnalyticsError::State("a column is of another type"));
        }
        if !field.is_nullable() && column.null_count() > 0 {
            return Err(AnalyticsError::State("there is nothing in a row where there must be something"));
        }
        Ok(column.clone())
    };
    schema.fields().iter().map(column).collect()
}
