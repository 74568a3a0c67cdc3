//! What is drawn of texts, line by line.

use korpus_core::{Limits, Scratch};

use super::*;
use crate::show::visible;

/// The lines as they are printed.
fn drawn(text: &str) -> String {
    let scratch = Scratch::new(&Limits::default());
    let lines: Vec<String> = draw(&scratch.classify_str(text)).iter().map(|line| visible(line)).collect();
    lines.join("\n")
}

fn sample(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/templates/");
    std::fs::read_to_string(format!("{folder}{name}")).unwrap()
}

fn template(payload: &str) -> String {
    format!(r#"{{"type":"template","payload":{payload}}}"#)
}

#[test]
fn plain_texts_stand_as_they_are() {
    assert_eq!(drawn("Hi\r\n there \n"), "Hi\n there");
    assert_eq!(drawn(""), "");
    assert_eq!(drawn(&"x".repeat(2000)), format!("{}…", "x".repeat(LONGEST)));
    assert_eq!(drawn("<speak>Hi <break/>you</speak>"), "[ssml] Hi you");
    assert_eq!(drawn(&sample("036_type_none.json")), "[wrapped text] test message");
}

#[test]
fn buttons_and_quick_replies_are_lists() {
    assert_eq!(
        drawn(&sample("166_button.json")),
        "[template: button] What do you want to do next?\n  \
         [Show Website] → https://petersapparel.parseapp.com\n  \
         [Start Chatting] → USER_DEFINED_PAYLOAD"
    );
    assert_eq!(
        drawn(&sample("050_quick_replies_welcome.json")),
        "[template: quick_replies_welcome] Hello, I am the Virtual Assistant. I'm here to help, what would you like to do \
         today?\n  \
         (Get Balance) → get balance\n  \
         (Get Transactions) → get transaction\n  \
         (Transfer Money) → transfer funds between accounts"
    );
}

#[test]
fn elements_hold_what_is_inside_them() {
    let expected = "[template: list]\n  \
        • Element1 – Description of the element → Url to redirect when user clicks on the element\n  \
        • Element2 – Description of the element → Url to redirect when user clicks on the element\n  \
        • Element3 – Description of the element → Url to redirect when user clicks on the element\n  \
        [View More] → payload";
    assert_eq!(drawn(&sample("044_list.json")), expected);
    let carousel = r#"{"template_type":"carousel","elements":[
        {"title":"Red","subtitle":"warm","buttons":[{"type":"web_url","title":"See","url":"https://a.example"},{"title":"Buy"}]},
        {"title":"Blue","default_action":{"type":"url","url":"https://b.example"}}]}"#;
    assert_eq!(
        drawn(&template(carousel)),
        "[template: carousel]\n  • Red – warm\n    [See] → https://a.example\n    [Buy]\n  • Blue → https://b.example"
    );
    assert_eq!(
        drawn(&sample("056_tableList.json")).lines().take(3).collect::<Vec<_>>().join("\n"),
        "[template: tableList] Marvel Comics\n  • Marvel Comics – It is a story book\n    \
         • Captain Marvel – Cosmic energy: energy [Captain Marvel] → marvelmovies"
    );
}

#[test]
fn tables_are_aligned() {
    assert_eq!(
        drawn(&sample("078_table.json")),
        "[template: table] Account details\n  \
         Sl                            Name   Designation  Salary\n  \
         ────────────────────────────  ─────  ───────────  ──────\n  \
         aabbccddeeffgghhiikkllmmnno…  Peter  Producer\n  \
         2                             Sam    Director\n  \
         3                             Nick   DoP"
    );
    assert_eq!(
        drawn(&sample("080_mini_table.json")),
        "[template: mini_table] Account details\n  \
         Current Accounts  300\n  \
         ────────────────  ───\n  \
         \u{20}                 150\n  \
         CA00123            50\n  \
         CA23423           100\n  \
         \u{20}        200\n  \
         ───────  ───\n  \
         SA33001   75\n  \
         SA67345  125"
    );
    assert_eq!(
        drawn(&sample("054_barchart.json")).lines().last().unwrap(),
        "  Sam             30           15           12           60"
    );
}

#[test]
fn buttons_in_cells_stand_below_with_their_row() {
    let lines = drawn(&sample("026_custom_table.json"));
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines[9], "  row 1: [click] → https://www.kore.ai");
    assert_eq!(lines[10], "  row 1: [click] → id1");
    assert_eq!(lines[20], "  row 6: [click] → id1");
}

#[test]
fn wide_and_long_tables_are_cut() {
    let headings = vec![format!("[\"{}\"]", "h".repeat(20)); 9].join(",");
    let row = format!("{{\"Values\":[{}]}}", vec![format!("\"{}\"", "c".repeat(40)); 9].join(","));
    let rows = vec![row; 40].join(",");
    let payload = format!(r#"{{"template_type":"table","columns":[{headings}],"elements":[{rows}]}}"#);
    let text = drawn(&template(&payload));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1 + 2 + 25 + 2, "{text}");
    let cell = format!("{}…", "c".repeat(27));
    assert_eq!(lines[3], format!("  {cell}  {cell}  {cell}"));
    assert_eq!(lines[28..], ["  … and 6 more columns", "  … and 15 more rows"]);
}

#[test]
fn forms_are_told_with_their_fields_and_expiry_but_not_their_link() {
    let text = drawn(&sample("001_button.json"));
    assert_eq!(
        text.lines().last().unwrap(),
        "  form: Test form, name secureForm, id frm-a568f475-2269-566c-8a86-0aa5a0f5xxxx, shown as pop-up, link expires \
         after 300, to be submitted within 600"
    );
    assert!(text.contains("\n  [Submit Data] → (the form)\n"), "{text}");
    assert!(!text.contains("hash="), "{text}");
    let payload = r#"{"template_type":"form_template","heading":"Who are you?","formFields":[
        {"type":"password","label":"Enter Password","placeholder":"Secret"},{"type":"text","label":"Name"}],
        "fieldButton":{"title":"Ok"}}"#;
    assert_eq!(
        drawn(&template(payload)),
        "[template: form_template] Who are you?\n  • Enter Password (password): Secret\n  • Name (text)\n  [Ok]"
    );
}

#[test]
fn voice_commands_are_their_verbs_and_what_they_say() {
    assert_eq!(drawn(&sample("084_voice_say_sip_refer.json")), "[voice: say, sip:refer] Please wait");
    assert_eq!(drawn(&sample("158_voice_pause_hangup.json")), "[voice: pause, hangup]");
    let verbs = vec![r#"{"verb":"pause"}"#; 100].join(",");
    let text = drawn(&format!(r#"{{"type":"command","command":"redirect","data":[{verbs}]}}"#));
    assert_eq!(text, format!("[voice: {}, …]", ["pause"; MOST_VERBS].join(", ")));
}

#[test]
fn malformed_payloads_say_so_with_their_place() {
    let whole = r#"{"type":"template","payload":{"template_type":"button","text":"Pick","buttons":[{"title":"A"},{"tit"#;
    let text = drawn(whole);
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("  ! malformed: "), "{text}");
    assert!(last.ends_with(&format!(", at byte {} of the text", whole.len())), "{text}");
}

#[test]
fn nothing_in_a_payload_reaches_the_terminal() {
    let payload = r#"{"template_type":"but\u001bton","text":"a\u001b[2Jb\u202ec\nd","buttons":[{"title":"\u0007x\ny","payload":"\u009bz"}],
        "elements":[{"title":"\u001b]0;t\u0007","Values":["\u001b[31m","\u2066"]}]}"#;
    let text = drawn(&template(payload));
    assert!(text.chars().all(|c| c == '\n' || visible(&c.to_string()) == c.to_string()), "{text:?}");
    assert!(text.starts_with("[template: but␛ton] a␛[2Jb<U+202E>c\nd\n"), "{text:?}");
    assert!(text.contains("[␇x␊y] → <U+009B>z"), "{text:?}");
}

#[test]
fn hostile_payloads_are_cut_and_counted() {
    let buttons = vec![r#"{"title":"b","payload":"p"}"#; 100_000].join(",");
    let text = drawn(&template(&format!(r#"{{"template_type":"button","text":"t","buttons":[{buttons}]}}"#)));
    assert_eq!(text.lines().count(), 1 + 50 + 1);
    assert_eq!(text.lines().last(), Some("  … and 99,950 more actions"));

    let elements: Vec<String> = (0..1000)
        .map(|n| format!(r#"{{"title":"e{n}","buttons":[{{"title":"a"}},{{"title":"b"}}]}}"#))
        .collect();
    let elements = elements.join(",");
    let text = drawn(&template(&format!(r#"{{"template_type":"list","elements":[{elements}]}}"#)));
    assert_eq!(text.lines().count(), MOST_LINES + 1);
    // 50 elements with the first 50 actions, and two lines that count the rest.
    assert_eq!(text.lines().last(), Some("… and 23 more lines"));

    let lines = "line\\n".repeat(300);
    let text = drawn(&template(&format!(r#"{{"template_type":"button","text":"{lines}"}}"#)));
    assert!(text.lines().count() <= MOST_LINES + 1, "{text}");

    let deep = format!("{}{}", r#"{"title":"d","elements":["#.repeat(30), "]}".repeat(30));
    let text = drawn(&template(&format!(r#"{{"template_type":"list","elements":[{deep}]}}"#)));
    assert_eq!(text.lines().last(), Some("                • d"), "{text}");
}
