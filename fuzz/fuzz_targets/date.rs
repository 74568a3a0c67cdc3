//! A text as a time, and a number as one to print.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| korpus_fuzz_oracles::date(data));
