//! Bytes that wait on disk: an anonymous temporary file, appended to and read back by position.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, Seek, SeekFrom, Write};
use std::path::PathBuf;

use crate::error::{IoContext, Result};
use crate::file_at;

/// A temporary file that is gone when it is dropped, or when the process dies; made when first written to.
#[derive(Debug)]
pub struct Spool {
    dir: PathBuf,
    file: Option<File>,
    len: u64,
}

impl Spool {
    /// A spool in `dir`, or in the system's directory for temporary files.
    pub fn new(dir: Option<PathBuf>) -> Self {
        Self { dir: dir.unwrap_or_else(std::env::temp_dir), file: None, len: 0 }
    }

    /// Appends `bytes` and returns where they begin.
    ///
    /// # Errors
    /// Where the file cannot be made or written.
    pub fn append(&mut self, bytes: &[u8]) -> Result<u64> {
        self.append_all(&mut [IoSlice::new(bytes)])
    }

    /// Appends `pieces` end to end, as many at a time as the system takes, and returns where the first begins. What they
    /// refer to is used up.
    ///
    /// # Errors
    /// Where the file cannot be made or written.
    pub fn append_all(&mut self, pieces: &mut [IoSlice<'_>]) -> Result<u64> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let file =
                    tempfile::tempfile_in(&self.dir).context("create a temporary file in", &self.dir)?;
                none.insert(file)
            }
        };
        let at = self.len;
        let len: usize = pieces.iter().map(|piece| piece.len()).sum();
        write_all(file, at, pieces).context("write to a temporary file in", &self.dir)?;
        self.len += len as u64;
        Ok(at)
    }

    /// Reads exactly `out.len()` bytes from `at` on. Several threads may.
    ///
    /// # Errors
    /// Where the file cannot be read, or is shorter.
    pub fn read_at(&self, at: u64, out: &mut [u8]) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        file_at::read_exact(file, at, out).context("read a temporary file in", &self.dir)
    }

    /// How many bytes lie on disk.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing does.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

fn write_all(file: &mut File, at: u64, mut pieces: &mut [IoSlice<'_>]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    while pieces.iter().any(|piece| !piece.is_empty()) {
        match file.write_vectored(pieces) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut pieces, written),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
