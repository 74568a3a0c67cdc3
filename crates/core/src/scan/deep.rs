//! Validation without a limit of depth: one byte at a time, with a stack of its own.

use super::learn::{peek, skip_space, string_end};
use super::walk::{Fault, Stop, read_scalar};

/// The position after the value at `start` of a text that nothing follows, however deep it nests. Says of any value that
/// the walk reaches the end of what the walk says of it, and keeps a byte a level.
pub(crate) fn deep_end(text: &[u8], start: usize) -> Result<usize, Stop> {
    // What is open, each as the byte that closes it.
    let mut open: Vec<u8> = Vec::new();
    let mut at = start;
    loop {
        // At a value, or after the bracket or brace that opens a container.
        let mut is_first = false;
        match peek(text, at, true)? {
            b'"' => at = string_end(text, at + 1, true)?.0 + 1,
            byte @ (b'{' | b'[') => {
                open.push(closing(byte));
                at += 1;
                is_first = true;
            }
            _ => at = read_scalar(text, at, true)?.1,
        }
        // To the next value, or the end.
        loop {
            let Some(&close) = open.last() else { return Ok(at) };
            at = skip_space(text, at);
            let mut byte = peek(text, at, true)?;
            if byte == close {
                open.pop();
                at += 1;
                is_first = false;
                continue;
            }
            if !is_first {
                if byte != b',' {
                    return Err(Stop::bad(at, Fault::UnexpectedByte));
                }
                at = skip_space(text, at + 1);
                byte = peek(text, at, true)?;
                if byte == close {
                    return Err(Stop::bad(at, Fault::TrailingComma));
                }
            }
            if close == b'}' {
                at = value_of_member(text, at, byte)?;
            }
            break;
        }
    }
}

/// What closes the container that a byte opens: in ASCII, it stands two after it.
pub(crate) fn closing(byte: u8) -> u8 {
    byte + 2
}

/// The position of the value of the member whose key is at `at`.
fn value_of_member(text: &[u8], at: usize, byte: u8) -> Result<usize, Stop> {
    if byte != b'"' {
        return Err(Stop::bad(at, Fault::UnexpectedByte));
    }
    let colon = skip_space(text, string_end(text, at + 1, true)?.0 + 1);
    if peek(text, colon, true)? != b':' {
        return Err(Stop::bad(colon, Fault::UnexpectedByte));
    }
    Ok(skip_space(text, colon + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scan::{Arena, Scanner};

    /// What the walk says of a text.
    fn walked(text: &[u8]) -> Result<usize, Stop> {
        let walked = Scanner::new(128).walk(&mut Arena::default(), text, 0, true, None);
        walked.map(|walked| walked.end)
    }

    #[test]
    fn any_depth_has_an_end() {
        let deep = "[{\"a\":".repeat(1_000_000) + "1" + &"}]".repeat(1_000_000);
        assert_eq!(walked(deep.as_bytes()), Err(Stop::bad(64 * 6, Fault::TooDeep)));
        assert_eq!(deep_end(deep.as_bytes(), 0), Ok(deep.len()));
        let cut = &deep.as_bytes()[..deep.len() - 1];
        assert_eq!(deep_end(cut, 0), Err(Stop::bad(cut.len(), Fault::Truncated)));
    }

    proptest! {
        #[test]
        fn it_says_what_the_walk_says(
            text in prop_oneof![
                "[\\[\\]{}:,\" \"a\\\\01.e+n]{0,24}",
                prop::collection::vec(prop::sample::select(vec![
                    "[", "]", "{", "}", ",", ":", "\"a\"", "\"\\u00e9\"", "1", "-0.5e+7", "true", "null", " ", "\n", "{}", "[]",
                    "\"a\":", "\"b\" : ", "01", "tru", "\"\\x\"", "\"\t\"",
                ]), 0..24).prop_map(|parts| parts.concat()),
            ],
        ) {
            prop_assert_eq!(deep_end(text.as_bytes(), 0), walked(text.as_bytes()));
        }

        #[test]
        fn it_takes_and_cuts_what_the_walk_takes_and_cuts(
            value in any::<[u8; 40]>().prop_map(|bytes| json_of(&bytes)),
            cut in any::<prop::sample::Index>(),
            edit in any::<Option<(prop::sample::Index, u8)>>(),
        ) {
            let mut text = value.into_bytes();
            prop_assert_eq!(deep_end(&text, 0), walked(&text));
            if let Some((at, byte)) = edit {
                let at = at.index(text.len());
                text[at] = byte & 0x7f;
            }
            prop_assert_eq!(deep_end(&text, 0), walked(&text));
            text.truncate(cut.index(text.len() + 1));
            prop_assert_eq!(deep_end(&text, 0), walked(&text));
        }
    }

    /// Valid JSON that bytes choose the parts of.
    fn json_of(bytes: &[u8]) -> String {
        let mut out = String::new();
        let mut open = Vec::new();
        let mut after_value = false;
        for &byte in bytes {
            if byte % 5 == 4
                && let Some(close) = open.pop()
            {
                out.push(close);
                after_value = true;
                continue;
            }
            if after_value {
                if open.is_empty() {
                    break;
                }
                out.push_str([",", " , ", ",\n"][usize::from(byte) % 3]);
            }
            if open.last() == Some(&'}') {
                out.push_str(["\"a\":", "\"\" : ", "\"\\u0061é\":"][usize::from(byte / 5) % 3]);
            }
            after_value = true;
            match byte % 7 {
                0..=2 => {
                    let (bracket, close) = if byte % 2 == 0 { ('[', ']') } else { ('{', '}') };
                    out.push(bracket);
                    open.push(close);
                    after_value = false;
                }
                3 => out.push_str("-1.5e3"),
                4 => out.push_str("\"x\\n\""),
                5 => out.push_str("false"),
                _ => out.push('7'),
            }
        }
        if !after_value && open.is_empty() {
            out.push_str("null");
        }
        while let Some(close) = open.pop() {
            out.push(close);
        }
        out
    }
}
