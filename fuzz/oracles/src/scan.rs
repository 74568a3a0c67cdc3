//! Validation: the verdict of `serde_json` on a `RawValue`, but for nesting past the limit.

use korpus_core::{ErrorKind, Reason, minify, validate};

use crate::json::Json;

/// How many arrays and objects of valid JSON stand inside each other.
pub fn depth(valid: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for &byte in valid {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Validates `data` and compares with `serde_json`.
///
/// # Panics
/// If the verdicts differ.
pub fn scan(data: &[u8]) {
    let verdict = validate(data);
    if let Err(error) = &verdict {
        let at = error.position().expect("a position").byte_offset as usize;
        assert!(at <= data.len(), "the position is inside the text");
        assert!(matches!(error.kind(), ErrorKind::Syntax(_)), "a fault of the text");
    }
    match Json::parse(data) {
        None => assert!(verdict.is_err(), "valid for korpus, not for serde_json"),
        Some(_) if depth(data) > 128 => {
            let kind = verdict.map_err(|error| error.kind());
            assert_eq!(kind.err(), Some(ErrorKind::Syntax(Reason::TooDeep)));
        }
        Some(json) => {
            assert!(verdict.is_ok(), "valid for serde_json, not for korpus: {:?}", verdict.err());
            let mut minified = Vec::new();
            minify(data, &mut minified);
            assert_eq!(String::from_utf8(minified).as_deref(), Ok(json.minified().as_str()));
        }
    }
}
