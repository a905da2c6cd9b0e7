//! Captures with comments: pcapng files of whole packets, with what they caused beside each, as Wireshark and tshark
//! show it (`tshark -T fields -e frame.number -e frame.comment`).
//!
//! This writes blocks; [`comment()`] says an event in a few words. What belongs to which packet is the business of the
//! recorder in `estab-device`.

use crate::describe;
use estab_stack::{HostEvent, Medium};
use estab_tcp::event::{Call, DropReason};
use estab_tcp::{Event, Interest};
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::pcapng::{PcapNgBlock, PcapNgWriter};
use pcap_file::{DataLink, Endianness, PcapError};
use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

/// What the file says it was written by.
const APPLICATION: &str = concat!("estab ", env!("CARGO_PKG_VERSION"));
/// `if_tsresol`: times are in nanoseconds.
const NANOSECONDS: u8 = 9;

/// An interface of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaptureInterface(u32);

/// Which way a packet went, seen from its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Received.
    In,
    /// Sent.
    Out,
}

/// Writes a capture.
///
/// ```
/// use estab_stack::Medium;
/// use estab_trace::pcapng::{Direction, PcapngWriter};
/// use std::time::Duration;
///
/// let mut file = Vec::new();
/// let mut capture = PcapngWriter::new(&mut file)?;
/// let interface = capture.add_interface("a", Medium::Ip)?;
/// let comments = ["a: CLOSED -> SYN-SENT (active OPEN)"];
/// capture.write_packet(interface, Duration::ZERO, Direction::Out, &[0x45; 20], &comments)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct PcapngWriter<W: Write> {
    blocks: PcapNgWriter<W>,
    interfaces: u32,
}

impl<W: Write> fmt::Debug for PcapngWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PcapngWriter")
            .field("interfaces", &self.interfaces)
            .finish_non_exhaustive()
    }
}

impl<W: Write> PcapngWriter<W> {
    /// Begins a capture.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn new(writer: W) -> io::Result<Self> {
        let section = SectionHeaderBlock {
            endianness: Endianness::native(),
            options: vec![SectionHeaderOption::UserApplication(APPLICATION.into())],
            ..SectionHeaderBlock::default()
        };
        let blocks = PcapNgWriter::with_section_header(writer, section).map_err(into_io)?;
        Ok(Self {
            blocks,
            interfaces: 0,
        })
    }

    /// Adds an interface, whose packets are IP or Ethernet (`LINKTYPE_RAW`, `LINKTYPE_ETHERNET`).
    ///
    /// # Errors
    /// Those of the writer.
    pub fn add_interface(&mut self, name: &str, medium: Medium) -> io::Result<CaptureInterface> {
        let block = InterfaceDescriptionBlock {
            linktype: match medium {
                Medium::Ip => DataLink::RAW,
                Medium::Ethernet => DataLink::ETHERNET,
            },
            // No limit.
            snaplen: 0,
            options: vec![
                InterfaceDescriptionOption::IfName(name.into()),
                InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
            ],
        };
        self.write(block)?;
        let id = self.interfaces;
        self.interfaces += 1;
        Ok(CaptureInterface(id))
    }

    /// Writes a packet with its comments. `timestamp` is since 1970.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_packet<C: AsRef<str>>(
        &mut self,
        interface: CaptureInterface,
        timestamp: Duration,
        direction: Direction,
        data: &[u8],
        comments: &[C],
    ) -> io::Result<()> {
        let comment = |text: &'_ C| EnhancedPacketOption::Comment(shorten(text.as_ref()).into());
        let mut options: Vec<_> = comments.iter().map(comment).collect();
        options.push(EnhancedPacketOption::Flags(match direction {
            Direction::In => 1,
            Direction::Out => 2,
        }));
        self.write(EnhancedPacketBlock {
            interface_id: interface.0,
            timestamp,
            original_len: u32::try_from(data.len()).unwrap_or(u32::MAX),
            data: data.into(),
            options,
        })
    }

    /// Flushes the writer below.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.blocks.get_mut().flush()
    }

    fn write<'a>(&mut self, block: impl PcapNgBlock<'a>) -> io::Result<()> {
        let written = self.blocks.write_pcapng_block(block);
        written.map(|_| ()).map_err(into_io)
    }
}

/// An option's length has 16 bits.
fn shorten(text: &str) -> String {
    text[..text.floor_char_boundary(usize::from(u16::MAX) - 3)].to_owned()
}

fn into_io(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}

/// The kinds of events that [`comment()`] has words for.
pub const COMMENTED: Interest = Interest::STATE
    .with(Interest::DROP)
    .with(Interest::TIMER)
    .with(Interest::RECOVERY)
    .with(Interest::CALL)
    .with(Interest::ERROR);

/// An event in a few words, such as `SYN-SENT -> ESTABLISHED (rcv SYN,ACK)` or
/// `drop outside-window (RFC 9293 3.10.7.4)`; `None` for what a reader of the packets sees anyway.
pub fn comment(event: &HostEvent<'_>) -> Option<String> {
    match event {
        HostEvent::Tcp { event, .. } => tcp_comment(event),
        HostEvent::Drop { reason } => Some(drop_comment(*reason)),
        HostEvent::PacketIn { .. }
        | HostEvent::PacketOut { .. }
        | HostEvent::Udp { .. }
        | HostEvent::Icmp { .. } => None,
    }
}

fn tcp_comment(event: &Event<'_>) -> Option<String> {
    Some(match event {
        Event::State { from, to, cause } => format!("{from} -> {to} ({cause})"),
        Event::Drop { reason, .. } => drop_comment(*reason),
        Event::TimerFired { timer } => format!("timer {} fired", timer.name()),
        Event::Retransmit { reason, .. } => {
            format!("retransmit ({})", describe::retransmit(*reason))
        }
        Event::Recovery { phase } => format!("loss recovery: {}", describe::phase(*phase)),
        Event::Congestion { cwnd, ssthresh } => format!("cwnd {cwnd}, ssthresh {ssthresh}"),
        Event::Error(error) => format!("error {}", describe::errno(*error)),
        // Every packet with data belongs to one of these.
        Event::Call(Call::Send(_) | Call::Receive(_)) => return None,
        Event::Call(call) => format!("call {}", describe::call(*call)),
        Event::SegmentIn { .. } | Event::SegmentOut { .. } | Event::TimerArmed { .. } => {
            return None;
        }
    })
}

fn drop_comment(reason: DropReason) -> String {
    match reason.describe() {
        (name, "") => format!("drop {name}"),
        (name, clause) => format!("drop {name} ({clause})"),
    }
}
