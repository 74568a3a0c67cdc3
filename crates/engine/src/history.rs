//! What earlier runs left for one that goes on from them: their ordinals, their keys, and what they have read.

mod finished;
mod keyfile;
mod known;

use std::path::{Path, PathBuf};

use crate::error::EngineError;
use crate::manifest::{FileEntry, Manifest};

pub use finished::{Finished, finished};
pub(crate) use keyfile::{KeyWriter, Noted, read_keys};
pub use known::Known;

/// What was seen and decided before a run, by the runs that it goes on from; see [`RunOptions::history`](crate::RunOptions).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// How many messages were seen: the first `message_seq` of the run.
    pub messages: u64,
    /// How many records.
    pub records: u64,
    /// How many bodies.
    pub pages: u64,
    /// What was read: members of archives that are among it are not read again.
    pub(crate) known: Known,
    /// The files that the keys were written to, in order.
    pub(crate) key_files: Vec<KeyFile>,
}

/// A file of keys, and what its bytes must hash to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyFile {
    pub path: PathBuf,
    pub hash: String,
}

impl History {
    /// That of the dataset at `dir`, which says `manifest` about itself.
    pub fn of(dir: &Path, manifest: &Manifest) -> Self {
        let totals = &manifest.totals;
        let file = |entry: &FileEntry| KeyFile { path: dir.join(&entry.path), hash: entry.hash.clone() };
        Self {
            messages: totals.messages.seen,
            records: totals.records.seen,
            pages: totals.pages,
            known: Known::of(manifest),
            key_files: manifest.keys.iter().map(file).collect(),
        }
    }

    /// The same for a run that reads whatever it is given, though earlier ones have read the same.
    #[must_use]
    pub fn reading_all(self) -> Self {
        Self { known: Known::default(), ..self }
    }
}

/// A file of a dataset that is not what its manifest says.
fn damaged(path: &Path) -> EngineError {
    EngineError::Damaged { path: path.to_owned(), why: "it is not what the manifest says" }
}
