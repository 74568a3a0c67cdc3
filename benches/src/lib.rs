//! Benches: what they share.
