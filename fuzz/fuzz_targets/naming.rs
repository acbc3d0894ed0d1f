//! libFuzzer over [`wissel_fuzz::naming`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wissel_fuzz::naming(data));
