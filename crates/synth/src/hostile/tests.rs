//! The hostile values are valid JSON, the same every time, and reach what they promise.

use serde_json::value::RawValue;

use super::{HostileConversation, HostileMessage, HostileSession, HostileValue};

fn depth(json: &[u8]) -> usize {
    let (mut deepest, mut depth, mut inside, mut escaped) = (0_usize, 0_usize, false, false);
    for &byte in json {
        if inside {
            (inside, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
            continue;
        }
        match byte {
            b'"' => inside = true,
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    deepest
}

#[test]
fn everything_is_valid_and_repeatable() {
    for generate in [
        HostileMessage::generate,
        HostileSession::generate,
        HostileConversation::generate,
        HostileValue::generate,
    ] {
        for seed in 0..1_500 {
            let json = generate(seed);
            assert_eq!(json, generate(seed));
            let text = std::str::from_utf8(&json).expect("UTF-8");
            if let Err(error) = serde_json::from_str::<&RawValue>(text) {
                panic!("seed {seed}: {error}: {text}");
            }
            assert!(depth(&json) <= 64, "seed {seed} is nested too deeply");
        }
    }
}

#[test]
fn every_promise_is_kept_within_a_few_thousand_seeds() {
    let all: Vec<u8> = (0..4_000).flat_map(HostileMessage::generate).collect();
    let all = String::from_utf8(all).expect("UTF-8");
    for number in super::values::NUMBERS {
        assert!(all.contains(&format!(":{number},")), "no {number}");
    }
    for text in super::values::STRINGS.iter().chain(&super::values::DATES) {
        assert!(all.contains(&format!("\"{text}\"")), "no {text}");
    }
    for field in super::fields::MESSAGE {
        for empty in super::values::EMPTY {
            let wanted = format!("\"{}\":{empty}", field.key);
            assert!(all.contains(&wanted), "no {wanted}");
        }
    }
    assert!(all.contains("[[[[[[[[[[[[[[[[[[[["), "no nest of depth 20");
    assert!(
        all.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() == 400),
        "no number of 400 digits"
    );
    assert!(all.contains("\\u005fid\":") && all.contains("\\u0074ype\":"), "no escaped keys");
}

#[test]
fn messages_count_as_messages() {
    for seed in 0..500 {
        let mut json = String::from_utf8(HostileMessage::generate(seed)).expect("UTF-8");
        for letter in "typecreatedOn".chars() {
            json = json.replace(&format!("\\u{:04x}", u32::from(letter)), &letter.to_string());
        }
        for key in ["type", "createdOn"] {
            assert!(json.contains(&format!("\"{key}\"")), "seed {seed} has no {key}");
        }
    }
}
