//! Validation of generated JSON and its mutations against `serde_json` and `simd-json`.

use korpus_core::validate;
use korpus_fuzz_oracles::{Json, JsonKind, depth, odd_value, scan};
use korpus_synth::hostile::HostileValue;
use proptest::prelude::*;

/// White space between tokens.
fn space() -> impl Strategy<Value = String> {
    prop_oneof![6 => Just(String::new()), 3 => "[ \\t\\n\\r]{1,3}", 1 => "[ \\n]{20,70}"]
}

fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[ -!#-\\[\\]-~]{0,40}",
        2 => any::<char>().prop_map(|c| if c < ' ' || c == '"' || c == '\\' { 'ü' } else { c }.to_string()),
        2 => proptest::sample::select(vec!["\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t"]).prop_map(str::to_owned),
        2 => any::<u16>().prop_map(|unit| format!("\\u{unit:04x}")),
        1 => (0xd7f0..0xe010_u32).prop_map(|unit| format!("\\u{unit:04X}")),
    ];
    proptest::collection::vec(piece, 0..5).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        string(),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,4})?",
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("a number", |number| number.is_finite())
            .prop_map(|number| number.to_string()),
        proptest::sample::select(vec!["true", "false", "null", "[]", "{}"]).prop_map(str::to_owned),
    ]
}

fn json() -> impl Strategy<Value = String> {
    let value = scalar().prop_recursive(6, 60, 6, |inner| {
        let element =
            (space(), inner, space()).prop_map(|(before, value, after)| before + &value + &after).boxed();
        let member = (space(), string(), space(), element.clone())
            .prop_map(|(before, key, after, value)| format!("{before}{key}{after}:{value}"));
        prop_oneof![
            proptest::collection::vec(element, 1..6).prop_map(|all| format!("[{}]", all.join(","))),
            proptest::collection::vec(member, 1..6).prop_map(|all| format!("{{{}}}", all.join(","))),
        ]
    });
    (space(), value, space()).prop_map(|(before, value, after)| before + &value + &after)
}

/// Whether a value holds what simd-json does not read: a number past its types, or a lone surrogate.
fn is_past_simd_json(value: Json<'_>) -> bool {
    match value.kind() {
        JsonKind::String => !value.lossy_text().1,
        JsonKind::Number => {
            let raw = value.raw();
            let is_integer = !raw.contains(['.', 'e', 'E']);
            let fits = raw.parse::<i64>().is_ok() || raw.parse::<u64>().is_ok();
            // Near the end of the doubles simd-json gives up a little before the others.
            is_integer && !fits || raw.parse::<f64>().is_ok_and(|number| number.abs() > 1e300)
        }
        JsonKind::Array => value.elements().into_iter().any(is_past_simd_json),
        JsonKind::Object => {
            value.members().into_iter().any(|(key, value)| is_past_simd_json(key) || is_past_simd_json(value))
        }
        JsonKind::Null | JsonKind::Bool => false,
    }
}

/// Compares with both readers.
fn check(bytes: &[u8]) {
    scan(bytes);
    let (ours, theirs) = (validate(bytes).is_ok(), simd_json::to_tape(&mut bytes.to_vec()).is_ok());
    if ours && !theirs {
        let value = Json::parse(bytes).expect("valid JSON");
        assert!(is_past_simd_json(value), "rejected by simd-json alone: {}", value.raw());
    }
    if theirs && !ours {
        assert!(depth(bytes) > 128, "accepted by simd-json alone: {}", String::from_utf8_lossy(bytes));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_json_is_valid(text in json()) {
        prop_assert!(validate(text.as_bytes()).is_ok(), "{}", text);
        check(text.as_bytes());
    }

    #[test]
    fn hostile_json_is_valid(seed in any::<u64>(), is_odd in any::<bool>()) {
        let bytes = if is_odd { odd_value(seed) } else { HostileValue::generate(seed) };
        prop_assert!(validate(&bytes).is_ok());
        check(&bytes);
    }

    #[test]
    fn broken_json_is_judged_alike(
        text in json(),
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), 0..4_u8, any::<u8>()), 1..3),
    ) {
        let mut bytes = text.into_bytes();
        for (at, kind, byte) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            let byte = if byte < 128 { b"{}[],:\"\\ 0e-.\x1fnu"[usize::from(byte) % 16] } else { byte };
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.drain(at..=at)),
                _ => bytes.truncate(at),
            }
        }
        check(&bytes);
    }

    #[test]
    fn anything_is_judged_alike(bytes in proptest::collection::vec(any::<u8>(), 0..40), text in "[\\[\\]{}\",:\\\\ 01eE.+\\-ntrualsf]{0,12}") {
        check(&bytes);
        check(text.as_bytes());
    }
}

#[test]
fn nesting_ends_at_the_limit() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
        let levels = if open.starts_with("[{") { 2 } else { 1 };
        for count in [1, 63, 64, 65, 127, 128, 129, 200, 100_000] {
            let text = format!("{}1{}", open.repeat(count), close.repeat(count));
            assert_eq!(validate(text.as_bytes()).is_ok(), count * levels <= 128, "{count} times {open}");
        }
        // What is not closed is no deeper for it.
        assert!(validate(open.repeat(1_000_000).as_bytes()).is_err());
    }
}
