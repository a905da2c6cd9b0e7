//! Scripts made from the grammar by any choices, played against estab.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| estab_packetdrill::check::any_run(bytes));
