//! The keys of a run on disk: what de-duplication must know of a message to tell copies of it in later runs.
//!
//! A file is 8 bytes that say what it is, then entries, then an entry that says that it is whole. An entry begins with a
//! number of variable length that holds its kind and flags. Ordinals and versions are stored as the difference to those of
//! the entry before: nearly all of a key is its two hashes, some 24 bytes in all, and 4 more where
//! something is known around the message.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use twox_hash::XxHash3_128;

use super::{KeyFile, damaged};
use crate::around::BodyKey;
use crate::error::{IoContext, Result};
use crate::keylog::{ID_TAIL, Key};

/// Another one is due when entries are written otherwise, and when something else is hashed or counted for a key.
const MAGIC: &[u8; 8] = b"korkeys2";
/// Kinds of entries: the lowest two bits.
const MESSAGE: u64 = 0;
const RECORD: u64 = 1;
const PAGE: u64 = 2;
const END: u64 = 3;
const KIND: u64 = 3;
/// The filter lets it pass.
const MATCHES: u64 = 4;
const SURROGATE: u64 = 8;
/// Its ordinal is the one after that of the entry before, and is not stored.
const NEXT: u64 = 16;
/// The step of its version is stored in milliseconds.
const MILLIS: u64 = 32;
/// Something is known around it.
const AROUND: u64 = 64;
const RICHNESS: u32 = 7;
/// Bytes of an id that are stored: those that tell something.
const ID_BYTES: usize = 16 - ID_TAIL as usize / 8;

/// So many bytes are written at a time.
const WRITTEN: usize = 256 << 10;

/// What a file of keys says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noted {
    /// A message, and whether the filter let it pass.
    Message(Key, bool),
    /// A record, likewise.
    Record(Key, bool),
    /// What is known of a body, by its ordinal.
    Page(u32, BodyKey),
}

/// Ordinal and version of the last message and of the last record.
type Last = [(u64, i64); 2];

/// Writes keys down as they come.
#[derive(Debug)]
pub(crate) struct KeyWriter {
    path: PathBuf,
    file: File,
    /// What waits to be written. Entries are put together here: a copy of one would wait for its bytes to arrive in memory.
    out: Vec<u8>,
    last: Last,
    /// The bodies that are wanted, some of them repeatedly.
    pages: Vec<u32>,
}

impl KeyWriter {
    pub(crate) fn create(path: PathBuf) -> Result<Self> {
        let file = File::create_new(&path).context("create", &path)?;
        Ok(Self { path, file, out: MAGIC.to_vec(), last: Last::default(), pages: Vec::new() })
    }

    /// Adds the key of a message, or of a record; `matches` says whether the filter lets it pass.
    pub(crate) fn push(&mut self, key: &Key, is_record: bool, matches: bool) -> Result<()> {
        let kind = if is_record { RECORD } else { MESSAGE };
        let (ordinal, version) = std::mem::replace(&mut self.last[kind as usize], (key.ordinal, key.version));
        let is_next = key.ordinal == ordinal.wrapping_add(1);
        let step = key.version.wrapping_sub(version);
        let is_millis = step % 1000 == 0;
        let mut head = kind | u64::from(key.richness) << RICHNESS;
        for (bit, is_set) in [
            (MATCHES, matches),
            (SURROGATE, key.surrogate_page.is_some()),
            (NEXT, is_next),
            (MILLIS, is_millis),
            (AROUND, key.around != 0),
        ] {
            head |= if is_set { bit } else { 0 };
        }
        put(&mut self.out, head);
        if !is_next {
            put(&mut self.out, key.ordinal.wrapping_sub(ordinal));
        }
        let step = if is_millis { step / 1000 } else { step };
        put(&mut self.out, (step << 1 ^ step >> 63) as u64);
        self.out.extend_from_slice(&key.id.to_be_bytes()[..ID_BYTES]);
        self.out.extend_from_slice(&key.content.to_le_bytes());
        if key.around != 0 {
            self.out.extend_from_slice(&key.around.to_le_bytes());
        }
        if let Some(page) = key.surrogate_page {
            put(&mut self.out, u64::from(page));
            if self.pages.last() != Some(&page) {
                self.pages.push(page);
            }
        }
        if self.out.len() >= WRITTEN { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        self.file.write_all(&self.out).context("write", &self.path)?;
        self.out.clear();
        Ok(())
    }

    /// Adds what is known of the bodies that surrogates came from, and says that the file is whole.
    pub(crate) fn finish(mut self, body: impl Fn(u32) -> BodyKey) -> Result<()> {
        self.pages.sort_unstable();
        self.pages.dedup();
        for &page in &self.pages {
            put(&mut self.out, PAGE);
            put(&mut self.out, u64::from(page));
            let BodyKey { array_hash, around } = body(page);
            self.out.extend_from_slice(&array_hash.to_le_bytes());
            self.out.extend_from_slice(&around.to_le_bytes());
        }
        put(&mut self.out, END);
        self.write()
    }
}

/// Calls `each` with everything that a file of keys says.
///
/// # Errors
/// Those of `each`; where the file cannot be read, or is not what was written.
pub(crate) fn read_keys(file: &KeyFile, mut each: impl FnMut(Noted) -> Result<()>) -> Result<()> {
    let path = &file.path;
    let opened = File::open(path).context("read", path)?;
    let mut reader = Entries {
        reader: BufReader::with_capacity(256 << 10, Hashed { file: opened, hasher: XxHash3_128::new() }),
        path,
        last: Last::default(),
    };
    if reader.bytes::<8>()? != *MAGIC {
        return Err(damaged(path));
    }
    while let Some(noted) = reader.next()? {
        each(noted)?;
    }
    let mut rest = [0];
    let at_end = reader.reader.read(&mut rest).context("read", path)? == 0;
    let hash = format!("{:032x}", reader.reader.get_ref().hasher.finish_128());
    if at_end && hash == file.hash { Ok(()) } else { Err(damaged(path)) }
}

struct Entries<'p> {
    reader: BufReader<Hashed>,
    path: &'p Path,
    last: Last,
}

impl Entries<'_> {
    fn next(&mut self) -> Result<Option<Noted>> {
        let head = self.number()?;
        let kind = head & KIND;
        match kind {
            END => return Ok(None),
            PAGE => {
                let page = self.page()?;
                let array_hash = u128::from_le_bytes(self.bytes()?);
                let around = u32::from_le_bytes(self.bytes()?);
                return Ok(Some(Noted::Page(page, BodyKey { array_hash, around })));
            }
            _ => {}
        }
        let (ordinal, version) = self.last[kind as usize];
        let ordinal = ordinal.wrapping_add(if head & NEXT != 0 { 1 } else { self.number()? });
        let step = self.number()?;
        let step = (step >> 1) as i64 ^ -((step & 1) as i64);
        let step = if head & MILLIS != 0 { step.wrapping_mul(1000) } else { step };
        let version = version.wrapping_add(step);
        self.last[kind as usize] = (ordinal, version);
        let mut id = [0; 16];
        id[..ID_BYTES].copy_from_slice(&self.bytes::<ID_BYTES>()?);
        let key = Key {
            id: u128::from_be_bytes(id),
            content: u64::from_le_bytes(self.bytes()?),
            around: if head & AROUND != 0 { u32::from_le_bytes(self.bytes()?) } else { 0 },
            version,
            richness: u32::try_from(head >> RICHNESS).map_err(|_| damaged(self.path))?,
            ordinal,
            surrogate_page: if head & SURROGATE != 0 { Some(self.page()?) } else { None },
        };
        let matches = head & MATCHES != 0;
        Ok(Some(if kind == RECORD { Noted::Record(key, matches) } else { Noted::Message(key, matches) }))
    }

    fn page(&mut self) -> Result<u32> {
        u32::try_from(self.number()?).map_err(|_| damaged(self.path))
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        match self.reader.read_exact(&mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(damaged(self.path)),
            Err(error) => Err(error).context("read", self.path),
        }
    }

    fn number(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.bytes()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(damaged(self.path))
    }
}

/// Seven bits a byte, the lowest first.
fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Hashes what is read.
struct Hashed {
    file: File,
    hasher: XxHash3_128,
}

impl Read for Hashed {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let len = self.file.read(out)?;
        self.hasher.write(&out[..len]);
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::EngineError;
    use crate::publish::hash_file;

    fn read(file: &KeyFile) -> Result<Vec<Noted>> {
        let mut all = Vec::new();
        read_keys(file, |noted| {
            all.push(noted);
            Ok(())
        })?;
        Ok(all)
    }

    type Entry = ((u128, u64), (i64, u32, u64), (Option<u32>, u32), (bool, bool));

    proptest! {
        #[test]
        fn keys_are_read_back_and_damage_is_found(
            entries in prop::collection::vec(any::<Entry>(), 0..40),
            cut in any::<prop::sample::Index>(),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("keys");
            let mut writer = KeyWriter::create(path.clone()).unwrap();
            let mut expected = Vec::new();
            let mut pages = std::collections::BTreeSet::new();
            for ((id, content), (version, richness, ordinal), (surrogate_page, around), (is_record, matches)) in entries {
                let (id, version) = (id >> ID_TAIL << ID_TAIL, if is_record { version } else { version / 1000 * 1000 });
                let key = Key { id, content, version, richness, around: around % 3, ordinal, surrogate_page };
                writer.push(&key, is_record, matches).unwrap();
                pages.extend(surrogate_page);
                expected.push(if is_record { Noted::Record(key, matches) } else { Noted::Message(key, matches) });
            }
            let body = |page: u32| BodyKey { array_hash: u128::from(page) << 9, around: !page };
            writer.finish(body).unwrap();
            expected.extend(pages.into_iter().map(|page| Noted::Page(page, body(page))));
            let hash = format!("{:032x}", hash_file(&path).unwrap().1);
            let file = KeyFile { path: path.clone(), hash };
            prop_assert_eq!(read(&file).unwrap(), expected);

            let bytes = std::fs::read(&path).unwrap();
            let at = cut.index(bytes.len());
            std::fs::write(&path, &bytes[..at]).unwrap();
            prop_assert!(matches!(read(&file), Err(EngineError::Damaged { .. })), "cut at {}", at);
            let mut other = bytes.clone();
            other[at] ^= 0x10;
            std::fs::write(&path, other).unwrap();
            prop_assert!(matches!(read(&file), Err(EngineError::Damaged { .. })), "changed at {}", at);
        }
    }
}
