//! Any bytes: valid for korpus exactly where they are for serde_json.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| korpus_fuzz_oracles::scan(data));
