#![no_main]

#[allow(dead_code, reason = "each target takes one of the laws")]
#[path = "../../tests/laws/mod.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|input: &[u8]| laws::lmtp::hold(input));
