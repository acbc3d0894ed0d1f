//! libFuzzer over [`wissel_fuzz::imap`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wissel_fuzz::imap(data));
