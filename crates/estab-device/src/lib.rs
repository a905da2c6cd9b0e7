//! Devices: what moves packets between a stack and a link.

use estab_stack::{Medium, PacketIn, PacketOut};
use estab_tcp::Instant;
use std::collections::VecDeque;
use std::io;
use std::os::fd::BorrowedFd;
use std::task::Waker;

/// What a device is and can do.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// IP packets or Ethernet frames.
    pub medium: Medium,
    /// Bytes of an IP packet that the link takes.
    pub mtu: u16,
    /// Our Ethernet address, where the medium has one.
    pub hardware_address: [u8; 6],
    /// It completes transport checksums of what is sent.
    pub checksum_offload: bool,
    /// It cuts TCP super-segments of up to this payload; 0: it does not.
    pub segmentation_offload: u32,
}

/// Packets that a device has received, in order.
#[derive(Debug)]
pub struct RxBatch {
    packets: VecDeque<PacketIn>,
    room: usize,
}

impl RxBatch {
    /// A batch for at most `room` packets.
    pub fn new(room: usize) -> Self {
        Self {
            packets: VecDeque::with_capacity(room),
            room,
        }
    }

    /// How many more it takes.
    pub fn room(&self) -> usize {
        self.room.saturating_sub(self.packets.len())
    }

    /// Adds one, by a device.
    pub fn push(&mut self, packet: PacketIn) {
        self.packets.push_back(packet);
    }

    /// Takes the first one.
    pub fn pop(&mut self) -> Option<PacketIn> {
        self.packets.pop_front()
    }
}

/// Packets to send, in order; what the link cannot take now stays.
#[derive(Debug, Default)]
pub struct TxBatch {
    packets: VecDeque<PacketOut>,
}

impl TxBatch {
    /// Appends one.
    pub fn push(&mut self, packet: PacketOut) {
        self.packets.push_back(packet);
    }

    /// The first one.
    pub fn front(&self) -> Option<&PacketOut> {
        self.packets.front()
    }

    /// Takes the first one.
    pub fn pop(&mut self) -> Option<PacketOut> {
        self.packets.pop_front()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// None at all?
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }
}

/// What to wait for until a device has something to receive, or can take more.
#[derive(Debug, Default)]
pub struct Wait<'a> {
    /// Readable when packets have come; writable when more can be sent.
    pub descriptor: Option<BorrowedFd<'a>>,
    /// The time at which something held back becomes due.
    pub deadline: Option<Instant>,
}

/// Moves packets. Users may implement it.
pub trait Device: Send {
    /// What it is and can do; does not change.
    fn capabilities(&self) -> Capabilities;
    /// Takes what has arrived, up to the batch's room; the number of packets added. Never waits.
    ///
    /// # Errors
    /// The link is gone.
    fn receive(&mut self, now: Instant, batch: &mut RxBatch) -> io::Result<usize>;
    /// Hands over packets from the front of the batch; what the link cannot take now stays. Never waits.
    ///
    /// # Errors
    /// The link is gone.
    fn transmit(&mut self, now: Instant, batch: &mut TxBatch) -> io::Result<usize>;
    /// What to wait for.
    fn wait_on(&self) -> Wait<'_>;
    /// Registers whom to wake when packets come; devices that have a descriptor need not.
    fn set_waker(&mut self, _waker: Option<Waker>) {}
}
