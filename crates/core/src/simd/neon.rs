//! The searches 16 bytes at a time with NEON, which every aarch64 machine has.

use std::arch::aarch64::{
    uint8x16_t, vceqq_u8, vcltq_u8, vdupq_n_u8, vget_lane_u64, vld1q_u8, vorrq_u8, vreinterpret_u64_u8,
    vreinterpretq_u16_u8, vshrn_n_u16,
};

use super::{Isa, PATTERN_LEN, Portable};

#[derive(Clone, Copy)]
pub(crate) struct Neon;

/// Four bits a byte, in order: the usual stand-in for a move mask.
#[inline(always)]
fn nibbles(lanes: uint8x16_t) -> u64 {
    // SAFETY: NEON is part of aarch64.
    unsafe { vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(lanes), 4)), 0) }
}

impl Isa for Neon {
    #[inline(always)]
    fn string_stop(text: &[u8], from: usize) -> usize {
        let mut at = from;
        while at + 16 <= text.len() {
            // SAFETY: 16 bytes from `at` lie inside `text`, and NEON is part of aarch64.
            let stops = unsafe {
                let bytes = vld1q_u8(text.as_ptr().add(at));
                let quotes = vceqq_u8(bytes, vdupq_n_u8(b'"'));
                let backslashes = vceqq_u8(bytes, vdupq_n_u8(b'\\'));
                let controls = vcltq_u8(bytes, vdupq_n_u8(0x20));
                vorrq_u8(vorrq_u8(quotes, backslashes), controls)
            };
            let stops = nibbles(stops);
            if stops != 0 {
                return at + stops.trailing_zeros() as usize / 4;
            }
            at += 16;
        }
        Portable::string_stop(text, at)
    }

    #[inline(always)]
    fn digits_end(text: &[u8], from: usize) -> usize {
        Portable::digits_end(text, from)
    }

    #[inline(always)]
    fn matches(text: &[u8], at: usize, pattern: &[u8; PATTERN_LEN], mask: u32) -> bool {
        let Some(bytes) = text.get(at..at + PATTERN_LEN) else { return false };
        (0..PATTERN_LEN).all(|i| bytes[i] == pattern[i] || mask >> i & 1 == 0)
    }
}
