//! Bytes of a file: every way to find out their codec and decode them agrees.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| korpus_fuzz_oracles::codec(data));
