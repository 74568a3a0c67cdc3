//! The filters of the API, under the API's names.

use std::path::{Path, PathBuf};

use crate::common::{convert, korpus, put, restored};

/// Eight messages, one an hour, of two users, sessions, bots and channels.
fn dump(dir: &Path) -> PathBuf {
    let messages: Vec<String> = (0..8)
        .map(|n| {
            let half = n / 4;
            let kind = if n % 2 == 0 { "incoming" } else { "outgoing" };
            let tags = match n {
                2 => r#"[{"name":"plan","value":"gold"}]"#,
                3 => r#"[{"name":"age","value":1.50},{"name":"o","value":{"a":[1],"b":"\u0062"}}]"#,
                _ => "[]",
            };
            let developer = n == 5;
            format!(
                r#"{{"_id":"ms-{n}","type":"{kind}","botId":"st-{half}","sessionId":"s-{half}","createdBy":"u-{half}",
                "createdOn":"2025-09-0{day}T0{n}:00:00.000Z","chnl":"{channel}","isD":{developer},
                "tags":{{"userTags":{tags},"messageTags":[],"sessionTags":[]}},"components":[]}}"#,
                day = 1 + half,
                channel = if half == 0 { "rtm" } else { "ivr" },
            )
        })
        .collect();
    put(
        dir,
        "page.json",
        format!(r#"{{"total":8,"moreAvailable":false,"messages":[{}]}}"#, messages.join(",")),
    )
}

/// Which messages are kept, by their number.
fn kept(dir: &Path, more: &[&str]) -> String {
    let out = dir.join("out");
    let summary = convert(&[&dump(dir)], &out, &[more, &["--overwrite"]].concat(), 0);
    let books = &summary["messages"];
    let of = |name: &str| books[name].as_u64().unwrap();
    assert_eq!((of("seen"), of("kept") + of("filtered")), (8, 8), "{books}");
    let mut numbers = String::new();
    for line in restored(&out) {
        let message: serde_json::Value = serde_json::from_str(&line).unwrap();
        numbers.push_str(&message["_id"].as_str().unwrap()[3..]);
    }
    numbers
}

#[test]
fn every_filter_keeps_what_it_names() {
    let dir = tempfile::tempdir().unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&[], "01234567"),
        (&["--user-id", "u-1"], "4567"),
        (&["--user-id", "u-1", "--user-id", "u-0"], "01234567"),
        (&["--session-id", "s-0"], "0123"),
        (&["--bot-id", "st-1", "--type", "incoming"], "46"),
        (&["--channel-type", "ivr"], "4567"),
        (&["--channel-type", "ivr,rtm"], "01234567"),
        (&["--type", "outgoing"], "1357"),
        (&["--date-from", "2025-09-02"], "4567"),
        (&["--date-to", "2025-09-01"], "0123"),
        (&["--date-from", "2025-09-01T01:00:00.000Z", "--date-to", "2025-09-01T02:00:00.000Z"], "12"),
        (&["--tag", "user:plan=gold"], "2"),
        (&["--tag", "message:plan=gold"], ""),
        (&["--tag", "user:plan=\"gold\""], "2"),
        (&["--tag", "user:age=1.5"], "3"),
        (&["--tag", "user:age=15e-1", "--tag", r#"user:o={ "b": "b", "a": [1.0] }"#], "3"),
        (&["--tag", "user:age=\"1.5\""], ""),
        (&["--is-developer"], "5"),
        (&["--is-developer=false"], "0123467"),
        (&["--skip", "3"], "34567"),
        (&["--limit", "2"], "01"),
        (&["--type", "outgoing", "--skip", "1", "--limit", "2"], "35"),
        (&["--msg-id", "ms-5"], "567"),
        (&["--msg-id", "ms-5", "--direction", "-1"], "45"),
        (&["--msg-id", "ms-5", "--direction", "both"], "4567"),
        (&["--msg-id", "ms-9"], ""),
    ];
    for (args, expected) in cases {
        assert_eq!(kept(dir.path(), args), *expected, "{args:?}");
    }
}

#[test]
fn messages_without_a_time_go_by_the_start_of_their_record() {
    let dir = tempfile::tempdir().unwrap();
    let input = put(
        dir.path(),
        "page.json",
        r#"{"results":[{"_id":"r1","startTime":"2025-09-01T10:00:00.000Z","messages":[{"type":"USER","text":"one"}]},
        {"_id":"r2","startTime":"2025-09-02T10:00:00.000Z","messages":[{"type":"USER","text":"two"},
        {"type":"BOT","text":"three","timestamp":"2025-09-03T10:00:00.000Z"}]}],
        "skip":0,"limit":2,"hasMore":false,"totalResults":2}"#,
    );
    let out = dir.path().join("out");
    let kept = |more: &[&str]| {
        let summary = convert(&[&input], &out, &[more, &["--overwrite"]].concat(), 0);
        (summary["records"]["kept"].as_u64().unwrap(), summary["messages"]["kept"].as_u64().unwrap())
    };
    assert_eq!(kept(&[]), (2, 3));
    assert_eq!(kept(&["--date-from", "2025-09-02"]), (1, 2));
    assert_eq!(kept(&["--date-to", "2025-09-02"]), (2, 2));
    assert_eq!(kept(&["--date-to", "2025-09-01"]), (1, 1));
    // These are about messages: records stay.
    assert_eq!(kept(&["--limit", "1"]), (2, 1));
    assert_eq!(kept(&["--skip", "3"]), (2, 0));
}

#[test]
fn the_manifest_says_what_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let options = |more: &[&str]| {
        convert(&[&dump(dir.path())], &out, &[more, &["--overwrite"]].concat(), 0);
        let manifest: serde_json::Value =
            serde_json::from_slice(&std::fs::read(out.join("_korpus.json")).unwrap()).unwrap();
        manifest["options"].clone()
    };
    assert_eq!(options(&[]).get("filter"), None);
    let more = [
        "--user-id",
        "u-1",
        "--user-id",
        "u-0",
        "--type",
        "incoming",
        "--date-from",
        "1970-01-02",
        "--limit",
        "3",
    ];
    assert_eq!(
        options(&[&more[..], &["--tag", "user:plan=gold"]].concat())["filter"],
        serde_json::json!({"user_id": ["u-0", "u-1"], "message_type": ["incoming"], "date_from_us": 86_400_000_000_i64,
            "tags": [{"scope": "user", "name": "plan", "value": "gold"}], "limit": 3})
    );
}

#[test]
fn calls_are_found_by_the_request_that_was_saved() {
    let dir = tempfile::tempdir().unwrap();
    let body = |text: &str| {
        format!(
            r#"{{"total":1,"moreAvailable":false,"messages":[{{"type":"incoming","text":"{text}","timestamp":"2025-09-01T12:00:00.000Z"}}]}}"#
        )
    };
    let saved = |call: &str, text: &str| {
        format!(
            "GET /api/public/bot/st-1/getMessages?callId={call} HTTP/1.1\r\nHost: example.org\r\n\r\n\
             HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}",
            body(text)
        )
    };
    let one = put(dir.path(), "one.http", saved("c%2D1", "first"));
    let two = put(dir.path(), "two.http", saved("c-2", "second"));
    let plain = put(dir.path(), "plain.json", body("third"));
    let out = dir.path().join("out");
    let summary = convert(&[&one, &two], &out, &["--call-id", "c-1"], 0);
    assert_eq!((&summary["inputs"]["files"], &summary["inputs"]["other_calls"]), (&1.into(), &1.into()));
    assert!(restored(&out)[0].contains("first"));
    for (inputs, part) in
        [(vec![&one, &plain], "requests are known"), (vec![&one, &two], "no input was requested")]
    {
        let mut args = vec!["check"];
        args.extend(inputs.iter().map(|path| path.to_str().unwrap()));
        args.extend(["--call-id", "c-9"]);
        assert!(korpus(args).exits(2).err.contains(part));
    }
}

#[test]
fn recorded_requests_tell_calls_and_queries() {
    let dir = tempfile::tempdir().unwrap();
    let entry = |call: &str, skip: u64, text: &str| {
        let body = format!(
            r#"{{"total":3,"moreAvailable":false,"messages":[{{"type":"incoming","text":"{text}","timestamp":"2025-09-01T12:00:00.000Z"}}]}}"#
        );
        let sent = serde_json::json!({"callId": call, "skip": skip}).to_string();
        serde_json::json!({
            "request": {"method": "POST", "url": "https://h/getMessages", "postData": {"text": sent}},
            "response": {"status": 200, "content": {"mimeType": "application/json", "text": body}},
        })
    };
    let entries = [entry("c-1", 0, "first"), entry("c-2", 0, "second"), entry("c-2", 2, "third")];
    let har = serde_json::json!({"log": {"version": "1.2", "entries": entries}}).to_string();
    let file = put(dir.path(), "x.har", har);
    let out = dir.path().join("out");
    let summary = convert(&[&file], &out, &["--call-id", "c-1"], 0);
    assert_eq!((&summary["inputs"]["members"], &summary["inputs"]["other_calls"]), (&1.into(), &2.into()));
    assert!(restored(&out).len() == 1 && restored(&out)[0].contains("first"));
    let queries =
        korpus(["check", file.to_str().unwrap(), "--format", "json"]).exits(1).json()["queries"].clone();
    let gaps: Vec<String> =
        queries.as_array().unwrap().iter().map(|query| query["gaps"].to_string()).collect();
    assert_eq!(gaps, [r#"[{"at_least":2,"kind":"missing"}]"#, r#"[{"from":1,"kind":"hole","to":2}]"#]);
    assert!(queries.as_array().unwrap().iter().all(|query| query["inferred"] == false));
    assert!(
        korpus(["check", file.to_str().unwrap(), "--call-id", "c-9"])
            .exits(2)
            .err
            .contains("no input was requested")
    );
}

#[test]
fn a_shape_that_was_not_expected_is_a_finding() {
    let dir = tempfile::tempdir().unwrap();
    let file = dump(dir.path());
    for (shape, code) in [("v2", 0), ("full", 0), ("lite", 1), ("sessions", 1)] {
        let ran = korpus(["check", file.to_str().unwrap(), "--shape", shape]).exits(code);
        assert_eq!(ran.out.contains("not of the shape"), code == 1, "{shape}");
    }
    korpus(["check", file.to_str().unwrap(), "--shape", "v9"]).exits(2);
}
