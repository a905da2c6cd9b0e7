//! The packetdrill language.

pub mod script;
