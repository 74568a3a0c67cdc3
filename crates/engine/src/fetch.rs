//! Memory that is needed soon, asked for all at once: then it is waited for once, and not line by line, as whoever goes
//! through it would ask for it.

use std::hint::black_box;

/// What a cache holds side by side.
const LINE: usize = 64;

/// Fetches all bytes.
pub fn fetch_all(bytes: &[u8]) {
    fetch(bytes.iter().step_by(LINE).copied());
}

/// Fetches what `bytes` come from.
pub fn fetch(bytes: impl Iterator<Item = u8>) {
    black_box(bytes.fold(0, |all, byte| all ^ byte));
}
