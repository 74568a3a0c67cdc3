//! Hashes of content, without the white space that printing adds.

use twox_hash::XxHash3_128;

/// XXH3-128 of one JSON value without the white space between its tokens.
pub(crate) fn content(raw: &str, compact: bool, scratch: &mut Vec<u8>) -> u128 {
    if compact {
        return XxHash3_128::oneshot(raw.as_bytes());
    }
    scratch.clear();
    minify(raw.as_bytes(), scratch);
    XxHash3_128::oneshot(scratch)
}

/// Appends validated JSON without the white space between its tokens.
pub(crate) fn minify(raw: &[u8], out: &mut Vec<u8>) {
    let mut in_string = false;
    let mut escaped = false;
    for &byte in raw {
        if in_string {
            in_string = byte != b'"' || escaped;
            escaped = byte == b'\\' && !escaped;
            out.push(byte);
        } else if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            in_string = byte == b'"';
            out.push(byte);
        }
    }
}
