//! What can go wrong with an analysis.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use arrow::error::ArrowError;
use korpus_engine::EngineError;
use korpus_tables::TablesError;
use parquet::errors::ParquetError;

/// A failure of a whole analysis. Reads as a sentence that says what to do next.
#[derive(Debug)]
#[non_exhaustive]
pub enum AnalyticsError {
    /// The run itself failed: inputs, publishing, cancellation.
    Engine(EngineError),
    /// A dataset could not be read.
    Tables(TablesError),
    /// A Parquet file could not be written.
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: ParquetError,
    },
    /// Events or states that are not of this version, or damaged.
    State(&'static str),
    /// A defect of korpus.
    Internal(&'static str),
}

/// What this crate's fallible functions give back.
pub type Result<T, E = AnalyticsError> = std::result::Result<T, E>;

impl AnalyticsError {
    /// A failure of the file system, told as the engine tells it: a full disk is no library's fault.
    pub(crate) fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| Self::Engine(EngineError::io(action, path, source))
    }

    /// A failure of the Parquet library, or of the file system below it.
    pub(crate) fn parquet(path: &Path) -> impl FnOnce(ParquetError) -> Self + '_ {
        |source| match source {
            ParquetError::External(source) => match source.downcast::<io::Error>() {
                Ok(source) => Self::Engine(EngineError::io("write", path, *source)),
                Err(source) => {
                    Self::Parquet { path: path.to_owned(), source: ParquetError::External(source) }
                }
            },
            source => Self::Parquet { path: path.to_owned(), source },
        }
    }
}

impl fmt::Display for AnalyticsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(error) => error.fmt(f),
            Self::Tables(error) => error.fmt(f),
            Self::Parquet { path, source } => write!(f, "{}: {source}", path.display()),
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
            Self::Parquet { source, .. } => Some(source),
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
