//! Files read by position. Where that moves the position of the file itself, as on Windows, nobody here relies on it.

use std::fs::File;
use std::io;

/// Reads some bytes from `position` on; 0 is the end.
#[cfg(unix)]
pub(crate) fn read(file: &File, position: u64, out: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, out, position)
}

#[cfg(windows)]
pub(crate) fn read(file: &File, position: u64, out: &mut [u8]) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, out, position)
}

/// Reads as many bytes as there is room for.
pub(crate) fn read_exact(file: &File, mut position: u64, mut out: &mut [u8]) -> io::Result<()> {
    while !out.is_empty() {
        match read(file, position, out) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(len) => (position, out) = (position + len as u64, &mut out[len..]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
