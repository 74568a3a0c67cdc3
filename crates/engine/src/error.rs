//! Why a run cannot go on, as sentences that tell what to do next.

use std::path::{Path, PathBuf};
use std::{error, fmt, io};

/// A failure of a whole run. What is wrong with single messages, bodies and inputs goes to the ledger instead.
#[derive(Debug)]
#[non_exhaustive]
pub enum EngineError {
    /// An option or argument that makes no sense.
    Usage(String),
    /// The INPUT arguments hold nothing to read.
    NoInput(Vec<String>),
    /// Reading or writing failed.
    Io {
        /// What was being done, such as `create`.
        action: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk that holds a file is full.
    DiskFull(PathBuf),
    /// The target holds a dataset already.
    TargetExists(PathBuf),
    /// The target holds something that is no dataset.
    NotADataset(PathBuf),
    /// The dataset that would be replaced holds a file or folder that no run wrote.
    ForeignFile(PathBuf),
    /// The target, or something above it, is a file.
    NotADirectory(PathBuf),
    /// The target, or something above it, is a link to nothing.
    DanglingLink(PathBuf),
    /// There is no finished dataset to be read.
    NoDataset {
        /// Where it was looked for.
        path: PathBuf,
        /// What is there instead.
        why: &'static str,
    },
    /// A file of a dataset is not what was written.
    Damaged {
        /// The file.
        path: PathBuf,
        /// How it is known.
        why: &'static str,
    },
    /// Another run is writing to the target.
    Locked(PathBuf),
    /// The run was told to stop.
    Cancelled,
    /// The books of a body do not add up: a defect of korpus.
    Books(String),
    /// A worker failed outside any message: a defect of korpus.
    Worker(String),
}

impl EngineError {
    /// An I/O failure, with a full disk told apart from the rest.
    pub fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull(path.to_owned()),
            _ => Self::Io { action, path: path.to_owned(), source },
        }
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(what) => f.write_str(what),
            Self::NoInput(arguments) if arguments.is_empty() => {
                f.write_str("no input given: name files, directories or globs, or - for standard input")
            }
            Self::NoInput(arguments) => write!(
                f,
                "nothing to read in {}: check the path (hidden files are skipped)",
                arguments.join(", ")
            ),
            Self::Io { action, path, source } => write!(f, "cannot {action} {}: {source}", path.display()),
            Self::DiskFull(path) => write!(
                f,
                "the disk is full: no room for {}; free some space or take another disk, then run again (nothing \
                 was published)",
                path.display()
            ),
            Self::TargetExists(path) => write!(
                f,
                "{} already holds a dataset: give --overwrite to replace it, or another --out",
                path.display()
            ),
            Self::NotADataset(path) => write!(
                f,
                "{} is not empty and holds no finished dataset (no _korpus.json): it is left alone; name another \
                 directory",
                path.display()
            ),
            Self::ForeignFile(path) => write!(
                f,
                "{} was not written by korpus and would be lost with the dataset around it: move it elsewhere first",
                path.display()
            ),
            Self::NotADirectory(path) => write!(
                f,
                "{} is a file, not a directory: it is left alone; name another directory",
                path.display()
            ),
            Self::DanglingLink(path) => write!(
                f,
                "{} is a link to something that is not there: create what it names, or name another directory",
                path.display()
            ),
            Self::NoDataset { path, why } => {
                write!(f, "there is no finished dataset at {}: {why}", path.display())
            }
            Self::Damaged { path, why } => write!(
                f,
                "{} is damaged: {why}; restore the dataset from a backup, or convert its inputs again",
                path.display()
            ),
            Self::Locked(path) => {
                write!(
                    f,
                    "another korpus run is writing to {}: wait for it to end, or stop it",
                    path.display()
                )
            }
            Self::Cancelled => f.write_str("interrupted: nothing was published"),
            Self::Books(what) => write!(f, "the books do not balance ({what}): please report this defect"),
            Self::Worker(what) => write!(f, "a worker failed ({what}): please report this defect"),
        }
    }
}

impl error::Error for EngineError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Result of what can end a run.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

/// Turns I/O results into results of the engine, with what was done to which file.
pub(crate) trait IoContext<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| EngineError::io(action, path, source))
    }
}
