//! Packet formats of a TCP/IP stack: typed views in, emit out, the Internet checksum.
//!
//! One module a protocol. Each has plain structs for what a header says, `parse` from bytes that anybody may have
//! made, and `emit` to bytes that others accept. Parsing checks every length before it reads, allocates nothing,
//! and says with an [`Error`] what was wrong; payloads are borrowed or given as offsets, so that a caller who
//! counts references can slice its own buffer. Nothing here keeps state.
//!
//! | Module | Protocol | Checksum |
//! |---|---|---|
//! | [`ethernet`], [`arp`] | Ethernet II, ARP | none |
//! | [`ipv4`] | IPv4, options skipped | of the header; verified by `parse`, computed by `emit` |
//! | [`ipv6`] | IPv6 and its extension headers | none |
//! | [`icmpv4`], [`icmpv6`] | ICMP, NDP | verified by `parse`, computed by `emit` |
//! | [`udp`], [`tcp`] | UDP, TCP | apart: `verify` and `checksum`, since a device may do it |
//!
//! # Example
//!
//! A SYN in an IPv4 packet, made and taken apart again:
//!
//! ```
//! use core::net::{IpAddr, Ipv4Addr};
//! use estab_wire::tcp::{Flags, Options, SeqNum, SynOptions, UnscaledWindow};
//! use estab_wire::{ipv4, protocol, tcp};
//!
//! # fn main() -> Result<(), estab_wire::Error> {
//! let (src, dst) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
//! let syn = tcp::Header {
//!     src_port: 49152,
//!     dst_port: 80,
//!     seq: SeqNum(1000),
//!     ack: SeqNum(0),
//!     flags: Flags::SYN,
//!     window: UnscaledWindow(64240),
//!     urgent: 0,
//!     options: Options::Syn(SynOptions { mss: Some(1460), ..SynOptions::default() }),
//! };
//! let mut segment = [0; tcp::HEADER_LEN_MAX];
//! let len = syn.emit(&mut segment);
//! let segment = &mut segment[..len];
//! let sum = tcp::checksum(IpAddr::V4(src), IpAddr::V4(dst), [&*segment].into_iter());
//! segment[tcp::CHECKSUM_OFFSET..][..2].copy_from_slice(&sum.to_be_bytes());
//!
//! let mut header = [0; ipv4::HEADER_LEN];
//! ipv4::Header {
//!     dont_fragment: true,
//!     total_len: (header.len() + segment.len()) as u16,
//!     ..ipv4::Header::new(src, dst, protocol::TCP)
//! }
//! .emit(&mut header);
//! let packet = [&header, &*segment].concat();
//!
//! let ip = ipv4::Header::parse(&packet)?;
//! let segment = ip.payload(&packet);
//! assert!(tcp::verify(ip.src.into(), ip.dst.into(), segment));
//! let (header, payload_offset) = tcp::Header::parse(segment)?;
//! assert_eq!(header, syn);
//! assert_eq!(payload_offset, 24);
//! # Ok(())
//! # }
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod arp;
#[doc(hidden)]
pub mod check;
pub mod checksum;
mod error;
pub mod ethernet;
pub mod icmpv4;
pub mod icmpv6;
pub mod ipv4;
pub mod ipv6;
pub mod protocol;
pub mod tcp;
pub mod udp;

pub use error::Error;
