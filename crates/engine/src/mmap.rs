//! Files mapped into memory: the one place of the engine that needs `unsafe`.
#![allow(unsafe_code, reason = "mapping a file is unsafe by nature; the user asks for it")]

use std::fs::File;
use std::io;

/// A file's bytes, mapped.
pub(crate) struct Mapped(memmap2::Mmap);

impl Mapped {
    /// Maps all of `file`.
    pub(crate) fn new(file: &File) -> io::Result<Self> {
        // SAFETY: the bytes must not change while they are borrowed. Nothing here writes to inputs; that nobody else
        // truncates or writes them is what a user promises by giving `--mmap`, which is off by default.
        let map = unsafe { memmap2::Mmap::map(file)? };
        #[cfg(unix)]
        // Advice only: a failure changes nothing but speed.
        let _ = map.advise(memmap2::Advice::Sequential);
        Ok(Self(map))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
