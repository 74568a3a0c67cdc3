//! Equal messages in different surroundings: in pages, in records of conversations in all their states, as the answer to
//! several calls and to nobody knows which.

use proptest::prelude::*;

/// A message, with an id and a session of its own or without, in one of two languages.
fn message((number, language): (usize, &str)) -> String {
    let id = if number.is_multiple_of(3) { String::new() } else { format!(r#""_id":"m{number}","#) };
    let session = if number.is_multiple_of(2) { "" } else { r#""sessionId":"s0","# };
    let kind = ["incoming", "outgoing"][number / 2 % 2];
    format!(
        r#"{{{id}{session}"type":"{kind}","lang":"{language}","createdBy":"u","createdOn":"2025-09-03T10:00:0{number}.000Z",
        "components":[{{"cT":"text","data":{{"text":"Well?"}}}}]}}"#
    )
}

fn messages() -> impl Strategy<Value = String> {
    let message = (0_usize..8, prop::sample::select(&["en", "en", "en", "de"][..])).prop_map(message);
    prop::collection::vec(message, 1..5).prop_map(|messages| messages.join(","))
}

fn page() -> impl Strategy<Value = String> {
    messages().prop_map(|messages| format!(r#"{{"total":9,"moreAvailable":false,"messages":[{messages}]}}"#))
}

/// A conversation in one of its states; its bot is always the same.
fn record() -> impl Strategy<Value = String> {
    let ids = ["", r#""botId":"b1","#, r#""_id":"","#, r#""_id":"r0","botId":"b0","#, r#""_id":"r1","#];
    let keys = [("mbSessionId", &["s0", "s1", ""][..]), ("convId", &["c0", "c1", "c2"])];
    let value = |(key, values): (&'static str, &'static [&'static str])| {
        prop::option::of(prop::sample::select(values))
            .prop_map(move |value| value.map_or_else(String::new, |value| format!(r#""{key}":"{value}","#)))
    };
    (prop::sample::select(ids.to_vec()), keys.map(value), messages())
        .prop_map(|(id, keys, messages)| format!(r#"{{{id}{}"messages":[{messages}]}}"#, keys.concat()))
}

fn records() -> impl Strategy<Value = String> {
    prop::collection::vec(record(), 1..4).prop_map(|records| {
        format!(r#"{{"totalResults":1,"hasMore":false,"results":[{}]}}"#, records.join(","))
    })
}

fn call() -> impl Strategy<Value = String> {
    let call = prop::option::of(prop::sample::select(&["a", "b", ""][..]));
    let texts = prop::collection::vec(prop::sample::select(&["Yes", "No?"][..]), 1..3);
    (call, texts).prop_map(|(call, texts)| {
        let head = call.map_or_else(String::new, |call| {
            format!("GET https://x.example/api/bot/b0/getMessages?callId={call} HTTP/1.1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
        });
        let message = |text| {
            format!(r#"{{"type":"outgoing","text":"{text}","timestamp":"2025-09-03T10:00:00.237Z"}}"#)
        };
        let messages: Vec<String> = texts.into_iter().map(message).collect();
        format!(r#"{head}{{"total":2,"moreAvailable":false,"messages":[{}]}}"#, messages.join(","))
    })
}

/// Bodies with such messages.
pub(crate) fn bodies() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(prop_oneof![1 => page(), 3 => records(), 1 => call()], 1..9)
}

/// Each with a name.
pub(crate) fn named(bodies: Vec<String>) -> Vec<(String, Vec<u8>)> {
    bodies.into_iter().enumerate().map(|(at, body)| (format!("{at}.json"), body.into_bytes())).collect()
}
