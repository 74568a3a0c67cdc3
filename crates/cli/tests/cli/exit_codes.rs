//! Every exit code, and what is said with it.

use std::process::Stdio;

use crate::common::{convert, dumps, korpus, names, page, program, put, stagings};

#[test]
fn clean_is_0_and_findings_are_1() {
    let dir = tempfile::tempdir().unwrap();
    let good = put(dir.path(), "good.json", page(&["a", "b"]));
    let bad = put(dir.path(), "bad.json", page(&["a", "b"]).replace("\"type\"", "type"));
    for command in ["check", "inspect"] {
        korpus([command, good.to_str().unwrap()]).exits(0);
        korpus([command, bad.to_str().unwrap()]).exits(1);
    }
    let summary = convert(&[&good, &good], &dir.path().join("a"), &[], 0);
    assert_eq!((&summary["clean"], &summary["exit_code"]), (&true.into(), &0.into()));
    assert_eq!(summary["inputs"]["repeated"].as_array().unwrap().len(), 1);
    // Copies are clean.
    let copy = put(dir.path(), "copy.json", page(&["b", "a"]));
    let summary = convert(&[&good, &copy], &dir.path().join("b"), &[], 0);
    assert_eq!(summary["messages"]["duplicate"], 2);
    let summary = convert(&[&good, &bad], &dir.path().join("c"), &[], 1);
    assert_eq!((&summary["clean"], &summary["messages"]["kept"]), (&false.into(), &2.into()));
    let error = put(dir.path(), "error.json", r#"{"errors":[{"msg":"no","code":4002}]}"#);
    let summary = convert(&[&error], &dir.path().join("d"), &[], 1);
    assert_eq!(summary["bodies"]["error_response"], 1);
}

#[test]
fn an_archive_without_members_is_a_finding_and_rejects_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let empty = put(dir.path(), "empty.zip", [&b"PK\x05\x06"[..], &[0; 18]].concat());
    let ran = korpus(["check", empty.to_str().unwrap()]).exits(1);
    let line = ran.out.lines().find(|line| line.contains("empty.zip, page 0")).unwrap();
    assert!(line.contains("no member read"), "{line}");
    assert!(!ran.out.contains("messages rejected"), "{}", ran.out);
}

#[test]
fn the_test_data_converts_with_a_summary_worth_reading() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let ran = korpus(["convert", dumps().to_str().unwrap(), "--out", out.to_str().unwrap()]).exits(1);
    assert_eq!(ran.err, "", "nothing but the summary is printed");
    let files = crate::common::files(&dumps()).len();
    for part in [
        &format!("Read {files} files"),
        "What became of it",
        "superseded",
        "Rejected, and why",
        "trailing_comma",
        "first at",
        "Bodies that are not whole pages",
        "error_response",
        "Messages kept, by",
        "Written to",
    ] {
        assert!(ran.out.contains(part), "no {part:?} in\n{}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}'), "no styles in a pipe");
    assert!(out.join("_korpus.json").is_file());
    // And quietly.
    let again = dir.path().join("again");
    let ran =
        korpus(["convert", dumps().to_str().unwrap(), "--out", again.to_str().unwrap(), "--quiet"]).exits(1);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
}

#[test]
fn nothing_done_is_2_and_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let good = put(dir.path(), "good.json", page(&["a"]));
    let bad = put(dir.path(), "bad.json", "[");
    let blocked = put(dir.path(), "file", "x");
    let blocked_path = blocked.to_str().unwrap();
    let (good, bad) = (good.to_str().unwrap(), bad.to_str().unwrap());
    let out = dir.path().join("out");
    let out = out.to_str().unwrap();
    let below_a_file = blocked.join("out");
    let full = dir.path().join("full");
    put(&full, "precious.txt", "x");
    let missing = dir.path().join("missing.json");
    let cases: &[(&[&str], &str)] = &[
        (&["convert", good], "--out"),
        (&["convert", "--out", out], "INPUT"),
        (&["convert", good, "--out", out, "--tables", "nope"], "no such table"),
        (&["convert", good, "--out", out, "--memory-limit", "lots"], "number of bytes"),
        (&["convert", good, "--out", out, "--date-from", "yesterday"], "yyyy-mm-dd"),
        (&["convert", good, "--out", out, "--date-from", "2025-02-01", "--date-to", "2025-01-01"], "swap"),
        (&["convert", good, "--out", out, "--msg-id", "a", "--date-from", "2025-02-01"], "--msg-id"),
        (&["convert", good, "--out", out, "--tag", "plan=gold"], "scope:name=value"),
        (&["convert", good, "--out", out, "--call-id", "c"], "requests are known"),
        (&["convert", missing.to_str().unwrap(), "--out", out], "cannot read"),
        (&["convert", good, "--out", below_a_file.to_str().unwrap()], "name another directory"),
        (&["convert", good, "--out", blocked_path], "file is a file, not a directory"),
        (&["convert", good, "--out", full.to_str().unwrap()], "left alone"),
        (&["convert", good, "--out", out, "--threads", "513"], "from 1 to 512"),
        (&["convert", good, "--out", out, "--threads", "-2"], "from 1 to 512"),
        (&["convert", good, "--out", out, "--limit", "-1"], "0 or more"),
        (&["check", good, "--skip", "-1"], "0 or more"),
        (&["inspect", good, "--messages", "-1"], "0 or more"),
        (&["synth", "--stdout", "--pages", "-1"], "0 or more"),
        (&["convert", bad, "--out", out, "--strict"], "nothing was published"),
        (&["convert", good, "--out", out, "--temp-dir", missing.to_str().unwrap()], "--temp-dir"),
        (&["convert", good, "--out", dir.path().to_str().unwrap()], "lies inside the output"),
        (&["check"], "INPUT"),
        (&["inspect", dir.path().to_str().unwrap()], "directory"),
        (&["restore", missing.to_str().unwrap()], "there is no such directory"),
        (&["restore", blocked_path], "it is a file"),
        (&["restore", full.to_str().unwrap()], "the directory has no _korpus.json"),
        (&["restore", full.to_str().unwrap(), "--bot-id", "b"], "--bot-id"),
        (&["schema", "nope"], "no such table"),
        (&["synth", "--out", out, "--overlap", "7"], "overlap"),
        (&["nonsense"], "nonsense"),
    ];
    for (args, part) in cases {
        let ran = korpus(*args).exits(2);
        assert!(ran.err.contains(part), "{args:?}: {}", ran.err);
        assert_eq!(ran.out, "", "{args:?}");
    }
    assert!(!std::path::Path::new(out).exists());
    assert_eq!(names(&full), ["precious.txt"]);
    // Nothing lies around either, the locks aside.
    assert_eq!(stagings(dir.path()), Vec::<String>::new());
}

#[test]
fn a_dataset_is_replaced_only_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let one = put(dir.path(), "one.json", page(&["a"]));
    let two = put(dir.path(), "two.json", page(&["a", "b"]));
    convert(&[&one], &out, &[], 0);
    let before = crate::common::files(&out);
    let ran = korpus(["convert", two.to_str().unwrap(), "--out", out.to_str().unwrap()]).exits(2);
    assert!(ran.err.contains("--overwrite"), "{}", ran.err);
    assert_eq!(crate::common::files(&out), before);
    let summary = convert(&[&two], &out, &["--overwrite"], 0);
    assert_eq!(summary["messages"]["kept"], 2);
    assert_ne!(crate::common::files(&out), before);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    for args in [&["synth", "--stdout", "--messages", "3000"][..], &["schema"]] {
        let mut child = program().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
        assert_eq!(output.status.code(), Some(0), "{args:?}");
    }
}

#[test]
fn a_memory_limit_that_is_too_little_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let good = put(dir.path(), "good.json", page(&["a"]));
    let good = good.to_str().unwrap();
    let err = |args: &[&str]| korpus(args).exits(0).err;
    for command in ["check", "inspect"] {
        let told = err(&[command, good, "--memory-limit", "1"]);
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(told.starts_with("korpus: --memory-limit is less than 96 MiB"), "{told}");
        assert_eq!(err(&[command, good, "--memory-limit", "1", "--quiet"]), "");
        assert_eq!(err(&[command, good, "--memory-limit", "96M"]), "");
    }
}

#[test]
fn help_and_version_are_there() {
    let ran = korpus(["--help"]).exits(0);
    for part in ["convert", "check", "inspect", "restore", "schema", "synth", "Exit codes"] {
        assert!(ran.out.contains(part), "{part}");
    }
    assert!(korpus(["--version"]).exits(0).out.starts_with("korpus "));
    let ran = korpus(["convert", "--help"]).exits(0);
    for part in [
        "--user-id",
        "--session-id",
        "--bot-id",
        "--channel-type",
        "--date-from",
        "--date-to",
        "--msg-id",
        "--direction",
        "--type",
        "--tag",
        "--is-developer",
        "--skip",
        "--limit",
        "--call-id",
        "--threads",
        "--memory-limit",
        "--compression",
        "--strict",
        "--shape",
        "--tables",
        "--format",
        "--quiet",
        "--no-progress",
        "--overwrite",
        "--no-dedup",
        "--mmap",
        "--temp-dir",
    ] {
        assert!(ran.out.contains(part), "{part}");
    }
}
