//! Runs that are killed, stopped or cannot write: no dataset or a whole one, and never a damaged one.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{
    Ran, convert, files, korpus, names, page, program, put, restored, shell, stagings, synth,
};

fn spawn(input: &Path, out: &Path) -> Child {
    let mut command = program();
    command.arg("convert").arg(input).arg("--out").arg(out).args(["--overwrite", "--threads", "2"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The dataset at `out`, where there is anything at all.
fn standing(out: &Path) -> Option<BTreeMap<PathBuf, Vec<u8>>> {
    out.exists().then(|| files(out))
}

#[test]
fn a_killed_run_leaves_a_whole_dataset_or_none() {
    const KILLS: u32 = 10;
    let dir = tempfile::tempdir().unwrap();
    let more = ["--messages", "2500", "--page-size", "500", "--duplicates", "0.1", "--edited-copies", "0.1"];
    let (new_dump, _) = synth(&dir.path().join("new"), &more);
    let (old_dump, _) = synth(&dir.path().join("old"), &["--messages", "100", "--seed", "9"]);
    let reference = dir.path().join("reference/out");
    let started = Instant::now();
    convert(&[&new_dump], &reference, &[], 0);
    let whole = started.elapsed();
    let new = files(&reference);

    let out = dir.path().join("target/out");
    for turn in 0..KILLS {
        let mut child = spawn(&new_dump, &out);
        std::thread::sleep(whole * turn / KILLS);
        child.kill().unwrap();
        child.wait().unwrap();
        let found = standing(&out);
        assert!(found.is_none_or(|found| found == new), "turn {turn}");
        if out.exists() {
            std::fs::remove_dir_all(&out).unwrap();
        }
    }
    // With a dataset there already: the old one or the new one.
    for turn in 0..KILLS {
        convert(&[&old_dump], &out, &["--overwrite"], 0);
        let old = files(&out);
        let mut child = spawn(&new_dump, &out);
        std::thread::sleep(whole * turn / KILLS);
        child.kill().unwrap();
        child.wait().unwrap();
        let found = standing(&out).unwrap();
        assert!(found == old || found == new, "turn {turn}");
    }
    // The next run gives the same bytes, and takes away what lies around.
    convert(&[&new_dump], &out, &["--overwrite"], 0);
    assert!(files(&out) == new);
    assert_eq!(stagings(out.parent().unwrap()), Vec::<String>::new());
}

#[test]
fn a_run_in_steps_goes_on_where_it_was_killed() {
    const KILLS: u32 = 12;
    let dir = tempfile::tempdir().unwrap();
    let more = ["--messages", "3000", "--page-size", "100", "--duplicates", "0.1", "--edited-copies", "0.1"];
    let (dump, _) = synth(&dir.path().join("new"), &more);
    let reference = dir.path().join("reference/out");
    let started = Instant::now();
    convert(&[&dump], &reference, &[], 0);
    let whole = started.elapsed();
    let lines = restored(&reference);

    let target = dir.path().join("target");
    let out = target.join("out");
    let steps = ["--resume", "--checkpoint", "50k", "--threads", "2", "--partition-by", "event_date"];
    for turn in 0..KILLS {
        let mut command = program();
        command.arg("convert").arg(&dump).arg("--out").arg(&out).args(steps);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        if turn % 4 == 3 {
            // Whatever the machine's pace: there is something to go on from.
            let started = Instant::now();
            while !target.join(".out.korpus-progress/_korpus.json").exists() {
                assert!(started.elapsed() < Duration::from_mins(1), "the run kept nothing");
                std::thread::sleep(Duration::from_millis(1));
            }
        } else {
            std::thread::sleep(whole * (turn + 1) / (KILLS / 2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if out.exists() {
            // Done before it was killed.
            assert_eq!(restored(&out), lines, "turn {turn}");
            std::fs::remove_dir_all(&out).unwrap();
        }
        if turn % 4 == 3 {
            let told = convert(&[&dump], &out, &steps, 0);
            assert!(told["resumed_inputs"].as_u64().unwrap() > 0, "turn {turn}");
            assert_eq!(restored(&out), lines, "turn {turn}");
            assert_eq!(names(&target), ["out"]);
            std::fs::remove_dir_all(&out).unwrap();
        }
    }
}

#[test]
fn an_interrupted_run_in_steps_says_how_it_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (dump, _) = synth(dir.path(), &["--messages", "60000", "--page-size", "500"]);
    let out = dir.path().join("target/out");
    let args = |out: &Path| {
        let mut command = program();
        command.arg("convert").arg(&dump).arg("--out").arg(out).args(["--resume", "--checkpoint", "100k"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let child = args(&out).spawn().unwrap();
    let progress = dir.path().join("target/.out.korpus-progress");
    let started = Instant::now();
    while !progress.exists() {
        assert!(started.elapsed() < Duration::from_mins(1), "the run kept nothing");
        std::thread::sleep(Duration::from_millis(5));
    }
    interrupt(&child);
    let ran = Ran::new(child.wait_with_output().unwrap()).exits(130);
    assert!(ran.err.contains("goes on from the last checkpoint"), "{}", ran.err);
    assert_eq!(names(&dir.path().join("target")), [".out.korpus-progress"]);
    // It does, and counts what was found before.
    let ran = Ran::new(args(&out).output().unwrap()).exits(0);
    assert!(ran.out.contains("not read again: finished by the run that was interrupted"), "{}", ran.out);
    assert_eq!(names(&dir.path().join("target")), ["out"]);
    assert_eq!(restored(&out).len(), 60_000);
    let refused = korpus(["convert", "-", "--resume", "--out", "x"]).exits(2).err;
    assert!(refused.contains("can be read only once"), "{refused}");
    korpus(["convert", "x", "--checkpoint", "1k", "--out", "x"]).exits(2);
}

#[test]
fn a_run_in_steps_that_fails_says_what_it_left() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (page(&["a"]), "{\"messages\":[{\"_id\"");
    put(dir.path(), "in/1.json", &first);
    let bad = put(dir.path(), "in/2.json", second);
    let (input, out) = (dir.path().join("in"), dir.path().join("target/out"));
    let run = || {
        let mut command = program();
        command.arg("convert").arg(&input).arg("--out").arg(&out);
        Ran::new(command.args(["--resume", "--strict", "--checkpoint", "1"]).output().unwrap())
    };
    for _ in 0..2 {
        let told = run().exits(2).err;
        assert!(
            told.contains("nothing was published, because") && told.contains(".out.korpus-progress"),
            "{told}"
        );
        assert_eq!(names(&dir.path().join("target")), [".out.korpus-progress"]);
    }
    std::fs::write(bad, page(&["b"])).unwrap();
    let told = run().exits(0).out;
    assert!(told.contains("1 file not read again"), "{told}");
    assert_eq!(restored(&out).len(), 2);
}

#[test]
fn analyzing_a_dataset_leaves_nothing_of_it_however_it_ends() {
    const ENDS: u32 = 5;
    let dir = tempfile::tempdir().unwrap();
    let (dump, _) = synth(dir.path(), &["--messages", "30000"]);
    let (dataset, target) = (dir.path().join("dataset"), dir.path().join("target"));
    convert(&[&dump], &dataset, &[], 0);
    let temp = dir.path().join("temp");
    std::fs::create_dir(&temp).unwrap();
    let spawn = || {
        let mut command = program();
        command
            .arg("analyze")
            .arg(&dataset)
            .arg("--out")
            .arg(target.join("out"))
            .arg("--temp-dir")
            .arg(&temp);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let started = Instant::now();
    Ran::new(spawn().wait_with_output().unwrap()).exits(0);
    let whole = started.elapsed();
    for turn in 0..ENDS * 2 {
        std::fs::remove_dir_all(&target).ok();
        let mut child = spawn();
        // Long enough for the handler to be there; before, the system's own ends the program.
        std::thread::sleep((whole * (turn / 2 + 1) / (ENDS + 1)).max(Duration::from_millis(200)));
        if turn % 2 == 0 {
            child.kill().unwrap();
            child.wait().unwrap();
        } else {
            interrupt(&child);
            let ran = Ran::new(child.wait_with_output().unwrap());
            // A machine that is fast enough was done before.
            assert!(ran.code == Some(130) || ran.code == Some(0) && target.join("out").exists(), "{ran:?}");
            assert!(
                ran.code == Some(0) || ran.err == "korpus: interrupted: nothing was published\n",
                "{ran:?}"
            );
        }
        assert_eq!(names(&temp), Vec::<String>::new(), "turn {turn}");
    }
}

fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    assert!(Command::new("sh").args(["-c", &format!("kill -INT {pid}")]).status().unwrap().success());
}

#[test]
fn an_interrupted_run_cleans_up_and_exits_130() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    put(&out, "_korpus.json", "");
    std::fs::remove_dir_all(&out).unwrap();
    let mut child = program()
        .args(["convert", "-", "--out"])
        .arg(&out)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let body = page(&["a", "b", "c"]).repeat(50);
    // Input without end, until nobody reads it any more.
    let feeder = std::thread::spawn(move || while stdin.write_all(body.as_bytes()).is_ok() {});
    let started = Instant::now();
    while stagings(dir.path()).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(20), "the run never began");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(100));
    interrupt(&child);
    let ran = Ran::new(child.wait_with_output().unwrap()).exits(130);
    feeder.join().unwrap();
    assert!(ran.err.contains("interrupted") && ran.out.is_empty(), "{ran:?}");
    assert_eq!(names(dir.path()), Vec::<String>::new());
}

#[test]
fn an_interrupted_check_exits_130_even_while_it_waits_for_input() {
    let mut child = program()
        .args(["check", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _open = child.stdin.take().unwrap();
    // Long enough for the handler to be there; before, the system's own ends the program.
    std::thread::sleep(Duration::from_millis(500));
    interrupt(&child);
    Ran::new(child.wait_with_output().unwrap()).exits(130);
}

/// A conversion that waits for its standard input, which is given back so that it goes on waiting.
fn waiting(dir: &Path) -> (Child, ChildStdin) {
    let mut child = program()
        .args(["convert", "-", "--out"])
        .arg(dir.join("out"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = child.stdin.take().unwrap();
    let started = Instant::now();
    while stagings(dir).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(20), "the run never began");
        std::thread::sleep(Duration::from_millis(5));
    }
    (child, stdin)
}

#[test]
fn a_run_that_cannot_stop_in_good_order_leaves_nothing_either() {
    for impatient in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let (child, _open) = waiting(dir.path());
        let started = Instant::now();
        interrupt(&child);
        if impatient {
            std::thread::sleep(Duration::from_millis(200));
            interrupt(&child);
        }
        let told = Ran::new(child.wait_with_output().unwrap()).exits(130).err;
        assert_eq!(told, "korpus: interrupted: nothing was published\n");
        assert!(started.elapsed() < Duration::from_secs(4), "it waits for more input than there will be");
        assert_eq!(names(dir.path()), Vec::<String>::new(), "told twice: {impatient}");
    }
}

#[test]
fn an_interrupted_run_stops_inside_a_long_block() {
    let dir = tempfile::tempdir().unwrap();
    // A record is read whole, with its messages: one block, however many these are.
    let messages: Vec<String> = (0..60_000)
        .map(|n| {
            format!(
                r#"{{"_id":"ms-{n}","type":"incoming","createdOn":"2025-09-01T12:00:00.000Z","components":[{{"cT":"text","data":{{"text":"{{\"type\":\"template\",\"payload\":{{\"template_type\":\"button\",\"text\":\"t\",\"buttons\":[{{\"title\":\"a\",\"payload\":{n}}}]}}}}"}}}}]}}"#
            )
        })
        .collect();
    let body = format!(
        r#"{{"results":[{{"_id":"r","botId":"b","messages":[{}]}}],"skip":0,"limit":1,"hasMore":false,"totalResults":1}}"#,
        messages.join(",")
    );
    let input = put(dir.path(), "in/page.json", body);
    let target = dir.path().join("target");
    std::fs::create_dir(&target).unwrap();
    let mut child = spawn(&input, &target.join("out"));
    let started = Instant::now();
    while stagings(&target).is_empty() && started.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(300));
    let told = Instant::now();
    interrupt(&child);
    let code = child.wait().unwrap().code();
    assert!(told.elapsed() < Duration::from_secs(4), "it needed the grace period: {:?}", told.elapsed());
    // A machine that is fast enough was done before.
    assert_eq!(names(&target), if code == Some(130) { vec![] } else { vec!["out".to_owned()] });
}

#[test]
fn files_that_may_not_grow_give_a_clear_error() {
    let dir = tempfile::tempdir().unwrap();
    let (dump, _) = synth(dir.path(), &["--messages", "3000"]);
    let out = dir.path().join("out");
    let small = put(dir.path(), "small.json", page(&["a"]));
    convert(&[&small], &out, &[], 0);
    let before = files(&out);
    // 8 blocks of 512 bytes or a kilobyte, by shell: both are too few.
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" convert \"$1\" --out \"$2\" --overwrite";
    let ran = shell(script, &[&dump, &out]).exits(2);
    assert!(ran.err.starts_with("korpus: cannot write"), "{}", ran.err);
    assert_eq!(files(&out), before);
    assert_eq!(stagings(dir.path()), Vec::<String>::new());
}

#[test]
fn a_full_disk_is_called_so() {
    let dir = tempfile::tempdir().unwrap();
    if Path::new("/dev/full").exists() {
        let out = dir.path().join("out");
        let small = put(dir.path(), "a.json", page(&["a"]));
        convert(&[&small], &out, &[], 0);
        for command in ["schema", "check \"$1\"", "inspect \"$1\""] {
            let ran = shell(&format!("exec \"$0\" {command} > /dev/full"), &[&small]).exits(2);
            assert!(ran.err.starts_with("korpus: cannot write to standard output: "), "{}", ran.err);
        }
        let ran = shell("exec \"$0\" restore \"$1\" > /dev/full", &[&out]).exits(2);
        assert!(ran.err.contains("disk is full") || ran.err.contains("cannot write"), "{}", ran.err);
    }
    // A tiny disk needs a namespace of its own, which not every system gives.
    let disk = dir.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let (dump, _) = synth(dir.path(), &["--messages", "3000"]);
    let script = "unshare -rm sh -c 'mount -t tmpfs -o size=96k tmpfs \"$2\" && echo mounted && \
                  \"$0\" convert \"$1\" --out \"$2/out\"; code=$?; ls -A \"$2\" | grep -v lock; exit $code' \"$0\" \"$1\" \"$2\"";
    let ran = shell(script, &[&dump, &disk]);
    if ran.out.starts_with("mounted") {
        let ran = ran.exits(2);
        assert!(ran.err.contains("the disk is full"), "{}", ran.err);
        assert_eq!(ran.out, "mounted\n", "nothing lies around");
    } else {
        eprintln!("no disk of its own to be had: {}", ran.err.trim());
    }
}

#[test]
fn two_runs_do_not_write_to_one_target() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let mut first = program()
        .args(["convert", "-", "--out"])
        .arg(&out)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = first.stdin.take().unwrap();
    let started = Instant::now();
    while stagings(dir.path()).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(20), "the run never began");
        std::thread::sleep(Duration::from_millis(5));
    }
    let file = put(dir.path(), "a.json", page(&["a"]));
    let ran = korpus([Path::new("convert"), &file, Path::new("--out"), &out]).exits(2);
    assert!(ran.err.contains("another korpus run"), "{}", ran.err);
    stdin.write_all(page(&["b"]).as_bytes()).unwrap();
    drop(stdin);
    assert_eq!(first.wait().unwrap().code(), Some(0));
    assert!(crate::common::restored(&out)[0].contains("\"b\""));
}
