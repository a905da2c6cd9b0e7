//! Any text as a script.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| estab_packetdrill::check::any_bytes(bytes));
