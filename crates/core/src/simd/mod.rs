//! The byte searches of the scanner, for each instruction set; chosen once, at run time.
//!
//! [`Isa`] is implemented without `#[target_feature]`, so that everything inlines into the one function of the walker
//! that carries the attribute;
//! [`Level`] is the only way to them, and it looks at the machine first.

use std::ops::Range;

use memchr::memchr2;

#[cfg(all(target_arch = "aarch64", target_endian = "little", not(miri)))]
mod neon;
mod portable;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod x86;

#[cfg(all(target_arch = "aarch64", target_endian = "little", not(miri)))]
pub(crate) use neon::Neon;
pub(crate) use portable::Portable;
#[cfg(all(target_arch = "x86_64", not(miri)))]
pub(crate) use x86::{Avx2, Sse2};

/// The fastest that every machine of its kind has: for code that is not made anew for each instruction set.
#[cfg(all(target_arch = "x86_64", not(miri)))]
pub(crate) type Always = Sse2;
/// The fastest that every machine of its kind has: for code that is not made anew for each instruction set.
#[cfg(all(target_arch = "aarch64", target_endian = "little", not(miri)))]
pub(crate) type Always = Neon;
/// The fastest that every machine of its kind has: for code that is not made anew for each instruction set.
#[cfg(not(any(
    all(target_arch = "x86_64", not(miri)),
    all(target_arch = "aarch64", target_endian = "little", not(miri))
)))]
pub(crate) type Always = Portable;

/// Bytes that one prediction covers.
pub(crate) const PATTERN_LEN: usize = 32;

/// The searches that a walker needs. Positions may be anywhere in `text`, its end too.
pub(crate) trait Isa: Copy {
    /// How many bytes [`stops`](Self::stops) looks at.
    const WIDTH: usize = 0;
    /// A bit for each of the bytes from `at` on that is a quote, a backslash or a control character; `None` where this is no
    /// search of whole blocks, or the text ends before one.
    fn stops(text: &[u8], at: usize) -> Option<u32> {
        let _ = (text, at);
        None
    }
    /// The first position from `from` on that holds a quote, a backslash or a control character; `text.len()` if none.
    fn string_stop(text: &[u8], from: usize) -> usize;
    /// The first position from `from` on that holds a quote or a control character, or where an escape begins that is not one of
    /// two bytes; `text.len()` if none. JSON inside a string has an escape every few bytes, so a block is searched once for all of
    /// its own.
    #[inline(always)]
    fn escaped_stop(text: &[u8], from: usize) -> usize {
        let mut at = from;
        while let Some(mut stops) = Self::stops(text, at) {
            let start = at;
            at += Self::WIDTH;
            while stops != 0 {
                let index = stops.trailing_zeros();
                let stop = start + index as usize;
                if !is_short_escape(text, stop) {
                    return stop;
                }
                // The byte after the backslash may look like a stop, and may be in the next block.
                stops &= !(0b11 << index);
                at = at.max(stop + 2);
            }
        }
        loop {
            let stop = Portable::string_stop(text, at);
            if !is_short_escape(text, stop) {
                return stop;
            }
            at = stop + 2;
        }
    }
    /// The first position from `from` on that holds no digit; `text.len()` if none.
    fn digits_end(text: &[u8], from: usize) -> usize;
    /// Whether a `<` or a `&` is among the bytes of `range`.
    fn holds_markup(text: &[u8], range: Range<usize>) -> bool {
        memchr2(b'<', b'&', &text[range]).is_some()
    }
    /// Whether the bytes at `at` are `pattern` wherever `mask` has a bit set; false within 32 bytes of the end.
    fn matches(text: &[u8], at: usize, pattern: &[u8; PATTERN_LEN], mask: u32) -> bool;
}

/// Whether an escape of two bytes stands at `at`.
#[inline(always)]
fn is_short_escape(text: &[u8], at: usize) -> bool {
    matches!(text.get(at..at + 2), Some([b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't']))
}

/// Which implementation this machine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    Avx2,
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    Sse2,
    #[cfg(all(target_arch = "aarch64", target_endian = "little", not(miri)))]
    Neon,
    Portable,
}

impl Level {
    /// Every level that this machine can run, fastest first.
    pub(crate) fn available() -> Vec<Self> {
        let mut levels = Vec::new();
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") {
                levels.push(Self::Avx2);
            }
            levels.push(Self::Sse2);
        }
        #[cfg(all(target_arch = "aarch64", target_endian = "little", not(miri)))]
        levels.push(Self::Neon);
        levels.push(Self::Portable);
        levels
    }

    pub(crate) fn best() -> Self {
        Self::available()[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check<I: Isa>(text: &[u8], from: usize) -> Result<(), TestCaseError> {
        let stop = text[from..].iter().position(|&b| matches!(b, b'"' | b'\\' | 0..0x20));
        prop_assert_eq!(I::string_stop(text, from), stop.map_or(text.len(), |at| from + at));
        let mut escaped = from;
        while let Some(&byte) = text.get(escaped) {
            match (byte, text.get(escaped + 1)) {
                (b'\\', Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')) => escaped += 2,
                (b'"' | b'\\' | 0..0x20, _) => break,
                _ => escaped += 1,
            }
        }
        prop_assert_eq!(I::escaped_stop(text, from), escaped);
        let end = text[from..].iter().position(|b| !b.is_ascii_digit());
        prop_assert_eq!(I::digits_end(text, from), end.map_or(text.len(), |at| from + at));
        for end in [from, (from + 7).min(text.len()), (from + 32).min(text.len()), text.len()] {
            let expected = text[from..end].iter().any(|b| matches!(b, b'<' | b'&'));
            prop_assert_eq!(I::holds_markup(text, from..end), expected);
        }
        let mut pattern = [0; PATTERN_LEN];
        let len = PATTERN_LEN.min(text.len() - from);
        pattern[..len].copy_from_slice(&text[from..from + len]);
        let full = len == PATTERN_LEN;
        prop_assert_eq!(I::matches(text, from, &pattern, u32::MAX), full);
        for bit in 0..PATTERN_LEN {
            let mut wrong = pattern;
            wrong[bit] ^= 1 << (bit % 8);
            prop_assert!(!I::matches(text, from, &wrong, u32::MAX));
            prop_assert_eq!(I::matches(text, from, &wrong, !(1 << bit)), full);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn every_level_agrees_with_the_plain_loop(
            text in proptest::collection::vec(
                prop_oneof![10 => b'0'..=b'9', 10 => 0x20..=0xff_u8, 1 => any::<u8>(), 1 => Just(b'"'), 1 => Just(b'<'), 3 => Just(b'\\'), 3 => Just(b'n')],
                0..160),
            from in 0..160_usize,
        ) {
            let from = from.min(text.len());
            for level in Level::available() {
                match level {
                    #[cfg(all(target_arch = "x86_64", not(miri)))]
                    Level::Avx2 => check::<Avx2>(&text, from)?,
                    #[cfg(all(target_arch = "x86_64", not(miri)))]
                    Level::Sse2 => check::<Sse2>(&text, from)?,
                    #[cfg(all(target_arch = "aarch64", target_endian = "little", not(miri)))]
                    Level::Neon => check::<Neon>(&text, from)?,
                    Level::Portable => check::<Portable>(&text, from)?,
                }
            }
        }
    }
}
