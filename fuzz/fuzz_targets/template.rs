//! A text: what is hidden in it is what a naive walk finds.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| korpus_fuzz_oracles::template(data));
