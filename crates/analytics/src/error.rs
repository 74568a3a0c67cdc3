//! What can go wrong with an analysis.

use std::fmt;

use arrow::error::ArrowError;
use korpus_engine::EngineError;
use korpus_tables::TablesError;

/// A failure of a whole analysis. Reads as a sentence that says what to do next.
#[derive(Debug)]
#[non_exhaustive]
pub enum AnalyticsError {
    /// The run itself failed: inputs, publishing, cancellation.
    Engine(EngineError),
    /// A dataset could not be read, or a Parquet file not written.
    Tables(TablesError),
    /// Events or states that are not of this version, or damaged.
    State(&'static str),
    /// A defect of korpus.
    Internal(&'static str),
}

/// What this crate's fallible functions give back.
pub type Result<T, E = AnalyticsError> = std::result::Result<T, E>;

impl AnalyticsError {
    /// The same, where what failed was made of events or states from outside: that is their fault, not one of ours.
    pub(crate) fn of_foreign(self) -> Self {
        match self {
            Self::Internal(_) => Self::State("what it holds makes no rows"),
            error => error,
        }
    }
}

impl fmt::Display for AnalyticsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(error) => error.fmt(f),
            Self::Tables(error) => error.fmt(f),
            Self::State(what) => write!(f, "not an event or state that this version reads: {what}"),
            Self::Internal(what) => write!(f, "a defect of korpus, please report it: {what}"),
        }
    }
}

impl std::error::Error for AnalyticsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Engine(error) => error.source(),
            Self::Tables(error) => error.source(),
            _ => None,
        }
    }
}

impl From<EngineError> for AnalyticsError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<TablesError> for AnalyticsError {
    fn from(error: TablesError) -> Self {
        match error {
            TablesError::Engine(error) => Self::Engine(error),
            error => Self::Tables(error),
        }
    }
}

impl From<ArrowError> for AnalyticsError {
    fn from(_: ArrowError) -> Self {
        Self::Internal("columns do not make a batch")
    }
}
