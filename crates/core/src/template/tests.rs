//! Tests of the whole way from a text to rows.

use proptest::prelude::*;

use super::*;

#[derive(Default)]
struct Rows(Vec<String>);

impl TemplateVisitor for Rows {
    fn element(&mut self, e: &Element<'_, '_>) {
        self.0.push(format!(
            "element {} {} {:?} {:?} {:?} {:?} {:?}",
            e.index, e.path, e.title, e.subtitle, e.value, e.image_url, e.value_list
        ));
    }

    fn action(&mut self, a: &Action<'_, '_>) {
        self.0.push(format!(
            "action {} {} {:?} {} {:?} {:?} {:?} {:?} {:?}",
            a.index,
            a.path,
            a.element,
            a.kind.as_str(),
            a.action_type,
            a.title,
            a.payload,
            a.value,
            a.url
        ));
    }
}

fn rows(text: &str) -> Vec<String> {
    let scratch = Scratch::new(&crate::Limits::default());
    let mut rows = Rows::default();
    scratch.classify_str(text).template().unwrap().visit(&mut rows);
    rows.0
}

fn kind_and_text(text: &str) -> (TextKind, Option<String>) {
    let scratch = Scratch::new(&crate::Limits::default());
    let classified = scratch.classify_str(text);
    (classified.kind(), classified.visible().map(str::to_owned))
}

#[test]
fn texts_are_classified_in_order() {
    for (text, kind, visible) in [
        ("", TextKind::Empty, Some("")),
        (" \n\t\u{a0}", TextKind::Empty, Some(" \n\t\u{a0}")),
        ("23", TextKind::Plain, Some("23")),
        ("[1]", TextKind::Plain, Some("[1]")),
        ("\"{}\"", TextKind::Plain, Some("\"{}\"")),
        ("a { b", TextKind::Plain, Some("a { b")),
        ("Tom &amp; Jerry", TextKind::Plain, Some("Tom & Jerry")),
        ("a < b & c", TextKind::Plain, Some("a < b & c")),
        ("<b>hi</b> &lt;", TextKind::Plain, Some("<b>hi</b> <")),
        ("<speak> Hi &amp; bye <break/></speak>", TextKind::Ssml, Some("Hi & bye")),
        (" <speak>", TextKind::Ssml, Some("")),
        ("{}", TextKind::Json, None),
        ("\u{a0}{} \u{a0}", TextKind::Json, None),
        ("{} x", TextKind::Malformed, Some("{} x")),
        ("{name}, hello", TextKind::Malformed, Some("{name}, hello")),
        ("{\"text\":\"a\"}", TextKind::WrappedText, Some("a")),
        ("{\"text\":1}", TextKind::Json, Some("1")),
        ("{\"type\":\" TEMPLATE \"}", TextKind::Template, None),
        ("{\"type\":\"Message\",\"payload\":{}}", TextKind::Json, None),
        ("{\"type\":\"message\",\"payload\":null}", TextKind::Json, None),
        ("{\"type\":\"error\",\"payload\":{\"text\":\"no\"}}", TextKind::Message, Some("no")),
        ("{\"type\":\"message\",\"payload\":\"plain\"}", TextKind::Message, Some("plain")),
        ("{\"payload\":{\"template_type\":\"x\",\"heading\":\"h\"}}", TextKind::Template, Some("h")),
        (
            "{\"text\":\"outer\",\"payload\":{\"template_type\":\"x\",\"text\":\" \"}}",
            TextKind::Template,
            Some("outer"),
        ),
        (
            r#"{"payload":{"template_type":"answerTemplate","answer_payload":{"center_panel":{"data":[{"snippet_content":"a"},
                {"snippet_content":[{"answer_fragment":"b"},"c",{"x":1}," "]}]}}}}"#,
            TextKind::Template,
            Some("a\nb\nc"),
        ),
        (
            r#"{"payload":{"template_type":"search","graph_answer":{"payload":{"center_panel":{"data":[{"snippet_content":"a"}]}}}}}"#,
            TextKind::Template,
            Some("a"),
        ),
        ("{\"type\":\"command\",\"data\":[]}", TextKind::Json, None),
        ("{&quot;text&quot;:&quot;a &amp;amp; b&quot;}", TextKind::WrappedText, Some("a &amp; b")),
        ("&quot;{\\&quot;text\\&quot;:\\&quot;a\\&quot;}&quot;", TextKind::WrappedText, Some("a")),
        ("&quot;{&quot;text&quot;:&quot;a&quot;}&quot; ", TextKind::WrappedText, Some("a")),
        ("&#x22;{&#x22;text&#x22;:&#x22;a&#x22;}&#x22;", TextKind::WrappedText, Some("a")),
        ("&#034;{\\&#X22;text\\&#x22;:\\&quot;a\\&#34;}&quot;", TextKind::WrappedText, Some("a")),
        ("&#39;{&quot;text&quot;:&quot;a&quot;}&#39;", TextKind::Plain, Some("'{\"text\":\"a\"}'")),
        ("{\"type\":\"message\",\"payload\":\"[see below] hi\"}", TextKind::Message, Some("[see below] hi")),
        ("{\"type\":\"message\",\"payload\":\"[1]\"}", TextKind::Message, Some("[1]")),
        ("{\"type\":\"message\",\"payload\":\"[{name}] hi\"}", TextKind::Message, Some("[{name}] hi")),
        (
            "{\"type\":\"message\",\"payload\":\"{name}, welcome!\"}",
            TextKind::Message,
            Some("{name}, welcome!"),
        ),
        ("{\"type\":\"message\",\"payload\":\"{a} \\ud83d\"}", TextKind::Message, Some("{a} \u{fffd}")),
        (r#"{"type":"message","payload":"{\"a\":\"\ud83d\"}"}"#, TextKind::Message, None),
        (r#"{"type":"message","payload":"{\"text\":\"a \ud83d\"}"}"#, TextKind::Message, Some("a \u{fffd}")),
        (
            r#"{"type":"message","payload":"{\"text\":\"a \\\ud83d\"}"}"#,
            TextKind::Message,
            Some("{\"text\":\"a \\\u{fffd}\"}"),
        ),
        (r#"{"type":"image","payload":{"url":"u","payload":null}}"#, TextKind::Message, None),
        (
            r#"{"type":"template","payload":{"elements":[{"title":"A"}],"payload":"x"}}"#,
            TextKind::Template,
            Some("A"),
        ),
        (r#"{"type":"message","payload":{},"pay load":{"text":"x"}}"#, TextKind::Message, Some("x")),
        ("&QUOT;{&QUOT;text&QUOT;:&QUOT;a&QUOT;}&QUOT;", TextKind::WrappedText, Some("a")),
        ("{\"text\":\"said\",\"payload\":\"{name}\"}", TextKind::WrappedText, Some("said")),
        ("\u{feff}", TextKind::Empty, Some("\u{feff}")),
        ("\u{feff}{\"text\":\"a\"}", TextKind::WrappedText, Some("a")),
        (" \u{feff}\n&quot;{&quot;text&quot;:&quot;a&quot;}&quot;", TextKind::WrappedText, Some("a")),
        ("\u{feff}hi", TextKind::Plain, Some("\u{feff}hi")),
        ("\u{ff01}{}", TextKind::Plain, Some("\u{ff01}{}")),
        (
            "{\"type\":\"template\",\"payload\":\"\u{feff}{\\\"template_type\\\":\\\"x\\\",\\\"text\\\":\\\"a\\\"}\"}",
            TextKind::Template,
            Some("a"),
        ),
        (
            "{\"payload\":\"{&quot;template_type&quot;:&quot;x&quot;,&quot;text&quot;:&quot;a&amp;quot;&quot;}\"}",
            TextKind::Template,
            Some("a&quot;"),
        ),
        (r#"{"type":"message","payload":{"text":"outer","payload":"x"}}"#, TextKind::Message, Some("outer")),
        (
            r#"{"type":"message","payload":{"text":"outer","payload":{"text":"x"}}}"#,
            TextKind::Message,
            Some("outer"),
        ),
        (r#"{"type":"message","payload":{"payload":{"text":"inner"}}}"#, TextKind::Message, Some("inner")),
        (r#"{"type":"message","payload":{"n":1,"payload":"x"}}"#, TextKind::Message, Some("x")),
        (
            r#"{"type":"message","payload":{"text":"outer","payload":{"template_type":"x","text":"inner"}}}"#,
            TextKind::Template,
            Some("inner"),
        ),
        (
            r#"{"payload":{"text":"outer","payload":{"payload":"{\"template_type\":\"x\"}"}}}"#,
            TextKind::Template,
            Some("outer"),
        ),
        (r#"{"type":"template","payload":{"text":" ","payload":"x"}}"#, TextKind::Template, Some("x")),
        (r#"{"type":"message","payload":null,"pay load":{"text":"x"}}"#, TextKind::Message, Some("x")),
        (r#"{"type":"message","payload":"","pay load":{"text":"x"}}"#, TextKind::Message, Some("x")),
        (r#"{"type":"message","payload":[],"pay load":{"text":"x"}}"#, TextKind::Message, Some("x")),
        (r#"{"payload":{"payload":[],"pay load":"x"}}"#, TextKind::Json, Some("x")),
        (
            r#"{"type":"message","payload":{"text":"x"},"pay load":{"text":"y"}}"#,
            TextKind::Message,
            Some("x"),
        ),
        (r#"{"type":"message","payload":"","pay load":null}"#, TextKind::Message, None),
        (
            r#"{"type":"template","payload":{"answer_payload":{},"graph_answer":{"center_panel":{"data":[{"snippet_content":"x"}]}}}}"#,
            TextKind::Template,
            Some("x"),
        ),
        ("{\"text\":\"a &quot; b\"}", TextKind::WrappedText, Some("a &quot; b")),
        ("&quot;quoted&quot;", TextKind::Plain, Some("\"quoted\"")),
    ] {
        assert_eq!(kind_and_text(text), (kind, visible.map(str::to_owned)), "{text}");
    }
}

#[test]
fn faults_have_their_place_in_the_text() {
    use crate::Reason;
    for (text, reason, offset) in [
        ("{\"a\":1", Reason::Truncated, 6),
        ("  {\"a\":1,}", Reason::TrailingComma, 9),
        ("{\"a\":1} x", Reason::UnexpectedByte, 8),
        ("{&quot;a&quot;:1", Reason::Truncated, 16),
        (" {&quot;a&quot;:&quo", Reason::UnexpectedByte, 16),
        ("{&quot;a&quot;:01}", Reason::BadNumber, 15),
        ("&quot;{&quot;a&quot;:tru}&quot;", Reason::BadLiteral, 21),
        ("&quot;{\\&quot;a\\&quot;:1", Reason::Truncated, 24),
        ("{\"a\":&quot;x&quot;", Reason::UnexpectedByte, 5),
        ("&quot;{\\&quot;a\\&quot;:1,}&quot;", Reason::TrailingComma, 25),
        ("&quot;{\\&quot;\\u00fc\\ud83d\\ude00ü\\\\n\\&quot;:1,}&quot;", Reason::TrailingComma, 47),
        ("&#x22;{&#x22;a&#x22;:1,}&#x22;", Reason::TrailingComma, 23),
        ("&quot;{&quot;", Reason::Truncated, 13),
        ("{&#10;&quot;a&quot;:1,}", Reason::TrailingComma, 22),
        ("{&QUOT;a&QUOT;:1,}", Reason::TrailingComma, 17),
        ("&quot;{&quot;a&quot;:&quot;b&quot;", Reason::Truncated, 34),
        ("&quot;{\\&quot;a\\&quot;:1&quot;", Reason::Truncated, 24),
    ] {
        let scratch = Scratch::new(&crate::Limits::default());
        let classified = scratch.classify_str(text);
        assert_eq!(classified.kind(), TextKind::Malformed, "{text}");
        assert_eq!(classified.decode_error(), Some(TextError { reason, offset }), "{text}");
        assert!(classified.is_verbatim());
    }
}

#[test]
fn escapes_of_the_message_hide_nothing() {
    let scratch = Scratch::new(&crate::Limits::default());
    let classify = |raw| scratch.classify(crate::Text::new(raw, true));
    assert_eq!(classify(r"\u007b}").kind(), TextKind::Json);
    assert_eq!(classify(r"\n \t{}").kind(), TextKind::Json);
    assert_eq!(classify(r"\n\u00a0").kind(), TextKind::Empty);
    assert_eq!(classify(r"a \u003cbreak/>").kind(), TextKind::Ssml);
    assert_eq!(classify(r"a \u003Cbreak/>").kind(), TextKind::Ssml);
    assert_eq!(classify(r"a \u0026amp; b").visible(), Some("a & b"));
    let plain = classify(r#"say \"hi\"\n"#);
    assert!(plain.is_verbatim() && !plain.is_lossy());
    assert_eq!(plain.visible(), Some("say \"hi\"\n"));
    let lossy = classify(r"a\ud83d");
    assert!(lossy.is_lossy());
    assert_eq!(lossy.visible(), Some("a\u{fffd}"));
}

proptest! {
    /// The scanner tells of most texts that there is nothing to look for; the others are looked into.
    #[test]
    fn a_text_in_a_page_is_what_it_is_alone(
        text in prop_oneof![
            "(?s).{0,4}[{<&\\[\"]?.{0,40}",
            "[ a-z¿　é。]{0,70}(<break/>|&amp;|&quot;|<|\\{)?[a-z]{0,40}",
            Just(r#"{"type":"template"}"#.to_owned()),
        ],
        escape_all in any::<bool>(),
    ) {
        let json = if escape_all {
            text.encode_utf16().fold(String::new(), |json, unit| json + &format!("\\u{unit:04x}"))
        } else {
            let json = serde_json::to_string(&text).unwrap();
            json[1..json.len() - 1].to_owned()
        };
        let message = format!(r#"{{"type":"x","components":[{{"data":{{"text":"{json}"}}}}],"text":"{json}"}}"#);
        let block = crate::Block::of_one(&message).unwrap();
        let scratch = Scratch::new(&crate::Limits::default());
        let alone = scratch.classify_str(&text);
        let message = block.message(0);
        let component = message.components().next().unwrap();
        let in_page = [
            scratch.classify(component.data_text().unwrap()),
            scratch.classify_value(component.data_text_value().unwrap()),
            scratch.classify_value(message.value(crate::MessageField::Text).unwrap()),
        ];
        for text in in_page {
            prop_assert_eq!(text.kind(), alone.kind());
            prop_assert_eq!(text.raw(), alone.raw());
            prop_assert_eq!(text.visible(), alone.visible());
            prop_assert_eq!(text.is_verbatim(), alone.is_verbatim());
        }
    }
}

#[test]
fn voices_are_heard_in_order() {
    let (kind, text) = kind_and_text(
        r#"{"type":"command","command":"redirect","data":[
            {"verb":"say","text":["<speak>One &amp; two</speak>",3,"  "]},
            {"verb":"gather","text":"not said","say":{"text":"three"},"x":{"say":[{"text":"four"}]}},
            {"verb":"config","data":[{"verb":"say","text":"five"}]}]}"#,
    );
    assert_eq!(kind, TextKind::VoiceCommand);
    assert_eq!(text.unwrap(), "One & two\nthree\nfour\nfive");
}

#[test]
fn actions_and_elements_follow_one_rule() {
    assert_eq!(
        rows(
            r#"{"type":"template","payload":{"template_type":"ours","elements":[{"title":"E","unknownButtons":[{"label":"B","value":{"a": [1, "\u0062"]}}],
            "items":[{"title":"I"}, "no", [{"title":"no"}]]}],
            "radioOptions":[{"title":"R","value":"r","postback":{"title":"P","value":"sent"}}],
            "moreData":{"Tab/1":[{"title":"T"}],"x":{"title":"no"}},
            "quick_replies":[{}, {"title":null}, {"payload":0}],
            "buttons":{"title":"One"},"buttonsLayout":{"title":"no","value":"no"},
            "headerOptions":[{"title":"no"},{"title":"H","url":{"link":"L"}}],
            "formFields":[{"label":"F","fieldButton":{"title":"Go","payload":"go"}}]}}"#
        ),
        [
            r#"element 0 /payload/elements/0 Some("E") None None None None"#,
            r#"action 0 /payload/elements/0/unknownButtons/0 Some(0) button None Some("B") None Some("{\"a\":[1,\"b\"]}") None"#,
            r#"element 1 /payload/elements/0/items/0 Some("I") None None None None"#,
            r#"action 1 /payload/radioOptions/0 None option None Some("R") Some("sent") Some("r") None"#,
            r#"element 2 /payload/moreData/Tab~11/0 Some("T") None None None None"#,
            r#"action 2 /payload/quick_replies/2 None quick_reply None None Some("0") None None"#,
            r#"action 3 /payload/buttons None button None Some("One") None None None"#,
            r#"action 4 /payload/headerOptions/1 None button None Some("H") None None Some("L")"#,
            r#"element 3 /payload/formFields/0 Some("F") None None None None"#,
            r#"action 5 /payload/formFields/0/fieldButton Some(3) button None Some("Go") Some("go") None None"#,
        ]
    );
}

#[test]
fn what_no_column_holds_is_left_over() {
    let scratch = Scratch::new(&crate::Limits::default());
    let text = r#"{"type":"template","type":"x","payload":"{\"template_type\":\"b\",\"text\":\"t\",\"n\":[1,[],{}],\n\"buttons\":[{\"title\":1,\"payload\":\"p\\ud800\",\"value\":\"v\",\"a/b~\":null}],\"buttons\":[{\"title\":\"last\"}]}","formData":{"formId":"f","submitExpiry":9,"formLinkExpiry":1.5}}"#;
    let classified = scratch.classify_str(text);
    let template = classified.template().unwrap();
    assert_eq!(template.envelope_type(), Some("x"));
    assert_eq!(template.form().unwrap().submit_expiry, Some(9));
    assert_eq!(template.count(), (0, 1));
    let mut left = Vec::new();
    template.for_each_leftover(|pointer, raw| left.push(format!("{pointer} {raw}")));
    assert_eq!(
        left,
        [
            r#"/type "template""#,
            "/payload/n/0 1",
            "/payload/n/1 []",
            "/payload/n/2 {}",
            "/payload/buttons/0/title 1",
            r#"/payload/buttons/0/payload "p\ud800""#,
            r#"/payload/buttons/0/value "v""#,
            "/payload/buttons/0/a~1b~0 null",
            "/formData/formLinkExpiry 1.5",
        ]
    );
}

#[test]
fn a_list_in_a_string_is_the_list() {
    let list = r#"[ {"type":"postback","title":"Yes","payload":"y"}]"#;
    let plain = rows(&format!(r#"{{"type":"template","payload":{list}}}"#));
    assert_eq!(
        plain,
        [r#"action 0 /payload/0 None button Some("postback") Some("Yes") Some("y") None None"#]
    );
    let entities = list.replace('"', "&quot;");
    let mut string = String::new();
    crate::write_json_string(list, &mut string);
    for string in [string, format!("\"{entities}\"")] {
        assert_eq!(rows(&format!(r#"{{"type":"template","payload":{string}}}"#)), plain);
    }
    // What begins so and is none is told, by the place of the fault.
    let scratch = Scratch::new(&crate::Limits::default());
    let classified = scratch.classify_str(r#"{"type":"template","payload":"[{\"a\":1,}]"}"#);
    assert_eq!(classified.kind(), TextKind::Template);
    let error = TextError { reason: crate::Reason::TrailingComma, offset: 40 };
    assert_eq!(classified.decode_error(), Some(error));
}

/// A text or a part of one: as it is, with entities, or with the escapes of a JSON string and then with entities.
fn written(text: &str, how: &str) -> String {
    let mut string = String::new();
    crate::write_json_string(text, &mut string);
    let text = if how == "string" { &string[1..string.len() - 1] } else { text };
    if how == "raw" {
        return text.to_owned();
    }
    text.replace('&', "&amp;").replace('"', "&quot;").replace('ü', "&#252;")
}

/// The text with entities; as a JSON string with entities; between quotes that are entities; and each after some space.
fn writings(text: &str) -> Vec<(String, &'static str)> {
    let written = ["raw", "entities", "string", "quoted"].map(|how| {
        let quote = if ["string", "quoted"].contains(&how) { "&quot;" } else { "" };
        (format!("{quote}{}{quote}", written(text, how)), how)
    });
    let spaced = written.clone().map(|(text, how)| (format!("\u{feff}\n \u{a0}{text} "), how));
    written.into_iter().chain(spaced).collect()
}

#[test]
fn what_was_left_whole_has_its_place_in_every_writing() {
    use crate::Reason;
    let limits = crate::Limits { template_nodes: 8, template_decodings: 1, ..Default::default() };
    let scratch = Scratch::new(&limits);
    let check = |text: &str, reason: Reason, part: &str| {
        for (writing, how) in writings(text) {
            let part = written(part, how);
            assert_eq!(writing.matches(&part).count(), 1, "{writing} {part}");
            let expected = TextError { reason, offset: writing.find(&part).unwrap() };
            let classified = scratch.classify_str(&writing);
            assert_eq!(classified.kind(), TextKind::Template, "{writing}");
            assert_eq!(classified.decode_error(), Some(expected), "{how} {writing}");
        }
    };
    let broken = r#"{"type":"template","ü":1,"payload":"{\"template_type\":\"x\",\"text\":}"}"#;
    check(broken, Reason::UnexpectedByte, r#"}"}"#);
    assert_eq!(scratch.classify_str(broken).decode_error().unwrap().offset, broken.len() - 3);
    let twice = r#"{"type":"template","ü":"&","payload":"{\"payload\":\"{\\\"a\\\":1}\"}"}"#;
    check(twice, Reason::TooDeep, r#"\"{\\\"a"#);
    let many = r#"{"type":"template","ü":1,"payload":{"list":[1,2,3,4,5,6,7,8],"text":"t"}}"#;
    check(many, Reason::TooLarge, "[1,2");
    let inside = r#"{"type":"template","ü":1,"payload":"{\"list\":[1,2,3,4,5,6,7,8],\"text\":\"t\"}"}"#;
    check(inside, Reason::TooLarge, "[1,2");
}

#[test]
fn limits_leave_the_kind_and_flag_the_rest() {
    let limits = crate::Limits { template_nodes: 64, depth: 16, ..Default::default() };
    let scratch = Scratch::new(&limits);
    let buttons = vec![r#"{"title":"b"}"#; 100].join(",");
    let text = format!(
        r#"{{"type":"template","payload":{{"text":"t","buttons":[{buttons}],"template_type":"x"}},"z":1}}"#
    );
    let classified = scratch.classify_str(&text);
    assert_eq!(classified.kind(), TextKind::Template);
    assert_eq!(classified.visible(), Some("t"));
    let template = classified.template().unwrap();
    assert_eq!((template.template_type(), template.count()), (Some("x"), (0, 0)));
    let error = classified.decode_error().unwrap();
    assert_eq!(error, TextError { reason: crate::Reason::TooLarge, offset: text.find("[{").unwrap() });
    let mut left = Vec::new();
    template.for_each_leftover(|pointer, raw| left.push((pointer.to_owned(), raw)));
    let whole = format!("[{buttons}]");
    assert_eq!(left, [("/payload/buttons".to_owned(), whole.as_str()), ("/z".to_owned(), "1")]);

    // One budget of depth: the decoded payload continues where the text has come to.
    let deep = "[".repeat(14) + &"]".repeat(14);
    let text = format!(r#"{{"type":"template","payload":"{{\"text\":\"t\",\"x\":{deep},\"y\":[{deep}]}}"}}"#);
    let classified = scratch.classify_str(&text);
    assert_eq!((classified.kind(), classified.visible()), (TextKind::Template, Some("t")));
    assert_eq!(classified.decode_error().unwrap().reason, crate::Reason::TooDeep);
    let mut left = Vec::new();
    classified.template().unwrap().for_each_leftover(|_, raw| left.push(raw));
    assert_eq!(left, ["[]", "[]"]);

    // However deep: what stands beside it is read.
    let nested = "[".repeat(20_000) + &"]".repeat(20_000);
    let text = format!(r#"{{"type":"template","text":"t","x":{nested}}}"#);
    let classified = scratch.classify_str(&text);
    assert_eq!((classified.kind(), classified.visible()), (TextKind::Template, Some("t")));
    let expected = TextError { reason: crate::Reason::TooDeep, offset: text.find("[[").unwrap() + 15 };
    assert_eq!(classified.decode_error(), Some(expected));
    let read = classified.template().unwrap().deserialize::<serde::de::IgnoredAny>();
    assert_eq!(read.unwrap_err().kind(), crate::ErrorKind::Text(TextError { offset: 0, ..expected }));
}

#[test]
fn what_does_not_fit_says_where_and_nothing_else() {
    let scratch = Scratch::new(&crate::Limits::default());
    let text = r#"{"type":"template","payload":"{\"seats\":[\"secret\", 3]}"}"#;
    let classified = scratch.classify_str(text);
    let error = classified.template().unwrap().deserialize::<Vec<u8>>().unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Mismatch { offset: text.find(r#"{\"seats"#).unwrap() });
    assert!(std::error::Error::source(&error).is_some());
    let placed = error.at(crate::Position { page: 1, message: Some(2), byte_offset: 3 });
    assert_eq!(
        placed.to_string(),
        "not the JSON that was asked for, at its byte 30 (page 1, message 2, byte 3)"
    );
    assert_eq!(format!("{placed:?}"), format!("Error({placed})"));
}

#[test]
fn a_list_is_read_and_half_a_character_is_told_where_it_stands() {
    let scratch = Scratch::new(&crate::Limits::default());
    for text in
        [r#"{"type":"template","payload":[{"a":1}]}"#, r#"{"type":"template","payload":"[{\"a\":1}]"}"#]
    {
        let read: Vec<serde_json::Value> =
            scratch.classify_str(text).template().unwrap().deserialize().unwrap();
        assert_eq!(read, [serde_json::json!({"a": 1})]);
    }
    let text = r#"{"type":"template","payload":{"template_type":"t","a":"\ud83d\ude00","text":"a\ud800b"}}"#;
    let doubled = r#"{"type":"template","payload":"{\"a\":\"\\ud83d\\ude00\",\"text\":\"a\\ud800b\"}"}"#;
    for (text, at) in [(text, r"\ud800b"), (doubled, r"\\ud800b")] {
        let template = scratch.classify_str(text).template().unwrap();
        let error = template.deserialize::<serde_json::Value>().unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Mismatch { offset: text.find(at).unwrap() }, "{text}");
    }
}

#[test]
fn half_a_character_in_a_text_is_half_a_character_in_its_payload() {
    let scratch = Scratch::new(&crate::Limits::default());
    let inside = r#"{\"type\":\"template\",\"payload\":{\"text\":\"\ud83dé\",\"k\ud801\":\"v\ud802w\"}}"#;
    let classified = scratch.classify(crate::Text::new(inside, true));
    assert!(classified.is_lossy());
    assert_eq!((classified.kind(), classified.visible()), (TextKind::Template, Some("\u{fffd}é")));
    let mut left = Vec::new();
    classified.template().unwrap().for_each_leftover(|pointer, raw| left.push(format!("{pointer} {raw}")));
    assert_eq!(left, [r#"/payload/text "\ud83dé""#, r#"/payload/k\ud801 "v\ud802w""#]);
    // Places are those of the text as it is shown, whatever is wrong, and in what was decoded from it too.
    let as_payload = r#"{\"payload\":\"\ud800 {\",\"pay load\":1,\"x\":\"\ud800\u00e9\",}"#;
    let entities = r"{&quot;a\udc00&quot;:&quot;\ud800\u00e9&quot;,}";
    for inside in [as_payload, entities] {
        let classified = scratch.classify(crate::Text::new(inside, true));
        let offset = classified.raw().len() - 1;
        assert_eq!(
            classified.decode_error(),
            Some(TextError { reason: crate::Reason::TrailingComma, offset })
        );
    }
}

#[test]
fn half_a_character_in_a_payload_costs_nothing_else() {
    let scratch = Scratch::new(&crate::Limits::default());
    let text = r#"{"type":"template","payload":"{\"template_type\":\"x\",\"text\":\"a\ud83d\",\"n\":1,}"}"#;
    let error = scratch.classify_str(text).decode_error().unwrap();
    assert_eq!(error, TextError { reason: crate::Reason::TrailingComma, offset: text.len() - 3 });
    let text = text.replace("1,}", "1}");
    let classified = scratch.classify_str(&text);
    let template = classified.template().unwrap();
    assert_eq!((template.template_type(), classified.visible()), (Some("x"), Some("a\u{fffd}")));
    let mut left = Vec::new();
    template.for_each_leftover(|pointer, raw| left.push(format!("{pointer} {raw}")));
    assert_eq!(left, [r#"/payload/text "a\ud83d""#, "/payload/n 1"]);
}

#[test]
fn a_form_may_stand_beside_any_payload() {
    let scratch = Scratch::new(&crate::Limits::default());
    for text in [
        r#"{"type":"message","payload":{"payload":{"template_type":"button","text":"t"},"formData":{"formId":"f"}}}"#,
        r#"{"type":"template","payload":{"formData":{"formId":"f"},"payload":null}}"#,
    ] {
        let form = scratch.classify_str(text).template().unwrap().form();
        assert_eq!(form.unwrap().form_id, Some("f"), "{text}");
    }
}

#[test]
fn verbs_are_verbs_however_many_and_however_written() {
    let limits = crate::Limits { template_nodes: 64, ..Default::default() };
    let scratch = Scratch::new(&limits);
    let command =
        |verb: &str| format!(r#"{{"type":"command","command":"c","data":[{}]}}"#, vec![verb; 100].join(","));
    for (verb, kind) in [
        (r#"{"verb":"say"}"#, TextKind::VoiceCommand),
        (r#"{"\u0076erb":"say"}"#, TextKind::VoiceCommand),
        (r#"{"a":"verb"}"#, TextKind::Json),
    ] {
        assert_eq!(scratch.classify_str(&command(verb)).kind(), kind, "{verb}");
    }
}

#[test]
fn a_button_in_a_cell_is_one_however_it_is_written() {
    for word in ["button", r"\u0062utton"] {
        let text = format!(r#"{{"elements":[{{"Values":[["z","{word}",{{"title":"Z"}}]]}}]}}"#);
        assert_eq!(rows(&text).len(), 2, "{text}");
    }
}
