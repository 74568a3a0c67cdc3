//! What counts as new, and how it is named.

use super::*;

#[test]
fn places_in_payloads_become_paths_of_keys() {
    assert_eq!(path_of("/payload/speech_hint"), "payload.speech_hint");
    assert_eq!(path_of("/payload/elements/12/x~1y/0"), "payload.elements[].x/y[]");
    assert_eq!(path_of(""), "");
    assert_eq!(path_of("/0/1"), "[][]");
    let long = path_of(&"/abcdefghij".repeat(1000));
    assert!(long.len() < 200 && long.ends_with('…'), "{long}");
}

/// The keys and the values of payloads that a text brings.
fn news(text: &str) -> (Vec<String>, Vec<String>) {
    let scratch = Scratch::new(&korpus_core::Limits::default());
    let mut drift = Drift::default();
    drift.payload(&scratch.classify_str(text), Place::new(InputKey::default(), 0, 0));
    let json = drift.to_json(&|_| String::new());
    let list = |list: &str, keys: &[&str]| {
        let rows = json[list]["seen"].as_array().unwrap().iter();
        let mut rows: Vec<_> = rows
            .map(|row| keys.iter().map(|key| row[key].as_str().unwrap()).collect::<Vec<_>>().join(": "))
            .collect();
        rows.sort();
        rows
    };
    (list("template_keys", &["key"]), list("values", &["field", "value"]))
}

#[test]
fn keys_that_are_documented_are_not_new_and_all_others_are() {
    let button = r#"{"type":"template","payload":{"template_type":"button","text":"t","variation":"plain","and":1,"the":[],"it":null,
        "nothing":"x","title":"x","type":"x","deep":{"buttons":["x"],"variation":1},"buttons":[{"title":"a","payload":{"any":1},"renderMsg":"m","glow":1},
        {"title":"b","url":"u","deep":{"title":"x"}}]},"formData":{"formId":"f","formLinkExpiry":1.5,"glow":1},"glow":2}"#;
    let expected = [
        "formData.glow",
        "glow",
        "payload.and",
        "payload.buttons[].deep.title",
        "payload.buttons[].glow",
        "payload.deep.buttons[]",
        "payload.deep.variation",
        "payload.it",
        "payload.nothing",
        "payload.the",
        "payload.title",
        "payload.type",
    ];
    assert_eq!(news(button), (expected.map(str::to_owned).to_vec(), Vec::new()));
    let nothing = (Vec::new(), Vec::new());
    for known in [
        r#"{"type":"template","payload":{"template_type":"dateTemplate","text":"display","text_message":"m","title":"t","view_type":"v"}}"#,
        r#"{"type":"template","text":"o","payload":{"payload":{"template_type":"daterange","text":"display","text_message":"m","delimiter":"-"}}}"#,
        r#"{"type":"template","pay load":{"template_type":"tableList","title":"t","elements":[{"rowItems":[{"title":{"type":"url",
            "url":{"title":"x","link":"y"}},"value":{"type":"text","text":"v","layout":{"align":"l"}}}]}]}}"#,
        r#"{"type":"template","payload":{"template_type":"listView","text":"t","heading":"h","moreData":{"Tab":[{"title":"x","value":3}]}}}"#,
        r#"{"type":"image","payload":{"url":"u"}}"#,
        r#"{"type":"message","payload":"hi"}"#,
        r#"{"text":"wrapped"}"#,
        r#"{"type":"hologram"}"#,
    ] {
        assert_eq!(news(known), nothing, "{known}");
    }
    let wrapped = (vec!["glow".to_owned()], Vec::new());
    assert_eq!(news(r#"{"text":"wrapped","glow":1}"#), wrapped);
}

#[test]
fn values_in_payloads_that_are_in_no_list_are_new() {
    for (text, value) in [
        (r#"{"type":"hologram","payload":{"a":1}}"#, "template envelope type: hologram"),
        (r#"{"type":"Link","payload":"x"}"#, "template envelope type: Link"),
        (r#"{"type":"x","payload":{"template_type":"button"}}"#, "template envelope type: x"),
        (
            r#"{"type":"template","payload":{"template_type":"feedbackTemplate","view":"emoji"}}"#,
            "feedback view: emoji",
        ),
        (r#"{"type":"command","data":[{"verb":"say","text":"a"},{"verb":"sing"}]}"#, "voice verb: sing"),
    ] {
        assert_eq!(news(text), (Vec::new(), vec![value.to_owned()]), "{text}");
    }
    for view in ["star", "CSAT", "NPS", "ThumbsUpDown"] {
        let text = format!(
            r#"{{"type":" Template ","payload":{{"template_type":"feedbackTemplate","view":"{view}"}}}}"#
        );
        assert_eq!(news(&text), (Vec::new(), Vec::new()), "{view}");
    }
}

#[test]
fn the_samples_bring_no_new_keys_but_those_of_their_own() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/templates");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ext| ext == "json") {
            let keys = news(&std::fs::read_to_string(&path).unwrap()).0;
            let odd = |key: &String| {
                key.starts_with("elements[]") || key.ends_with("text|url.link") || key == "isNewVolley"
            };
            assert!(keys.iter().all(odd), "{} {keys:?}", path.display());
            read += 1;
        }
    }
    assert!(read > 50);
}

#[test]
fn documented_values_are_known_and_others_are_not() {
    assert!(Listed::MessageType.has("timelinemsg") && !Listed::MessageType.has("Incoming"));
    assert!(Listed::Status.has("sent to cs") && !Listed::Status.has("vanished"));
    assert!(Listed::MessageSource.has("5") && !Listed::MessageSource.has("6"));
    assert!(Listed::Channel.has("rtm") && Listed::Channel.has("ivr2") && !Listed::Channel.has("fax"));
    assert!(Listed::Experience.has("CHAT") && Listed::SessionType.has("Non-Interactive"));
}

#[test]
fn counts_are_bounded_and_keep_their_first_place() {
    let place = |index| Place::new(InputKey::default(), 0, index);
    let (mut tally, mut later) = (Tally::default(), Tally::default());
    for index in 0..600_u64 {
        tally.note(index, place(index));
        later.note(index % 3, place(1000 + index));
    }
    tally.append(later);
    let json = tally.to_json(&|_| "f".to_owned(), |thing| json!({"thing": thing}));
    let seen = json["seen"].as_array().unwrap();
    assert_eq!((seen.len(), json["not_told_apart"].as_u64()), (500, Some(100)));
    assert_eq!((&seen[0]["count"], &seen[0]["first"]["message_index"]), (&json!(201), &json!(0)));
}
