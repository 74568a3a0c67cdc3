//! Publishing a directory whole or not at all.
//!
//! A run writes into a hidden sibling of the target, the staging, and holds a lock on the target meanwhile. When
//! everything is written and synced, the staging takes the target's place in one atomic step. A run that dies leaves its
//! staging behind; the next one, which gets the lock, removes it.
//!
//! A run that is to be resumed keeps what it has finished in another hidden sibling, its progress: a dataset, each time made
//! whole before it takes the place of the one before. It goes when something is published.

mod lock;
mod swap;
#[cfg(test)]
mod tests;
mod unfinished;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use twox_hash::XxHash3_128;
use walkdir::WalkDir;

use crate::error::{EngineError, IoContext, Result};
use crate::manifest::{MANIFEST, Manifest};
use lock::Lock;
use unfinished::Unfinished;

pub use unfinished::remove_unfinished;

/// How a target may be treated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PublishOptions {
    /// Whether a dataset that is there already may be replaced.
    pub overwrite: bool,
}

/// A directory being made, which becomes the target when it is [finished](Self::finish). Dropped unfinished, it is
/// removed, and the target is as it was.
#[derive(Debug)]
pub struct Publication {
    target: PathBuf,
    staging: Option<PathBuf>,
    progress: PathBuf,
    options: PublishOptions,
    /// Let go after the staging is gone, as is the lock.
    _unfinished: Unfinished,
    _lock: Lock,
}

/// What the progress of a run is called, behind the dot and the target's name.
const PROGRESS_SUFFIX: &str = ".korpus-progress";

/// What stands where a dataset is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Nothing,
    EmptyDirectory,
    Dataset,
    Other,
}

impl Publication {
    /// Locks `target`, and makes the directory that will take its place. Missing directories above it are made.
    ///
    /// # Errors
    /// [`EngineError::TargetExists`] for a dataset that must not be replaced; [`EngineError::NotADataset`] for anything
    /// else that is not an empty directory; [`EngineError::DanglingLink`] for a link to nothing; [`EngineError::Locked`] while another run writes to it.
    pub fn begin(target: &Path, options: PublishOptions) -> Result<Self> {
        // A link to a directory stands for the directory.
        let target =
            fs::canonicalize(target).or_else(|_| std::path::absolute(target)).context("find", target)?;
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(EngineError::NotADataset(target));
        };
        allowed(&target, options)?;
        fs::create_dir_all(parent).context("create", parent)?;
        let sibling = |suffix: &str| parent.join(hidden_name(name, suffix));
        let lock_path = sibling(".korpus-lock");
        let lock = Lock::take(&lock_path, &target)?;
        swap::recover(&target)?;
        let progress = sibling(PROGRESS_SUFFIX);
        swap::recover(&progress)?;
        if !progress.join(MANIFEST).is_file() {
            remove_progress(&progress)?;
        }
        remove_leftovers(parent, &sibling(".korpus-"))?;
        // Another run may have finished between the first look and the lock.
        allowed(&target, options)?;
        let staging = sibling(&format!(".korpus-{:08x}.tmp", std::process::id()));
        let unfinished = Unfinished::create(&staging, &lock_path)?;
        Ok(Self { target, staging: Some(staging), progress, options, _unfinished: unfinished, _lock: lock })
    }

    /// The directory to write into.
    pub fn path(&self) -> &Path {
        self.staging.as_deref().unwrap_or(&self.target)
    }

    /// The directory that it becomes.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Where the progress of a run lies that was [kept](Self::keep), by this run or an interrupted one.
    pub fn progress(&self) -> &Path {
        &self.progress
    }

    /// Syncs everything, and keeps it as the progress, in the place of what was kept before; the directory to write into is
    /// empty then.
    ///
    /// # Errors
    /// Where something cannot be synced, renamed or made.
    pub fn keep(&mut self) -> Result<()> {
        let staging = self.path().to_owned();
        sync_tree(&staging)?;
        let _kept = unfinished::keep();
        if self.progress.exists() {
            swap::exchange(&staging, &self.progress)?;
            fs::remove_dir_all(&staging).context("remove", &staging)?;
        } else {
            swap::place(&staging, &self.progress)?;
        }
        sync_dir(self.target.parent().unwrap_or(&self.target))?;
        fs::create_dir(&staging).context("create", &staging)
    }

    /// Removes the progress, where there is any.
    ///
    /// # Errors
    /// Where something of it cannot be removed.
    pub fn forget(&self) -> Result<()> {
        remove_progress(&self.progress)
    }

    /// Syncs everything, and puts it in the place of the target. What was kept as progress goes.
    ///
    /// # Errors
    /// Where something cannot be synced or renamed, or the target has become something else meanwhile; it is as it was
    /// then.
    pub fn finish(mut self) -> Result<()> {
        let staging = self.path().to_owned();
        sync_tree(&staging)?;
        // Whoever ends the program in a hurry waits for this, or it never comes to this.
        let _kept = unfinished::keep();
        let standing = allowed(&self.target, self.options)?;
        let parent = self.target.parent().unwrap_or(&self.target);
        if standing == Standing::Nothing {
            swap::place(&staging, &self.target)?;
            self.staging = None;
        } else {
            // The old dataset lies in the staging's place afterwards, and goes with it.
            swap::exchange(&staging, &self.target)?;
        }
        sync_dir(parent)?;
        // What cannot be removed does no harm: the next run here tries again.
        let _ = self.forget();
        Ok(())
    }
}

impl Drop for Publication {
    fn drop(&mut self) {
        if let Some(staging) = &self.staging {
            // What cannot be removed now is a leftover for the next run.
            let _ = fs::remove_dir_all(staging);
        }
    }
}

/// Where the progress of an interrupted run towards `target` lies, if there is any.
pub fn progress_of(target: &Path) -> Option<PathBuf> {
    let target = fs::canonicalize(target).or_else(|_| std::path::absolute(target)).ok()?;
    let progress = target.with_file_name(hidden_name(target.file_name()?, PROGRESS_SUFFIX));
    progress.join(MANIFEST).is_file().then_some(progress)
}

fn hidden_name(name: &OsStr, suffix: &str) -> OsString {
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(suffix);
    hidden
}

/// Removes a progress, its manifest first: what is left where this is interrupted must not pass for one.
fn remove_progress(progress: &Path) -> Result<()> {
    for removed in [fs::remove_file(progress.join(MANIFEST)), fs::remove_dir_all(progress)] {
        if let Err(error) = removed
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error).context("remove", progress);
        }
    }
    Ok(())
}

/// What stands at `target`, if it may be replaced.
fn allowed(target: &Path, options: PublishOptions) -> Result<Standing> {
    // A file in the place of the target, or of a directory above it.
    if let Some(file) = target.ancestors().find(|path| path.exists()).filter(|path| path.is_file()) {
        return Err(EngineError::NotADirectory(file.to_owned()));
    }
    if let Some(link) = target.ancestors().find(|path| path.is_symlink() && !path.exists()) {
        return Err(EngineError::DanglingLink(link.to_owned()));
    }
    match standing(target)? {
        Standing::Other => Err(EngineError::NotADataset(target.to_owned())),
        Standing::Dataset if !options.overwrite => Err(EngineError::TargetExists(target.to_owned())),
        Standing::Dataset => match foreign_file(target)? {
            Some(file) => Err(EngineError::ForeignFile(file)),
            None => Ok(Standing::Dataset),
        },
        standing => Ok(standing),
    }
}

fn standing(target: &Path) -> Result<Standing> {
    let mut entries = match fs::read_dir(target) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Standing::Nothing),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(Standing::Other),
        Err(error) => return Err(error).context("read", target),
    };
    if entries.next().is_none() {
        Ok(Standing::EmptyDirectory)
    } else if target.join(MANIFEST).is_file() {
        Ok(Standing::Dataset)
    } else {
        Ok(Standing::Other)
    }
}

/// A file or folder in the dataset at `target` that no run put there, by its manifest: it would go with the dataset.
fn foreign_file(target: &Path) -> Result<Option<PathBuf>> {
    let manifest = match Manifest::read(target) {
        Ok(manifest) => manifest,
        // What is no manifest of ours is somebody's file.
        Err(EngineError::NoDataset { .. }) => return Ok(Some(target.join(MANIFEST))),
        Err(error) => return Err(error),
    };
    let mut ours = HashSet::from([target.join(MANIFEST)]);
    for file in manifest.files.iter().chain(&manifest.keys) {
        let path = target.join(&file.path);
        ours.extend(path.ancestors().take_while(|above| *above != target).map(Path::to_owned));
    }
    for entry in WalkDir::new(target).min_depth(1).sort_by_file_name() {
        let entry = entry.map_err(io::Error::from).context("read", target)?;
        if !ours.contains(entry.path()) {
            return Ok(Some(entry.into_path()));
        }
    }
    Ok(None)
}

/// Removes the stagings of runs that died: whoever holds the lock is the only one alive.
fn remove_leftovers(parent: &Path, prefix: &Path) -> Result<()> {
    let prefix = prefix.file_name().unwrap_or_default().as_encoded_bytes();
    for entry in fs::read_dir(parent).context("read", parent)? {
        let entry = entry.context("read", parent)?;
        let name = entry.file_name();
        let middle = name.as_encoded_bytes().strip_prefix(prefix).and_then(|rest| rest.strip_suffix(b".tmp"));
        let is_staging =
            middle.is_some_and(|middle| middle.len() == 8 && middle.iter().all(u8::is_ascii_hexdigit));
        if is_staging && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            fs::remove_dir_all(entry.path()).context("remove", &entry.path())?;
        }
    }
    Ok(())
}

/// Syncs a directory and everything in it.
fn sync_tree(dir: &Path) -> Result<()> {
    let (mut files, mut dirs) = (Vec::new(), Vec::new());
    for entry in WalkDir::new(dir) {
        let entry = entry.map_err(std::io::Error::from).context("read", dir)?;
        let list = if entry.file_type().is_dir() { &mut dirs } else { &mut files };
        list.push(entry.into_path());
    }
    // Most of the time goes by waiting for the disk.
    files
        .par_iter()
        .try_for_each(|path| File::open(path).and_then(|file| file.sync_all()).context("sync", path))?;
    dirs.iter().try_for_each(|dir| sync_dir(dir))
}

/// Syncs the entries of a directory, where the system can.
fn sync_dir(dir: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(dir).and_then(|file| file.sync_all()).context("sync", dir)?;
    }
    Ok(())
}

/// The size of a file and the XXH3-128 of its bytes, for the manifest.
///
/// # Errors
/// Where it cannot be read.
pub fn hash_file(path: &Path) -> Result<(u64, u128)> {
    let mut file = File::open(path).context("read", path)?;
    let mut buffer = vec![0; 256 << 10];
    let (mut hasher, mut bytes) = (XxHash3_128::new(), 0);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((bytes, hasher.finish_128())),
            Ok(len) => {
                hasher.write(&buffer[..len]);
                bytes += len as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("read", path),
        }
    }
}
