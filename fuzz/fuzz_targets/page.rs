//! Decoded bytes of an input: the books balance, in windows of any size.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| korpus_fuzz_oracles::page(data));
