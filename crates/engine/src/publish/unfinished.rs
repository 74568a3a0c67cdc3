//! What a program that must end at once has to take away: the stagings and locks of its publications.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{IoContext, Result};

/// The stagings of this program, each with its lock file.
static UNFINISHED: Mutex<Vec<(PathBuf, PathBuf)>> = Mutex::new(Vec::new());

/// How long whoever still writes into a staging is fought.
const PATIENCE: Duration = Duration::from_secs(2);

fn all() -> MutexGuard<'static, Vec<(PathBuf, PathBuf)>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes everything that unfinished publications of this program have on disk: for a program that is about to end
/// without unwinding, because it was told to and something hangs.
///
/// No publication begins or is finished afterwards: whoever tries waits for ever.
pub fn remove_unfinished() {
    let mut unfinished = all();
    for (staging, lock) in unfinished.drain(..) {
        let started = Instant::now();
        // A worker may make a file while the directory is emptied.
        while staging.exists() && fs::remove_dir_all(&staging).is_err() && started.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        // The system lets go of the lock itself when the program ends. What is left is for the next run.
        let _ = fs::remove_file(lock);
    }
    std::mem::forget(unfinished);
}

/// A publication that is under way; no longer when this is dropped.
#[derive(Debug)]
pub(super) struct Unfinished {
    staging: PathBuf,
}

impl Unfinished {
    /// Makes the directory of a staging.
    pub(super) fn create(staging: &Path, lock: &Path) -> Result<Self> {
        let mut unfinished = all();
        fs::create_dir(staging).context("create", staging)?;
        unfinished.push((staging.to_owned(), lock.to_owned()));
        Ok(Self { staging: staging.to_owned() })
    }
}

/// Keeps every staging from being taken away for as long as the guard lives.
pub(super) fn keep() -> impl Sized {
    all()
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        all().retain(|(staging, _)| *staging != self.staging);
    }
}
