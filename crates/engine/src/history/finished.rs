//! Which inputs an interrupted run was through with: by their names, and by content.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::atomic::AtomicBool;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use twox_hash::XxHash3_128;

use super::known::hash_until;
use crate::error::Result;
use crate::inputs::{InputInfo, InputKind, InputList};
use crate::ledger::InputStatus;
use crate::manifest::{InputEntry, Manifest};
use crate::run::check_cancelled;

/// What an interrupted run was through with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finished {
    /// The inputs that are marked, by their place in the list.
    These(Vec<bool>),
    /// Nothing that is of use: it read this input, which is another one now, is none any more, or could not be read to its end.
    Nothing(String),
}

/// Which of `inputs` were read for the dataset that says `manifest` about itself. Everything in there must be among them, as
/// it was: nothing can be taken out again. Runs on the threads of the pool that it is called in.
///
/// # Errors
/// [`EngineError::Cancelled`](crate::EngineError::Cancelled).
pub fn finished(inputs: &InputList, manifest: &Manifest, cancel: &AtomicBool) -> Result<Finished> {
    let entries: HashMap<&str, &InputEntry> =
        manifest.inputs.iter().map(|entry| (entry.path.as_str(), entry)).collect();
    let found: Vec<Option<bool>> = inputs
        .inputs
        .par_iter()
        .map(|input| {
            let entry = entries.get(input.display.as_str());
            let same = entry.map(|entry| is_same(input, entry, cancel));
            check_cancelled(cancel).map(|()| same)
        })
        .collect::<Result<_>>()?;
    let named = |found: &Option<bool>| found.is_some();
    if let Some(at) = found.iter().position(|same| *same == Some(false)) {
        return Ok(Finished::Nothing(inputs.inputs[at].display.clone()));
    }
    let read = inputs.inputs.iter().zip(&found).filter(|(_, same)| named(same));
    let read: HashSet<&str> = read.map(|(input, _)| input.display.as_str()).collect();
    // Members of archives are named `archive!member`.
    let is_known = |entry: &InputEntry| {
        let name = entry.path.as_str();
        read.contains(name) || name.match_indices('!').any(|(end, _)| read.contains(&name[..end]))
    };
    match manifest.inputs.iter().find(|entry| !is_known(entry)) {
        Some(gone) => Ok(Finished::Nothing(gone.path.clone())),
        None => Ok(Finished::These(found.iter().map(named).collect())),
    }
}

/// Whether an input is what was read under its name.
fn is_same(input: &InputInfo, entry: &InputEntry, cancel: &AtomicBool) -> bool {
    let read: io::Result<(u64, u128)> = match &input.kind {
        InputKind::Bytes(bytes) => Ok((bytes.len() as u64, XxHash3_128::oneshot(bytes))),
        // A file of another size need not be read.
        InputKind::File(path) => match std::fs::metadata(path) {
            Ok(metadata) if metadata.len() != entry.size && metadata.is_file() => return false,
            _ => hash_until(path, cancel),
        },
        InputKind::Stdin | InputKind::Reader(_) | InputKind::Member => return false,
    };
    match read {
        Ok((size, hash)) => !entry.again && size == entry.size && format!("{hash:032x}") == entry.hash,
        // It could not be read then either.
        Err(_) => entry.status == InputStatus::Unreadable.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::EngineError;
    use crate::ledger::Ledger;

    fn entry(path: &str, bytes: &[u8]) -> InputEntry {
        InputEntry {
            path: path.to_owned(),
            size: bytes.len() as u64,
            hash: format!("{:032x}", XxHash3_128::oneshot(bytes)),
            request: None,
            pages: 1,
            members: None,
            status: "ok".to_owned(),
            changed: false,
            again: false,
        }
    }

    #[test]
    fn all_that_was_read_must_be_there_as_it_was() {
        let inputs = InputList::from_bytes([("a", &b"1"[..]), ("b.tar", b"22"), ("c", b"1")]);
        let found = |entries: &[InputEntry]| {
            let mut manifest = Manifest::new(1, &Ledger::default());
            manifest.inputs = entries.to_vec();
            finished(&inputs, &manifest, &AtomicBool::new(false)).unwrap()
        };
        let archive = [entry("b.tar!x", b"x"), entry("b.tar!y!z", b"z"), entry("b.tar", b"22")];
        assert_eq!(found(&[]), Finished::These(vec![false; 3]));
        assert_eq!(found(&[entry("c", b"1")]), Finished::These(vec![false, false, true]));
        assert_eq!(found(&archive), Finished::These(vec![false, true, false]));
        assert_eq!(found(&[entry("c", b"2")]), Finished::Nothing("c".to_owned()));
        assert_eq!(found(&[entry("a", b"1"), entry("d", b"1")]), Finished::Nothing("d".to_owned()));
        assert_eq!(found(&archive[..2]), Finished::Nothing("b.tar!x".to_owned()));
        let cancelled = finished(&inputs, &Manifest::new(1, &Ledger::default()), &AtomicBool::new(true));
        assert!(matches!(cancelled, Err(EngineError::Cancelled)));
    }

    #[test]
    fn files_are_told_by_what_they_hold() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "as it was").unwrap();
        let read = entry("a", b"as it was");
        let input = InputInfo {
            kind: InputKind::File(path.clone()),
            ..InputList::from_bytes([("a", &b""[..])]).inputs.remove(0)
        };
        let same = |entry: &InputEntry| is_same(&input, entry, &AtomicBool::new(false));
        assert!(same(&read));
        assert!(!same(&InputEntry { again: true, ..read.clone() }), "reading it broke off");
        std::fs::write(&path, "as it is.").unwrap();
        assert!(!same(&read));
        std::fs::write(&path, "as it was, and more").unwrap();
        assert!(!same(&read));
        std::fs::remove_file(&path).unwrap();
        assert!(!same(&read));
        assert!(same(&InputEntry { status: "unreadable".to_owned(), ..read }));
    }
}
