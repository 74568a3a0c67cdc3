//! Datasets that grow by `--append`: what is added, what is refused, and what is left when a run dies.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{convert, dumps, files, korpus, korpus_fed, names, page, put, restored, shell, synth};

fn append_args<'a>(inputs: &[&'a Path], out: &'a Path, more: &'a [&'a str]) -> Vec<&'a OsStr> {
    let mut args: Vec<&OsStr> = vec!["convert".as_ref()];
    args.extend(inputs.iter().map(|path| path.as_os_str()));
    args.extend(["--append".as_ref(), out.as_os_str()]);
    args.extend(more.iter().map(AsRef::<OsStr>::as_ref));
    args
}

fn append(inputs: &[&Path], out: &Path, more: &[&str], code: i32) -> Value {
    let mut args = append_args(inputs, out, more);
    args.extend(["--format".as_ref(), "json".as_ref()] as [&OsStr; 2]);
    korpus(args).exits(code).json()
}

/// The bytes of a dataset, written to a directory.
fn put_back(dataset: &BTreeMap<PathBuf, Vec<u8>>, out: &Path) {
    if out.exists() {
        std::fs::remove_dir_all(out).unwrap();
    }
    for (name, bytes) in dataset {
        put(out, name.to_str().unwrap(), bytes);
    }
}

#[test]
fn a_folder_that_grows_night_by_night() {
    let dir = tempfile::tempdir().unwrap();
    let (dumps, out) = (dir.path().join("dumps"), dir.path().join("out"));
    put(&dumps, "1.json", page(&["a", "b"]));
    put(&dumps, "2.json", page(&["b", "c"]));
    convert(&[&dumps], &out, &[], 0);

    let before = files(&out);
    let told = append(&[&dumps], &out, &[], 0);
    assert_eq!((&told["known_inputs"], &told["command"]), (&2.into(), &"convert".into()));
    assert_eq!(files(&out), before);
    let ran = korpus(append_args(&[&dumps], &out, &[])).exits(0);
    assert!(ran.out.starts_with("Nothing new in 2 files: all of it is in"), "{}", ran.out);

    // One is new, one has grown, and the dataset lies among them.
    put(&dumps, "2.json", page(&["b", "c", "d"]));
    put(&dumps, "3.json", page(&["e"]));
    let told = append(&[&dumps], &out, &[], 0);
    assert_eq!(told["known_inputs"], 1);
    assert_eq!(told["totals"]["messages"]["kept"], 5);
    assert_eq!(told["totals"]["messages"]["duplicate"], 3);
    assert_eq!(restored(&out).len(), 5);
    let ran =
        korpus_fed(["convert", "-", "--append", out.to_str().unwrap()], page(&["f"]).as_bytes()).exits(0);
    assert!(ran.out.contains("Added to ") && !ran.out.contains("left out"), "{}", ran.out);
    let ran =
        korpus_fed(["convert", "-", "--append", out.to_str().unwrap()], page(&["f"]).as_bytes()).exits(0);
    assert!(ran.out.starts_with("Nothing new in 1 file"), "{}", ran.out);
    assert_eq!(restored(&out).len(), 6);

    // What is wrong with new inputs is told as ever, and once.
    put(&dumps, "4.json", &page(&["g", "h"])[..120]);
    append(&[&dumps], &out, &[], 1);
    append(&[&dumps], &out, &[], 0);
    assert_eq!(names(dir.path()), ["dumps", "out"]);
}

#[test]
fn what_does_not_fit_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let (old, new) =
        (put(dir.path(), "in/old.json", page(&["a"])), put(dir.path(), "in/new.json", page(&["b"])));
    let refused = |more: &[&str]| korpus(append_args(&[&new], &out, more)).exits(2).err;
    assert!(refused(&[]).contains("there is no finished dataset"));
    convert(&[&old], &out, &[], 0);
    let before = files(&out);
    for (more, why) in [
        (&["--no-dedup"][..], "dedup was true, and is false now"),
        (&["--compression", "lz4"], "compression was \"zstd\", and is \"lz4\" now"),
        (&["--tables", "messages"], "tables was"),
        (&["--user-id", "u"], "filter is another one"),
        (&["--limit", "1"], "filter is another one"),
        (&["--strict"], "strict was false"),
        (&["--out", "there"], "cannot be used with"),
        (&["--overwrite"], "cannot be used with"),
    ] {
        let told = refused(more);
        assert!(told.contains(why), "{told}");
    }
    let manifest = out.join("_korpus.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replacen("\"schema_version\": 2", "\"schema_version\": 99", 1)).unwrap();
    assert!(refused(&[]).contains("its schema has version 99"));
    std::fs::write(&manifest, text).unwrap();
    assert_eq!(files(&out), before);
    assert_eq!(names(dir.path()), ["in", "out"]);
}

#[test]
fn folders_of_days_grow_too_and_ask_for_the_same_option() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let by_day = ["--partition-by", "event_date"];
    let (old, new) = (put(dir.path(), "old.json", page(&["a"])), put(dir.path(), "new.json", page(&["b"])));
    convert(&[&old], &out, &by_day, 0);
    let refused = korpus(append_args(&[&new], &out, &[])).exits(2).err;
    assert!(refused.contains("partition_by was \"event_date\", and is nothing now"), "{refused}");
    append(&[&new], &out, &by_day, 0);
    assert_eq!(names(&out.join("messages")), ["event_date=2025-09-01"]);
    assert_eq!(
        names(&out.join("messages/event_date=2025-09-01")),
        ["part-00000.parquet", "part-00001.parquet"]
    );
    assert_eq!(restored(&out).len(), 2);
    // A run over it takes the old folders away with the rest.
    convert(&[&new], &out, &["--overwrite"], 0);
    assert_eq!(names(&out.join("messages")), ["part-00000.parquet"]);
    let told =
        korpus(["convert", old.to_str().unwrap(), "--out", "x", "--partition-by", "channel"]).exits(2).err;
    assert!(told.contains("write event_date"), "{told}");
    // The metrics of either layout are the same.
    let dumps = dumps();
    let metrics = [&by_day[..], &[]].map(|layout| {
        let metrics = dir.path().join("metrics");
        convert(&[&dumps], &out, &[layout, &["--overwrite"]].concat(), 1);
        let analyze = ["analyze", out.to_str().unwrap(), "--out", metrics.to_str().unwrap(), "--quiet"];
        korpus(analyze.into_iter().chain(["--overwrite"]));
        let mut files = files(&metrics);
        files.retain(|path, _| path.extension().is_some_and(|extension| extension == "parquet"));
        files
    });
    assert!(metrics[0].len() > 10 && metrics[0] == metrics[1]);
}

#[cfg(unix)]
mod dying {
    use std::process::{Child, Stdio};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::common::{program, stagings};

    fn spawn(inputs: &[&Path], out: &Path) -> Child {
        let mut command = program();
        command.args(append_args(inputs, out, &["--threads", "2"]));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    #[test]
    fn killed_at_fifty_moments_the_dataset_is_whole_and_the_next_run_completes_it() {
        const KILLS: u32 = 50;
        let dir = tempfile::tempdir().unwrap();
        let copies =
            ["--page-size", "150", "--duplicates", "0.2", "--edited-copies", "0.2", "--overlap", "0.2"];
        let (dump, _) = synth(dir.path(), &[&copies[..], &["--messages", "1200"]].concat());
        let all: Vec<PathBuf> = names(&dump).iter().map(|name| dump.join(name)).collect();
        let (first, second) = all.split_at(all.len() / 2);
        let [first, second] =
            [first, second].map(|paths| paths.iter().map(PathBuf::as_path).collect::<Vec<_>>());

        let undisturbed = dir.path().join("undisturbed/out");
        convert(&first, &undisturbed, &[], 0);
        let old = files(&undisturbed);
        let started = Instant::now();
        append(&second, &undisturbed, &[], 0);
        let took = started.elapsed();
        let new = files(&undisturbed);
        assert!(new.len() > old.len() && new != old);

        let out = dir.path().join("target/out");
        put_back(&old, &out);
        let mut rounds = [0, 0];
        for turn in 0..KILLS {
            let mut child = spawn(&second, &out);
            std::thread::sleep(took * turn / KILLS);
            child.kill().unwrap();
            child.wait().unwrap();
            let found = files(&out);
            assert!(found == old || found == new, "turn {turn}");
            rounds[usize::from(found == new)] += 1;
            if found == new {
                put_back(&old, &out);
            } else if turn % 10 == 9 {
                append(&second, &out, &[], 0);
                assert!(files(&out) == new, "turn {turn}");
                assert_eq!(stagings(out.parent().unwrap()), Vec::<String>::new());
                put_back(&old, &out);
            }
        }
        // A kill that came after the end was none.
        assert!(rounds[0] > KILLS / 4, "{rounds:?}");
        append(&second, &out, &[], 0);
        assert!(files(&out) == new);
        assert_eq!(names(out.parent().unwrap()), ["out"]);

        // The rows are those of one run over everything.
        let whole = dir.path().join("whole");
        convert(&all.iter().map(PathBuf::as_path).collect::<Vec<_>>(), &whole, &[], 0);
        assert_eq!(restored(&whole), restored(&out));
    }

    #[test]
    fn what_cannot_be_written_leaves_the_dataset_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let (dump, _) = synth(dir.path(), &["--messages", "3000"]);
        let out = dir.path().join("out");
        convert(&[&put(dir.path(), "small.json", page(&["a"]))], &out, &[], 0);
        let before = files(&out);
        let script = "ulimit -f 8; exec \"$0\" convert \"$1\" --append \"$2\"";
        let ran = shell(script, &[&dump, &out]).exits(2);
        assert!(ran.err.starts_with("korpus: cannot write"), "{}", ran.err);
        assert_eq!(files(&out), before);

        // Disks of one's own need a namespace, which not every system gives.
        let disk = dir.path().join("disk");
        std::fs::create_dir(&disk).unwrap();
        let script = "unshare -rm sh -c 'mount -t tmpfs -o size=256k tmpfs \"$2\" && cp -r \"$3\" \"$2/out\" && echo mounted && \
                      \"$0\" convert \"$1\" --append \"$2/out\"; echo $?; diff -r \"$3\" \"$2/out\" && ls -A \"$2\" | grep -v lock; \
                      mount -o remount,ro \"$2\" && \"$0\" convert \"$1\" --append \"$2/out\"; echo $?; \
                      diff -r \"$3\" \"$2/out\"' \"$0\" \"$1\" \"$2\" \"$3\"";
        let ran = shell(script, &[&dump, &disk, &out]);
        if ran.out.starts_with("mounted") {
            assert_eq!(ran.out, "mounted\n2\nout\n2\n", "{}", ran.err);
            assert!(ran.err.contains("the disk is full") && ran.err.contains("cannot create"), "{}", ran.err);
        } else {
            eprintln!("no disk of its own to be had: {}", ran.err.trim());
        }
        append(&[&dump], &out, &[], 0);
        assert_eq!(restored(&out).len(), 3001);
    }

    #[test]
    fn two_runs_do_not_add_to_one_dataset() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        convert(&[&put(dir.path(), "a.json", page(&["a"]))], &out, &[], 0);
        let mut first = program()
            .args(["convert", "-", "--append"])
            .arg(&out)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while stagings(dir.path()).is_empty() {
            assert!(started.elapsed() < Duration::from_secs(20), "the run never began");
            std::thread::sleep(Duration::from_millis(5));
        }
        let file = put(dir.path(), "b.json", page(&["b"]));
        for args in [append_args(&[&file], &out, &[]), {
            let mut args: Vec<&OsStr> = vec!["convert".as_ref(), file.as_ref(), "--overwrite".as_ref()];
            args.extend(["--out".as_ref(), out.as_os_str()]);
            args
        }] {
            let ran = korpus(args).exits(2);
            assert!(ran.err.contains("another korpus run"), "{}", ran.err);
        }
        std::io::Write::write_all(&mut first.stdin.take().unwrap(), page(&["c"]).as_bytes()).unwrap();
        assert_eq!(first.wait().unwrap().code(), Some(0));
        assert_eq!(restored(&out).len(), 2);
    }
}
