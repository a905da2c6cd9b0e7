//! Control bits and options, read fast and read slowly.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| estab_wire::check::tcp_options(bytes));
