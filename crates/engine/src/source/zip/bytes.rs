//! Bytes by position: a file, or memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use korpus_core::InputEnd;

use crate::file_at;
use crate::source::wire::{Wire, broken};

/// Something that can be read anywhere.
pub(in crate::source) trait At {
    /// Reads at `position`; 0 is the end.
    fn read_at(&self, position: u64, out: &mut [u8]) -> io::Result<usize>;

    /// How many bytes there are.
    fn size(&self) -> u64;
}

impl At for &[u8] {
    fn read_at(&self, position: u64, out: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(position).unwrap_or(usize::MAX).min(self.len());
        let len = out.len().min(self.len() - from);
        out[..len].copy_from_slice(&self[from..from + len]);
        Ok(len)
    }

    fn size(&self) -> u64 {
        self.len() as u64
    }
}

/// A file, whose position does not matter.
pub(in crate::source) struct FileAt<'f> {
    pub(in crate::source) file: &'f File,
    pub(in crate::source) size: u64,
    pub(in crate::source) wire: &'f Wire,
    /// Whether it is the input itself, whose bytes count.
    pub(in crate::source) is_input: bool,
    /// Where it lies, if it is a temporary file.
    pub(in crate::source) temporary: Option<&'f Path>,
}

impl At for FileAt<'_> {
    fn read_at(&self, position: u64, out: &mut [u8]) -> io::Result<usize> {
        let outcome = file_at::read(self.file, position, out);
        match &outcome {
            Ok(len) if self.is_input => self.wire.count(*len as u64),
            Ok(_) => {}
            Err(error) => match self.temporary {
                Some(dir) => self.wire.note_own(error, dir),
                None => self.wire.note(error),
            },
        }
        outcome
    }

    fn size(&self) -> u64 {
        self.size
    }
}

/// Exactly `len` bytes at `position`; `None` where there are fewer, or reading fails.
pub(in crate::source) fn fetch(at: &dyn At, position: u64, len: usize) -> Option<Vec<u8>> {
    if position.checked_add(len as u64)? > at.size() {
        return None;
    }
    let mut bytes = vec![0; len];
    let mut have = 0;
    while have < len {
        match at.read_at(position + have as u64, &mut bytes[have..]) {
            Ok(0) => return None,
            Ok(more) => have += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    Some(bytes)
}

/// A stretch of the bytes, as a reader.
pub(in crate::source) struct Section<'a> {
    at: &'a dyn At,
    position: u64,
    left: u64,
}

impl<'a> Section<'a> {
    pub(in crate::source) fn new(at: &'a dyn At, position: u64, left: u64) -> Self {
        Self { at, position, left }
    }
}

impl Read for Section<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let len = self.at.read_at(self.position, &mut out[..most])?;
        if len == 0 {
            return Err(broken(InputEnd::Truncated));
        }
        self.position += len as u64;
        self.left -= len as u64;
        Ok(len)
    }
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
