//! libFuzzer over [`wissel_host::fuzzing::boundary`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wissel_host::fuzzing::boundary(data));
