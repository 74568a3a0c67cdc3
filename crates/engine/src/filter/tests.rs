//! Each criterion, alone and together, over messages and records of every form.

use korpus_core::{Block, InputEnd, Limits, PageParser};

use super::*;
use crate::error::EngineError;

fn block(body: &str) -> Block {
    let mut parser = PageParser::new(Limits::default());
    parser.feed(body.as_bytes());
    parser.finish(InputEnd::Complete);
    parser.next_block().unwrap()
}

const MESSAGE: &str = r#"{"messages":[{"_id":"ms-1","botId":"st-1","sessionId":"s\u0031","createdBy":"u-1","type":"incoming",
    "createdOn":"2025-09-01T23:59:59.999Z","isD":1,"channels":[{"type":"rtm"}],"components":[],
    "tags":{"messageTags":[{"name":"topic","value":"loan"},{"name":"n","value":5},{"name":"o","value":{"a":null,"b":[10]}}],"userTags":[{"name":"vip","value":true}]}}]}"#;

fn passes(filter: &Filter) -> bool {
    let block = block(MESSAGE);
    let message = block.message(0);
    filter.matches(message, time_of(message.created_on()))
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

#[test]
fn each_criterion_lets_its_own_pass() {
    let none = Filter::default;
    let cases = [
        (none(), true),
        (Filter { bot_id: list("x,st-1"), ..none() }, true),
        (Filter { bot_id: list("x"), ..none() }, false),
        (Filter { session_id: list("s1"), ..none() }, true),
        (Filter { session_id: list("s"), ..none() }, false),
        (Filter { user_id: list("u-1"), ..none() }, true),
        (Filter { user_id: list("U-1"), ..none() }, false),
        (Filter { channel_type: list("rtm"), ..none() }, true),
        (Filter { channel_type: list("ivr"), ..none() }, false),
        (Filter { message_type: list("outgoing,incoming"), ..none() }, true),
        (Filter { message_type: list("outgoing"), ..none() }, false),
        (Filter { is_developer: Some(true), ..none() }, true),
        (Filter { is_developer: Some(false), ..none() }, false),
        (Filter { tags: vec!["message:topic=loan".parse().unwrap()], ..none() }, true),
        (Filter { tags: vec!["messageTags:n=5".parse().unwrap()], ..none() }, true),
        (Filter { tags: vec!["message:n=5.0".parse().unwrap()], ..none() }, true),
        (Filter { tags: vec!["message:n=\"5\"".parse().unwrap()], ..none() }, false),
        (Filter { tags: vec!["message:n=5x".parse().unwrap()], ..none() }, false),
        (Filter { tags: vec!["message:topic=\"l\\u006fan\"".parse().unwrap()], ..none() }, true),
        (Filter { tags: vec!["message:o={\"b\":[1e1], \"a\":null}".parse().unwrap()], ..none() }, true),
        (Filter { tags: vec!["message:o={\"a\":null}".parse().unwrap()], ..none() }, false),
        (Filter { tags: vec!["user:vip=true".parse().unwrap()], ..none() }, true),
        (Filter { tags: vec!["user:vip=tru".parse().unwrap()], ..none() }, false),
        (Filter { tags: vec!["session:vip=true".parse().unwrap()], ..none() }, false),
        (
            Filter {
                tags: vec!["message:topic=loan".parse().unwrap(), "user:vip=false".parse().unwrap()],
                ..none()
            },
            false,
        ),
        (Filter { bot_id: list("st-1"), message_type: list("outgoing"), ..none() }, false),
    ];
    for (filter, expected) in cases {
        assert_eq!(passes(&filter), expected, "{filter:?}");
    }
}

#[test]
fn dates_include_their_last_day_and_moment() {
    let from = |text: &str| Some(parse_day_or_time(text).unwrap().0);
    let until = |text: &str| Some(Filter::until(text).unwrap());
    let within = |date_from, date_to| passes(&Filter { date_from, date_to, ..Filter::default() });
    assert!(within(from("2025-09-01"), until("2025-09-01")));
    assert!(!within(from("2025-09-02"), None));
    assert!(!within(None, until("2025-08-31")));
    assert!(within(from("2025-09-01T23:59:59.999Z"), until("2025-09-01T23:59:59.999Z")));
    assert!(!within(None, until("2025-09-01T23:59:59.998Z")));
    // Without a time there is nothing to compare.
    let filter = Filter { date_from: Some(0), ..Filter::default() };
    let untimed = block(r#"{"messages":[{"_id":"a","type":"incoming","components":[]}]}"#);
    assert!(!filter.matches(untimed.message(0), None));
}

#[test]
fn records_go_by_what_they_have() {
    let sessions = block(
        r#"{"total":1,"sessions":[{"sessionId":"s1","botId":"b","userId":"u","channel":"rtm","isDeveloper":false,"start_time":"2025-09-01T00:00:00.000Z"}]}"#,
    );
    let conversations = block(
        r#"{"results":[{"_id":"r","botId":"b","channelType":"voice","startTime":"2025-09-01T00:00:00.000Z","mbSessionId":"s1","aaUserId":"u",
        "messages":[{"type":"USER","text":"x"}]}],"skip":0,"limit":1,"hasMore":false,"totalResults":1}"#,
    );
    let (session, conversation) = (sessions.record(0), conversations.record(0));
    let both = Filter { session_id: list("s1"), user_id: list("u"), bot_id: list("b"), ..Filter::default() };
    assert!(both.matches_record(session) && both.matches_record(conversation));
    let voice = Filter { channel_type: list("voice"), ..Filter::default() };
    assert!(!voice.matches_record(session) && voice.matches_record(conversation));
    let developer = Filter { is_developer: Some(true), ..Filter::default() };
    assert!(!developer.matches_record(session) && developer.matches_record(conversation));
    // A message's type does not concern a record, and a message inside a record goes by the record too.
    let incoming = Filter { message_type: list("incoming"), ..Filter::default() };
    assert!(incoming.matches_record(session) && incoming.matches_record(conversation));
    assert!(
        both.matches(conversations.message(0), None) && !incoming.matches(conversations.message(0), None)
    );
}

#[test]
fn messages_without_a_time_go_by_their_record() {
    let block = block(
        r#"{"results":[{"_id":"r","botId":"b","startTime":"2025-09-02T00:00:00.000Z","messages":[{"type":"USER","text":"x"},
        {"type":"USER","text":"y","timestamp":"2025-09-03T00:00:00.000Z"}]}],"skip":0,"limit":1,"hasMore":false,"totalResults":1}"#,
    );
    let from = |day: &str| Filter { date_from: Some(parse_day_or_time(day).unwrap().0), ..Filter::default() };
    let passing = |filter: &Filter| {
        let at = |index| time_of(block.message(index).timestamp());
        let messages = [0, 1].map(|index| filter.matches(block.message(index), at(index)));
        (filter.matches_record(block.record(0)), messages)
    };
    assert_eq!(passing(&from("2025-09-02")), (true, [true, true]));
    assert_eq!(passing(&from("2025-09-03")), (false, [false, true]));
    let until = Filter { date_to: Some(Filter::until("2025-09-02").unwrap()), ..Filter::default() };
    assert_eq!(passing(&until), (true, [true, false]));
}

#[test]
fn a_filter_is_written_as_what_is_set() {
    let all = Filter {
        user_id: list("u"),
        session_id: list("s2,s1,s2"),
        bot_id: list("b"),
        channel_type: list("rtm"),
        message_type: list("incoming"),
        date_from: Some(-1),
        date_to: Some(5),
        tags: vec!["user:b=2".parse().unwrap(), "message:a=1".parse().unwrap()],
        is_developer: Some(false),
        msg_id: Some("m".to_owned()),
        direction: Direction::Both,
        skip: 1,
        limit: Some(0),
    };
    let json = serde_json::to_string(&all).unwrap();
    assert!(json.contains(r#""session_id":["s1","s2"]"#), "{json}");
    assert!(json.contains(r#"{"scope":"message","name":"a","value":"1"},{"scope":"user""#), "{json}");
    assert!(json.contains(r#""date_from_us":-1,"date_before_us":5"#), "{json}");
    assert!(json.contains(r#""direction":"both""#), "{json}");
    let read: Filter = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
    assert_eq!(read.limit, Some(0));
    assert_eq!(serde_json::to_string(&Filter::default()).unwrap(), "{}");
    assert!(serde_json::from_str::<Filter>(r#"{"user":["u"]}"#).is_err());
}

#[test]
fn what_makes_no_sense_is_refused() {
    for text in ["2025-13-01", "yesterday", "", "2025-9-1"] {
        assert!(matches!(parse_day_or_time(text), Err(EngineError::Usage(_))), "{text}");
    }
    for text in ["topic=loan", "message:topic", "bot:topic=loan"] {
        assert!(text.parse::<TagFilter>().is_err(), "{text}");
    }
    let anchored = Filter { msg_id: Some("x".to_owned()), date_to: Some(5), ..Filter::default() };
    assert!(anchored.check().is_err());
    assert!(Filter { date_from: Some(5), date_to: Some(5), ..Filter::default() }.check().is_err());
    assert!(Filter { date_from: Some(4), date_to: Some(5), ..Filter::default() }.check().is_ok());
}
