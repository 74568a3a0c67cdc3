//! Which of the datasets that stood at a path one after the other is being read.

use std::path::{Path, PathBuf};

use korpus_engine::MANIFEST;
use same_file::Handle;

use crate::error::{Result, TablesError};

/// A dataset as it stood when it was opened. Another run may exchange it at any time, and then the same paths lead to other
/// rows: whatever is opened below it is looked at again.
#[derive(Debug)]
pub(crate) struct Generation {
    dir: PathBuf,
    /// Held open, so that no other file can pass for it.
    manifest: Handle,
}

impl Generation {
    /// Of the dataset that stands at `dir`.
    pub(crate) fn of(dir: &Path) -> Result<Self> {
        let path = dir.join(MANIFEST);
        let manifest = Handle::from_path(&path).map_err(TablesError::io("read", &path))?;
        Ok(Self { dir: dir.to_owned(), manifest })
    }

    /// Fails where another dataset stands there by now: what was opened before may be of either.
    pub(crate) fn check(&self) -> Result<()> {
        match Handle::from_path(self.dir.join(MANIFEST)) {
            Ok(manifest) if manifest == self.manifest => Ok(()),
            _ => Err(TablesError::Replaced { path: self.dir.clone() }),
        }
    }

    /// What was done below the dataset, where it is still the same.
    pub(crate) fn checked<T>(&self, done: Result<T>) -> Result<T> {
        self.check()?;
        done
    }
}
