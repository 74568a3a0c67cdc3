//! Every accessor of a message against `serde_json`, on messages made to break a scanner that predicts the next key.

use std::fmt::Write;

use korpus_fuzz_oracles::{odd_message, views_of};
use korpus_synth::hostile::HostileMessage;
use proptest::prelude::*;

fn check(messages: &[Vec<u8>]) {
    let messages: Vec<_> = messages.iter().map(Vec::as_slice).collect();
    views_of(&messages);
}

/// Messages by seed: hostile in what they hold, or odd in how it is laid out.
fn messages(most: usize) -> impl Strategy<Value = Vec<Vec<u8>>> {
    let message = (any::<bool>(), any::<u64>())
        .prop_map(|(is_odd, seed)| if is_odd { odd_message(seed) } else { HostileMessage::generate(seed) });
    proptest::collection::vec(message, 1..most)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn accessors_agree_with_serde_json(messages in messages(12)) {
        check(&messages);
    }

    #[test]
    fn one_layout_after_the_other(seeds in proptest::collection::vec(any::<u64>(), 2..4), count in 2..10_usize) {
        // A layout stands often enough to be learned before the next one comes.
        let messages: Vec<_> =
            seeds.iter().flat_map(|seed| std::iter::repeat_n(odd_message(*seed), count)).collect();
        check(&messages);
    }
}

#[test]
fn more_keys_than_can_be_learned() {
    let mut messages = Vec::new();
    for message in 0..40 {
        let mut json = String::from("{\"type\":\"incoming\",\"components\":[]");
        for key in 0..100 {
            let name = message * 60 + key;
            write!(json, ",\"key{name}\":{{\"a{name}\":[{{\"b{name}\":{name}}}],\"a\":\"{name}\"}}").unwrap();
        }
        messages.push(format!("{json},\"_id\":\"ms-{message}\"}}").into_bytes());
    }
    check(&messages);
}

#[test]
fn long_keys_and_long_patterns() {
    let mut messages = Vec::new();
    for len in [0, 1, 20, 27, 28, 29, 30, 31, 32, 33, 100, 254, 255, 256, 257, 300, 70_000] {
        for indent in ["", " ", "\n                                                    "] {
            let (key, long) = ("k".repeat(len), "\\u006b".repeat(len.min(300)));
            let message = format!(
                "{{{indent}\"{key}\":{indent}1,{indent}\"_id\":\"a\",{indent}\"{key}\":{{\"{key}\":{indent}[]}}{indent},\
                 \"{long}\":{indent}\"x\",\"type\":{indent}true,\"components\":{indent}[{indent}{{\"{key}\":{indent}null}}]}}"
            );
            for _ in 0..3 {
                messages.push(message.clone().into_bytes());
            }
        }
    }
    check(&messages);
}

#[test]
fn known_keys_in_escapes_and_twice_with_children() {
    let mut messages = Vec::new();
    let values = [
        "[{\"cT\":\"text\",\"data\":{\"text\":\"a\"}}]",
        "[]",
        "{}",
        "{\"type\":\"AGENT\",\"messageTags\":[{\"name\":\"n\"}],\"asr\":{\"durationMs\":1}}",
        "[1,{\"type\":\"rtm\"},\"x\",[]]",
        "null",
        "\"text\"",
        "1",
    ];
    for (key, escaped) in [
        ("components", "\\u0063omponents"),
        ("channels", "channel\\u0073"),
        ("tags", "t\\u0061gs"),
        ("author", "\\u0061\\u0075\\u0074\\u0068\\u006f\\u0072"),
        ("latency", "laten\\u0063y"),
        ("_id", "\\u005f\\u0069\\u0064"),
    ] {
        for first in values {
            for second in values {
                for (a, b) in [(key, key), (key, escaped), (escaped, key), (escaped, escaped)] {
                    let message =
                        format!("{{\"type\":\"x\",\"{a}\":{first},\"createdOn\":1,\"{b}\":{second}}}");
                    messages.push(message.into_bytes());
                }
                messages.push(format!("{{\"{key}\":{first},\"x\":{first},\"x\":{second}}}").into_bytes());
            }
        }
    }
    // An object is taken for a body by its first keys, so some of these need one that only a message has.
    check(&messages);
}
