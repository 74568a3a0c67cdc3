//! What can go wrong with a dataset.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use korpus_engine::EngineError;
use parquet::errors::ParquetError;

/// A failure to write or read a dataset. Reads as a sentence that says what to do next.
#[derive(Debug)]
#[non_exhaustive]
pub enum TablesError {
    /// The run itself failed: inputs, publishing, cancellation.
    Engine(EngineError),
    /// A Parquet file could not be encoded or decoded.
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: ParquetError,
    },
    /// A directory is no finished dataset, or one of another version.
    NotADataset {
        /// The directory.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Another dataset took the place of the one that was being read.
    Replaced {
        /// The directory.
        path: PathBuf,
    },
    /// The dataset was made without a table that is needed.
    MissingTable(&'static str),
    /// Something could not be kept, and the run was to be strict.
    Unclean,
    /// A defect of korpus.
    Internal(&'static str),
}

/// What this crate's fallible functions give back.
pub type Result<T, E = TablesError> = std::result::Result<T, E>;

impl TablesError {
    /// A failure of the file system, told as the engine tells it: a full disk is no library's fault.
    pub fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| Self::Engine(EngineError::io(action, path, source))
    }

    /// A failure of the Parquet library, or of the file system below it.
    pub fn parquet(path: &Path) -> impl FnOnce(ParquetError) -> Self + '_ {
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

impl fmt::Display for TablesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(error) => error.fmt(f),
            Self::Parquet { path, source } => write!(f, "{}: {source}", path.display()),
            Self::NotADataset { path, why } => {
                write!(f, "{} is not a dataset that this version reads: {why}", path.display())
            }
            Self::Replaced { path } => {
                write!(f, "{} was replaced while it was being read: read it again", path.display())
            }
            Self::MissingTable(table) => {
                write!(f, "the dataset was made without the table {table}: convert again with it")
            }
            Self::Unclean => f.write_str(
                "nothing was published, because something was rejected, partial or an error response: `korpus check` shows what; \
                 run without --strict to keep the rest",
            ),
            Self::Internal(what) => write!(f, "a defect of korpus, please report it: {what}"),
        }
    }
}

impl std::error::Error for TablesError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Engine(error) => error.source(),
            Self::Parquet { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<EngineError> for TablesError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}
