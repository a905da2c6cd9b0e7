use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

/// The most that waits for `netdev_receive`, bytes. A script that never looks would else fill the memory.
const MAX: usize = 64 << 20;

/// A packet that the stack sent.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) data: Bytes,
    /// When, in the time of `gettimeofday`.
    pub(crate) sent: Duration,
}

/// What the stack sent and the tool has not taken, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Emitted {
    packets: VecDeque<Packet>,
    bytes: usize,
}

impl Emitted {
    /// `false`: there is no room, and the packet is lost.
    #[must_use]
    pub(crate) fn push(&mut self, packet: Packet) -> bool {
        if self.bytes + packet.data.len() > MAX {
            return false;
        }
        self.bytes += packet.data.len();
        self.packets.push_back(packet);
        true
    }

    pub(crate) fn pop(&mut self) -> Option<Packet> {
        let packet = self.packets.pop_front()?;
        self.bytes -= packet.data.len();
        Some(packet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_has_a_limit_and_keeps_the_order() {
        let mut queue = Emitted::default();
        let packet = |n: u8| Packet {
            data: vec![n; MAX / 4].into(),
            sent: Duration::from_secs(n.into()),
        };
        for n in 0..4 {
            assert!(queue.push(packet(n)));
        }
        assert!(!queue.push(packet(4)));
        assert_eq!(queue.pop().unwrap().data[0], 0);
        assert!(queue.push(packet(5)));
        let rest: Vec<_> = std::iter::from_fn(|| queue.pop())
            .map(|p| p.data[0])
            .collect();
        assert_eq!(rest, [1, 2, 3, 5]);
    }
}
