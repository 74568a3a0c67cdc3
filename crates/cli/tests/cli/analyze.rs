//! `korpus analyze`: from dumps to a directory of metrics, whole or not at all.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::Value;

use crate::common::{Ran, convert, files, korpus, names, put, synth};

fn analyze(inputs: &[&Path], out: &Path, more: &[&str]) -> Ran {
    let mut args: Vec<&OsStr> = vec!["analyze".as_ref()];
    args.extend(inputs.iter().map(|path| path.as_os_str()));
    args.extend(["--out".as_ref(), out.as_os_str()]);
    args.extend(more.iter().map(AsRef::<OsStr>::as_ref));
    korpus(args)
}

/// One conversation, with `text` as the last word of the bot.
fn page(text: &str) -> String {
    let message = |id: &str, kind: &str, second: u32, text: &str| {
        format!(
            r#"{{"_id":"{id}","botId":"st-1","sessionId":"s-1","createdBy":"u-1","type":"{kind}","lang":"en","chnl":"rtm",
            "createdOn":"2025-09-03T10:00:{second:02}.000Z","components":[{{"cT":"text","data":{{"text":"{text}"}}}}]}}"#
        )
    };
    let messages = [message("ms-1", "incoming", 1, "Hello"), message("ms-2", "outgoing", 3, text)];
    format!(r#"{{"total":2,"moreAvailable":false,"messages":[{}]}}"#, messages.join(","))
}

const WINDOW: &str = "--window=2025-09-01..2025-09-30";

#[test]
fn a_dump_becomes_tables_a_report_and_a_summary() {
    let dir = tempfile::tempdir().unwrap();
    let dump = put(dir.path(), "page.json", page("Bye."));
    let out = dir.path().join("out");
    let ran = analyze(&[&dump], &out, &[WINDOW]).exits(0);
    let users = "2 messages, 1 user of a bot (0 on more than one day)";
    for part in ["1 (1 interactive)", users, "self_service", "100.0 % (1)", "p50 2.0 s", "report.html"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    let files = files(&out);
    for name in ["sessions.parquet", "volumes.parquet", "drift.parquet", "report.html", "_korpus.json"] {
        assert!(!files[Path::new(name)].is_empty(), "{name}");
    }
    assert_eq!(files.len(), 20 + 2);
    let report = String::from_utf8_lossy(&files[Path::new("report.html")]);
    assert!(report.contains("Content-Security-Policy") && report.contains("<title>Conversations"));
    let manifest: Value = serde_json::from_slice(&files[Path::new("_korpus.json")]).unwrap();
    assert_eq!(manifest["files"].as_array().unwrap().len(), 21);
    assert_eq!(manifest["options"]["command"], "analyze");
    assert_eq!(manifest["totals"]["messages"]["kept"], 2);

    // It is there now, and is only replaced on request.
    assert!(analyze(&[&dump], &out, &[]).exits(2).err.contains("--overwrite"));
    let quiet = ["--overwrite", "--quiet", "--table-format", "csv", WINDOW];
    assert_eq!(analyze(&[&dump], &out, &quiet).exits(0).out, "");
    let volumes = std::fs::read_to_string(out.join("volumes.csv")).unwrap();
    let mut lines = volumes.lines();
    assert!(lines.next().unwrap().starts_with("event_date,event_hour,bot_id,channel"));
    assert_eq!(lines.next().unwrap(), "2025-09-03,10,st-1,rtm,en,incoming,,1,1,1,1");
    assert!(!out.join("volumes.parquet").exists() && out.join("sessions.parquet").exists());
}

#[test]
fn sessions_are_written_for_other_programs() {
    let dir = tempfile::tempdir().unwrap();
    let dump = put(dir.path(), "page.json", page("Bye, \\\"Kim\\\""));
    let out = dir.path().join("out");
    let ran = analyze(&[&dump], &out, &["--export", "pm4py,convokit", WINDOW]).exits(0);
    assert!(ran.out.contains("event_log.csv") && ran.out.contains("utterances.jsonl"), "{}", ran.out);
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let log = read("pm4py/event_log.csv");
    let rows: Vec<Vec<&str>> = log.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0][..3], ["case:concept:name", "concept:name", "time:timestamp"]);
    assert_eq!(rows[1][1..3], ["start", "2025-09-03T10:00:01.000Z"]);
    assert_eq!(rows[2][1..3], ["end: self_service", "2025-09-03T10:00:03.000Z"]);
    let utterances: Vec<Value> =
        read("convokit/utterances.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(utterances[0]["text"], "Hello");
    assert_eq!(utterances[1]["text"], "Bye, \"Kim\"");
    assert_eq!(utterances[1]["reply-to"], "ms-1");
    assert_eq!(utterances[1]["timestamp"], 1_756_893_603.0);
    let conversations: Value = serde_json::from_str(&read("convokit/conversations.json")).unwrap();
    let key = utterances[0]["conversation_id"].as_str().unwrap();
    assert_eq!(conversations[key]["meta"]["outcome"], "self_service");
    let speakers: Value = serde_json::from_str(&read("convokit/speakers.json")).unwrap();
    assert_eq!(speakers["u-1"]["meta"]["kind"], "user");
    assert_eq!(speakers["bot st-1"]["meta"]["kind"], "bot");
    for name in ["corpus.json", "index.json"] {
        serde_json::from_str::<Value>(&read(&format!("convokit/{name}"))).unwrap();
    }
}

#[test]
fn options_change_what_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let dump = put(dir.path(), "page.json", page("Leider nein"));
    let phrases = put(dir.path(), "phrases.txt", "# ours\n\nLEIDER nein\n");
    let outcome = |name: &str, more: &[&str]| -> Value {
        let out = dir.path().join(name);
        let more = [more, &["--format", "json", "--table-format", "json"]].concat();
        let summary = analyze(&[&dump], &out, &more).exits(0).json();
        let heatmap: Value =
            serde_json::from_str(&std::fs::read_to_string(out.join("heatmap.json")).unwrap()).unwrap();
        assert_eq!(summary["command"], "analyze");
        assert_eq!(summary["files"].as_array().unwrap().len(), 21);
        serde_json::json!([summary["metrics"]["outcomes"], heatmap[0]["hour"]])
    };
    let is = |found: &Value, name: &str, hour: u32| found[0][name] == 1 && found[1] == hour;
    assert!(is(&outcome("a", &[WINDOW]), "self_service", 10));
    let phrases = ["--fallback-phrases", phrases.to_str().unwrap(), "--timezone", "Europe/Berlin", WINDOW];
    assert!(is(&outcome("b", &phrases), "drop_off", 12));
    // Near the right edge nobody knows what follows.
    assert!(is(&outcome("c", &["--inactivity-gap", "1h"]), "open", 10));
    let filtered = outcome("d", &["--type", "incoming", WINDOW]);
    assert!(is(&filtered, "drop_off", 10), "{filtered}");
}

#[test]
fn arguments_that_make_no_sense_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let dump = put(dir.path(), "page.json", page("Bye."));
    let out = dir.path().join("out");
    for (more, part) in [
        (&["--timezone", "Europe/Atlantis"][..], "IANA"),
        (&["--window", "2025-09-02..2025-09-01"], "ends before it begins"),
        (&["--window", "2025"], "FROM..TO"),
        (&["--inactivity-gap", "15"], "15m"),
        (&["--table-format", "xml"], "parquet, csv, json"),
        (&["--export", "spss"], "pm4py, convokit"),
        (&["--fallback-phrases", "nowhere.txt"], "cannot read nowhere.txt"),
    ] {
        let ran = analyze(&[&dump], &out, more).exits(2);
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
        assert!(!out.exists());
    }
}

#[test]
fn a_dataset_gives_the_metrics_of_its_dumps() {
    let dir = tempfile::tempdir().unwrap();
    let more = ["--messages", "1500", "--page-size", "300", "--shape", "v2,agent_ai_history,sessions,call"];
    let (dump, _) = synth(dir.path(), &[&more[..], &["--duplicates", "0.1"]].concat());
    let dataset = dir.path().join("dataset");
    convert(&[&dump], &dataset, &[], 0);
    let run = |input: &Path, name: &str| {
        let out = dir.path().join(name);
        analyze(&[input], &out, &[]).exits(0);
        let mut files = files(&out);
        // Where something was first, and what was read, differs.
        files.retain(|name, _| {
            let name = name.to_str().unwrap();
            !matches!(name, "_korpus.json" | "report.html" | "drift.parquet")
        });
        files
    };
    let from_dumps = run(&dump, "a");
    assert!(from_dumps == run(&dataset, "b") && from_dumps.len() == 19);
    let both = analyze(&[&dataset, &dump], &dir.path().join("c"), &[]).exits(2);
    assert!(both.err.contains("read alone"), "{}", both.err);
    assert_eq!(names(dir.path()), ["a", "b", "dataset", "synth"]);
}

#[test]
fn threads_and_memory_change_no_byte() {
    let dir = tempfile::tempdir().unwrap();
    let more =
        ["--messages", "3000", "--page-size", "400", "--shape", "v2,lite,agent_ai_history,sessions,call"];
    let kinds = ["--codec", "gzip,plain", "--duplicates", "0.1", "--damage", "missing-quote,truncated-body"];
    let (dump, _) = synth(dir.path(), &[&more[..], &kinds].concat());
    let run = |name: &str, more: &[&str]| {
        let out = dir.path().join(name);
        analyze(&[&dump], &out, &[more, &["--export", "pm4py,convokit"]].concat()).exits(1);
        files(&out)
    };
    let one = run("one", &["--threads", "1"]);
    let two = run("two", &["--threads", "3", "--memory-limit", "160M", "--mmap"]);
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    for (name, bytes) in &one {
        assert!(bytes == &two[name], "{} differs", name.display());
    }
}
