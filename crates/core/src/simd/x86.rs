//! The searches 32 bytes at a time with AVX2, and 16 at a time with SSE2, which every x86-64 machine has.

#![allow(clippy::cast_ptr_alignment, reason = "the loads are unaligned ones")]

use std::arch::x86_64::{
    __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_max_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    _mm_sub_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_max_epu8, _mm256_movemask_epi8,
    _mm256_or_si256, _mm256_set1_epi8,
};
use std::ops::Range;

use super::{Isa, PATTERN_LEN, Portable};

/// Only used where AVX2 and BMI1 were detected: see [`Level`](super::Level).
#[derive(Clone, Copy)]
pub(crate) struct Avx2;

#[derive(Clone, Copy)]
pub(crate) struct Sse2;

/// [`Isa::string_stop`], block by block.
#[inline(always)]
fn string_stop<I: Isa>(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(stops) = I::stops(text, at) {
        if stops != 0 {
            return at + stops.trailing_zeros() as usize;
        }
        at += I::WIDTH;
    }
    Portable::string_stop(text, at)
}

impl Isa for Avx2 {
    const WIDTH: usize = 32;

    #[inline(always)]
    fn stops(text: &[u8], at: usize) -> Option<u32> {
        if at + 32 > text.len() {
            return None;
        }
        // SAFETY: 32 bytes from `at` lie inside `text`; the walker picks this type only where AVX2 was detected.
        let stops = unsafe {
            let bytes = _mm256_loadu_si256(text.as_ptr().add(at).cast());
            let quotes = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'"' as i8));
            let backslashes = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'\\' as i8));
            let last_control = _mm256_set1_epi8(0x1f);
            let controls = _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, last_control), last_control);
            _mm256_movemask_epi8(_mm256_or_si256(_mm256_or_si256(quotes, backslashes), controls))
        };
        Some(stops as u32)
    }

    #[inline(always)]
    fn string_stop(text: &[u8], from: usize) -> usize {
        string_stop::<Self>(text, from)
    }

    #[inline(always)]
    fn digits_end(text: &[u8], from: usize) -> usize {
        Sse2::digits_end(text, from)
    }

    #[inline(always)]
    fn holds_markup(text: &[u8], range: Range<usize>) -> bool {
        let Range { start: mut at, end } = range;
        while at < end && at + 32 <= text.len() {
            // SAFETY: 32 bytes from `at` lie inside `text`; the walker picks this type only where AVX2 was detected.
            let marks = unsafe {
                let bytes = _mm256_loadu_si256(text.as_ptr().add(at).cast());
                let opening = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'<' as i8));
                let ampersands = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'&' as i8));
                _mm256_movemask_epi8(_mm256_or_si256(opening, ampersands))
            };
            let behind = 32_usize.saturating_sub(end - at);
            // Only the bytes before the end count.
            if (marks as u32) << behind != 0 {
                return true;
            }
            at += 32;
        }
        at < end && Portable::holds_markup(text, at..end)
    }

    #[inline(always)]
    fn matches(text: &[u8], at: usize, pattern: &[u8; PATTERN_LEN], mask: u32) -> bool {
        if at + PATTERN_LEN > text.len() {
            return false;
        }
        // SAFETY: 32 bytes from `at` lie inside `text`, `pattern` has 32, and AVX2 was detected.
        let equal = unsafe {
            let bytes = _mm256_loadu_si256(text.as_ptr().add(at).cast());
            let pattern = _mm256_loadu_si256(pattern.as_ptr().cast());
            _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, pattern))
        };
        !(equal as u32) & mask == 0
    }
}

impl Isa for Sse2 {
    const WIDTH: usize = 16;

    #[inline(always)]
    fn stops(text: &[u8], at: usize) -> Option<u32> {
        if at + 16 > text.len() {
            return None;
        }
        // SAFETY: 16 bytes from `at` lie inside `text`, and SSE2 is part of x86-64.
        let stops = unsafe {
            let bytes = _mm_loadu_si128(text.as_ptr().add(at).cast());
            let quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
            let backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
            let last_control = _mm_set1_epi8(0x1f);
            let controls = _mm_cmpeq_epi8(_mm_max_epu8(bytes, last_control), last_control);
            _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, backslashes), controls))
        };
        Some(stops as u32)
    }

    #[inline(always)]
    fn string_stop(text: &[u8], from: usize) -> usize {
        string_stop::<Self>(text, from)
    }

    #[inline(always)]
    fn digits_end(text: &[u8], from: usize) -> usize {
        let mut at = from;
        while at + 16 <= text.len() {
            // SAFETY: 16 bytes from `at` lie inside `text`, and SSE2 is part of x86-64.
            let digits = unsafe {
                let bytes = _mm_loadu_si128(text.as_ptr().add(at).cast());
                let offset = _mm_sub_epi8(bytes, _mm_set1_epi8(b'0' as i8));
                let nine = _mm_set1_epi8(9);
                _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(offset, nine), nine))
            };
            if digits != 0xffff {
                return at + (!digits).trailing_zeros() as usize;
            }
            at += 16;
        }
        Portable::digits_end(text, at)
    }

    #[inline(always)]
    fn matches(text: &[u8], at: usize, pattern: &[u8; PATTERN_LEN], mask: u32) -> bool {
        if at + PATTERN_LEN > text.len() {
            return false;
        }
        // SAFETY: 32 bytes from `at` lie inside `text`, `pattern` has 32, and SSE2 is part of x86-64.
        let equal = unsafe {
            let (bytes, pattern) =
                (text.as_ptr().add(at).cast::<__m128i>(), pattern.as_ptr().cast::<__m128i>());
            let low = _mm_cmpeq_epi8(_mm_loadu_si128(bytes), _mm_loadu_si128(pattern));
            let high = _mm_cmpeq_epi8(_mm_loadu_si128(bytes.add(1)), _mm_loadu_si128(pattern.add(1)));
            _mm_movemask_epi8(low) as u32 | (_mm_movemask_epi8(high) as u32) << 16
        };
        !equal & mask == 0
    }
}
