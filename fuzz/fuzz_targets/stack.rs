//! Packets, time and calls for a host.
#![no_main]

#[path = "../../crates/estab-stack/tests/support/attack.rs"]
mod attack;
#[path = "../../crates/estab-tcp/tests/support/choices.rs"]
mod choices;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| attack::check(choices::Choices::Bytes(bytes)));
