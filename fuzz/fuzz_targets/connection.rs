//! Segments, forged and not, time and calls, for two connections.
#![no_main]

#[path = "../../crates/estab-tcp/tests/support/attack.rs"]
mod attack;
#[path = "../../crates/estab-tcp/tests/support/choices.rs"]
mod choices;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| attack::check(choices::Choices::Bytes(bytes)));
