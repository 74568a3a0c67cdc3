//! Messages between NUL bytes: into tables and back.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| korpus_fuzz_oracles::restore(data));
