//! Zip archives, read by position: by their directory, or, where that is lost, by the heads of their members.
//!
//! Nothing of the directory is held: entries are read one after another, so that memory does not follow their number,
//! and members of the same name stay apart.

mod bytes;
mod entry;

use korpus_core::InputEnd;

use super::wire::Wire;

pub(super) use bytes::{At, FileAt, Section, fetch};
use bytes::{u16_at, u32_at, u64_at};
pub(super) use entry::ZipEntry;

const LOCAL: &[u8; 4] = b"PK\x03\x04";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const END: &[u8; 4] = b"PK\x05\x06";
const END_64: &[u8; 4] = b"PK\x06\x06";
const LOCATOR_64: &[u8; 4] = b"PK\x06\x07";
const DESCRIPTOR: &[u8; 4] = b"PK\x07\x08";
/// Bytes of an entry of the directory, of a member's head, and of the end of the directory, names and the like aside.
const CENTRAL_LEN: usize = 46;
const LOCAL_LEN: usize = 30;
const END_LEN: usize = 22;
/// A comment at the end is at most this long.
const COMMENT: usize = 0xffff;

/// Whether a file begins as a zip archive does, an empty one too.
pub(super) fn is_zip(start: &[u8]) -> bool {
    start.starts_with(LOCAL) || start.starts_with(END)
}

/// How the members are found.
enum Way {
    /// In the directory, up to this position; so many entries should come.
    Directory { end: u64, entries: u64 },
    /// By their heads, one after another: the directory is lost.
    Heads,
}

/// The members of an archive, in the order of its directory.
pub(super) struct Zip<'a> {
    at: &'a dyn At,
    wire: &'a Wire,
    way: Way,
    /// Where the next entry, or head, is.
    next: u64,
    seen: u64,
    /// How far everything lies behind where the directory says: something stands in front of the archive.
    shift: u64,
    damage: Option<InputEnd>,
    /// Where the last member's content ends, as far as its head can be read.
    reached: u64,
}

impl<'a> Zip<'a> {
    pub(super) fn open(at: &'a dyn At, wire: &'a Wire) -> Self {
        let zip = Self { at, wire, way: Way::Heads, next: 0, seen: 0, shift: 0, damage: None, reached: 0 };
        match find_directory(at) {
            Some((start, end, entries, shift)) => {
                Self { way: Way::Directory { end, entries }, next: start, shift, ..zip }
            }
            // It is the last thing in the file: without it the file was cut off.
            None => Self { damage: Some(InputEnd::Truncated), ..zip },
        }
    }

    /// What is wrong with the archive itself.
    pub(super) fn damage(&self) -> Option<InputEnd> {
        self.damage
    }

    /// The next member.
    pub(super) fn next(&mut self) -> Option<ZipEntry> {
        match self.way {
            Way::Directory { end, entries } => self.next_entry(end, entries),
            Way::Heads => self.next_head(),
        }
    }

    fn next_entry(&mut self, end: u64, entries: u64) -> Option<ZipEntry> {
        if self.next >= end {
            // Archives without the 64-bit form count modulo 65,536 in practice.
            if self.seen & 0xffff != entries & 0xffff {
                self.damage.get_or_insert(InputEnd::Corrupt);
            }
            return None;
        }
        let entry =
            self.fetch(self.next, CENTRAL_LEN).filter(|bytes| bytes.starts_with(CENTRAL)).and_then(|bytes| {
                let rest = [28, 30, 32].map(|at| usize::from(u16_at(&bytes, at)));
                let names = self.fetch(self.next + CENTRAL_LEN as u64, rest[0] + rest[1])?;
                self.next += (CENTRAL_LEN + rest.iter().sum::<usize>()) as u64;
                Some(ZipEntry::central(&bytes, &names[..rest[0]], &names[rest[0]..], self.shift))
            });
        if let Some(entry) = &entry {
            self.seen += 1;
            self.reached = entry
                .content_start(self.at)
                .map_or(self.reached, |start| start.saturating_add(entry.compressed));
            return Some(entry.clone());
        }
        let is_unreadable = self.wire.failed().is_some();
        self.damage.get_or_insert(if is_unreadable { InputEnd::Truncated } else { InputEnd::Corrupt });
        // The rest of the directory is lost. What it would list stands behind the last member as a rule, and behind the
        // lengths that some writers put there.
        let behind = [0, 12, 16, 20, 24].map(|len: u64| self.reached.saturating_add(len));
        let head = behind.into_iter().find(|&head| self.fetch(head, 4).is_some_and(|start| start == LOCAL));
        self.way = Way::Heads;
        self.next = head.unwrap_or(u64::MAX);
        self.next_head()
    }

    fn next_head(&mut self) -> Option<ZipEntry> {
        let head = self.next;
        let bytes = self.fetch(head, LOCAL_LEN).filter(|bytes| bytes.starts_with(LOCAL))?;
        let rest = [26, 28].map(|at| usize::from(u16_at(&bytes, at)));
        let names = self.fetch(head + LOCAL_LEN as u64, rest[0] + rest[1])?;
        let mut entry = ZipEntry::local(&bytes, &names[..rest[0]], &names[rest[0]..], head);
        let data = head + (LOCAL_LEN + names.len()) as u64;
        if entry.is_open_ended() {
            if let Some((len, crc, next)) = find_descriptor(self.at, data) {
                (entry.compressed, entry.crc) = (len, Some(crc));
                self.next = next;
            } else {
                entry.compressed = u64::MAX - data;
                self.next = u64::MAX;
            }
        } else {
            self.next = data.saturating_add(entry.compressed);
        }
        Some(entry)
    }

    fn fetch(&self, at: u64, len: usize) -> Option<Vec<u8>> {
        bytes::fetch(self.at, at, len)
    }
}

/// The directory: where it starts and ends, how many entries it says to have, and how far all is shifted.
fn find_directory(at: &dyn At) -> Option<(u64, u64, u64, u64)> {
    let size = at.size();
    let tail_len = size.min((COMMENT + END_LEN) as u64) as usize;
    let tail_at = size - tail_len as u64;
    let tail = bytes::fetch(at, tail_at, tail_len)?;
    for position in (0..=tail_len.checked_sub(END_LEN)?).rev() {
        let end = &tail[position..];
        if !end.starts_with(END) {
            continue;
        }
        let end_at = tail_at + position as u64;
        let (entries, len, start) = (u16_at(end, 10), u32_at(end, 12), u32_at(end, 16));
        if let Some(found) = directory_64(at, end_at) {
            return Some(found);
        }
        let (len, start) = (u64::from(len), u64::from(start));
        // The directory stands right before its end: what stands in front of the archive shifts all.
        let Some(real_start) = end_at.checked_sub(len).filter(|&real| real >= start) else { continue };
        let begins = match entries {
            0 => real_start == start,
            _ => bytes::fetch(at, real_start, 4).is_some_and(|found| found == CENTRAL),
        };
        if begins {
            return Some((real_start, end_at, u64::from(entries), real_start - start));
        }
    }
    None
}

/// The same, of an archive of the 64-bit form; its end stands before the old one at `end_at`.
fn directory_64(at: &dyn At, end_at: u64) -> Option<(u64, u64, u64, u64)> {
    let locator =
        bytes::fetch(at, end_at.checked_sub(20)?, 20).filter(|found| found.starts_with(LOCATOR_64))?;
    let end_64 = u64_at(&locator, 8);
    let end = bytes::fetch(at, end_64, 56).filter(|found| found.starts_with(END_64))?;
    let (entries, len, start) = (u64_at(&end, 32), u64_at(&end, 40), u64_at(&end, 48));
    let stop = start.checked_add(len).filter(|&stop| stop <= end_64)?;
    Some((start, stop, entries, 0))
}

/// What stands behind content of unknown length that begins at `data`: its length, its checksum, and where the next
/// head is. A descriptor is known by its mark and by the length that it gives.
fn find_descriptor(at: &dyn At, data: u64) -> Option<(u64, u32, u64)> {
    const CHUNK: usize = 64 << 10;
    const LONGEST: usize = 24;
    let finder = memchr::memmem::Finder::new(DESCRIPTOR);
    let mut from = data;
    loop {
        let len = usize::try_from(at.size().checked_sub(from)?).unwrap_or(usize::MAX).min(CHUNK);
        if len < 16 {
            return None;
        }
        let chunk = bytes::fetch(at, from, len)?;
        for position in finder.find_iter(&chunk) {
            let mark = from + position as u64;
            let Some(found) = bytes::fetch(at, mark, 16) else { continue };
            let (crc, short) = (u32_at(&found, 4), u64::from(u32_at(&found, 8)));
            if short == mark - data && (short > 0 || u32_at(&found, 12) == 0) {
                let long = bytes::fetch(at, mark, LONGEST);
                let is_long = long.is_some_and(|long| u64_at(&long, 8) == mark - data);
                return Some((mark - data, crc, mark + if is_long { 24 } else { 16 }));
            }
        }
        if len < CHUNK {
            return None;
        }
        from += (CHUNK - LONGEST) as u64;
    }
}
