//! Whether two JSON values are the same, however they are written.

use korpus_core::{Kind, Text, Value, numbers_equal};

/// Whether two values are the same: the order of keys does not matter, that of the values of one repeated key does;
/// numbers are equal if their exact decimal values are, texts if their decoded forms are.
///
/// Both are validated, so their nesting is bounded.
pub(super) fn values_equal(a: Value<'_>, b: Value<'_>) -> bool {
    if a.raw() == b.raw() {
        return true;
    }
    if let (Some(a), Some(b)) = (a.as_text(), b.as_text()) {
        return texts_equal(a, b);
    }
    match (a.kind(), b.kind()) {
        (Kind::Number, Kind::Number) => numbers_equal(a.raw(), b.raw()),
        (Kind::Array, Kind::Array) => {
            let (mut a, mut b) = (a.elements(), b.elements());
            loop {
                match (a.next(), b.next()) {
                    (None, None) => return true,
                    (Some(a), Some(b)) if values_equal(a, b) => {}
                    _ => return false,
                }
            }
        }
        (Kind::Object, Kind::Object) => {
            let (a, b) = (sorted(a), sorted(b));
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.0 == b.0 && values_equal(a.1, b.1))
        }
        _ => false,
    }
}

/// A lone surrogate is no text: two strings with some are only equal as they are written.
fn texts_equal(a: Text<'_>, b: Text<'_>) -> bool {
    match (a.exact(), b.exact()) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a.raw() == b.raw(),
        _ => false,
    }
}

/// The members by key; those of one key stay in their order.
fn sorted(object: Value<'_>) -> Vec<(Vec<u8>, Value<'_>)> {
    let key = |text: Text<'_>| match text.exact() {
        Some(text) => text.into_owned().into_bytes(),
        // No text holds this byte: such keys are only equal among themselves.
        None => [&[0xff], text.raw().as_bytes()].concat(),
    };
    let mut members: Vec<_> = object.members().map(|(name, value)| (key(name), value)).collect();
    members.sort_by(|a, b| a.0.cmp(&b.0));
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(a: &str, b: &str) -> bool {
        values_equal(Value::parse(a).unwrap(), Value::parse(b).unwrap())
    }

    #[test]
    fn equal_values_are_equal_however_they_are_written() {
        for (a, b) in [
            ("1", "1.0"),
            ("1e5", "100000"),
            ("[ 1 , [] , {} ]", "[1,[],{}]"),
            (r#"{"a":{"b":[1,2]},"c":null}"#, "{ \"c\" : null , \"a\" : { \"b\" : [ 1 , 2e0 ] } }"),
            (r#""\ud83d\ude00\/\n""#, "\"😀/\\u000a\""),
            (r#"{"\u0061":1,"a":2}"#, r#"{"a":1,"a":2}"#),
            (r#""\ud83d""#, r#""\ud83d""#),
        ] {
            assert!(equal(a, b) && equal(b, a), "{a} {b}");
        }
    }

    #[test]
    fn different_values_are_not() {
        for (a, b) in [
            ("1", "2"),
            ("1", "\"1\""),
            ("0", "-0"),
            ("0", "false"),
            ("null", "{}"),
            ("9007199254740993", "9007199254740992"),
            ("[1,2]", "[2,1]"),
            ("[1]", "[1,1]"),
            (r#"{"a":1}"#, r#"{"a":1,"a":1}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#),
            (r#""\ud83d""#, "\"\u{fffd}\""),
        ] {
            assert!(!equal(a, b) && !equal(b, a), "{a} {b}");
        }
    }
}
