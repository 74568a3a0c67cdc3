//! A file as it is read: archives and all that can be in them.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| korpus_fuzz_oracles::archive(data));
