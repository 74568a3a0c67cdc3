//! From inputs to tables of metrics: the one entry that everything else serves.

use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;
use korpus_engine::{InputList, Observer, RunReport};

use crate::error::{AnalyticsError, Result};
use crate::options::AnalyzeOptions;

/// What came of an analysis, besides the rows of `sessions`.
#[derive(Debug)]
pub struct Analysis {
    /// The aggregates, by the name of their table; each with the schema of its [`Metric`](crate::Metric).
    pub tables: BTreeMap<&'static str, RecordBatch>,
    /// How many rows `sessions` has.
    pub sessions: u64,
    /// Every body and input, and what became of every message.
    pub run: RunReport,
    /// Bytes of events and states that did not fit into memory.
    pub spilled_bytes: u64,
}

/// Reads `inputs`, hands the rows of `sessions` to `sessions`, batch by batch and in the order of the table, and gives back
/// the aggregates.
///
/// # Errors
/// What ends a run, and what `sessions` fails with.
pub fn analyze(
    inputs: &InputList,
    options: &AnalyzeOptions,
    sessions: &mut dyn FnMut(RecordBatch) -> Result<()>,
    observer: &dyn Observer,
) -> Result<Analysis> {
    let _ = (inputs, options, sessions, observer);
    Err(AnalyticsError::Internal("not connected yet"))
}
