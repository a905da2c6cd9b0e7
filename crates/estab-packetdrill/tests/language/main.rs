//! The language: what is read, what is refused, and what is written.

mod calls;
mod defines;
mod diagnostics;
mod encapsulation;
mod formatting;
mod options;
mod packets;
mod properties;
mod scripts;
mod support;
mod tcp_options;
mod times;
