//! Zip archives, read by position: by their directory, and by the heads of those members that it does not list.
//!
//! Nothing of the directory is held but which bytes its members cover: entries are read one after another, so that memory
//! does not follow their number, and members of the same name stay apart.

mod bytes;
mod covered;
mod entry;

use korpus_core::InputEnd;

use super::archive::is_padding;
use super::wire::Wire;

pub(super) use bytes::{At, FileAt, Section, fetch};
use bytes::{u16_at, u32_at, u64_at};
use covered::Covered;
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
    /// By their heads, in what belongs to nothing that is known: in all of it where the directory is lost.
    Heads,
}

/// The members of an archive: those of its directory, in its order, then others.
pub(super) struct Zip<'a> {
    at: &'a dyn At,
    wire: &'a Wire,
    way: Way,
    /// Where the next entry, or head, is looked for.
    next: u64,
    seen: u64,
    covered: Covered,
    damage: Option<InputEnd>,
}

impl<'a> Zip<'a> {
    pub(super) fn open(at: &'a dyn At, wire: &'a Wire) -> Self {
        let mut covered = Covered::default();
        let (way, next, damage) = match find_directory(at, &mut covered) {
            Some((start, end, entries)) => (Way::Directory { end, entries }, start, None),
            // It is the last thing in the file: without it the file was cut off.
            None => (Way::Heads, 0, Some(InputEnd::Truncated)),
        };
        Self { at, wire, way, next, seen: 0, covered, damage }
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
            (self.way, self.next) = (Way::Heads, 0);
            return self.next_head();
        }
        let entry =
            self.fetch(self.next, CENTRAL_LEN).filter(|bytes| bytes.starts_with(CENTRAL)).and_then(|bytes| {
                let rest = [28, 30, 32].map(|at| usize::from(u16_at(&bytes, at)));
                let names = self.fetch(self.next + CENTRAL_LEN as u64, rest[0] + rest[1])?;
                self.next += (CENTRAL_LEN + rest.iter().sum::<usize>()) as u64;
                Some(ZipEntry::central(&bytes, &names[..rest[0]], &names[rest[0]..]))
            });
        if let Some(mut entry) = entry {
            self.seen += 1;
            if entry.settle() {
                self.damage.get_or_insert(InputEnd::Corrupt);
            }
            if let Some((start, end)) = entry.stretch(self.at) {
                self.covered.add(start, end);
            }
            return Some(entry);
        }
        // The rest of the directory is lost.
        self.damage.get_or_insert(self.missing());
        (self.way, self.next) = (Way::Heads, 0);
        self.next_head()
    }

    fn next_head(&mut self) -> Option<ZipEntry> {
        let size = self.at.size();
        while let Some((start, end)) = self.covered.gap(self.next, size) {
            let Some(head) = self.find_head(start, end) else {
                self.next = end;
                continue;
            };
            self.next = head + LOCAL.len() as u64;
            let Some(bytes) = self.fetch(head, LOCAL_LEN) else { continue };
            let rest = [26, 28].map(|at| usize::from(u16_at(&bytes, at)));
            let data = head + (LOCAL_LEN + rest[0] + rest[1]) as u64;
            if data > end {
                continue;
            }
            let Some(names) = self.fetch(head + LOCAL_LEN as u64, rest[0] + rest[1]) else { continue };
            // What is known already is no content of it; what is cut off by the end of the file says so.
            let most = if end < size { end.saturating_sub(data) } else { u64::MAX - data };
            let mut entry = ZipEntry::local(&bytes, &names[..rest[0]], &names[rest[0]..], head);
            if entry.settle() {
                self.damage.get_or_insert(InputEnd::Corrupt);
            }
            if !entry.is_open_ended() {
                self.next = data.saturating_add(entry.compressed);
            } else if let Some((len, crc, next)) = find_descriptor(self.at, data, end) {
                entry.end(len, crc);
                self.next = next;
            } else {
                entry.compressed = most;
                self.next = end;
            }
            // Whatever a head says, what stands behind the stretch is looked through too.
            self.next = self.next.min(end);
            entry.compressed = entry.compressed.min(most);
            return Some(entry);
        }
        None
    }

    /// Where the next head is in a stretch that belongs to nothing. That there is anything but padding is damage.
    fn find_head(&mut self, mut from: u64, end: u64) -> Option<u64> {
        const MOST: usize = 64 << 10;
        let finder = memchr::memmem::Finder::new(LOCAL);
        // Heads follow one another as a rule.
        let mut most = LOCAL_LEN;
        while from < end {
            let len = usize::try_from(end - from).unwrap_or(usize::MAX).min(most);
            let Some(chunk) = self.fetch(from, len) else {
                self.damage.get_or_insert(self.missing());
                return None;
            };
            if !is_padding(&chunk) {
                self.damage.get_or_insert(InputEnd::Corrupt);
            }
            if let Some(position) = finder.find(&chunk) {
                return Some(from + position as u64);
            }
            if len < most {
                return None;
            }
            from += (len + 1 - LOCAL.len()) as u64;
            most = (most * 2).min(MOST);
        }
        None
    }

    /// What it means that something is not there: reading fails, or it is another thing than it should be.
    fn missing(&self) -> InputEnd {
        if self.wire.failed().is_some() { InputEnd::Truncated } else { InputEnd::Corrupt }
    }

    fn fetch(&self, at: u64, len: usize) -> Option<Vec<u8>> {
        bytes::fetch(self.at, at, len)
    }
}

/// The directory: where it starts and ends, and how many entries it says to have; it is covered, and so is what stands
/// behind it. It stands where its end says: one whose places are shifted is that of an archive in the archive, or behind it.
fn find_directory(at: &dyn At, covered: &mut Covered) -> Option<(u64, u64, u64)> {
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
        let (len, start) = (u64::from(len), u64::from(start));
        let begins = entries == 0 || bytes::fetch(at, start, 4).is_some_and(|found| found == CENTRAL);
        let short = (begins && start + len == end_at).then_some((start, end_at, u64::from(entries)));
        let Some(found) = directory_64(at, end_at, covered).or(short) else { continue };
        let comment = &end[END_LEN..end.len().min(END_LEN + usize::from(u16_at(end, 20)))];
        // An archive in the comment has members that are looked for.
        let is_text = memchr::memmem::find(comment, LOCAL).is_none();
        covered.add(end_at, end_at + (END_LEN + if is_text { comment.len() } else { 0 }) as u64);
        covered.add(found.0, found.1);
        return Some(found);
    }
    None
}

/// The same, of an archive of the 64-bit form; its end stands before the old one at `end_at`.
fn directory_64(at: &dyn At, end_at: u64, covered: &mut Covered) -> Option<(u64, u64, u64)> {
    let locator_at = end_at.checked_sub(20)?;
    let locator = bytes::fetch(at, locator_at, 20).filter(|found| found.starts_with(LOCATOR_64))?;
    let end_64 = u64_at(&locator, 8);
    let end = bytes::fetch(at, end_64, 56).filter(|found| found.starts_with(END_64))?;
    let (entries, len, start) = (u64_at(&end, 32), u64_at(&end, 40), u64_at(&end, 48));
    let stop = start.checked_add(len).filter(|&stop| stop <= end_64)?;
    covered.add(end_64, end_64 + 56);
    covered.add(locator_at, end_at);
    Some((start, stop, entries))
}

/// What stands behind content of unknown length that begins at `data` and ends before `end`: its length, its checksum,
/// and where the next head is. A descriptor is known by its mark and by the length that it gives.
fn find_descriptor(at: &dyn At, data: u64, end: u64) -> Option<(u64, u32, u64)> {
    const CHUNK: usize = 64 << 10;
    const LONGEST: usize = 24;
    let finder = memchr::memmem::Finder::new(DESCRIPTOR);
    let mut from = data;
    loop {
        let len = usize::try_from(end.checked_sub(from)?).unwrap_or(usize::MAX).min(CHUNK);
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
