//! Expansion of arguments over real directories.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::error::EngineError;

fn tree(files: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in files {
        let path = dir.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    dir
}

fn list(arguments: &[&Path]) -> InputList {
    expand(arguments, &ExpandOptions::default()).unwrap()
}

fn names(list: &InputList) -> Vec<&str> {
    list.inputs.iter().map(|input| input.display.as_str()).collect()
}

#[test]
fn directories_are_walked_in_the_order_of_their_paths() {
    let dir = tree(&["b.json", "a/z.json", "a.json", "a/deep/y.json", ".hidden.json", ".git/x.json", "a/.h"]);
    let list = list(&[dir.path()]);
    // `.` sorts before `/`.
    assert_eq!(names(&list), ["a.json", "a/deep/y.json", "a/z.json", "b.json"]);
    assert_eq!(list.inputs[1].size, Some(13));
    assert_eq!(list.total_size(), Some(6 + 13 + 8 + 6));
    assert!(list.inputs.iter().enumerate().all(|(at, input)| input.index == at));
}

#[test]
fn files_keep_the_order_of_the_arguments_and_names_stay_unique() {
    let dir = tree(&["x/page.json", "y/page.json", "other.json"]);
    let at = |file: &str| dir.path().join(file);
    let list = list(&[&at("y/page.json"), &at("x/page.json"), &at("other.json")]);
    let long = |file: &str| at(file).display().to_string();
    assert_eq!(names(&list), [long("y/page.json").as_str(), &long("x/page.json"), "other.json"]);
}

#[test]
fn the_same_file_is_read_once() {
    let dir = tree(&["a.json", "b.json"]);
    let file = dir.path().join("a.json");
    let list = list(&[&file, dir.path(), &dir.path().join("./b.json")]);
    assert_eq!(names(&list), ["a.json", "b.json"]);
    assert_eq!(list.repeated.len(), 2);
}

#[test]
fn globs_name_files_relative_to_their_fixed_part() {
    let dir = tree(&["day-1/a.json", "day-2/a.json", "day-2/b.txt", "day-3/.a.json", "else/a.json"]);
    let pattern = dir.path().join("day-*/*.json");
    assert_eq!(names(&list(&[&pattern])), ["day-1/a.json", "day-2/a.json"]);
    let directories = dir.path().join("day-*");
    assert_eq!(names(&list(&[&directories])), ["day-1/a.json", "day-2/a.json", "day-2/b.txt"]);
    // A file whose name looks like a pattern is a file.
    let odd = tree(&["[1].json", "1.json"]);
    assert_eq!(names(&list(&[&odd.path().join("[1].json")])), ["[1].json"]);
}

#[test]
fn standard_input_is_read_once() {
    let list = list(&[Path::new("-"), Path::new("-")]);
    assert_eq!((names(&list), list.inputs[0].size), (vec!["stdin"], None));
    assert_eq!((list.inputs[0].kind.clone(), list.repeated), (InputKind::Stdin, vec!["-".to_owned()]));
}

#[test]
fn nothing_to_read_is_an_error() {
    let dir = tree(&[".hidden.json"]);
    let missing = dir.path().join("nothing.json");
    for argument in [dir.path().to_owned(), dir.path().join("*.json")] {
        let error = expand(&[&argument], &ExpandOptions::default()).unwrap_err();
        assert!(matches!(error, EngineError::NoInput(_)), "{error}");
    }
    let error = expand(&[&missing], &ExpandOptions::default()).unwrap_err();
    assert!(matches!(error, EngineError::Io { .. }), "{error}");
    assert!(matches!(expand::<PathBuf>(&[], &ExpandOptions::default()), Err(EngineError::NoInput(_))));
}

#[test]
fn the_output_is_not_read() {
    let dir = tree(&["a.json", "out/messages/part.parquet", "out.json"]);
    let options = ExpandOptions { exclude: Some(dir.path().join("out")) };
    let list = expand(&[dir.path()], &options).unwrap();
    assert_eq!(names(&list), ["a.json", "out.json"]);
    // One that does not exist yet excludes nothing.
    let options = ExpandOptions { exclude: Some(dir.path().join("new")) };
    assert_eq!(expand(&[dir.path()], &options).unwrap().inputs.len(), 3);
}

#[cfg(unix)]
#[test]
fn circles_of_links_end_and_broken_links_are_listed() {
    use std::os::unix::fs::symlink;
    let dir = tree(&["a/x.json"]);
    symlink(dir.path(), dir.path().join("a/up")).unwrap();
    symlink(dir.path().join("a/x.json"), dir.path().join("b.json")).unwrap();
    symlink("nowhere", dir.path().join("gone.json")).unwrap();
    let list = list(&[dir.path()]);
    assert_eq!(names(&list), ["a/x.json", "gone.json"]);
    assert_eq!((list.repeated.len(), list.skipped.len()), (1, 1));
}

#[cfg(unix)]
#[test]
fn circles_of_links_end_in_globs_too() {
    use std::os::unix::fs::symlink;
    let dir = tree(&["lp/a.json", "lp/sub/b.json", "lp/sub/c.txt", "lp/.git/d.json", "else/e.json"]);
    let at = |path: &str| dir.path().join(path);
    symlink(".", at("lp/loop")).unwrap();
    symlink("..", at("lp/sub/up")).unwrap();
    symlink("../a.json", at("lp/sub/l.json")).unwrap();
    symlink("../else", at("lp/other")).unwrap();
    let found = list(&[&at("lp/**/*.json")]);
    assert_eq!(names(&found), ["a.json", "other/e.json", "sub/b.json"]);
    assert_eq!((found.repeated.len(), found.skipped.len()), (1, 2));
    assert_eq!(names(&list(&[&at("**/sub/*.json")])), ["lp/sub/b.json", "lp/sub/l.json"]);
    assert_eq!(names(&list(&[&at("**/other")])), ["lp/other/e.json"]);
    assert_eq!(list(&[&at("lp/**")]).inputs.len(), 4);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_stay_apart() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    for name in [b"a\xff.json", b"a\xfe.json"] {
        fs::write(dir.path().join(OsStr::from_bytes(name)), "{}").unwrap();
    }
    let list = list(&[dir.path()]);
    assert_eq!(list.inputs.len(), 2);
    assert_ne!(list.inputs[0].display, list.inputs[1].display);
}

#[test]
fn names_that_are_taken_give_way_to_the_path_as_given() {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["monday", "tuesday"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
        fs::write(dir.path().join(folder).join("page.json"), folder).unwrap();
    }
    let tuesday = dir.path().join("tuesday");
    let given = tuesday.join("page.json").display().to_string();
    let mut inputs = list(&[&tuesday]);
    inputs.push_reader("stdin", std::io::empty());
    inputs.push_reader("stdin#2", std::io::empty());
    inputs.name_apart(["monday.json", "other"]);
    assert_eq!(names(&inputs), ["page.json", "stdin", "stdin#2"]);
    inputs.name_apart(["page.json", "stdin"]);
    assert_eq!(names(&inputs), [&*given, "stdin#3", "stdin#2"]);
    inputs.name_apart([&*given]);
    assert_eq!(names(&inputs), [&*format!("{given}#2"), "stdin#3", "stdin#2"]);
}
