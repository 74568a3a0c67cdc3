//! `check`, `inspect`, `schema` and `synth`: what they print.

use crate::common::{dumps, korpus, korpus_fed, page, program, project, put, synth};

#[test]
fn check_tells_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let more = page(&["a", "b", "c"])
        .replace(r#""total":3,"moreAvailable":false"#, r#""total":9,"moreAvailable":true"#);
    let file = put(dir.path(), "page.json", &more);
    // What is inferred never changes the exit code.
    let ran = korpus(["check", file.to_str().unwrap()]).exits(0);
    assert!(ran.out.contains("inferred") && ran.out.contains("6 missing"), "{}", ran.out);
    // What is known does.
    let request =
        "GET https://example.org/api/public/bot/st-1/getMessagesV2?skip=0&limit=3&userId=u HTTP/1.1\r\n\r\n";
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
    let file = put(dir.path(), "known/0.http", format!("{request}{head}{more}"));
    let ran = korpus(["check", file.to_str().unwrap(), "--format", "json"]).exits(1);
    let query = &ran.json()["queries"][0];
    assert_eq!((&query["inferred"], &query["complete"]), (&false.into(), &false.into()));
    assert_eq!(query["gaps"][0]["at_least"], 6);
    let rest = page(&["d", "e", "f", "g", "h", "i"]).replace("\"total\":6", "\"total\":9");
    put(dir.path(), "known/1.http", format!("{}{head}{rest}", request.replace("skip=0", "skip=3")));
    let folder = dir.path().join("known");
    let ran = korpus(["check", folder.to_str().unwrap()]).exits(0);
    assert!(ran.out.contains("request") && ran.out.contains("complete"), "{}", ran.out);
}

#[test]
fn check_reports_every_body_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let ran = Ran::check(dir.path());
    let pages = ran["pages"].as_array().unwrap();
    assert!(pages.len() > 100);
    for page in pages {
        for what in ["messages", "records"] {
            let of = |name: &str| page[what][name].as_u64().unwrap();
            let sum = of("kept") + of("filtered") + of("rejected") + of("duplicate") + of("superseded");
            assert_eq!(of("seen"), sum, "{page}");
        }
    }
    assert!(ran["fields"]["unknown"]["resourceid"].as_u64() > Some(0));
    assert_eq!(crate::common::names(dir.path()), Vec::<String>::new());
}

#[test]
fn check_reports_drift_without_quoting_texts() {
    let dir = tempfile::tempdir().unwrap();
    let payload = |kind: &str| {
        let payload = serde_json::json!({"type": "template", "payload": {"template_type": kind, "text": "secret words",
            "buttons": [{"type": "teleport", "title": "secret title", "payload": "p"}], "glow": {"deep": ["secret value"]}}});
        serde_json::Value::from(payload.to_string()).to_string()
    };
    let text = |text: &str| page(&["x"]).replace("\"text of x\"", text);
    put(dir.path(), "a.json", page(&["a", "b"]));
    put(
        dir.path(),
        "b.json",
        text(&payload("button")).replace("incoming", "shouted").replace("\"x\"", "\"1\""),
    );
    put(dir.path(), "c.json", text(&payload("Sparkle_Template")).replace("\"x\"", "\"2\""));
    put(dir.path(), "d.json", text(&payload("sparkle")).replace("\"x\"", "\"3\""));
    let cut = r#""{\"type\":\"template\",\"payload\":{\"text\":\"secret""#;
    let malformed = text(cut).replace("\"x\"", "\"4\"");
    put(dir.path(), "e.json", &malformed);
    let folder = dir.path().to_str().unwrap();

    // What is new is no fault of the dump.
    let json = korpus(["check", folder, "--format", "json"]).exits(0).json();
    let drift = &json["drift"];
    let only = |list: &str| {
        let seen = drift[list]["seen"].as_array().unwrap();
        assert_eq!(drift[list]["not_told_apart"], 0);
        seen.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        only("template_types"),
        [
            r#"{"count":2,"first":{"message_index":0,"page_index":0,"source_file":"c.json"},"template_type":"sparkle"}"#
        ]
    );
    assert_eq!(
        only("template_keys"),
        [
            r#"{"count":2,"first":{"message_index":0,"page_index":0,"source_file":"c.json"},"key":"payload.glow.deep[]","template_type":"sparkle"}"#,
            r#"{"count":1,"first":{"message_index":0,"page_index":0,"source_file":"b.json"},"key":"payload.glow.deep[]","template_type":"button"}"#,
        ]
    );
    assert_eq!(
        only("values"),
        [
            r#"{"count":3,"field":"template action type","first":{"message_index":0,"page_index":0,"source_file":"b.json"},"value":"teleport"}"#,
            r#"{"count":1,"field":"type","first":{"message_index":0,"page_index":0,"source_file":"b.json"},"value":"shouted"}"#,
        ]
    );
    let error = &drift["payload_errors"]["seen"][0];
    assert_eq!(
        (&error["text_kind"], &error["reason"]),
        (&"malformed".into(), &"truncated".into()),
        "{error}"
    );
    assert_eq!(error["first"]["text_offset"], cut.len() - 2 - cut.matches('\\').count());
    assert_eq!(error["first"]["text_byte_offset"], malformed.find(cut).unwrap());

    let ran = korpus(["check", folder]).exits(0);
    for part in [
        "never seen before",
        "sparkle",
        "payload.glow.deep[]",
        "c.json, page 0, message 0",
        "teleport",
        "shouted",
    ] {
        assert!(ran.out.contains(part), "no {part} in\n{}", ran.out);
    }
    assert!(!ran.out.contains("secret") && !json.to_string().contains("secret"), "{}", ran.out);

    // Test data of the API's own documents have none of it.
    let file = dumps().join("responses/v2-post.json.gz");
    let json = korpus(["check", file.to_str().unwrap(), "--format", "json"]).exits(0).json();
    for list in ["template_types", "values", "payload_errors"] {
        assert_eq!(json["drift"][list]["seen"], serde_json::json!([]), "{list}");
    }
}

#[test]
fn templates_that_nobody_encoded_are_seen_too() {
    let dir = tempfile::tempdir().unwrap();
    let payload = r#"{"type":"template","payload":{"template_type":"glitter","text":"Pick one","buttons":[{"type":"teleport","title":"Go","payload":"p"}],"glow":1}}"#;
    put(dir.path(), "a.json", page(&["a"]).replace("\"text of a\"", payload));
    put(
        dir.path(),
        "b.json",
        format!(r#"[{{"type":"incoming","timestamp":"2024-05-01T08:00:00.000Z","text":{payload}}}]"#),
    );
    // What stands in a component is what was said: convert has one payload of this message.
    let both = page(&["c"])
        .replace("\"text of c\"", payload)
        .replace("\"_id\"", &format!("\"text\":{payload},\"_id\""));
    put(dir.path(), "c.json", both);
    let folder = dir.path().to_str().unwrap();
    let json = korpus(["check", folder, "--format", "json"]).exits(0).json();
    for (list, what) in
        [("template_types", "glitter"), ("template_keys", "payload.glow"), ("values", "teleport")]
    {
        let seen = json["drift"][list]["seen"].as_array().unwrap();
        let row = seen.iter().find(|row| row.to_string().contains(what)).unwrap_or_else(|| panic!("{json}"));
        assert_eq!(row["count"], 3, "{row}");
    }
    for name in crate::common::names(dir.path()) {
        let ran = korpus(["inspect", dir.path().join(&name).to_str().unwrap()]).exits(0);
        assert_eq!(ran.out.matches("[template: glitter] Pick one").count(), 1, "{name} {}", ran.out);
        assert_eq!(ran.out.matches("[Go]").count(), 1, "{name} {}", ran.out);
    }
}

#[test]
fn a_payload_without_envelope_is_known_by_its_type() {
    let dir = tempfile::tempdir().unwrap();
    let bare = r#"{"template_type":"Acme","title":"t","zork":1}"#;
    let own = r#"{"order":{"zork":2},"title":"t"}"#;
    for (name, payload) in [("a", bare), ("b", own)] {
        let text = serde_json::Value::from(payload).to_string();
        put(
            dir.path(),
            &format!("{name}.json"),
            page(&[name]).replace(&format!("\"text of {name}\""), &text),
        );
    }
    let json = korpus(["check", dir.path().to_str().unwrap(), "--format", "json"]).exits(0).json();
    let seen = |list: &str, key: &str| {
        let rows = json["drift"][list]["seen"].as_array().unwrap().iter();
        rows.map(|row| row[key].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(seen("template_types", "template_type"), ["acme"]);
    assert_eq!(seen("template_keys", "template_type"), ["acme"], "none of the customer's own");
    assert_eq!(seen("template_keys", "key"), ["zork"], "a column takes the title");
}

#[test]
fn synthetic_templates_bring_no_news_but_a_type_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let (dump, _) = synth(dir.path(), &["--messages", "6000", "--template-share", "1"]);
    let json = korpus(["check", dump.to_str().unwrap(), "--format", "json"]).exits(0).json();
    let seen = |list: &str, key: &str| {
        let rows = json["drift"][list]["seen"].as_array().unwrap().iter();
        rows.map(|row| row[key].as_str().unwrap().to_owned()).collect::<std::collections::BTreeSet<_>>()
    };
    let own = std::collections::BTreeSet::from(["acmeloyaltycard".to_owned()]);
    assert_eq!(seen("template_types", "template_type"), own);
    assert_eq!(seen("template_keys", "template_type"), own);
    assert_eq!(seen("payload_errors", "text_kind").into_iter().collect::<Vec<_>>(), ["malformed"]);
    assert_eq!(json["drift"]["values"]["seen"], serde_json::json!([]));
}

struct Ran;

impl Ran {
    /// Checks the test data from within an empty directory.
    fn check(dir: &std::path::Path) -> serde_json::Value {
        let output = program()
            .current_dir(dir)
            .args(["check", dumps().to_str().unwrap(), "--format", "json"])
            .output()
            .unwrap();
        crate::common::Ran::new(output).exits(1).json()
    }
}

#[test]
fn inspect_shows_the_file_and_its_first_conversation() {
    let file = dumps().join("codecs/curl-chunked-gzip.http");
    let ran = korpus(["inspect", file.to_str().unwrap()]).exits(0);
    for part in
        ["gzip", "status 200", "application/json", "full", "createdOn", "Session 68b58ee2a0c1153e10ce0001"]
    {
        assert!(ran.out.contains(part), "no {part} in\n{}", ran.out);
    }
    assert!(ran.out.contains("12:01:00  user  hello\n"), "{}", ran.out);
    let file = dumps().join("responses/v2-post.json.gz");
    let ran = korpus(["inspect", file.to_str().unwrap()]).exits(0);
    let drawn = "bot  [template: button] Test form\n                   [Submit Data] → (the form)\n";
    assert!(ran.out.contains(drawn), "{}", ran.out);
    let json = korpus(["inspect", file.to_str().unwrap(), "--format", "json"]).exits(0).json();
    assert_eq!(json["codecs"], serde_json::json!(["gzip"]));
    assert_eq!(json["conversations"][0]["messages"].as_array().unwrap().len(), 3);
    let nested = dumps().join("codecs/gzip-twice.json.gz.gz");
    let json = korpus(["inspect", nested.to_str().unwrap(), "--format", "json"]).exits(0).json();
    assert_eq!(json["codecs"], serde_json::json!(["gzip", "gzip"]));
    let bytes = std::fs::read(&file).unwrap();
    assert!(korpus_fed(["inspect", "-"], &bytes).exits(0).out.contains("Session 68c024b9"));
}

#[test]
fn inspect_lets_no_text_command_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let evil = r"\u001b]0;owned\u0007\u001b[2J\u009b31m\u202egnp.exe\u0000\r\nsecond line \u007f";
    let text = page(&["a"]).replace("text of a", evil).replace(
        "\"type\":\"incoming\"",
        r#""type":"\u001b[31m","chnl":"\u001b[1m","\u001b[5m":1,"sessionId":"\u001b[7m""#,
    );
    let file = put(dir.path(), "\u{1b}[31mname.json", text);
    for args in
        [&["inspect"][..], &["check"], &["inspect", "--format", "json"], &["check", "--format", "json"]]
    {
        let ran = program().args(args).arg(&file).output().unwrap();
        let ran = crate::common::Ran::new(ran).exits(0);
        let bad: Vec<char> =
            ran.out.chars().filter(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}').collect();
        assert_eq!(bad, [], "{args:?}: {}", ran.out);
    }
    let ran = crate::common::Ran::new(program().arg("inspect").arg(&file).output().unwrap());
    assert!(ran.out.contains("␛]0;owned␇␛[2J<U+009B>31m<U+202E>gnp.exe␀"), "{}", ran.out);
    assert!(ran.out.contains("second line ␡"), "{}", ran.out);
    let ran = korpus(["check", "/missing\u{1b}[31m"]).exits(2);
    assert!(!ran.err.contains('\u{1b}'), "{}", ran.err);
}

#[test]
fn schema_prints_the_declaration() {
    let ran = korpus(["schema", "--format", "markdown"]).exits(0);
    assert_eq!(ran.out, std::fs::read_to_string(project().join("docs/TABLES.md")).unwrap());
    let ran = korpus(["schema", "messages"]).exits(0);
    assert!(ran.out.contains("message_id") && !ran.out.contains("byte_offset"), "{}", ran.out);
    let json = korpus(["schema", "--format", "json"]).exits(0).json();
    assert_eq!(json["tables"].as_array().unwrap().len(), 12);
    assert_eq!(json["tables"][0]["columns"][0]["name"], "message_seq");
}

#[test]
fn schema_prints_the_metrics_too() {
    let ran = korpus(["schema", "--metrics", "--format", "markdown"]).exits(0);
    assert_eq!(ran.out, std::fs::read_to_string(project().join("docs/METRICS.md")).unwrap());
    let ran = korpus(["schema", "--metrics", "users"]).exits(0);
    assert!(ran.out.starts_with("users  ") && ran.out.contains("user_id"), "{}", ran.out);
    let ran = korpus(["schema", "--metrics", "users,forms", "--format", "markdown"]).exits(0);
    assert!(ran.out.starts_with("## users\n") && ran.out.contains("\n\n## forms\n"), "{}", ran.out);
    let json = korpus(["schema", "--metrics", "--format", "json"]).exits(0).json();
    let tables = json["tables"].as_array().unwrap();
    let keys = |table: &serde_json::Value| {
        let columns = table["columns"].as_array().unwrap();
        columns.iter().filter(|column| column["is_key"] == true).count()
    };
    assert_eq!((tables.len(), json["rules_version"].as_i64()), (20, Some(1)));
    assert!(tables.iter().all(|table| table["meaning"].is_string() && keys(table) > 0));
    let ran = korpus(["schema", "--metrics", "messages"]).exits(2);
    assert!(ran.err.contains("there is no such table; choose from sessions"), "{}", ran.err);
    korpus(["schema", "messages", "--metrics"]).exits(2);
}

#[test]
fn schema_prints_the_template_types() {
    let ran = korpus(["schema", "--templates", "--format", "markdown"]).exits(0);
    assert_eq!(ran.out, std::fs::read_to_string(project().join("docs/TEMPLATES.md")).unwrap());
    let ran = korpus(["schema", "--templates"]).exits(0);
    let json = korpus(["schema", "--templates", "--format", "json"]).exits(0).json();
    let types = json["template_types"].as_array().unwrap();
    assert!(types.len() > 30, "{}", types.len());
    for known in types {
        let line = |line: &&str| {
            ["family", "template_type", "meaning"]
                .iter()
                .all(|key| line.contains(known[key].as_str().unwrap()))
        };
        assert!(known["read"].is_array() && known["known"].is_array(), "{known}");
        assert!(ran.out.lines().any(|text| line(&text)), "{known}");
    }
    korpus(["schema", "--templates", "messages"]).exits(2);
}

#[test]
fn synthetic_dumps_are_the_same_for_the_same_seed() {
    let dir = tempfile::tempdir().unwrap();
    let (one, truth) = synth(&dir.path().join("1"), &["--seed", "7", "--messages", "300"]);
    let (two, again) = synth(&dir.path().join("2"), &["--seed", "7", "--messages", "300"]);
    let (three, _) = synth(&dir.path().join("3"), &["--seed", "8", "--messages", "300"]);
    let files = crate::common::files;
    assert!(files(&one) == files(&two) && truth == again && files(&one) != files(&three));
    // A dump that is there is not written over.
    let out = dir.path().join("1/synth");
    korpus(["synth", "--out", out.to_str().unwrap()]).exits(2);
    assert_eq!(files(&one), files(&two));
    let stream = ["synth", "--stdout", "--messages", "50", "--layout", "ndjson-messages"];
    assert_eq!(korpus(stream).exits(0).out.lines().count(), 50);
}
