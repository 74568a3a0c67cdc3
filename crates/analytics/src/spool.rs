//! A temporary file without a name, which is gone when it is dropped or the process dies.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use korpus_tables::TablesError;

use crate::error::Result;

/// What did not fit into memory. The file is made when something is.
#[derive(Debug)]
pub(crate) struct Spool {
    dir: PathBuf,
    file: Option<Mutex<File>>,
    len: u64,
}

impl Spool {
    /// In `temp_dir`, or the system's.
    pub(crate) fn new(temp_dir: Option<PathBuf>) -> Self {
        Self { dir: temp_dir.unwrap_or_else(std::env::temp_dir), file: None, len: 0 }
    }

    /// How many bytes were written.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Writes bytes at the end; gives back where they are.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<u64> {
        let dir = &self.dir;
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let file =
                    tempfile::tempfile_in(dir).map_err(TablesError::io("create a temporary file in", dir))?;
                none.insert(Mutex::new(file))
            }
        };
        let file = file.get_mut().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::End(0))
            .and_then(|_| file.write_all(bytes))
            .map_err(TablesError::io("write to a temporary file in", dir))?;
        let at = self.len;
        self.len += bytes.len() as u64;
        Ok(at)
    }

    /// Reads what was written at `at`.
    pub(crate) fn read(&self, at: u64, out: &mut [u8]) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))
            .and_then(|_| file.read_exact(out))
            .map_err(TablesError::io("read a temporary file in", &self.dir))?;
        Ok(())
    }
}
