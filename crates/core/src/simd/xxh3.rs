//! XXH3 of long texts, 32 bytes at a time with AVX2: the same hash that `xxhash-rust` makes, which knows instruction sets
//! only at compile time. After the specification of `XXH3_128bits` with seed 0 and the default secret.

#![allow(clippy::cast_ptr_alignment, reason = "the loads are unaligned ones")]

use std::arch::x86_64::{
    __m256i, _mm256_add_epi64, _mm256_loadu_si256, _mm256_mul_epu32, _mm256_set1_epi64x, _mm256_setr_epi64x,
    _mm256_shuffle_epi32, _mm256_slli_epi64, _mm256_srli_epi64, _mm256_storeu_si256, _mm256_xor_si256,
};

/// Shorter texts are hashed in other ways.
pub(crate) const LEAST: usize = 241;

const STRIPE: usize = 64;
/// How far the secret moves on from one stripe to the next.
const STEP: usize = 8;
/// Stripes to the end of the secret.
const STRIPES: usize = (SECRET.len() - STRIPE) / STEP;
const BLOCK: usize = STRIPE * STRIPES;

const P32: [u64; 3] = [0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d];
const P64: [u64; 5] = [
    0x9e37_79b1_85eb_ca87,
    0xc2b2_ae3d_27d4_eb4f,
    0x1656_67b1_9e37_79f9,
    0x85eb_ca77_c2b2_ae63,
    0x27d4_eb2f_1656_67c5,
];

/// The default secret of the specification.
static SECRET: [u8; 192] = [
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c, 0xde,
    0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f, 0xcb, 0x79,
    0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21, 0xb8, 0x08, 0x46,
    0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c, 0x3c, 0x28, 0x52, 0xbb,
    0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3, 0x71, 0x64, 0x48, 0x97, 0xa2,
    0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8, 0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c,
    0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d, 0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59,
    0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64, 0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3,
    0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb, 0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3,
    0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e, 0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8,
    0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce, 0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb,
    0xca, 0xbb, 0x4b, 0x40, 0x7e,
];

type Sums = [__m256i; 2];

/// The hash of a text of at least [`LEAST`] bytes.
#[target_feature(enable = "avx2")]
pub(crate) fn xxh3_128(text: &[u8]) -> u128 {
    debug_assert!(text.len() >= LEAST);
    let mut sums = [
        _mm256_setr_epi64x(P32[2] as i64, P64[0] as i64, P64[1] as i64, P64[2] as i64),
        _mm256_setr_epi64x(P64[3] as i64, P32[1] as i64, P64[4] as i64, P32[0] as i64),
    ];
    let last = text.len() - STRIPE;
    // What is left for the last stripe is never nothing.
    let mut blocks = text[..text.len() - 1].chunks_exact(BLOCK);
    for block in &mut blocks {
        stripes(&mut sums, block);
        scramble(&mut sums);
    }
    stripes(&mut sums, blocks.remainder());
    accumulate(&mut sums, stripe_of(text, last), stripe_of(&SECRET, SECRET.len() - STRIPE - 7));

    let mut words = [0_u64; 8];
    // SAFETY: both halves of the array take 32 bytes.
    unsafe {
        _mm256_storeu_si256(words.as_mut_ptr().cast(), sums[0]);
        _mm256_storeu_si256(words.as_mut_ptr().add(4).cast(), sums[1]);
    }
    let len = text.len() as u64;
    let low = merged(&words, 11, len.wrapping_mul(P64[0]));
    let high = merged(&words, SECRET.len() - STRIPE - 11, !len.wrapping_mul(P64[1]));
    u128::from(low) | u128::from(high) << 64
}

/// Adds all whole stripes of at most one block.
#[inline]
#[target_feature(enable = "avx2")]
fn stripes(sums: &mut Sums, block: &[u8]) {
    for (at, stripe) in block.as_chunks::<STRIPE>().0.iter().enumerate() {
        accumulate(sums, stripe, stripe_of(&SECRET, at * STEP));
    }
}

#[inline]
fn stripe_of(bytes: &[u8], at: usize) -> &[u8; STRIPE] {
    bytes[at..].first_chunk().unwrap_or_else(|| unreachable!("a stripe begins 64 bytes before the end"))
}

#[inline]
#[target_feature(enable = "avx2")]
fn accumulate(sums: &mut Sums, stripe: &[u8; STRIPE], secret: &[u8; STRIPE]) {
    for (half, sum) in sums.iter_mut().enumerate() {
        let (data, key) = (load(stripe, half), load(secret, half));
        let mixed = _mm256_xor_si256(data, key);
        let product = _mm256_mul_epu32(mixed, _mm256_srli_epi64::<32>(mixed));
        // Each word goes to the sum of its neighbour.
        let swapped = _mm256_shuffle_epi32::<0b01_00_11_10>(data);
        *sum = _mm256_add_epi64(product, _mm256_add_epi64(*sum, swapped));
    }
}

/// Ends a block.
#[inline]
#[target_feature(enable = "avx2")]
fn scramble(sums: &mut Sums) {
    let secret = stripe_of(&SECRET, SECRET.len() - STRIPE);
    let prime = _mm256_set1_epi64x(P32[0] as i64);
    for (half, sum) in sums.iter_mut().enumerate() {
        let shifted = _mm256_xor_si256(*sum, _mm256_srli_epi64::<47>(*sum));
        let mixed = _mm256_xor_si256(shifted, load(secret, half));
        let low = _mm256_mul_epu32(mixed, prime);
        let high = _mm256_mul_epu32(_mm256_srli_epi64::<32>(mixed), prime);
        *sum = _mm256_add_epi64(low, _mm256_slli_epi64::<32>(high));
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(stripe: &[u8; STRIPE], half: usize) -> __m256i {
    let half = if half == 0 { &stripe[..32] } else { &stripe[32..] };
    // SAFETY: either half has 32 bytes.
    unsafe { _mm256_loadu_si256(half.as_ptr().cast()) }
}

/// Folds the sums to one word.
fn merged(sums: &[u64; 8], secret: usize, start: u64) -> u64 {
    let keys = stripe_of(&SECRET, secret).as_chunks::<8>().0;
    let mut word = start;
    for (pair, keys) in sums.as_chunks::<2>().0.iter().zip(keys.as_chunks::<2>().0) {
        let [one, other] = [0, 1].map(|at| u128::from(pair[at] ^ u64::from_le_bytes(keys[at])));
        let product = one * other;
        word = word.wrapping_add(product as u64 ^ (product >> 64) as u64);
    }
    word ^= word >> 37;
    word = word.wrapping_mul(0x1656_6791_9e37_79f9);
    word ^ word >> 32
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_hash_is_that_of_the_library() {
        if !is_x86_feature_detected!("avx2") {
            return;
        }
        let text: Vec<u8> = (0..9000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for len in (super::LEAST..1400).chain((1400..9000).step_by(61)).chain([2048, 4096, 4097, 8192]) {
            // SAFETY: AVX2 was detected.
            let hash = unsafe { super::xxh3_128(&text[..len]) };
            assert_eq!(hash, xxhash_rust::xxh3::xxh3_128(&text[..len]), "{len}");
        }
    }
}
