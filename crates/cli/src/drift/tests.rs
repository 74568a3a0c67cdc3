//! What counts as new, and how it is named.

use super::*;

#[test]
fn places_in_payloads_become_paths_of_keys() {
    let path = |pointer: &str| path_of(pointer);
    let pair = |path: &str, key: &str| (path.to_owned(), key.to_owned());
    assert_eq!(path("/payload/speech_hint"), pair("payload.speech_hint", "speech_hint"));
    assert_eq!(path("/payload/elements/12/x~1y/0"), pair("payload.elements[].x/y[]", "x~1y"));
    assert_eq!(path(""), pair("", ""));
    assert_eq!(path("/0/1"), pair("[][]", ""));
    let long = path(&"/abcdefghij".repeat(1000)).0;
    assert!(long.len() < 200 && long.ends_with('…'), "{long}");
}

#[test]
fn keys_that_the_declaration_names_are_not_new() {
    let button = TemplateType::find("button").unwrap();
    assert!(names(button, "subText") && names(button, "buttons"));
    assert!(!names(button, "sub") && !names(button, "") && !names(button, "speech_hint"));
    let chart = TemplateType::find("barchart").unwrap();
    assert!(names(chart, "X_axis") && !names(chart, "x_axis"));
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
