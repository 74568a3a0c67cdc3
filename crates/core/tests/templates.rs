//! Payloads hidden in texts: the samples against expectations written by hand, and against a naive walk, in every
//! writing, cut anywhere, hostile.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use korpus_core::{
    Kind, Limits, Node, PathStep, Reason, Scratch, TemplateType, TextError, TextKind, write_json_string,
};
use korpus_fuzz_oracles::{Shown, template_of};
use proptest::prelude::*;
use serde_json::Value;

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata")
}

/// The samples by name.
fn samples() -> Vec<(String, String)> {
    let mut samples: Vec<_> = std::fs::read_dir(testdata().join("templates"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "json" || ext == "raw"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    samples.sort();
    assert!(samples.len() > 50);
    samples
}

fn shown(text: &str) -> Shown {
    Shown::new(&Scratch::new(&Limits::default()).classify_str(text))
}

#[test]
fn samples_are_what_was_written_down_by_hand() {
    for (name, text) in samples() {
        let path = testdata().join("expected/templates").join(format!("{name}.json"));
        let expected: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let found = template_of(&text);
        let string = |value: &Value| value.as_str().map(str::to_owned);
        assert_eq!(found.kind.as_str(), expected["kind"], "{name}");
        assert_eq!(found.visible, string(&expected["text"]), "{name}");
        let types =
            ["envelope_type", "template_type", "template_type_norm"].map(|key| string(&expected[key]));
        assert_eq!(found.types, types, "{name}");
        let rows = |key: &str| expected[key].as_array().unwrap().clone();
        let elements: Vec<_> = rows("elements")
            .iter()
            .map(|row| {
                let list =
                    row["value_list"].as_array().map(|list| list.iter().map(string).collect::<Vec<_>>());
                (
                    string(&row["path"]).unwrap(),
                    ["title", "subtitle", "value", "image_url"].map(|key| string(&row[key])),
                    list,
                )
            })
            .collect();
        let found_elements: Vec<_> = found
            .elements
            .iter()
            .map(|(path, _, columns, list)| (path.clone(), columns.clone(), list.clone()))
            .collect();
        assert_eq!(found_elements, elements, "{name}");
        let actions: Vec<_> = rows("actions")
            .iter()
            .map(|row| {
                let columns = ["type", "title", "payload", "value", "url"].map(|key| string(&row[key]));
                let element = row["element_index"].as_u64().map(|index| index as usize);
                (string(&row["path"]).unwrap(), element, string(&row["kind"]).unwrap(), columns)
            })
            .collect();
        let found_actions: Vec<_> = found
            .actions
            .iter()
            .map(|(path, element, kind, columns)| {
                // An empty string is what was written; by hand it was left out.
                let columns = columns.clone().map(|column| column.filter(|text| !text.is_empty()));
                (path.clone(), *element, (*kind).to_owned(), columns)
            })
            .collect();
        assert_eq!(found_actions, actions, "{name}");
        let verbs = expected["voice_verbs"].as_array().cloned().unwrap_or_default();
        assert_eq!(found.verbs, verbs.iter().filter_map(string).collect::<Vec<_>>(), "{name}");
        let form = expected.get("form").map(|form| {
            let texts = ["form_id", "form_name", "form_display_name", "form_link", "form_render_type"];
            let numbers = ["form_link_expiry", "form_submit_expiry"];
            (texts.map(|key| string(&form[key])), numbers.map(|key| form[key].as_i64()))
        });
        assert_eq!(found.form, form, "{name}");
    }
}

/// JSON with every character of every string as an escape.
fn escaped(value: &Value) -> String {
    let string = |text: &str| {
        let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
        format!("\"{}\"", units.collect::<String>())
    };
    match value {
        Value::String(text) => string(text),
        Value::Array(list) => format!("[{}]", list.iter().map(escaped).collect::<Vec<_>>().join(",")),
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| format!("{}:{}", string(key), escaped(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

fn with_entities(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

fn json_string(text: &str) -> String {
    let mut out = String::new();
    write_json_string(text, &mut out);
    out
}

/// The payload as a string, as it is and with entities.
fn double_encoded(value: &Value) -> Vec<String> {
    let encoded = |write: &dyn Fn(&str) -> String| {
        let mut value = value.clone();
        let payload = value.get_mut("payload").filter(|payload| payload.is_object())?;
        *payload = Value::String(write(&payload.to_string()));
        Some(value.to_string())
    };
    [encoded(&str::to_owned), encoded(&with_entities)].into_iter().flatten().collect()
}

#[test]
fn every_writing_of_a_payload_shows_the_same() {
    let mut writings = 0;
    for (name, text) in samples() {
        let Ok(value) = serde_json::from_str::<Value>(&text) else { continue };
        // serde_json sorts keys: all writings are made from what it gives.
        let raw = value.to_string();
        let reference = template_of(&raw);
        let quoted = with_entities(&json_string(&raw));
        let mut others = vec![
            with_entities(&raw),
            quoted.replace("&quot;", "&#x22;"),
            quoted,
            serde_json::to_string_pretty(&value).unwrap(),
            format!("\u{feff}\n{raw}\n \u{a0}"),
            format!(" \u{feff}{}", with_entities(&raw)),
            escaped(&value),
        ];
        others.extend(double_encoded(&value));
        for other in others {
            let same = template_of(&other);
            // Leftovers are raw: equal as values.
            let values = |shown: &Shown| -> Vec<(String, Value)> {
                let leftovers = shown.leftovers.iter();
                leftovers.map(|(at, raw)| (at.clone(), serde_json::from_str(raw).unwrap())).collect()
            };
            assert_eq!(values(&same), values(&reference), "{name}");
            let same = Shown { leftovers: reference.leftovers.clone(), ..same };
            assert_eq!(same, reference, "{name}");
            writings += 1;
        }
    }
    assert!(writings > 250, "{writings}");
}

#[test]
fn a_text_cut_anywhere_says_where() {
    for (name, text) in samples() {
        let Ok(value) = serde_json::from_str::<Value>(&text) else { continue };
        let text = if text.len() > 3000 { &text[..text.floor_char_boundary(3000)] } else { text.as_str() };
        let whole = value.to_string().len() <= 3000;
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let pretty = &pretty[..pretty.floor_char_boundary(1500)];
        let scratch = Scratch::new(&Limits::default());
        for text in [text, pretty] {
            for (cut, _) in text.char_indices() {
                let part = &text[..cut];
                let classified = scratch.classify_str(part);
                if part.trim().is_empty() {
                    assert_eq!(classified.kind(), TextKind::Empty);
                    continue;
                }
                assert_eq!(classified.kind(), TextKind::Malformed, "{name} {cut}");
                let expected = TextError { reason: Reason::Truncated, offset: cut };
                assert_eq!(classified.decode_error(), Some(expected), "{name} {cut}");
                assert_eq!(classified.visible(), Some(part));
            }
        }
        // Longer writings, at some places: escapes are cut too, and payloads inside payloads.
        let marked = format!("\u{feff}{pretty}");
        for text in [double_encoded(&value), vec![escaped(&value), marked]].concat() {
            let step = text.len() / 150 + 1;
            for (cut, _) in text.char_indices().filter(|(at, _)| *at > 3).step_by(step) {
                let classified = scratch.classify_str(&text[..cut]);
                assert_eq!(classified.kind(), TextKind::Malformed, "{name} {cut}");
                let expected = TextError { reason: Reason::Truncated, offset: cut };
                assert_eq!(classified.decode_error(), Some(expected), "{name} {cut}");
            }
        }
        if whole {
            let entities = with_entities(text);
            let string = with_entities(&json_string(text));
            // Without its last quote, an object between quotes is whole.
            let quoted = format!("&quot;{entities}");
            for (writing, skipped) in [(entities, 0), (string, 6), (quoted, 6)] {
                a_writing_cut_anywhere_says_where(&name, writing.trim_end(), skipped);
            }
        }
    }
}

/// Cuts JSON with entities after its first brace, which stands at `skipped`.
fn a_writing_cut_anywhere_says_where(name: &str, text: &str, skipped: usize) {
    let scratch = Scratch::new(&Limits::default());
    for (cut, _) in text.char_indices().filter(|(cut, _)| *cut > skipped) {
        let part = &text[..cut];
        let classified = scratch.classify_str(part);
        assert_eq!(classified.kind(), TextKind::Malformed, "{name} {cut} {part}");
        // What remains of an entity is no quote: it is wrong itself, unless it stands inside a string.
        let broken = part.rfind('&').filter(|&at| !part[at..].contains(';'));
        let error = classified.decode_error().unwrap();
        match error.reason {
            Reason::Truncated => assert_eq!(error.offset, cut, "{name} {part}"),
            Reason::UnexpectedByte => assert_eq!(Some(error.offset), broken, "{name} {cut} {part}"),
            Reason::BadEscape => assert_eq!(Some(error.offset + 1), broken, "{name} {cut} {part}"),
            reason => panic!("{name} {cut} {reason}"),
        }
    }
}

/// A text of fifty payloads, each a string in the one around it. Written with `\u005c`, it grows by five bytes a
/// level and quote; with `\\` it would double.
fn onion(inside: &str, levels: usize) -> String {
    let mut text = inside.to_owned();
    for _ in 0..levels {
        let string = text.replace('\\', "\\u005c").replace('"', "\\u0022");
        text = format!("{{\"type\":\"template\",\"payload\":\"{string}\"}}");
    }
    text
}

#[test]
fn onions_are_peeled_as_deep_as_the_limit() {
    let inside = r#"{"template_type":"button","text":"core"}"#;
    for levels in 0..=50 {
        let text = onion(inside, levels);
        let scratch = Scratch::new(&Limits::default());
        let classified = scratch.classify_str(&text);
        let template = classified.template().unwrap();
        assert_eq!(classified.visible(), (levels <= 4).then_some("core"), "{levels}");
        let error = classified.decode_error();
        assert_eq!(error.map(|error| error.reason), (levels > 4).then_some(Reason::TooDeep));
        if levels > 4 {
            // The string behind the fifth key.
            let key = text.match_indices("payload").nth(4).unwrap().0;
            assert_eq!(error.unwrap().offset, key + text[key..].find(':').unwrap() + 1);
            let mut left = Vec::new();
            template.for_each_leftover(|pointer, raw| left.push((pointer.to_owned(), raw.len())));
            let (pointer, len) = left.last().unwrap();
            assert_eq!(*pointer, "/payload".repeat(5));
            assert!(*len > inside.len());
        }
    }
}

#[test]
fn hostile_payloads_stay_within_the_budgets() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let scratch = Scratch::new(&Limits::default());
    let text = format!("{{\"text\":\"t\",\"x\":{deep}}}");
    let classified = scratch.classify_str(&text);
    assert_eq!((classified.kind(), classified.visible()), (TextKind::WrappedText, Some("t")));
    assert_eq!(classified.decode_error().unwrap().reason, Reason::TooDeep);

    // Deep inside strings, as many as are opened, just so.
    let text = onion(&format!("{{\"template_type\":\"b\",\"text\":\"t\",\"x\":{deep}}}"), 3);
    let shown_deep = shown(&text);
    assert_eq!(shown_deep.kind, TextKind::Template);
    assert_eq!(shown_deep.leftovers.len(), 3);
    assert_eq!(shown(&onion(&deep, 50)).kind, TextKind::Template);

    // A million buttons: the list stays whole, what stands beside it is read.
    let button = r#"{"type":"postback","title":"b","payload":"p"},"#;
    let buttons = button.repeat(1_000_000);
    let text = format!(
        "{{\"type\":\"template\",\"payload\":{{\"text\":\"t\",\"buttons\":[{}],\"template_type\":\"button\"}}}}",
        &buttons[..buttons.len() - 1]
    );
    let shown_many = shown(&text);
    assert_eq!((shown_many.kind, shown_many.visible.as_deref()), (TextKind::Template, Some("t")));
    assert_eq!(shown_many.types[1].as_deref(), Some("button"));
    assert!(shown_many.actions.is_empty());
    assert_eq!(shown_many.leftovers.len(), 1);
    assert_eq!(shown_many.leftovers[0].0, "/payload/buttons");

    // Below the budget, every one of them.
    let text = format!("{{\"buttons\":[{}]}}", &buttons[..button.len() * 100_000 - 1]);
    let shown_many = shown(&text);
    assert_eq!(shown_many.actions.len(), 100_000);
    assert!(shown_many.leftovers.is_empty());

    let picture = format!("data:image/png;base64,{}", "A".repeat(20 << 20));
    let text =
        format!("{{\"type\":\"template\",\"payload\":{{\"elements\":[{{\"image_url\":\"{picture}\"}}]}}}}");
    let classified = scratch.classify_str(&text);
    assert_eq!(classified.template().unwrap().count(), (1, 0));
    assert_eq!(classified.visible(), None);
}

#[test]
fn pointers_cost_no_more_than_the_payload() {
    // Each pointer would repeat the keys above: without a bound, output grows with the square of the text.
    let long = "k".repeat(400);
    let numbers = "1,".repeat(200_000) + "1";
    let text = format!("{{\"{long}\":[{numbers}],\"z\":2}}");
    let mut bytes = 0;
    let mut last = None;
    let scratch = Scratch::new(&Limits::default());
    scratch.classify_str(&text).template().unwrap().for_each_leftover(|pointer, raw| {
        bytes += pointer.len() + raw.len();
        last = Some((pointer.to_owned(), raw.to_owned()));
    });
    assert!(bytes < 40 * text.len(), "{bytes}");
    assert_eq!(last.unwrap(), (String::new(), text.clone()));

    let text = format!("{{\"{}\":[{{\"buttons\":[{{\"title\":\"b\"}}]}}]}}", "k".repeat(100_000));
    let classified = scratch.classify_str(&text);
    assert_eq!(classified.decode_error().unwrap().reason, Reason::TooDeep);
    assert_eq!(classified.template().unwrap().count(), (0, 0));
}

#[test]
fn paths_are_those_of_the_leftovers_and_of_what_is_read() {
    let scratch = Scratch::new(&Limits::default());
    let is_index = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let path_of = |pointer: &str| {
        let parts = pointer.split('/').map(|part| if is_index(part) { "0" } else { part });
        parts.collect::<Vec<_>>().join("/")
    };
    let mut texts: Vec<String> = samples().into_iter().map(|(_, text)| text).collect();
    texts.push(r#"{"text":"a","text":"b","x":{"y":[[1],[],[{}]]},"":[{"title":"a"},{"title":null}],"elements":[{"title":"t"}]}"#.to_owned());
    for text in &texts {
        let classified = scratch.classify_str(text);
        let Some(template) = classified.template() else { continue };
        let mut left = BTreeSet::new();
        template.for_each_leftover(|pointer, _| _ = left.insert(path_of(pointer)));
        let (mut all, mut unread, mut calls) = (BTreeSet::new(), BTreeSet::new(), 0);
        template.for_each_path(|path, is_read| {
            calls += 1;
            let path: String = path.iter().map(written).collect();
            if !is_read {
                unread.insert(path.clone());
            }
            all.insert(path);
        });
        assert_eq!((&unread, calls), (&left, all.len()), "{text}");
        let mut ends = BTreeSet::new();
        ends_of(template.root(), "", &mut ends);
        assert_eq!(all, ends, "{text}");
    }
}

/// A step as a part of a JSON pointer, each index as 0.
fn written(step: &PathStep<'_>) -> String {
    match step {
        PathStep::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        PathStep::Item => "/0".to_owned(),
    }
}

#[test]
fn keys_of_digits_are_no_items_of_lists() {
    let scratch = Scratch::new(&Limits::default());
    let text = r#"{"buttons":{"0":{"title":"a"},"1":[1]},"elements":[{"2":3}]}"#;
    let mut paths = Vec::new();
    scratch.classify_str(text).template().unwrap().for_each_path(|path, _| paths.push(path.to_vec()));
    assert_eq!(
        paths,
        [
            vec![PathStep::Key("buttons"), PathStep::Key("0"), PathStep::Key("title")],
            vec![PathStep::Key("buttons"), PathStep::Key("1"), PathStep::Item],
            vec![PathStep::Key("elements"), PathStep::Item, PathStep::Key("2")],
        ]
    );
    let button = TemplateType::find("button").unwrap();
    assert!(button.documents(&[PathStep::Key("buttons"), PathStep::Item, PathStep::Key("title")]));
    assert!(!button.documents(&paths[0]));
}

/// The paths of all values that hold no other, each index as 0.
fn ends_of(node: Node<'_>, path: &str, ends: &mut BTreeSet<String>) {
    for child in node.children() {
        let key = if node.kind() == Kind::Array {
            "0".to_owned()
        } else {
            child.key().replace('~', "~0").replace('/', "~1")
        };
        let path = format!("{path}/{key}");
        if child.children().next().is_none() {
            ends.insert(path.clone());
        }
        ends_of(child, &path, ends);
    }
}

#[test]
fn an_arena_forgets_and_serves_again() {
    let mut scratch = Scratch::new(&Limits::default());
    let samples = samples();
    for _ in 0..3 {
        for (_, text) in &samples {
            let fresh = shown(text);
            assert_eq!(Shown::new(&scratch.classify_str(text)), fresh);
            scratch.reset();
        }
    }
}

fn hostile_json() -> impl Strategy<Value = String> {
    let string = prop_oneof![
        Just("\"\"".to_owned()),
        Just(r#""\ud83d""#.to_owned()),
        Just(r#""button""#.to_owned()),
        Just(r#""postback""#.to_owned()),
        Just(r#""\u0075rl""#.to_owned()),
        Just(r#""say""#.to_owned()),
        // Payloads that begin like JSON: none, some behind a byte order mark, some in quotes.
        Just(r#""{name}, hello \ud83d""#.to_owned()),
        Just(r#""[{name}] hello""#.to_owned()),
        Just(r#""\ufeff {\"heading\":\"marked\"}""#.to_owned()),
        Just(r#""\"{\\\"title\\\":1,}\"""#.to_owned()),
        Just(
            r#""{\"template_type\":\"date\",\"text\":\"display\",\"buttons\":[{\"title\":\"x\"}]}""#
                .to_owned()
        ),
        "[a-z <>&;/~\u{e9}\u{1f600}]{0,8}".prop_map(|text| json_string(&text)),
    ];
    let key = prop_oneof![
        4 => proptest::sample::select(vec![
            "type", "payload", "pay load", "template_type", "text", "text_message", "title", "label", "value", "url",
            "postback", "buttons", "otpButtons", "quick_replies", "default_action", "elements", "items", "values",
            "Values", "primary", "additional", "image", "image_src", "image_url", "subtitle", "moreData", "menu",
            "headerOptions", "formData", "formId", "submitExpiry", "data", "verb", "say", "link", "heading", "a/b~c",
            "answer_payload", "graph_answer", "center_panel", "snippet_content", "answer_fragment",
        ]).prop_map(|key| format!("\"{key}\"")),
        1 => Just(r#""\u0074itle""#.to_owned()),
        1 => Just(r#""\ud83d""#.to_owned()),
    ];
    let leaf = prop_oneof![
        4 => string,
        1 => proptest::sample::select(vec!["null", "true", "1", "-0", "1e999", "9007199254740993", "[]", "{}"])
            .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(6, 60, 7, move |inner| {
        prop_oneof![
            2 => proptest::collection::vec((key.clone(), inner.clone()), 0..7).prop_map(|members| {
                let members: Vec<_> = members.into_iter().map(|(key, value)| format!("{key} :{value}")).collect();
                format!("{{{}}}", members.join(", "))
            }),
            1 => proptest::collection::vec(inner, 0..5).prop_map(|list| format!("[{}]", list.join(","))),
        ]
    })
}

/// Every scalar and empty container with its pointer; of repeated keys the last.
fn scalars_of(node: Node<'_>, pointer: &str, found: &mut Vec<(String, String)>) {
    let mut inside = node.children().filter(|child| !child.is_shadowed()).peekable();
    if inside.peek().is_none() {
        let mut raw = String::new();
        node.write_compact(&mut raw);
        let scalar = match node.kind() {
            Kind::Number => as_number(&raw),
            _ => raw,
        };
        found.push((pointer.to_owned(), scalar));
    }
    let is_array = node.kind() == Kind::Array;
    for (i, child) in inside.enumerate() {
        let key = if is_array { i.to_string() } else { json_string(child.key()) };
        scalars_of(child, &format!("{pointer}/{key}"), found);
    }
}

/// A number as both parsers read it: an integer of 64 bits, or the nearest float. One of them takes the sign of zero.
fn as_number(raw: &str) -> String {
    let float = raw.parse::<f64>().unwrap();
    let integer = raw.parse::<i128>().ok().or((float == 0.0).then_some(0));
    let integer = integer.filter(|n| (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(n));
    integer.map_or_else(|| format!("{float:?}"), |n| n.to_string())
}

fn scalars_of_value(value: &Value, pointer: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Array(list) if !list.is_empty() => {
            for (i, value) in list.iter().enumerate() {
                scalars_of_value(value, &format!("{pointer}/{i}"), found);
            }
        }
        Value::Object(members) if !members.is_empty() => {
            for (key, value) in members {
                scalars_of_value(value, &format!("{pointer}/{}", json_string(key)), found);
            }
        }
        Value::String(text) => found.push((pointer.to_owned(), json_string(text))),
        Value::Number(number) => found.push((pointer.to_owned(), as_number(&number.to_string()))),
        other => found.push((pointer.to_owned(), other.to_string())),
    }
}

/// The scalars of an object are those that `serde_json` and `simd-json` find. Neither reads lone surrogates or
/// floats past the largest: false where it was asked in vain.
fn agrees_with_other_parsers(object: &str) -> bool {
    let scratch = Scratch::new(&Limits::default());
    let classified = scratch.classify_str(object);
    let mut found = Vec::new();
    scalars_of(classified.template().unwrap().root(), "", &mut found);
    found.sort();
    let values = [
        serde_json::from_str::<Value>(object).ok(),
        simd_json::serde::from_slice::<Value>(&mut object.as_bytes().to_vec()).ok(),
    ];
    let mut asked = 0;
    for value in values.iter().flatten() {
        let mut expected = Vec::new();
        scalars_of_value(value, "", &mut expected);
        expected.sort();
        assert_eq!(found, expected, "{object}");
        asked += 1;
    }
    asked == 2
}

#[test]
fn scalars_of_the_samples_are_those_of_serde_json_and_simd_json() {
    let mut asked = 0;
    for (name, text) in samples() {
        // A payload in a string is seen as what it holds; the others see a string.
        let Ok(value) = serde_json::from_str::<Value>(&text) else { continue };
        if !value["payload"].is_string() {
            for text in [text, escaped(&value)] {
                assert!(agrees_with_other_parsers(&text), "{name}");
                asked += 1;
            }
        }
    }
    assert!(asked > 100, "{asked}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn any_payload_agrees_with_a_naive_walk(
        members in proptest::collection::vec(
            (proptest::sample::select(vec!["type", "payload", "text", "elements", "data", "formData"]), hostile_json()), 0..6),
        head in proptest::sample::select(vec![
            "", r#""type":"template","#, r#""type":"command","data":[{"verb":"say"}],"#, r#""type":"link","#]),
        encode in 0..4,
    ) {
        let mut text = format!("{{{head}\"z\":0");
        for (key, value) in members {
            let _ = write!(text, ",\"{key}\":{value}");
        }
        text.push('}');
        let text = match encode {
            0 => text,
            1 => with_entities(&text),
            2 => onion(&text, 2),
            _ => with_entities(&json_string(&text)),
        };
        template_of(&text);
    }

    #[test]
    fn any_object_has_the_scalars_that_other_parsers_find(value in hostile_json()) {
        agrees_with_other_parsers(&format!("{{\"z\":{value}}}"));
    }

    #[test]
    fn any_text_is_classified(text in "[{}\\[\\]\",:&;quot<>/a-z0-9 \\\\\n\u{e9}]{0,40}", start in 0..5_usize) {
        template_of(&(["", "{", "{&quot;", "&quot;{", "\u{feff}{"][start].to_owned() + &text));
    }
}
