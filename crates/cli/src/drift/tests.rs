//! What counts as new, and how it is named.

use std::collections::BTreeMap;

use korpus_core::PathStep::{Item, Key};

use super::keys::{MOST_OF_ONE, written};
use super::*;

#[test]
fn places_in_payloads_become_paths_of_keys() {
    assert_eq!(written(&[Key("payload"), Key("speech_hint")]), "payload.speech_hint");
    assert_eq!(
        written(&[Key("payload"), Key("elements"), Item, Key("x/y~1"), Item]),
        "payload.elements[].x/y~1[]"
    );
    assert_eq!(written(&[]), "");
    assert_eq!(written(&[Item, Item]), "[][]");
    assert_eq!(written(&[Key("buttons"), Key("0"), Key("title")]), "buttons.0.title");
    let long = written(&[Key("abcdefghij"); 1000]);
    assert!(long.len() < 200 && long.ends_with('…'), "{long}");
}

/// What a text brings, as JSON.
fn drift_of(text: &str) -> serde_json::Value {
    let scratch = Scratch::new(&korpus_core::Limits::default());
    let mut drift = Drift::default();
    drift.payload(&scratch.classify_str(text), Place::new(InputKey::default(), 0, 0));
    drift.to_json(&|_| String::new())
}

/// The keys and the values of payloads that a text brings.
fn news(text: &str) -> (Vec<String>, Vec<String>) {
    let json = drift_of(text);
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
    let inner = r#"{"type":"template","payload":{"template_type":"button","text":"t","payload":"x"}}"#;
    assert_eq!(news(inner), (vec!["payload.payload".to_owned()], Vec::new()));
    let wrapped = (vec!["glow".to_owned()], Vec::new());
    assert_eq!(news(r#"{"text":"wrapped","glow":1}"#), wrapped);
}

/// Every documented key of every documented type, once each.
#[test]
fn nothing_that_is_documented_is_new() {
    let b =
        json!({"type": "postback", "title": "t", "payload": "p", "value": "v", "url": "u", "renderMsg": "r"});
    let item = json!({"title": "t", "subtitle": "s", "value": "v", "image_url": "i", "default_action": b});
    let option = json!({"title": "t", "value": "v"});
    let replies = json!({"text": "t", "quick_replies": [{"content_type": "text", "title": "t", "payload": {"a": 1}, "value": "v",
        "image_url": "i", "renderMsg": "r"}]});
    let list = json!({"text": "t", "buttons": [b], "carousel_type": "stacked", "elements": [{"title": "t", "subtitle": "s",
        "image_url": "i", "default_action": b, "buttons": [b]}]});
    let table = json!({"text": "t", "columns": [["n", "left"]], "elements": [{"Values": ["s", 1, ["v", "button", b]]}]});
    let chart = json!({"text": "t", "X_axis": ["x"], "elements": [{"title": "t", "value": 1, "displayValue": "d"},
        {"title": "t", "values": [1], "displayValues": ["d"]}]});
    let choice = json!({"heading": "h", "limit": 1, "elements": [option, {"collectionTitle": "c", "collection": [option]}]});
    let date = json!({"text": "display", "text_message": "m", "title": "t", "format": "f", "startDate": "s", "endDate": "e"});
    let feedback = json!({"text": "t", "view": "star", "starArrays": [{"starId": 1, "value": 1}],
        "smileyArrays": [{"smileyId": 1, "value": 1}], "numbersArrays": [{"numberId": 1, "value": 1}],
        "thumpsUpDownArrays": [{"thumpUpId": 1, "value": 1}], "heading": "h", "feedbackList": [{"id": 1, "value": "v"}]});
    let answer = json!({"payload": {"center_panel": {"data": [{"snippet_content": "x"}]}}});
    let answer = json!({"graph_answer": answer, "answer_payload": answer["payload"]});
    let types = [
        ("button", json!({"text": "t", "subText": "s", "variation": "v", "buttons": [b]})),
        ("quick_replies", replies.clone()),
        ("quick_replies_welcome", replies),
        ("list", list.clone()),
        ("carousel", list),
        (
            "listView",
            json!({"text": "t", "heading": "h", "seeMore": true, "moreCount": 1, "elements": [item], "moreData": {"Tab": [item]}}),
        ),
        (
            "tableList",
            json!({"title": "t", "description": "d", "elements": [{"sectionHeader": "s", "rowItems": [
            {"title": {"type": "text", "text": "x"}, "value": "v", "default_action": b},
            {"title": {"type": "url", "url": "x"}, "value": {"type": "text", "text": "v"}},
            {"title": {"type": "url", "url": {"link": "l", "title": "t"}}, "value": "v"}]}]}),
        ),
        (
            "listWidget",
            json!({"title": "t", "description": "d", "elements": [{"title": "t", "subtitle": "s", "image": "i",
            "value": {"type": "text", "text": "v"}, "details": ["x"], "buttons": [b]}]}),
        ),
        ("advancedListTemplate", json!({"title": "t", "description": "d", "listItems": [{"title": "t"}]})),
        ("table", table.clone()),
        ("custom_table", table),
        (
            "mini_table",
            json!({"text": "t", "layout": "l", "elements": [{"primary": [["a", "b"]], "additional": [[null]]}]}),
        ),
        ("piechart", chart.clone()),
        ("barchart", chart.clone()),
        ("linechart", chart),
        ("dropdown_template", choice.clone()),
        ("multi_select", choice.clone()),
        ("advanced_multi_select", choice),
        (
            "form_template",
            json!({"heading": "h", "formFields": [{"type": "t", "label": "l", "placeholder": "p", "fieldButton": {"title": "t"}}]}),
        ),
        ("dateTemplate", date.clone()),
        ("daterange", date.clone()),
        ("clockTemplate", date),
        ("feedbackTemplate", feedback.clone()),
        ("bankingFeedbackTemplate", feedback),
        (
            "radioOptionTemplate",
            json!({"heading": "h", "radioOptions": [{"title": "t", "value": "v", "postback": option}]}),
        ),
        (
            "cardTemplate",
            json!({"cards": [{"cardHeading": {"title": "t", "description": "d"}, "cardDescription": [option["title"]],
            "buttons": [b], "default_action": b}]}),
        ),
        ("articleTemplate", json!({"elements": [{"title": "t"}]})),
        ("checkListTemplate", json!({"elements": [{"title": "t", "subElements": [{"title": "t"}]}]})),
        ("taskPickerTemplate", json!({"tasks": [{"title": "t"}]})),
        ("otpValidationTemplate", json!({"title": "t", "description": "d", "otpButtons": [b]})),
        ("resetPinTemplate", json!({"title": "t", "description": "d", "resetButtons": [b]})),
        ("search", answer.clone()),
        ("answerTemplate", answer),
        ("live_agent", json!({"text": "t"})),
        ("SYSTEM", json!({"text": "t"})),
        ("like_dislike", json!({})),
        ("wait_for_response", json!({})),
    ];
    let form = ["formLink", "renderType", "formLinkExpiry", "submitExpiry", "formId", "name", "displayName"]
        .map(|key| (key, 1));
    let form: Json = form.into_iter().collect();
    for (name, mut payload) in types {
        payload["template_type"] = name.into();
        let enveloped = json!({"type": "template", "payload": payload, "formData": form}).to_string();
        assert_eq!(news(&enveloped), (Vec::new(), Vec::new()), "{name}");
        let encoded =
            json!({"type": "template", "payload": payload.to_string(), "formData": form}).to_string();
        assert_eq!(news(&encoded), (Vec::new(), Vec::new()), "{name} in a string");
        assert_eq!(news(&payload.to_string()), (Vec::new(), Vec::new()), "{name} without an envelope");
    }
    let verbs = ["say", "gather", "config", "play", "pause", "hangup", "redirect", "sip:refer"]
        .map(|verb| json!({"verb": verb}));
    let voice = json!({"type": "command", "command": "c", "data": verbs});
    assert_eq!(news(&voice.to_string()), (Vec::new(), Vec::new()));
    for name in ["message", "error", "image", "audio", "video", "link", "document", "attachment"] {
        let message = json!({"type": name, "payload": {"text": "t"}}).to_string();
        assert_eq!(news(&message), (Vec::new(), Vec::new()), "{name}");
    }
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
        (
            r#"{"type":"template","payload":{"template_type":"bankingFeedbackTemplate","view":"hearts"}}"#,
            "feedback view: hearts",
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
fn keys_are_news_whether_or_not_a_column_takes_them() {
    let keys = |text: &str| news(text).0;
    let button = r#"{"type":"template","payload":{"template_type":"button","heading":"h","elements":[{"title":"e"}],"text":"t",
        "buttons":[{"label":"a","payload":"p","url":"u"}]}}"#;
    assert_eq!(keys(button), ["payload.buttons[].label", "payload.elements[].title", "payload.heading"]);
    let message = r#"{"type":"message","payload":{"text":"t","buttons":[{"title":"a","payload":"p"}]}}"#;
    assert_eq!(keys(message), ["payload.buttons[].payload", "payload.buttons[].title"]);
    // A type that is in no list is news itself, and so are those of its keys that nothing is read of.
    let own = r#"{"type":"template","payload":{"template_type":"ours","text":"t","buttons":[{"title":"a","payload":"p","glow":1}]}}"#;
    assert_eq!(keys(own), ["payload.buttons[].glow"]);
}

#[test]
fn a_key_counts_once_in_each_message_whatever_stands_beside_it() {
    let element = |more: &str| format!(r#"{{"title":"t","glow":1{more}}}"#);
    let text = |elements: &[String]| {
        format!(
            r#"{{"type":"template","payload":{{"template_type":"list","elements":[{}]}}}}"#,
            elements.join(",")
        )
    };
    let alone = text(&[element(""), element(""), element("")]);
    let beside = text(&[element(r#","spark":[1,2]"#), element(r#","spark":[]"#), element(r#","spark":[3]"#)]);
    let scratch = Scratch::new(&korpus_core::Limits::default());
    let mut drift = Drift::default();
    let mut later = Drift::default();
    for (index, text) in [&alone, &beside, &beside].into_iter().enumerate() {
        // Two components of one message have it.
        for _ in 0..2 {
            drift.payload(&scratch.classify_str(text), Place::new(InputKey::default(), 0, index as u64));
        }
        later.payload(&scratch.classify_str(text), Place::new(InputKey::default(), 1, index as u64));
    }
    drift.append(later);
    let json = drift.to_json(&|_| String::new());
    let seen = json["template_keys"]["seen"].as_array().unwrap();
    let rows: Vec<_> =
        seen.iter().map(|row| (row["key"].as_str().unwrap(), row["count"].as_u64().unwrap())).collect();
    let (glow, spark) = ("payload.elements[].glow", "payload.elements[].spark[]");
    assert_eq!(rows, [(glow, 6), ("payload.elements[].spark", 4), (spark, 4)]);
    assert_eq!(json["template_keys"]["not_told_apart"], 0);
}

fn thousand_keys(name: &str) -> String {
    let keys: Vec<_> = (0..1000).map(|key| format!(r#""{name} {key}":1,"#)).collect();
    keys.concat()
}

#[test]
fn new_keys_are_found_behind_many_values_and_too_many_are_told() {
    let numbers = "1,".repeat(50_000);
    let text = format!(
        r#"{{"type":"template","payload":{{"template_type":"barchart","X_axis":[{numbers}1],"glow":1}}}}"#
    );
    assert_eq!(news(&text).0, ["payload.glow"]);
    let many = thousand_keys("new");
    let text = format!(r#"{{"type":"template","payload":{{{many}"template_type":"button"}}}}"#);
    let json = drift_of(&text);
    let keys = &json["template_keys"];
    assert_eq!(keys["seen"].as_array().unwrap().len(), MOST_OF_ONE);
    assert_eq!(keys["not_told_apart"], 1000 - MOST_OF_ONE);
}

#[test]
fn no_payload_pushes_out_the_news_of_others() {
    let scratch = Scratch::new(&korpus_core::Limits::default());
    let mut drift = Drift::default();
    let mut look = |index: usize, kind: &str, keys: &str| {
        let text = format!(r#"{{"type":"template","payload":{{{keys}"template_type":"{kind}"}}}}"#);
        drift.payload(&scratch.classify_str(&text), Place::new(InputKey::default(), 0, index as u64));
    };
    for index in 0..20 {
        look(index, "button", &thousand_keys(&format!("new in {index}")));
    }
    look(20, "list", r#""glow":1,"#);
    let mut out = String::new();
    drift.print(1000, &|_| "f".to_owned(), &mut out);
    let line = out.lines().find(|line| line.contains("payload.glow")).unwrap_or_else(|| panic!("{out}"));
    assert!(line.contains("list") && out.contains("too many to be told apart"), "{line}");
}

#[test]
fn the_samples_bring_no_new_keys_but_those_of_their_own() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/templates");
    let mut read = 0;
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ext| ext == "json" || ext == "raw") {
            let keys = news(&std::fs::read_to_string(&path).unwrap()).0;
            if !keys.is_empty() {
                found.insert(path.file_name().unwrap().to_str().unwrap().to_owned(), keys);
            }
            read += 1;
        }
    }
    assert!(read > 50);
    // Its elements stand beside its payload, where no document has them.
    let beside = found.remove("056_tableList.json").unwrap();
    assert!(beside.len() == 29 && beside.iter().all(|key| key.starts_with("elements[]")), "{beside:?}");
    // A type that is in no list, without an envelope: news is what no column takes.
    assert_eq!(found.remove("068_kora_summary_help.json").unwrap(), ["isNewVolley"]);
    assert_eq!(found, BTreeMap::new());
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
    let (mut tally, mut later): (Tally<u64>, Tally<u64>) = (Tally::default(), Tally::default());
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
