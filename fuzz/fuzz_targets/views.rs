//! Messages between NUL bytes: every accessor shows what serde_json reads.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| korpus_fuzz_oracles::views(data));
