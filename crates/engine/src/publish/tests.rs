//! Publishing over real directories: whole or not at all, and never over what is not ours.

use std::path::Path;

use super::*;
use crate::ledger::Ledger;
use crate::manifest::{FileEntry, Manifest};

const OVERWRITE: PublishOptions = PublishOptions { overwrite: true };
const KEEP: PublishOptions = PublishOptions { overwrite: false };

fn write_dataset(dir: &Path, text: &str) {
    fs::create_dir_all(dir.join("messages")).unwrap();
    fs::write(dir.join("messages/part.txt"), text).unwrap();
    fs::create_dir_all(dir.join("_keys")).unwrap();
    fs::write(dir.join("_keys/part.bin"), "keys").unwrap();
    let mut manifest = Manifest::new(1, &Ledger::default());
    let entry = |path: &str, table: &str| FileEntry {
        path: path.to_owned(),
        table: table.to_owned(),
        rows: 1,
        bytes: text.len() as u64,
        hash: String::new(),
    };
    manifest.files.push(entry("messages/part.txt", "messages"));
    manifest.keys.push(entry("_keys/part.bin", "_keys"));
    manifest.write(dir).unwrap();
}

fn publish(target: &Path, options: PublishOptions, text: &str) -> Result<()> {
    let publication = Publication::begin(target, options)?;
    write_dataset(publication.path(), text);
    publication.finish()
}

fn text_of(target: &Path) -> String {
    fs::read_to_string(target.join("messages/part.txt")).unwrap()
}

fn siblings(target: &Path) -> Vec<String> {
    let entries = fs::read_dir(target.parent().unwrap()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_dataset_appears_whole() {
    let dir = tempfile::tempdir().unwrap();
    for target in [dir.path().join("new"), dir.path().join("deep/er/new"), dir.path().join("empty")] {
        if target.ends_with("empty") {
            fs::create_dir(&target).unwrap();
        }
        let publication = Publication::begin(&target, KEEP).unwrap();
        write_dataset(publication.path(), "one");
        assert!(!target.join(MANIFEST).exists());
        publication.finish().unwrap();
        assert_eq!(text_of(&target), "one");
    }
    assert_eq!(siblings(&dir.path().join("new")), ["deep", "empty", "new"]);
}

#[test]
fn an_existing_dataset_is_replaced_only_on_request() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("out");
    publish(&target, KEEP, "one").unwrap();
    assert!(matches!(publish(&target, KEEP, "two"), Err(EngineError::TargetExists(_))));
    assert_eq!(text_of(&target), "one");
    publish(&target, OVERWRITE, "two").unwrap();
    assert_eq!((text_of(&target), siblings(&target)), ("two".to_owned(), vec!["out".to_owned()]));
}

#[test]
fn what_is_no_dataset_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, file) = (dir.path().join("folder"), dir.path().join("file"));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("thesis.doc"), "dear").unwrap();
    fs::write(&file, "dear").unwrap();
    assert!(matches!(publish(&folder, OVERWRITE, "x"), Err(EngineError::NotADataset(_))));
    for target in [&file, &file.join("below"), &file.join("far/below")] {
        let error = publish(target, OVERWRITE, "x").unwrap_err();
        assert!(matches!(&error, EngineError::NotADirectory(path) if *path == file), "{error}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "dear");
    assert_eq!(fs::read_to_string(folder.join("thesis.doc")).unwrap(), "dear");
    assert_eq!(siblings(&folder), ["file", "folder"]);
    // Not even if it comes to be one while the run goes on.
    let target = dir.path().join("late");
    let publication = Publication::begin(&target, OVERWRITE).unwrap();
    fs::create_dir(&target).unwrap();
    fs::write(target.join("thesis.doc"), "dear").unwrap();
    assert!(matches!(publication.finish(), Err(EngineError::NotADataset(_))));
    assert_eq!(siblings(&target), ["file", "folder", "late"]);
}

#[test]
fn files_of_others_in_a_dataset_are_not_lost() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("out");
    publish(&target, KEEP, "one").unwrap();
    publish(&target, OVERWRITE, "two").unwrap();
    for foreign in ["notes.txt", "messages/notes.txt", "_notes.txt", "_keys/notes.txt", "_korpus"] {
        fs::write(target.join(foreign), "dear").unwrap();
        let error = publish(&target, OVERWRITE, "three").unwrap_err();
        assert!(matches!(&error, EngineError::ForeignFile(path) if path.ends_with(foreign)), "{error}");
        assert_eq!(text_of(&target), "two");
        fs::remove_file(target.join(foreign)).unwrap();
    }
    for foreign in ["notes", "messages/notes", "_notes"] {
        fs::create_dir(target.join(foreign)).unwrap();
        let error = publish(&target, OVERWRITE, "three").unwrap_err();
        assert!(matches!(&error, EngineError::ForeignFile(path) if path.ends_with(foreign)), "{error}");
        fs::remove_dir(target.join(foreign)).unwrap();
    }
    // Nor is what only has the name of a manifest.
    fs::write(target.join(MANIFEST), "{}").unwrap();
    assert!(publish(&target, OVERWRITE, "three").is_err());
    assert_eq!(text_of(&target), "two");
}

#[test]
fn an_unfinished_publication_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("out");
    publish(&target, KEEP, "one").unwrap();
    let publication = Publication::begin(&target, OVERWRITE).unwrap();
    write_dataset(publication.path(), "two");
    drop(publication);
    assert_eq!((text_of(&target), siblings(&target)), ("one".to_owned(), vec!["out".to_owned()]));
}

#[test]
fn one_writer_a_target() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("out");
    let first = Publication::begin(&target, KEEP).unwrap();
    assert!(matches!(Publication::begin(&target, OVERWRITE), Err(EngineError::Locked(_))));
    // Another target is another matter.
    publish(&dir.path().join("other"), KEEP, "x").unwrap();
    write_dataset(first.path(), "one");
    first.finish().unwrap();
    publish(&target, OVERWRITE, "two").unwrap();
    assert_eq!(text_of(&target), "two");
}

#[test]
fn what_a_dead_run_left_is_cleared_away() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("out");
    publish(&target, KEEP, "one").unwrap();
    let leftover = dir.path().join(".out.korpus-0000beef.tmp");
    write_dataset(&leftover, "half");
    fs::write(dir.path().join(".out.korpus-lock"), "").unwrap();
    for other in [".out.korpus-notes.tmp", ".other.korpus-0000beef.tmp"] {
        fs::create_dir(dir.path().join(other)).unwrap();
    }
    publish(&target, OVERWRITE, "two").unwrap();
    assert_eq!(text_of(&target), "two");
    assert_eq!(siblings(&target), [".other.korpus-0000beef.tmp", ".out.korpus-notes.tmp", "out"]);
}

#[test]
fn a_run_that_died_between_two_renames_is_recovered() {
    let dir = tempfile::tempdir().unwrap();
    let (target, old) = (dir.path().join("out"), dir.path().join(".out.korpus-old.tmp"));
    // Killed with the old dataset out of the way and the new one not in place yet.
    write_dataset(&old, "old");
    assert!(matches!(publish(&target, KEEP, "new"), Err(EngineError::TargetExists(_))));
    assert_eq!((text_of(&target), old.exists()), ("old".to_owned(), false));
    // Killed after the new one took its place.
    write_dataset(&old, "old");
    publish(&target, OVERWRITE, "new").unwrap();
    assert_eq!((text_of(&target), siblings(&target)), ("new".to_owned(), vec!["out".to_owned()]));
    // Without a kernel's help the exchange ends the same.
    let staging = dir.path().join("staging");
    write_dataset(&staging, "newer");
    swap::exchange_in_steps(&staging, &target).unwrap();
    assert_eq!((text_of(&target), text_of(&staging)), ("newer".to_owned(), "new".to_owned()));
    fs::remove_dir_all(&staging).unwrap();
    assert!(swap::exchange_in_steps(&staging, &target).is_err());
    assert_eq!(text_of(&target), "newer");
}

#[test]
fn progress_that_was_half_removed_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("out");
    let progress = dir.path().join(".out.korpus-progress");
    write_dataset(&progress, "one");
    fs::remove_file(progress.join(MANIFEST)).unwrap();
    let publication = Publication::begin(&target, KEEP).unwrap();
    assert!(!publication.progress().exists());
}

#[test]
fn progress_is_kept_until_something_is_published() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("out");
    let progress = dir.path().join(".out.korpus-progress");
    let mut publication = Publication::begin(&target, KEEP).unwrap();
    for text in ["one", "two"] {
        write_dataset(publication.path(), text);
        publication.keep().unwrap();
        assert_eq!((text_of(&progress), target.exists()), (text.to_owned(), false));
        assert_eq!(fs::read_dir(publication.path()).unwrap().count(), 0);
    }
    // The run dies with half of the next.
    fs::write(publication.path().join("half"), "").unwrap();
    drop(publication);
    assert_eq!(siblings(&target), [".out.korpus-progress"]);
    assert_eq!((progress_of(&target), progress_of(&progress)), (Some(progress.clone()), None));
    let publication = Publication::begin(&target, KEEP).unwrap();
    assert_eq!((text_of(&progress), publication.progress()), ("two".to_owned(), &*progress));
    drop(publication);
    // Killed with the old progress out of the way.
    fs::rename(&progress, dir.path().join("..out.korpus-progress.korpus-old.tmp")).unwrap();
    Publication::begin(&target, KEEP).unwrap().forget().unwrap();
    assert_eq!(siblings(&target), Vec::<String>::new());
    write_dataset(&progress, "two");
    publish(&target, KEEP, "three").unwrap();
    assert_eq!((text_of(&target), siblings(&target)), ("three".to_owned(), vec!["out".to_owned()]));
}

#[cfg(unix)]
#[test]
fn a_link_stands_for_its_directory() {
    let dir = tempfile::tempdir().unwrap();
    let (real, link) = (dir.path().join("real"), dir.path().join("link"));
    publish(&real, KEEP, "one").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    publish(&link, OVERWRITE, "two").unwrap();
    assert_eq!(text_of(&real), "two");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(dir.path().join("nowhere"), &link).unwrap();
    for target in [link.clone(), link.join("below")] {
        let error = publish(&target, OVERWRITE, "one").unwrap_err();
        assert!(matches!(&error, EngineError::DanglingLink(path) if *path == link), "{error}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is there");
}

#[test]
fn hashes_are_of_all_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    let bytes = vec![7; 600 << 10];
    fs::write(&path, &bytes).unwrap();
    assert_eq!(hash_file(&path).unwrap(), (bytes.len() as u64, twox_hash::XxHash3_128::oneshot(&bytes)));
}
