//! libFuzzer over [`wissel_fuzz::metadata`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wissel_fuzz::metadata(data));
