//! Datasets: the same for any number of threads, any order of overlapping inputs, any way in.

use std::path::Path;

use crate::common::{convert, dumps, files, korpus_fed, page, put, restored, synth};

#[test]
fn one_and_two_threads_give_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let more =
        ["--messages", "3000", "--page-size", "400", "--shape", "v2,lite,agent_ai_history,sessions,call"];
    let kinds = ["--codec", "gzip,plain,brotli,zstd", "--duplicates", "0.1", "--edited-copies", "0.1"];
    let damage = ["--damage", "missing-quote,truncated-body,error-response"];
    let (dump, truth) = synth(dir.path(), &[&more[..], &kinds, &damage].concat());
    let testdata = dumps();
    let inputs = [dump.as_path(), testdata.as_path()];
    let run = |name: &str, more: &[&str]| {
        let out = dir.path().join(name);
        let summary = convert(&inputs, &out, more, 1);
        (files(&out), summary)
    };
    let (one, summary) = run("one", &["--threads", "1"]);
    let (two, _) = run("two", &["--threads", "2"]);
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    for (name, bytes) in &one {
        assert!(bytes == &two[name], "{} differs", name.display());
    }
    assert!(one.contains_key(Path::new("_korpus.json")) && one.len() > 12);
    // Memory, mapping and temporary directories shape nothing either.
    let temp = dir.path().join("temp");
    std::fs::create_dir(&temp).unwrap();
    let temp = temp.to_str().unwrap();
    let (three, _) = run("three", &["--threads", "3", "--memory-limit", "96M", "--mmap", "--temp-dir", temp]);
    assert!(one == three);
    assert!(summary["messages"]["seen"].as_u64() > truth["messages"]["seen"].as_u64());
}

#[test]
fn the_summary_agrees_with_the_synthetic_truth() {
    let dir = tempfile::tempdir().unwrap();
    let more = [
        "--messages",
        "2000",
        "--page-size",
        "300",
        "--shape",
        "v2,lite,stream,sessions,agent_ai_history,call",
    ];
    let kinds =
        ["--overlap", "0.2", "--edited-copies", "0.05", "--damage", "missing-quote,html-page,trailing-comma"];
    let (dump, truth) = synth(dir.path(), &[&more[..], &kinds].concat());
    let summary = convert(&[&dump], &dir.path().join("out"), &[], 1);
    for what in ["messages", "records"] {
        for (name, expected) in truth[what].as_object().unwrap() {
            assert_eq!(&summary[what][name], expected, "{what} {name}");
        }
        assert_eq!(summary[what]["filtered"], 0);
    }
    let sum = |rows: &serde_json::Value| -> u64 {
        rows.as_array().unwrap().iter().map(|row| row["messages"].as_u64().unwrap()).sum()
    };
    assert_eq!(sum(&summary["volumes"]), sum(&truth["volumes"]));
    let rejected = |what: &str| summary[what]["rejected"].as_u64().unwrap();
    let by_reason: u64 =
        summary["rejects"].as_array().unwrap().iter().map(|reject| reject["count"].as_u64().unwrap()).sum();
    assert_eq!(by_reason, rejected("messages") + rejected("records"));
    // The first of each reason is where the truth has a reject.
    for reject in summary["rejects"].as_array().unwrap() {
        let first = &reject["first"];
        let body =
            truth["bodies"].as_array().unwrap().iter().find(|body| {
                body["file"] == first["source_file"] && body["page_index"] == first["page_index"]
            });
        let offsets: Vec<_> =
            body.unwrap()["rejects"].as_array().unwrap().iter().map(|r| &r["byte_offset"]).collect();
        assert!(offsets.contains(&&first["byte_offset"]), "{reject}");
    }
}

#[test]
fn overlapping_dumps_give_the_same_messages_in_any_order() {
    let dir = tempfile::tempdir().unwrap();
    let more = ["--messages", "1500", "--page-size", "200", "--shape", "v2,lite", "--overlap", "0.5"];
    let (dump, _) =
        synth(dir.path(), &[&more[..], &["--duplicates", "0.1", "--edited-copies", "0.2"]].concat());
    let mut pages: Vec<_> = crate::common::names(&dump).into_iter().map(|name| dump.join(name)).collect();
    let mut sets = Vec::new();
    for turn in 0..3 {
        let inputs: Vec<&Path> = pages.iter().map(std::path::PathBuf::as_path).collect();
        let out = dir.path().join(turn.to_string());
        let summary = convert(&inputs, &out, &[], 0);
        assert!(summary["messages"]["superseded"].as_u64() > Some(0));
        assert!(summary["messages"]["duplicate"].as_u64() > Some(0));
        let mut lines = restored(&out);
        lines.sort();
        sets.push(lines);
        match turn {
            0 => pages.reverse(),
            _ => pages.rotate_left(3),
        }
    }
    assert!(sets[0] == sets[1] && sets[1] == sets[2]);
}

#[test]
fn standard_input_takes_what_files_take() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "messages/all-messages.ndjson",
        "messages/all-messages.ndjson.gz",
        "codecs/curl-chunked-gzip.http",
        "codecs/page.json.zst",
        "shapes/concatenated-bodies.json",
        "shapes/ndjson-bodies.ndjson",
    ] {
        let file = dumps().join(name);
        let from_file = dir.path().join("file");
        let from_stdin = dir.path().join("stdin");
        convert(&[&file], &from_file, &["--overwrite"], 0);
        let out = from_stdin.to_str().unwrap();
        let bytes = std::fs::read(&file).unwrap();
        korpus_fed(["convert", "-", "--out", out, "--overwrite"], &bytes).exits(0);
        let lines = restored(&from_file);
        assert!(!lines.is_empty() && lines == restored(&from_stdin), "{name}");
    }
}

#[test]
fn one_broken_message_among_ten_thousand_is_one_reject() {
    let dir = tempfile::tempdir().unwrap();
    let ids: Vec<String> = (0..10_000).map(|n| format!("ms-{n}")).collect();
    let body = page(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    let at = body.find("{\"_id\":\"ms-7000\"").unwrap();
    let body = format!("{}{}", &body[..at], &body[at + 1..]);
    let file = put(dir.path(), "page.json", body);
    let summary = convert(&[&file], &dir.path().join("out"), &[], 1);
    assert_eq!((&summary["messages"]["kept"], &summary["messages"]["rejected"]), (&9_999.into(), &1.into()));
    let first = &summary["rejects"][0]["first"];
    assert_eq!((&first["byte_offset"], &first["message_index"]), (&at.into(), &7_000.into()));
}

#[test]
fn chosen_tables_are_filled_and_the_others_empty() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let summary = convert(&[&dumps()], &out, &["--tables", "messages,pages", "--compression", "none"], 1);
    for file in summary["files"].as_array().unwrap() {
        let wanted = ["messages", "pages"].contains(&file["table"].as_str().unwrap());
        assert_eq!(file["rows"].as_u64().unwrap() > 0, wanted, "{file}");
    }
    // Why things were rejected is told all the same.
    assert!(!summary["rejects"].as_array().unwrap().is_empty());
    let ran = crate::common::korpus(["restore", out.to_str().unwrap()]).exits(2);
    assert!(ran.err.contains("without the table"), "{}", ran.err);
}

#[test]
fn an_output_inside_the_input_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "page.json", page(&["a", "b"]));
    let out = dir.path().join("out");
    let first = convert(&[dir.path()], &out, &[], 0);
    let before = files(&out);
    let second = convert(&[dir.path()], &out, &["--overwrite"], 0);
    assert_eq!((&first["inputs"]["files"], &second["inputs"]["files"]), (&1.into(), &1.into()));
    assert_eq!(files(&out), before);
}
