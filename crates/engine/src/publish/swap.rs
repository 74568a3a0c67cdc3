//! Putting one directory in the place of another: atomically where the system can, recoverably elsewhere.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{IoContext, Result};
use crate::manifest::MANIFEST;

/// What the old dataset is called, behind the dot and the target's name, while it is out of the way.
const OLD_SUFFIX: &str = ".korpus-old.tmp";

/// Renames `staging` to `target`, where nothing stands.
pub(super) fn place(staging: &Path, target: &Path) -> Result<()> {
    #[cfg(target_os = "linux")]
    match renameat2(staging, target, rustix::fs::RenameFlags::NOREPLACE) {
        Err(error) if is_unsupported(error) => {}
        other => return other.map_err(std::io::Error::from).context("publish", target),
    }
    fs::rename(staging, target).context("publish", target)
}

/// Exchanges `staging` and `target`.
pub(super) fn exchange(staging: &Path, target: &Path) -> Result<()> {
    #[cfg(target_os = "linux")]
    match renameat2(staging, target, rustix::fs::RenameFlags::EXCHANGE) {
        Err(error) if is_unsupported(error) => {}
        other => return other.map_err(std::io::Error::from).context("publish", target),
    }
    exchange_in_steps(staging, target)
}

/// Exchanges with renames alone. Killed in between, the old one lies where [`recover`] finds it.
pub(super) fn exchange_in_steps(staging: &Path, target: &Path) -> Result<()> {
    let old = old_of(target);
    fs::rename(target, &old).context("move aside", target)?;
    if let Err(error) = fs::rename(staging, target) {
        // Back to how it was; if even that fails, the next run recovers it.
        let _ = fs::rename(&old, target);
        return Err(error).context("publish", target);
    }
    fs::rename(&old, staging).context("remove", &old)
}

/// Ends what a run that died within [`exchange_in_steps`] began: the old dataset comes back if the new one is not there.
pub(super) fn recover(target: &Path) -> Result<()> {
    let old = &old_of(target);
    if !old.is_dir() {
        return Ok(());
    }
    if !target.exists() {
        fs::rename(old, target).context("recover", target)
    } else if target.join(MANIFEST).is_file() {
        fs::remove_dir_all(old).context("remove", old)
    } else {
        Ok(())
    }
}

fn old_of(target: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(OLD_SUFFIX);
    target.with_file_name(name)
}

#[cfg(target_os = "linux")]
fn renameat2(from: &Path, to: &Path, flags: rustix::fs::RenameFlags) -> rustix::io::Result<()> {
    rustix::fs::renameat_with(rustix::fs::CWD, from, rustix::fs::CWD, to, flags)
}

/// Whether a file system, or a kernel, does not know the flags of `renameat2`.
#[cfg(target_os = "linux")]
fn is_unsupported(error: rustix::io::Errno) -> bool {
    matches!(error, rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP)
}
