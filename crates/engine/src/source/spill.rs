//! Bytes that are held in memory while they are few, and on disk otherwise.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::wire::Wire;
use crate::error::{IoContext, Result};

/// How many bytes at the start are held in memory whatever the limit.
const START: usize = 256;

/// Bytes to be read again: the content of a HAR entry, an archive inside an archive.
pub(super) struct Spill {
    memory: Vec<u8>,
    /// How many bytes are held in memory.
    limit: usize,
    dir: PathBuf,
    file: Option<File>,
    len: u64,
}

impl Spill {
    /// Holds `limit` bytes in memory, and all else in a temporary file in `dir`.
    pub(super) fn new(limit: usize, dir: Option<&Path>) -> Self {
        let dir = dir.map_or_else(std::env::temp_dir, Path::to_owned);
        Self { memory: Vec::new(), limit, dir, file: None, len: 0 }
    }

    /// Forgets what is held, and keeps the memory for it.
    pub(super) fn clear(&mut self) {
        self.memory.clear();
        self.file = None;
        self.len = 0;
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Appends bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<()> {
        const ACTION: &str = "write to a temporary file in";
        if self.file.is_none() {
            if self.memory.len() + bytes.len() <= self.limit {
                self.memory.extend_from_slice(bytes);
                self.len += bytes.len() as u64;
                return Ok(());
            }
            let mut file =
                tempfile::tempfile_in(&self.dir).context("create a temporary file in", &self.dir)?;
            file.write_all(&self.memory).context(ACTION, &self.dir)?;
            self.file = Some(file);
        }
        if let Some(file) = &mut self.file {
            file.write_all(bytes).context(ACTION, &self.dir)?;
            let missing = START.saturating_sub(self.memory.len()).min(bytes.len());
            self.memory.extend_from_slice(&bytes[..missing]);
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// The first bytes: all that fit into memory, and some at least.
    pub(super) fn start(&self) -> &[u8] {
        &self.memory
    }

    /// What is held: in memory, or in a file.
    pub(super) fn content(&mut self) -> Content<'_> {
        match &mut self.file {
            Some(file) => Content::File(file, &self.dir),
            None => Content::Memory(&self.memory),
        }
    }
}

/// Where what is held lies.
pub(super) enum Content<'s> {
    /// All of it.
    Memory(&'s [u8]),
    /// All of it; its position is anywhere. And the directory of the file.
    File(&'s mut File, &'s Path),
}

impl<'s> Content<'s> {
    /// Reads it from its start. That the file fails is noted on `wire`.
    pub(super) fn reader(self, wire: &'s Wire) -> Result<Box<dyn Read + 's>> {
        Ok(match self {
            Self::Memory(bytes) => Box::new(bytes),
            Self::File(file, dir) => {
                file.seek(SeekFrom::Start(0)).context("read a temporary file in", dir)?;
                Box::new(Own { file, dir, wire })
            }
        })
    }
}

/// A temporary file: that it fails is no fault of the input.
struct Own<'s> {
    file: &'s File,
    dir: &'s Path,
    wire: &'s Wire,
}

impl Read for Own<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.file.read(out).inspect_err(|error| self.wire.note_own(error, self.dir))
    }
}

#[cfg(test)]
mod tests {
    use korpus_core::Limits;

    use super::*;

    #[test]
    fn little_stays_in_memory_and_much_goes_to_disk() {
        let (mut spill, wire) = (Spill::new(10, None), Wire::new(&Limits::default()));
        for round in 0..2 {
            let mut expected = Vec::new();
            for part in 0..(3 + round * 40) {
                spill.push(&[part as u8; 3]).unwrap();
                expected.extend([part as u8; 3]);
            }
            assert_eq!(spill.len(), expected.len() as u64);
            assert_eq!(matches!(spill.content(), Content::File(..)), round == 1);
            let held = if round == 1 { expected.len().min(START) } else { expected.len() };
            assert_eq!(spill.start(), &expected[..held]);
            for _ in 0..2 {
                let mut read = Vec::new();
                spill.content().reader(&wire).unwrap().read_to_end(&mut read).unwrap();
                assert_eq!(read, expected);
            }
            spill.clear();
        }
        let mut nowhere = Spill::new(1, Some(Path::new("/no such directory")));
        assert!(nowhere.push(b"ab").is_err());
    }
}
