use estab_stack::{PacketIn, PacketOut};
use std::collections::VecDeque;

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

    /// Adds one, by a device, which has looked at [`room`](Self::room) before.
    pub fn push(&mut self, packet: PacketIn) {
        self.packets.push_back(packet);
    }

    /// Takes the first one.
    pub fn pop(&mut self) -> Option<PacketIn> {
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
