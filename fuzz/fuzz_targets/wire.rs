//! Any bytes as a packet of each protocol.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| estab_wire::check::wire(bytes));
