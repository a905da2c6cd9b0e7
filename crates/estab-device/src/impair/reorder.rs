use estab_stack::PacketIn;
use estab_tcp::Instant;

/// Packets that are held back at most; more pass as if they had not been drawn.
const HELD_MAX: usize = 256;

/// Packets that are held back until others have overtaken them.
#[derive(Debug, Default)]
pub(super) struct Held(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    packet: PacketIn,
    /// So many are to overtake it yet.
    gap: u32,
    /// It is let go then whatever came.
    until: Instant,
}

impl Held {
    pub(super) fn hold(&mut self, packet: PacketIn, gap: u32, until: Instant) {
        self.0.push(Entry { packet, gap, until });
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= HELD_MAX
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// When the next one is let go if none overtakes it.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.iter().map(|entry| entry.until).min()
    }

    /// Tells that a packet passes. Gives those that it was the last to overtake, with the time at which they are let go
    /// at the latest.
    pub(super) fn overtaken(&mut self) -> impl Iterator<Item = (Instant, PacketIn)> {
        let is_free = |entry: &mut Entry| {
            entry.gap = entry.gap.saturating_sub(1);
            entry.gap == 0
        };
        (self.0.extract_if(.., is_free)).map(|entry| (entry.until, entry.packet))
    }

    /// Gives those whose time is over, with the time at which it was.
    pub(super) fn expired(&mut self, now: Instant) -> impl Iterator<Item = (Instant, PacketIn)> {
        let is_over = move |entry: &mut Entry| entry.until <= now;
        (self.0.extract_if(.., is_over)).map(|entry| (entry.until, entry.packet))
    }
}
