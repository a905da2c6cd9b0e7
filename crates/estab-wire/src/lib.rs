//! Packet formats of a TCP/IP stack: typed views in, emit out, the Internet checksum.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod tcp;
