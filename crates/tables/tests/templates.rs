//! Texts that hide payloads, through a whole conversion: the samples against what was written down by hand, counts
//! against the ground truth, one table against all.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::templates::{
    Rows, Tables, assert_all_told, converted, in_both, in_call, in_first, in_second, samples, testdata,
};
use common::{convert_bodies, files, options, page, rows};
use korpus_core::{TEMPLATE_TYPES, TemplateType, TextKind};
use korpus_engine::InputList;
use korpus_synth::{Profile, Shape, Size, Synth, SynthOptions};
use korpus_tables::{Table, convert};
use serde_json::Value;

/// Asserts that the row of a text says what was expected, wherever it stands.
fn assert_text(at: &Rows, row: usize, text: &str, expected: &Value, name: &str) {
    let string = |key: &str| expected[key].as_str().map(str::to_owned);
    assert_eq!(at.text("text_kind", row), string("kind"), "{name}");
    assert_eq!(at.text("text", row), string("text"), "{name}");
    let raw = (string("text").as_deref() != Some(text)).then(|| text.to_owned());
    assert_eq!(at.text("raw_text", row), raw, "{name}");
    assert_eq!(at.text("template_type", row), string("template_type"), "{name}");
    assert_eq!(at.text("template_type_norm", row), string("template_type_norm"), "{name}");
}

fn assert_rows(tables: &Tables, seq: usize, component: i64, expected: &Value, name: &str) {
    let string = |value: &Value| value.as_str().map(str::to_owned);
    let kind = expected["kind"].as_str().unwrap();
    let found = tables.templates.of(seq);
    assert_eq!(found.len(), usize::from(!["plain", "empty", "ssml"].contains(&kind)), "{name}");
    let expected_elements = expected["elements"].as_array().unwrap();
    let expected_actions = expected["actions"].as_array().unwrap();
    let message_id = tables.messages.text("message_id", seq);
    for &row in &found {
        let text = |column: &str| tables.templates.text(column, row);
        let number = |column: &str| tables.templates.number(column, row);
        assert_eq!(text("message_id"), message_id, "{name}");
        assert_eq!(number("component_index"), Some(component), "{name}");
        for (column, key) in [
            ("text_kind", "kind"),
            ("envelope_type", "envelope_type"),
            ("template_type", "template_type"),
            ("template_type_norm", "template_type_norm"),
            ("text", "text"),
        ] {
            assert_eq!(text(column), string(&expected[key]), "{name} {column}");
        }
        assert_eq!(number("element_count"), Some(expected_elements.len() as i64), "{name}");
        assert_eq!(number("action_count"), Some(expected_actions.len() as i64), "{name}");
        let form = &expected["form"];
        for column in ["form_id", "form_name", "form_display_name", "form_link", "form_render_type"] {
            assert_eq!(text(column), string(&form[column]), "{name} {column}");
        }
        for column in ["form_link_expiry", "form_submit_expiry"] {
            assert_eq!(number(column), form[column].as_i64(), "{name} {column}");
        }
        let verbs = expected["voice_verbs"].as_array().map(|verbs| verbs.iter().map(string).collect());
        assert_eq!(tables.templates.list("voice_verbs", row), verbs, "{name}");
        assert_eq!((text("decode_error"), number("decode_error_offset")), (None, None), "{name}");
    }
    let elements = tables.elements.of(seq);
    assert_eq!(elements.len(), expected_elements.len(), "{name}");
    for (index, (row, expected)) in elements.into_iter().zip(expected_elements).enumerate() {
        let text = |column: &str| tables.elements.text(column, row);
        assert_eq!(tables.elements.number("component_index", row), Some(component), "{name}");
        assert_eq!(tables.elements.number("element_index", row), Some(index as i64), "{name}");
        for (column, key) in [
            ("parent_path", "parent_path"),
            ("title", "title"),
            ("subtitle", "subtitle"),
            ("element_value", "value"),
            ("image_url", "image_url"),
        ] {
            assert_eq!(text(column), string(&expected[key]), "{name} element {index} {column}");
        }
        let values = expected["value_list"].as_array().map(|list| list.iter().map(string).collect());
        assert_eq!(tables.elements.list("value_list", row), values, "{name} element {index}");
    }
    let actions = tables.actions.of(seq);
    assert_eq!(actions.len(), expected_actions.len(), "{name}");
    for (index, (row, expected)) in actions.into_iter().zip(expected_actions).enumerate() {
        // An empty string is what was written; by hand it was left out.
        let text = |column: &str| tables.actions.text(column, row).filter(|text| !text.is_empty());
        let number = |column: &str| tables.actions.number(column, row);
        assert_eq!(text("message_id"), message_id, "{name}");
        assert_eq!(number("component_index"), Some(component), "{name}");
        assert_eq!(number("action_index"), Some(index as i64), "{name}");
        assert_eq!(number("element_index"), expected["element_index"].as_i64(), "{name} action {index}");
        for (column, key) in [
            ("parent_path", "parent_path"),
            ("action_kind", "kind"),
            ("action_type", "type"),
            ("title", "title"),
            ("payload", "payload"),
            ("action_value", "value"),
            ("url", "url"),
        ] {
            assert_eq!(text(column), string(&expected[key]), "{name} action {index} {column}");
        }
    }
}

#[test]
fn samples_become_the_rows_that_were_written_down_by_hand() {
    let samples = samples();
    let places: [fn(&str) -> Vec<u8>; 4] = [in_first, in_second, in_call, in_both];
    let messages: Vec<_> =
        places.iter().flat_map(|place| samples.iter().map(|(_, text)| place(text))).collect();
    let (_dir, tables) = converted(&messages);
    for (index, (name, text)) in samples.iter().enumerate() {
        let path = testdata().join("expected/templates").join(format!("{name}.json"));
        let expected: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for place in 0..places.len() {
            let seq = place * samples.len() + index;
            if place == 1 {
                let component = tables.components.of(seq)[0];
                assert_text(&tables.components, component, text, &expected, name);
                assert_eq!(tables.messages.text("text_kind", seq).unwrap(), "empty");
                assert_rows(&tables, seq, 1, &expected, name);
            } else {
                assert_text(&tables.messages, seq, text, &expected, name);
                assert_rows(&tables, seq, 0, &expected, name);
            }
        }
    }
}

#[test]
fn every_value_of_a_payload_is_in_a_column_or_in_extra() {
    let samples: Vec<_> = samples()
        .into_iter()
        .filter_map(|(name, text)| Some((name, serde_json::from_str::<Value>(&text).ok()?, text)))
        .filter(|(_, value, _)| value.is_object())
        .collect();
    let messages: Vec<_> = samples.iter().map(|(_, _, text)| in_first(text)).collect();
    let (_dir, tables) = converted(&messages);
    for (seq, (name, value, _)) in samples.iter().enumerate() {
        assert_all_told(&tables, seq, value, name);
    }
}

#[test]
fn an_object_that_nobody_encoded_is_taken_apart_all_the_same() {
    let template = r#"{"type":"template","payload":{"template_type":"button","text":"Pick","buttons":[{"title":"A","payload":"a"}]}}"#;
    let messages = [
        format!(r#"{{"type":"x","components":[{{"data":{{"text":{template},"more":1}}}}]}}"#).into_bytes(),
        br#"{"type":"x","components":[{"data":{"text":23}}]}"#.to_vec(),
        br#"{"type":"x","components":[{"data":{"text":null}}]}"#.to_vec(),
        br#"{"type":"x","components":[]}"#.to_vec(),
        br#"{"type":"x","components":[{"data":{"text":"a &lt; b"}}],"tags":{"altText":[{"value":""}]}}"#
            .to_vec(),
        br#"{"type":"x","components":[{"data":{"text":" "}}],"tags":{"altText":[{"value":"alt"}]}}"#.to_vec(),
        br#"{"type":"x","components":[{"data":{"text":"<speak>Hi</speak>"}}]}"#.to_vec(),
    ];
    let (_dir, tables) = converted(&messages);
    let row = |seq| {
        ["text_kind", "text", "raw_text", "alt_text"]
            .map(|column| tables.messages.text(column, seq).unwrap_or_else(|| "-".to_owned()))
    };
    assert_eq!(row(0), ["template", "Pick", "-", "-"]);
    assert_eq!(row(1), ["plain", "23", "-", "-"]);
    assert_eq!(row(2), ["empty", "-", "-", "-"]);
    assert_eq!(row(3), ["empty", "-", "-", "-"]);
    assert_eq!(row(4), ["plain", "a < b", "a &lt; b", "-"]);
    assert_eq!(row(5), ["empty", " ", "-", "alt"]);
    assert_eq!(row(6), ["ssml", "Hi", "<speak>Hi</speak>", "-"]);
    assert_eq!((tables.templates.len(), tables.actions.len(), tables.elements.len()), (1, 1, 0));
    assert_eq!(tables.actions.text("payload", 0).as_deref(), Some("a"));
    let data: Value = serde_json::from_str(&tables.messages.text("component_data", 0).unwrap()).unwrap();
    assert_eq!(data["text"], serde_json::from_str::<Value>(template).unwrap());
}

#[test]
fn templates_and_kinds_agree_with_the_ground_truth() {
    for (threads, &shape) in Shape::ALL.iter().enumerate() {
        let synth = SynthOptions {
            size: Size::Messages(1200),
            page_size: 300,
            shapes: vec![shape],
            profile: Profile::Rich,
            duplicates: 0.1,
            edited_copies: 0.1,
            template_share: 0.9,
            ..SynthOptions::default()
        };
        let (bodies, truth) = Synth::new(synth).unwrap().write_memory().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        convert(&InputList::from_bytes(bodies), &out, &options(1 + threads % 3, 100, true), &()).unwrap();
        let tables = Tables::open(&out);
        let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
        for row in 0..tables.messages.len() {
            *kinds.entry(tables.messages.text("text_kind", row).unwrap()).or_default() += 1;
        }
        let expected: BTreeMap<_, _> =
            truth.by_text_kind.iter().map(|(kind, n)| ((*kind).to_owned(), *n)).collect();
        assert_eq!(kinds, expected, "{shape}");
        let mut types: BTreeMap<String, u64> = BTreeMap::new();
        let mut counts = [0, 0];
        for row in 0..tables.templates.len() {
            for (count, column) in counts.iter_mut().zip(["element_count", "action_count"]) {
                *count += tables.templates.number(column, row).unwrap();
            }
            if let Some(name) = tables.templates.text("template_type", row)
                && tables.templates.number("component_index", row) == Some(0)
            {
                *types.entry(name).or_default() += 1;
            }
        }
        let expected: BTreeMap<_, _> =
            truth.by_template_type.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
        assert_eq!(types, expected, "{shape}");
        assert_eq!(counts, [tables.elements.len() as i64, tables.actions.len() as i64], "{shape}");
    }
}

#[test]
fn synthetic_dumps_have_every_known_type_and_every_kind() {
    let options = SynthOptions {
        size: Size::Messages(12_000),
        shapes: vec![Shape::Lite],
        template_share: 1.0,
        ..SynthOptions::default()
    };
    let (_, truth) = Synth::new(options).unwrap().write_memory().unwrap();
    let found = truth.by_template_type.keys().filter_map(|name| TemplateType::find(name));
    let found: BTreeSet<_> = found.map(|known| known.name).collect();
    assert_eq!(found, TEMPLATE_TYPES.iter().map(|known| known.name).collect());
    for name in ["pie chart", "acmeLoyaltyCard"] {
        assert!(truth.by_template_type.contains_key(name), "{name}");
    }
    // Where all prompts are templates, none is speech markup.
    for kind in TextKind::ALL.iter().filter(|kind| **kind != TextKind::Ssml) {
        assert!(truth.by_text_kind.contains_key(kind.as_str()), "{kind}");
    }
}

#[test]
fn a_table_alone_has_the_rows_that_it_has_among_all() {
    let messages: Vec<_> =
        samples().iter().flat_map(|(_, text)| [in_first(text), in_second(text), in_call(text)]).collect();
    let dir = tempfile::tempdir().unwrap();
    let bodies = [("a.json", page(&messages)), ("b.json", page(&messages))];
    let write = |name: &str, tables: &[Table], threads| {
        let out = dir.path().join(name);
        let mut options = options(threads, 50, true);
        options.tables = tables.to_vec();
        convert_bodies(&bodies, &out, &options);
        out
    };
    let all = write("all", &[], 2);
    for table in [Table::Templates, Table::Elements, Table::Actions, Table::Components] {
        let alone = write(table.name(), &[table], 1);
        assert!(files(&all.join(table.name())) == files(&alone.join(table.name())), "{table}");
        for other in Table::ALL {
            assert!(other == table || rows(&alone, other).num_rows() == 0, "{table} {other}");
        }
        assert!(rows(&alone, table).num_rows() > 50, "{table}");
    }
}
