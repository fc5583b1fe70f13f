//! Feeds `sti_fuzzed::addresses`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sti_fuzzed::addresses(bytes));
