//! Which inputs a dataset was made of, by their content: neither names nor times tell.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use twox_hash::XxHash3_128;

use crate::error::{IoContext, Result};
use crate::inputs::{InputInfo, InputKind, InputList, StandardInput};
use crate::manifest::Manifest;
use crate::observer::Observer;
use crate::run::check_cancelled;

/// The inputs of a dataset: sizes, and XXH3-128 of their bytes; of exchanges, of their requests too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    by_size: HashMap<u64, HashSet<u128>>,
    /// Sizes, and the hashes of content and request.
    exchanges: HashSet<(u64, u128, u128)>,
}

impl Known {
    /// Those of a manifest, members of archives among them. What is to be read again is not known.
    pub fn of(manifest: &Manifest) -> Self {
        let mut known = Self::default();
        for entry in &manifest.inputs {
            if !entry.again
                && let Ok(hash) = u128::from_str_radix(&entry.hash, 16)
            {
                known.by_size.entry(entry.size).or_default().insert(hash);
                let request = entry.request.as_deref().map(|request| u128::from_str_radix(request, 16));
                if let Some(Ok(request)) = request {
                    known.exchanges.insert((entry.size, hash, request));
                }
            }
        }
        known
    }

    /// Whether something of this size may be known.
    pub(crate) fn has_size(&self, size: u64) -> bool {
        self.by_size.contains_key(&size)
    }

    /// Whether something of this size and hash is known.
    pub(crate) fn has(&self, size: u64, hash: u128) -> bool {
        self.by_size.get(&size).is_some_and(|hashes| hashes.contains(&hash))
    }

    /// Whether an exchange of this content and request is known: what was asked counts, for one empty page is like another.
    pub(crate) fn has_exchange(&self, size: u64, hash: u128, request: Option<u128>) -> bool {
        match request {
            Some(request) => self.exchanges.contains(&(size, hash, request)),
            None => self.has(size, hash),
        }
    }

    /// Takes what is known out of `inputs`, and gives back the names of that. Files are read only where one of the same size
    /// is known. Runs on the threads of the pool that it is called in. What cannot be read is left in: the run will tell.
    ///
    /// What can be read only once, as standard input, is written down in the directory `aside` first.
    ///
    /// # Errors
    /// Where something cannot be written down; [`EngineError::Cancelled`](crate::EngineError::Cancelled).
    pub fn take_out(
        &self,
        inputs: &mut InputList,
        aside: &Path,
        cancel: &AtomicBool,
        observer: &dyn Observer,
    ) -> Result<Vec<String>> {
        for input in &mut inputs.inputs {
            let reader: Box<dyn Read> = match &input.kind {
                InputKind::Stdin => Box::new(StandardInput),
                InputKind::Reader(once) => match once.take() {
                    Some(reader) => reader,
                    None => continue,
                },
                InputKind::Bytes(_) | InputKind::File(_) | InputKind::Member => continue,
            };
            put_aside(reader, input, aside, cancel)?;
        }
        let known: Vec<bool> = inputs
            .inputs
            .par_iter()
            .map(|input| {
                check_cancelled(cancel)?;
                let known = self.knows(input, cancel);
                if known {
                    observer.bytes_read(input.size.unwrap_or_default());
                }
                Ok(known)
            })
            .collect::<Result<_>>()?;
        let mut names = Vec::new();
        let mut known = known.into_iter();
        inputs.inputs.retain_mut(|input| {
            let is_known = known.next().unwrap_or_default();
            if is_known {
                names.push(std::mem::take(&mut input.display));
            }
            !is_known
        });
        for (index, input) in inputs.inputs.iter_mut().enumerate() {
            input.index = index;
        }
        Ok(names)
    }

    fn knows(&self, input: &InputInfo, cancel: &AtomicBool) -> bool {
        match &input.kind {
            InputKind::Bytes(bytes) => self.has(bytes.len() as u64, XxHash3_128::oneshot(bytes)),
            InputKind::File(path) => self.knows_file(path, cancel).unwrap_or_default(),
            InputKind::Stdin | InputKind::Reader(_) | InputKind::Member => false,
        }
    }

    fn knows_file(&self, path: &Path, cancel: &AtomicBool) -> io::Result<bool> {
        let metadata = std::fs::metadata(path)?;
        if !metadata.is_file() || !self.has_size(metadata.len()) {
            return Ok(false);
        }
        let (size, hash) = hash_until(path, cancel)?;
        Ok(self.has(size, hash))
    }
}

/// Writes all of a reader to a file in `dir`, which is read in its place.
fn put_aside(
    mut reader: Box<dyn Read + '_>,
    input: &mut InputInfo,
    dir: &Path,
    cancel: &AtomicBool,
) -> Result<()> {
    let path = dir.join(format!("input-{}", input.index));
    let mut file = File::create_new(&path).context("create", &path)?;
    let mut written = Ok(());
    let outcome = copy(&mut reader, cancel, |bytes| {
        written = file.write_all(bytes);
        if written.is_ok() { Ok(()) } else { Err(io::ErrorKind::Other.into()) }
    });
    check_cancelled(cancel)?;
    written.context("write", &path)?;
    input.size = Some(outcome.context("read", Path::new(&input.display))?);
    input.kind = InputKind::File(path);
    Ok(())
}

/// The size and XXH3-128 of a file, as far as it was read until told to stop.
pub(super) fn hash_until(path: &Path, cancel: &AtomicBool) -> io::Result<(u64, u128)> {
    let mut hasher = XxHash3_128::new();
    let size = copy(&mut File::open(path)?, cancel, |bytes| {
        hasher.write(bytes);
        Ok(())
    })?;
    Ok((size, hasher.finish_128()))
}

/// Hands out all bytes of a reader, until told to stop. How many there were.
fn copy(
    reader: &mut impl Read,
    cancel: &AtomicBool,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<u64> {
    let mut buffer = vec![0; 256 << 10];
    let mut total = 0;
    while !cancel.load(Ordering::Relaxed) {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(len) => {
                each(&buffer[..len])?;
                total += len as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::EngineError;
    use crate::ledger::Ledger;
    use crate::manifest::InputEntry;

    fn entry(bytes: &[u8], status: &str, again: bool) -> InputEntry {
        InputEntry {
            path: "before".to_owned(),
            size: bytes.len() as u64,
            hash: format!("{:032x}", XxHash3_128::oneshot(bytes)),
            request: None,
            pages: 1,
            members: None,
            status: status.to_owned(),
            changed: false,
            again,
        }
    }

    #[test]
    fn content_tells_what_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let mut manifest = Manifest::new(1, &Ledger::default());
        manifest.inputs = vec![
            entry(b"one", "ok", false),
            entry(b"seven", "partial", false),
            entry(b"eight", "partial", true),
            entry(b"", "unreadable", true),
        ];
        let known = Known::of(&manifest);
        let path = |name: &str, bytes: &[u8]| {
            std::fs::write(dir.path().join(name), bytes).unwrap();
            dir.path().join(name)
        };
        let files = [
            path("renamed", b"seven"),
            path("same size", b"two"),
            path("broken off", b"eight"),
            path("grown", b"one more"),
            path("empty", b""),
            dir.path().join("gone"),
        ];
        let file = |path: &std::path::PathBuf| InputInfo {
            index: 0,
            member: None,
            display: path.file_name().unwrap().to_string_lossy().into_owned(),
            kind: InputKind::File(path.clone()),
            container: crate::Container::Plain,
            size: None,
        };
        let mut inputs = InputList::from_bytes([("bytes", &b"one"[..]), ("other", &b"eno"[..])]);
        inputs.inputs.extend(files.iter().map(file));
        let out = known.take_out(&mut inputs, dir.path(), &AtomicBool::new(false), &()).unwrap();
        assert_eq!(out, ["bytes", "renamed"]);
        let left: Vec<_> = inputs.inputs.iter().map(|input| (input.index, input.display.as_str())).collect();
        assert_eq!(
            left,
            [(0, "other"), (1, "same size"), (2, "broken off"), (3, "grown"), (4, "empty"), (5, "gone")]
        );
        let cancelled = known.take_out(&mut inputs, dir.path(), &AtomicBool::new(true), &());
        assert!(matches!(cancelled, Err(EngineError::Cancelled)));
    }
}
