//! Payloads in every writing, cut anywhere, hostile, made at random: restored, within bounds, and nothing of them lost.

mod common;

use std::collections::HashMap;

use common::restored;
use common::templates::{Rows, assert_all_told, converted, in_both, in_call, in_first, in_second, samples};
use korpus_core::TextKind;
use korpus_tables::json_equal;
use proptest::prelude::*;
use serde_json::{Value, json};

/// JSON with every character of every string as an escape.
fn escaped(text: &str) -> String {
    let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
    format!("\"{}\"", units.collect::<String>())
}

fn with_entities(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

/// Messages, and where in each stands a text that must become the same rows as others: of which sample, in which component.
#[derive(Default)]
struct Sent {
    messages: Vec<Vec<u8>>,
    places: Vec<Option<(usize, usize)>>,
}

impl Sent {
    fn put(&mut self, message: impl Into<Vec<u8>>, place: Option<(usize, usize)>) {
        self.messages.push(message.into());
        self.places.push(place);
    }

    /// A text in all places where one may stand.
    fn put_text(&mut self, text: &str, sample: Option<usize>) {
        self.put(in_first(text), sample.map(|sample| (sample, 0)));
        self.put(in_second(text), sample.map(|sample| (sample, 1)));
        self.put(in_call(text), sample.map(|sample| (sample, 0)));
        self.put(in_both(text), sample.map(|sample| (sample, 0)));
    }
}

#[test]
fn every_writing_of_a_payload_comes_back_and_makes_the_same_rows() {
    let mut sent = Sent::default();
    for (sample, (_, text)) in samples().into_iter().enumerate() {
        // serde_json sorts keys: all writings are made from what it gives.
        let value = serde_json::from_str::<Value>(&text).ok();
        let raw = value.as_ref().map_or_else(|| text.clone(), Value::to_string);
        let same = value.as_ref().map(|_| sample);
        sent.put_text(&text, None);
        sent.put_text(&raw, same);
        sent.put_text(&with_entities(&raw), same);
        sent.put_text(&with_entities(&json!(raw).to_string()), same);
        if let Some(mut value) = value {
            sent.put_text(&serde_json::to_string_pretty(&value).unwrap(), same);
            sent.put_text(&format!("\u{feff}{raw}"), same);
            // Not encoded at all: an object where a string should be.
            let data = format!("{{\"data\":{{\"text\":{raw}}}}}");
            sent.put(format!("{{\"type\":\"x\",\"components\":[{data},{data}]}}"), Some((sample, 0)));
            sent.put(format!("{{\"type\":\"x\",\"components\":[{{}},{data}]}}"), Some((sample, 1)));
            sent.put(format!("{{\"type\":\"x\",\"timestamp\":\"\",\"text\":{raw}}}"), Some((sample, 0)));
            if let Some(payload) = value.get_mut("payload").filter(|payload| payload.is_object()) {
                let inner = payload.to_string();
                *payload = json!(inner);
                sent.put_text(&value.to_string(), same);
                value["payload"] = json!(with_entities(&inner));
                sent.put_text(&value.to_string(), same);
            }
        }
        let written =
            format!("{{\"type\":\"x\",\"components\":[{{\"data\":{{\"text\":{}}}}}]}}", escaped(&raw));
        sent.put(written, same.map(|sample| (sample, 0)));
        // Lone surrogates, around it and within.
        for text in [
            json!(text).to_string().replace("\\\"}", "\\ud83d\\\"}"),
            format!("\"\\ud83d{}", &json!(text).to_string()[1..]),
        ] {
            let message = format!(
                "{{\"type\":\"x\",\"text\":{text},\"components\":[{{\"data\":{{\"text\":{text}}}}}]}}"
            );
            sent.put(message, None);
        }
    }
    let Sent { messages, places } = sent;
    let (dir, tables) = converted(&messages);
    let lines = restored(&dir.path().join("out"));
    assert_eq!(lines.len(), messages.len());
    for (message, line) in messages.iter().zip(&lines) {
        let message = std::str::from_utf8(message).unwrap();
        assert!(json_equal(message, line), "{message}\n{line}");
    }
    assert!(tables.templates.len() > 500 && tables.actions.len() > 1000 && tables.elements.len() > 1000);
    let shown = tables.shown();
    let mut first: HashMap<usize, &Vec<Value>> = HashMap::new();
    let mut compared = 0;
    for (seq, place) in places.iter().enumerate() {
        let Some((sample, component)) = *place else { continue };
        let rows = &shown[&(seq, component)];
        assert!(rows.len() > 1, "a text and a template");
        let expected = *first.entry(sample).or_insert(rows);
        assert_eq!(rows, expected, "{}", String::from_utf8_lossy(&messages[seq]));
        compared += 1;
    }
    assert!(compared > 1500 && first.len() > 50, "{compared} {}", first.len());
}

#[test]
fn a_payload_cut_anywhere_is_a_row_that_says_where() {
    let mut messages = Vec::new();
    let mut cuts = Vec::new();
    for (_, text) in samples() {
        let Ok(Value::Object(_)) = serde_json::from_str(&text) else { continue };
        let text = text.trim();
        let step = (text.len() / 60).max(1);
        for (cut, _) in text.char_indices().skip(1).step_by(step) {
            messages.push(in_first(&text[..cut]));
            cuts.push((text[..cut].to_owned(), cut));
        }
    }
    let (dir, tables) = converted(&messages);
    assert_eq!(tables.templates.len(), cuts.len());
    for (seq, (part, cut)) in cuts.iter().enumerate() {
        assert_eq!(tables.messages.text("text", seq).as_deref(), Some(part.as_str()));
        assert_eq!(tables.messages.text("raw_text", seq), None);
        assert_eq!(tables.templates.text("text_kind", seq).as_deref(), Some("malformed"));
        assert_eq!(tables.templates.text("decode_error", seq).as_deref(), Some("truncated"), "{part}");
        assert_eq!(tables.templates.number("decode_error_offset", seq), Some(*cut as i64));
    }
    for (message, line) in messages.iter().zip(&restored(&dir.path().join("out"))) {
        assert!(json_equal(std::str::from_utf8(message).unwrap(), line));
    }
}

#[test]
fn hostile_payloads_stay_within_bounds_and_come_back() {
    let key = "k".repeat(400);
    let many = vec!["{}"; 30_000].join(",");
    let buttons = vec![r#"{"title":"b","payload":{"a":[1]}}"#; 50_000].join(",");
    let mut nested = json!({"x": "y".repeat(20_000)});
    for _ in 0..40 {
        nested = json!({"buttons": [{"title": "t", "payload": nested}]});
    }
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let mut boxed = json!({"template_type": "button", "text": "deep down"});
    for _ in 0..12 {
        boxed = json!({"type": "template", "payload": boxed.to_string()});
    }
    let texts = [
        format!(r#"{{"type":"template","payload":{{"{key}":{{"elements":[{many}]}}}}}}"#),
        format!(r#"{{"type":"template","payload":{{"text":"t","buttons":[{buttons}]}}}}"#),
        json!({"type": "template", "payload": nested}).to_string(),
        format!(r#"{{"type":"template","payload":{{"text":"t","image_url":"data:image/png;base64,{}"}}}}"#, "A".repeat(3 << 20)),
        format!(r#"{{"type":"template","payload":{deep}}}"#),
        boxed.to_string(),
        r#"{"type":"template","type":"template","payload":{"text":"a","text":"b","buttons":[{"title":"x","title":"y"}]}}"#.to_owned(),
        r#"{"type":"template","payload":{"a":"\ud800","b":1}}"#.to_owned(),
    ];
    let messages: Vec<_> = texts.iter().map(|text| in_first(text)).collect();
    let (dir, tables) = converted(&messages);
    for (message, line) in messages.iter().zip(&restored(&dir.path().join("out"))) {
        assert!(json_equal(std::str::from_utf8(message).unwrap(), line));
    }
    let row = |seq: usize| {
        assert_eq!(tables.templates.number("message_seq", seq), Some(seq as i64));
        let error = tables.templates.text("decode_error", seq);
        let counts =
            ["element_count", "action_count"].map(|column| tables.templates.number(column, seq).unwrap());
        (tables.templates.text("text_kind", seq).unwrap(), error.unwrap_or_default(), counts)
    };
    let is =
        |kind: &str, error: &str, elements, actions| (kind.to_owned(), error.to_owned(), [elements, actions]);
    assert_eq!(row(0), is("template", "too_large", 30_000, 0));
    assert_eq!(row(1), is("template", "", 0, 50_000));
    // What an action sends is a part of it; pointers longer than 512 bytes are not followed.
    assert_eq!(row(2), is("template", "too_deep", 0, 1));
    assert_eq!(row(3), is("template", "", 0, 0));
    assert_eq!(row(4), is("template", "too_deep", 0, 0));
    // What nests too deep for readers of JSON stands in a string.
    let extra: Value = serde_json::from_str(&tables.templates.text("extra", 4).unwrap()).unwrap();
    let (_, whole) = extra.as_object().unwrap().iter().next_back().unwrap();
    assert!(deep.contains(whole.as_str().unwrap()) && whole.as_str().unwrap().len() > 1000);
    // And so does half a character.
    let extra = tables.templates.text("extra", 7).unwrap();
    assert_eq!(extra, r#"{"/payload/a":"\"\\ud800\"","/payload/b":1}"#);
    assert_eq!(row(5), is("template", "too_deep", 0, 0));
    assert_eq!(row(6), is("template", "", 0, 1));
    let bytes = |rows: &Rows, column: &str| {
        (0..rows.len()).filter_map(|row| rows.text(column, row)).map(|text| text.len()).sum::<usize>()
    };
    assert!(bytes(&tables.elements, "parent_path") < 33 * texts[0].len());
    let payloads = bytes(&tables.actions, "payload");
    assert!(payloads < texts[1].len() + texts[2].len(), "{payloads}");
    assert_eq!(tables.templates.text("text", 6).as_deref(), Some("b"));
}

/// A payload of the keys that matter, nested at random.
fn payloads() -> impl Strategy<Value = Value> {
    const KEYS: &[&str] = &[
        "type",
        "payload",
        "pay load",
        "template_type",
        "text",
        "title",
        "value",
        "url",
        "buttons",
        "elements",
        "formData",
        "formId",
        "submitExpiry",
        "quick_replies",
        "default_action",
        "postback",
        "values",
        "image_url",
        "data",
        "verb",
        "say",
        "command",
        "a/b~c",
        "",
        "é",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_i64..9_000_000_000).prop_map(Value::from),
        prop::sample::select(vec![
            "",
            " ",
            "template",
            "message",
            "command",
            "say",
            "postback",
            "url",
            "button",
            "date",
            "<speak>x</speak>",
            "a &amp; b",
            "{",
            "{}",
            "{\"text\":\"inner\",\"n\":[1]}",
            "line\nbreak \"q\"",
            "😀",
        ])
        .prop_map(Value::from),
    ];
    let inner = leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            5 => prop::collection::vec((prop::sample::select(KEYS), inner), 0..6)
                .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    });
    prop::collection::vec((prop::sample::select(KEYS), inner), 0..6)
        .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn payloads_of_any_making_lose_nothing(payloads in prop::collection::vec(payloads(), 1..40)) {
        let messages: Vec<_> = payloads.iter().map(|payload| in_first(&payload.to_string())).collect();
        let (dir, tables) = converted(&messages);
        for (seq, payload) in payloads.iter().enumerate() {
            let kind = tables.messages.text("text_kind", seq).unwrap();
            prop_assert!(TextKind::ALL.iter().any(|known| known.as_str() == kind));
            if tables.templates.text("decode_error", tables.templates.of(seq)[0]).is_none() {
                assert_all_told(&tables, seq, payload, &payload.to_string());
            }
        }
        for (message, line) in messages.iter().zip(&restored(&dir.path().join("out"))) {
            prop_assert!(json_equal(std::str::from_utf8(message).unwrap(), line), "{}", line);
        }
    }
}
