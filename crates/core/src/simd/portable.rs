//! The searches eight bytes at a time in ordinary registers, for every machine and byte order.

use super::{Isa, PATTERN_LEN};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

#[derive(Clone, Copy)]
pub(crate) struct Portable;

#[inline(always)]
fn word(text: &[u8], at: usize) -> Option<u64> {
    let bytes = text.get(at..at + 8)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// The high bit of every zero byte of `w`; bits above the lowest one set may be wrong, which does no harm here.
#[inline(always)]
fn zero_bytes(w: u64) -> u64 {
    w.wrapping_sub(ONES) & !w & HIGHS
}

impl Isa for Portable {
    #[inline(always)]
    fn string_stop(text: &[u8], from: usize) -> usize {
        let mut at = from;
        while let Some(w) = word(text, at) {
            let quotes = zero_bytes(w ^ (ONES * u64::from(b'"')));
            let backslashes = zero_bytes(w ^ (ONES * u64::from(b'\\')));
            // A byte below 0x20 borrows when 0x20 is taken away, unless its own high bit was set.
            let controls = w.wrapping_sub(ONES * 0x20) & !w & HIGHS;
            let found = quotes | backslashes | controls;
            if found != 0 {
                return at + found.trailing_zeros() as usize / 8;
            }
            at += 8;
        }
        while at < text.len() && !matches!(text[at], b'"' | b'\\' | 0..0x20) {
            at += 1;
        }
        at
    }

    #[inline(always)]
    fn digits_end(text: &[u8], from: usize) -> usize {
        let mut at = from;
        while at < text.len() && text[at].is_ascii_digit() {
            at += 1;
        }
        at
    }

    #[inline(always)]
    fn matches(text: &[u8], at: usize, pattern: &[u8; PATTERN_LEN], mask: u32) -> bool {
        let Some(bytes) = text.get(at..at + PATTERN_LEN) else { return false };
        (0..PATTERN_LEN).all(|i| bytes[i] == pattern[i] || mask >> i & 1 == 0)
    }
}
