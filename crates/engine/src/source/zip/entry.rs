//! One member of a zip archive: what its head says, and its content.

use std::io::{self, Read};

use flate2::Crc;
use korpus_core::{Codec, DecodeLimits, Decoder, InputEnd, Reason};

use super::bytes::{At, Section, fetch, u16_at, u32_at, u64_at};
use super::{DESCRIPTOR, LOCAL, LOCAL_LEN};
use crate::source::archive::EntryKind;
use crate::source::wire::{Decoded, broken, end_in};

/// A length of 32 bits that stands for one of 64 in the extra field.
const LONG: u64 = 0xffff_ffff;
/// The extra field of lengths of 64 bits.
const LONG_FIELD: u16 = 1;
const STORED: u16 = 0;
const DEFLATE: u16 = 8;
const ZSTD: u16 = 93;
const ENCRYPTED: u16 = 1;
const OPEN_ENDED: u16 = 1 << 3;
/// A descriptor with its mark and with lengths of 64 bits.
const LONGEST_DESCRIPTOR: u64 = 24;
/// What a file is, in the mode that Unix gives it.
const TYPE: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;
const LINK: u32 = 0o120_000;
/// No path that a link could lead to is longer.
const LONGEST_LINK: u64 = 4096;

/// What is known of a member before it is read.
#[derive(Debug, Clone)]
pub(in crate::source) struct ZipEntry {
    pub(in crate::source) name: String,
    pub(in crate::source) kind: EntryKind,
    /// Its length, unpacked, where it is known.
    pub(in crate::source) size: Option<u64>,
    pub(super) compressed: u64,
    pub(super) crc: Option<u32>,
    method: u16,
    flags: u16,
    /// Where its head is.
    head: u64,
}

impl ZipEntry {
    /// From an entry of the directory.
    pub(super) fn central(entry: &[u8], name: &[u8], extra: &[u8]) -> Self {
        let mut long = LongFields::find(extra);
        let size = long.resolve(u32_at(entry, 24));
        let compressed = long.resolve(u32_at(entry, 20));
        let head = long.resolve(u32_at(entry, 42));
        // Unix and macOS keep what a file is there, if they keep anything.
        let is_unix = matches!(entry[5], 3 | 19);
        let mode = if is_unix { u32_at(entry, 38) >> 16 & TYPE } else { 0 };
        let mut new = Self::new(entry, 8, name, head);
        // All else has its data in the archive, what came from a pipe or a device too; and what has data is no directory,
        // whatever a damaged mode says.
        new.kind = match mode {
            LINK if size <= LONGEST_LINK => EntryKind::Other,
            DIRECTORY if size == 0 => EntryKind::Directory,
            _ if size > 0 => EntryKind::File,
            _ => new.kind,
        };
        Self { size: Some(size), compressed, crc: Some(u32_at(entry, 16)), ..new }
    }

    /// From the head of a member.
    pub(super) fn local(bytes: &[u8], name: &[u8], extra: &[u8], head: u64) -> Self {
        let mut long = LongFields::find(extra);
        let size = long.resolve(u32_at(bytes, 22));
        let compressed = long.resolve(u32_at(bytes, 18));
        let mut new = Self::new(bytes, 6, name, head);
        if new.is_open_ended() {
            return new;
        }
        if size > 0 {
            new.kind = EntryKind::File;
        }
        Self { size: Some(size), compressed, crc: Some(u32_at(bytes, 14)), ..new }
    }

    /// `flags` is where these are; the method follows. A name that ends as that of a directory is one where nothing is in it.
    fn new(bytes: &[u8], flags: usize, name: &[u8], head: u64) -> Self {
        let name = String::from_utf8_lossy(name).into_owned();
        let kind = if name.ends_with(['/', '\\']) { EntryKind::Directory } else { EntryKind::File };
        let (flags, method) = (u16_at(bytes, flags), u16_at(bytes, flags + 2));
        Self { name, kind, size: None, compressed: 0, crc: None, method, flags, head }
    }

    /// Takes the smaller of the two lengths of a stored member: more is not its own. Whether they differ, which is damage.
    pub(super) fn settle(&mut self) -> bool {
        let is_plain = self.method == STORED && self.flags & ENCRYPTED == 0;
        let Some(size) = self.size.filter(|&size| is_plain && size != self.compressed) else { return false };
        self.compressed = self.compressed.min(size);
        true
    }

    /// Says what stands behind its content: how long that is, and its checksum.
    pub(super) fn end(&mut self, compressed: u64, crc: u32) {
        (self.compressed, self.crc) = (compressed, Some(crc));
        if crc != 0 {
            self.kind = EntryKind::File;
        }
    }

    /// Whether its head was written before its length was known.
    pub(super) fn is_open_ended(&self) -> bool {
        self.flags & OPEN_ENDED != 0
    }

    /// Why its content cannot be had, where that is plain from the start.
    pub(in crate::source) fn refused(&self) -> Option<Reason> {
        if self.flags & ENCRYPTED != 0 {
            return Some(Reason::Encrypted);
        }
        (!matches!(self.method, STORED | DEFLATE | ZSTD)).then_some(Reason::UnknownMethod)
    }

    /// Where its bytes begin; `None` where it has no head.
    pub(super) fn content_start(&self, at: &dyn At) -> Option<u64> {
        let bytes = fetch(at, self.head, LOCAL_LEN).filter(|bytes| bytes.starts_with(LOCAL))?;
        let skip = LOCAL_LEN as u64 + u64::from(u16_at(&bytes, 26)) + u64::from(u16_at(&bytes, 28));
        Some(self.head.saturating_add(skip))
    }

    /// Its bytes with its head and with the lengths that some writers put behind it; `None` where it has no head.
    pub(super) fn stretch(&self, at: &dyn At) -> Option<(u64, u64)> {
        let end = self.content_start(at)?.saturating_add(self.compressed).min(at.size());
        Some((self.head, end + self.descriptor(at, end).unwrap_or(0)))
    }

    /// How long the descriptor at `end` is. It has a mark, or none, the checksum, and two lengths of 32 or 64 bits.
    fn descriptor(&self, at: &dyn At, end: u64) -> Option<u64> {
        let bytes = fetch(at, end, (at.size() - end).min(LONGEST_DESCRIPTOR) as usize)?;
        let mark = if bytes.starts_with(DESCRIPTOR) { DESCRIPTOR.len() } else { 0 };
        let rest = bytes.get(mark..).filter(|rest| rest.len() >= 12 && Some(u32_at(rest, 0)) == self.crc)?;
        let is_long = rest.len() >= 20
            && u64_at(rest, 4) == self.compressed
            && self.size.is_none_or(|size| u64_at(rest, 12) == size);
        Some((mark + if is_long { 20 } else { 12 }) as u64)
    }

    /// Its bytes as they stand in the archive.
    pub(in crate::source) fn raw<'a>(&self, at: &'a dyn At) -> Option<Box<dyn Read + 'a>> {
        let position = self.content_start(at)?;
        Some(Box::new(Section::new(at, position, self.compressed)))
    }

    /// Its content, checked against its length and checksum at its end. `None` where it has no head.
    pub(in crate::source) fn content<'a>(&self, at: &'a dyn At) -> Option<Box<dyn Read + 'a>> {
        let raw = self.raw(at)?;
        let reader: Box<dyn Read + 'a> = match self.method {
            STORED => raw,
            method => {
                let codec = if method == DEFLATE { Codec::Deflate } else { Codec::Zstd };
                // The ratio is looked at over all members together.
                let limits = DecodeLimits { max_ratio: u64::MAX, ..DecodeLimits::default() };
                Box::new(Decoded(Decoder::of(raw, codec, limits)))
            }
        };
        let (crc, size) = (self.crc, self.size);
        Some(Box::new(Checked { reader, sum: Crc::new(), len: 0, crc, size, failed: None }))
    }
}

/// Lengths of 64 bits, which stand in the extra field in the order in which they are needed.
struct LongFields<'a>(&'a [u8]);

impl<'a> LongFields<'a> {
    fn find(mut extra: &'a [u8]) -> Self {
        while extra.len() >= 4 {
            let (id, len) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
            let Some(field) = extra.get(4..4 + len) else { break };
            if id == LONG_FIELD {
                return Self(field);
            }
            extra = &extra[4 + len..];
        }
        Self(&[])
    }

    fn resolve(&mut self, short: u32) -> u64 {
        if u64::from(short) != LONG || self.0.len() < 8 {
            return u64::from(short);
        }
        let long = u64_at(self.0, 0);
        self.0 = &self.0[8..];
        long
    }
}

/// Checks at the end what was read.
struct Checked<'a> {
    reader: Box<dyn Read + 'a>,
    sum: Crc,
    len: u64,
    crc: Option<u32>,
    size: Option<u64>,
    failed: Option<InputEnd>,
}

impl Read for Checked<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(end) = self.failed {
            return Err(broken(end));
        }
        if out.is_empty() {
            return Ok(0);
        }
        let end = match self.reader.read(out) {
            Ok(0) => {
                let differs = self.crc.is_some_and(|crc| crc != self.sum.sum())
                    || self.size.is_some_and(|size| size != self.len);
                if !differs {
                    return Ok(0);
                }
                InputEnd::Corrupt
            }
            Ok(len) => {
                self.sum.update(&out[..len]);
                self.len += len as u64;
                return Ok(len);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => end_in(&error).unwrap_or(InputEnd::Corrupt),
        };
        self.failed = Some(end);
        Err(broken(end))
    }
}
