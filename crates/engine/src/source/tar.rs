//! Tar archives: one member after another, from a stream, up to the damage and past it.

use std::io::{self, Read};

use korpus_core::InputEnd;
use tar::{EntryType, Header, PaxExtensions};

use super::archive::{EntryKind, is_padding};
use super::wire::{Wire, broken, end_in};

const BLOCK: usize = 512;
/// Names are not longer than this, nor are all extended headers of a member; longer ones are passed over.
const LONGEST: u64 = 64 << 10;
/// No member is larger than this: sizes may be added up.
const LARGEST: u64 = 1 << 60;

/// Types of members that say something about others: labels of volumes, lists of directories, names, and attributes of
/// Solaris.
const ABOUT_FILES: &[u8] = b"VDNAEIX";

/// The head of a member.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TarEntry {
    pub(super) name: String,
    pub(super) kind: EntryKind,
    pub(super) size: u64,
}

/// Whether something begins as a tar archive does: with a head that holds together or says that it is one. Zeros are an
/// archive without members where the name says so.
pub(super) fn is_tar(start: &[u8], name: &str) -> bool {
    if start.len() < BLOCK {
        return false;
    }
    is_header(start)
        || &start[257..262] == b"ustar"
        || start.iter().all(|&byte| byte == 0) && is_tar_name(name)
}

fn is_tar_name(name: &str) -> bool {
    let file = name.rsplit(['/', '!']).next().unwrap_or(name);
    file.split('.').skip(1).any(|part| part.eq_ignore_ascii_case("tar") || part.eq_ignore_ascii_case("tgz"))
}

/// Whether `start` begins with the head of a member.
fn is_header(start: &[u8]) -> bool {
    let Some(block) = start.first_chunk::<BLOCK>() else { return false };
    let plausible = matches!(block[156], 0 | b'0'..=b'9' | b'A'..=b'Z' | b'g' | b'x');
    plausible && block[0] != 0 && checksum_holds(block)
}

/// Whether the sum in a head is that of its bytes. Old writers took the bytes as signed.
fn checksum_holds(block: &[u8; BLOCK]) -> bool {
    let Ok(expected) = Header::from_byte_slice(block).cksum() else { return false };
    let counted = |at: usize| if (148..156).contains(&at) { b' ' } else { block[at] };
    let unsigned: u32 = (0..BLOCK).map(|at| u32::from(counted(at))).sum();
    let signed: i32 = (0..BLOCK).map(|at| i32::from(counted(at) as i8)).sum();
    expected == unsigned || i64::from(expected) == i64::from(signed)
}

/// The size in a head. Labels of volumes have none.
fn size_of(header: &Header) -> io::Result<u64> {
    if is_padding(&header.as_old().size) { Ok(0) } else { header.entry_size() }
}

/// What the extended headers before a member say about it.
#[derive(Default)]
struct Extended {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
    /// A sparse file's own name: the other one is for programs that do not know such files.
    sparse_name: Option<Vec<u8>>,
}

/// Reads the heads of members; reading from it gives the content of the last one.
pub(super) struct TarReader<'r> {
    reader: &'r mut dyn Read,
    wire: &'r Wire,
    /// Bytes of the current member that were not read, and of the padding after it.
    left: u64,
    padding: u64,
    /// A block of zeros, which ends an archive, was seen.
    ended: bool,
    /// No more can be read.
    over: bool,
    damage: Option<InputEnd>,
}

impl<'r> TarReader<'r> {
    pub(super) fn new(reader: &'r mut dyn Read, wire: &'r Wire) -> Self {
        Self { reader, wire, left: 0, padding: 0, ended: false, over: false, damage: None }
    }

    /// What is wrong with the archive itself: the first of it.
    pub(super) fn damage(&self) -> Option<InputEnd> {
        self.damage
    }

    /// The head of the next member. What is left of the current one is passed over; so is what is damaged, up to the
    /// next head that holds together.
    pub(super) fn next(&mut self) -> Option<TarEntry> {
        let mut extended = Extended::default();
        let mut searching = false;
        loop {
            if self.over || !self.skip() {
                return None;
            }
            let mut block = [0; BLOCK];
            match self.fill(&mut block) {
                BLOCK if !self.wire.spend(BLOCK as u64) => {}
                BLOCK => {
                    self.fail(InputEnd::RatioExceeded);
                    return None;
                }
                len if self.ended && !self.over => {
                    self.over = true;
                    if !is_padding(&block[..len]) {
                        self.damage.get_or_insert(InputEnd::Corrupt);
                    }
                    return None;
                }
                // An archive ends with blocks of zeros, so this one was cut, if only between two members.
                _ => {
                    self.fail(InputEnd::Truncated);
                    return None;
                }
            }
            if block.iter().all(|&byte| byte == 0) {
                self.ended = true;
                continue;
            }
            if self.ended && is_padding(&block) {
                continue;
            }
            let header = Header::from_byte_slice(&block);
            let is_new = header.as_ustar().is_some() || header.as_gnu().is_some();
            let size = size_of(header);
            let sound = is_header(&block) && (is_new || !searching);
            let (true, Ok(size @ ..=LARGEST)) = (sound, size) else {
                // Behind the end too: zeros may stand where a head was.
                self.damage.get_or_insert(InputEnd::Corrupt);
                searching = true;
                extended = Extended::default();
                continue;
            };
            searching = false;
            self.ended = false;
            self.expect(size);
            match header.entry_type() {
                EntryType::GNULongName => extended.name = self.gather(size).map(until_zero),
                EntryType::XHeader => {
                    if let Some(bytes) = self.gather(size) {
                        read_pax(&bytes, &mut extended);
                    }
                }
                EntryType::GNULongLink | EntryType::XGlobalHeader => {}
                kind => return self.entry(&block, kind, size, extended),
            }
        }
    }

    fn entry(
        &mut self,
        block: &[u8; BLOCK],
        kind: EntryType,
        size: u64,
        extended: Extended,
    ) -> Option<TarEntry> {
        let header = Header::from_byte_slice(block);
        let size = extended.size.filter(|&size| size <= LARGEST).unwrap_or(size);
        let name = extended.sparse_name.or(extended.name);
        let name = name.unwrap_or_else(|| header.path_bytes().into_owned());
        let name = String::from_utf8_lossy(&name).into_owned();
        let kind = match kind {
            EntryType::GNUSparse => EntryKind::Sparse,
            EntryType::Directory => EntryKind::Directory,
            EntryType::Link | EntryType::Symlink | EntryType::Char | EntryType::Block | EntryType::Fifo => {
                EntryKind::Other
            }
            kind if ABOUT_FILES.contains(&kind.as_byte()) => EntryKind::Other,
            // A type that nobody knows is a file.
            _ if extended.is_sparse => EntryKind::Sparse,
            _ if name.ends_with('/') && size == 0 => EntryKind::Directory,
            _ => EntryKind::File,
        };
        match header.entry_type() {
            // These have no content, whatever their size says.
            EntryType::Directory
            | EntryType::Link
            | EntryType::Symlink
            | EntryType::Char
            | EntryType::Block
            | EntryType::Fifo => self.expect(0),
            EntryType::GNUSparse => {
                // Lists of holes follow the head for as long as each says so.
                let mut more = block[482] == 1;
                while more {
                    let mut list = [0; BLOCK];
                    if self.fill(&mut list) != BLOCK {
                        self.fail(InputEnd::Truncated);
                        return None;
                    }
                    more = list[504] == 1;
                }
                self.expect(size);
            }
            _ => self.expect(size),
        }
        Some(TarEntry { name, kind, size })
    }

    fn expect(&mut self, size: u64) {
        self.left = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
    }

    /// All of the current member, where it is short.
    fn gather(&mut self, size: u64) -> Option<Vec<u8>> {
        if size > LONGEST {
            self.damage.get_or_insert(InputEnd::Corrupt);
            return None;
        }
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Passes over what is left of the current member. Whether there is more after it.
    fn skip(&mut self) -> bool {
        let mut waste = [0; 16 << 10];
        while self.left + self.padding > 0 {
            let most = waste.len().min(usize::try_from(self.left + self.padding).unwrap_or(usize::MAX));
            match self.reader.read(&mut waste[..most]) {
                Ok(0) => {
                    // The padding of the last member may be missing; its content may not.
                    self.fail(InputEnd::Truncated);
                    return false;
                }
                Ok(len) => {
                    let content = self.left.min(len as u64);
                    self.left -= content;
                    self.padding -= len as u64 - content;
                    if self.wire.spend(len as u64) {
                        self.fail(InputEnd::RatioExceeded);
                        return false;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.fail(end_in(&error).unwrap_or(InputEnd::Truncated));
                    return false;
                }
            }
        }
        true
    }

    /// Reads a block; how much of it there was.
    fn fill(&mut self, block: &mut [u8; BLOCK]) -> usize {
        let mut len = 0;
        while len < BLOCK {
            match self.reader.read(&mut block[len..]) {
                Ok(0) => break,
                Ok(more) => len += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.fail(end_in(&error).unwrap_or(InputEnd::Truncated));
                    return BLOCK - 1;
                }
            }
        }
        len
    }

    fn fail(&mut self, end: InputEnd) {
        self.damage.get_or_insert(end);
        self.over = true;
    }
}

impl Read for TarReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.over {
            return Err(broken(self.damage.unwrap_or(InputEnd::Truncated)));
        }
        let most = out.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        match self.reader.read(&mut out[..most]) {
            Ok(0) => {
                self.fail(InputEnd::Truncated);
                Err(broken(InputEnd::Truncated))
            }
            Ok(len) => {
                self.left -= len as u64;
                Ok(len)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                self.fail(end_in(&error).unwrap_or(InputEnd::Truncated));
                Err(error)
            }
        }
    }
}

fn until_zero(mut name: Vec<u8>) -> Vec<u8> {
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    name.truncate(end);
    name
}

fn read_pax(bytes: &[u8], extended: &mut Extended) {
    for record in PaxExtensions::new(bytes).flatten() {
        match record.key_bytes() {
            b"path" => extended.name = Some(record.value_bytes().to_vec()),
            b"size" => extended.size = record.value().ok().and_then(|text| text.parse().ok()),
            key if key.starts_with(b"GNU.sparse.") => {
                extended.is_sparse = true;
                if key == b"GNU.sparse.name" {
                    extended.sparse_name = Some(record.value_bytes().to_vec());
                }
            }
            _ => {}
        }
    }
}
