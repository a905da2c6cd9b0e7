use estab_stack::{Layers, Medium};
use estab_tcp::Instant;
use estab_wire::{protocol, tcp};
use std::time::Duration;

/// What a rule decides on a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: the next rule is asked.
    Pass,
    /// It is lost.
    Drop,
    /// It arrives so much later than it would; others overtake it.
    Delay(Duration),
    /// It arrives twice.
    Duplicate,
    /// A bit of it is flipped.
    Corrupt,
}

/// Looks at each wire packet before chance does. Any closure `FnMut(&WirePacket) -> Verdict` is one.
///
/// Rules are asked in the order in which they were added, until one of them decides. What is not dropped then goes
/// through the rest of the impairments.
pub trait Rule: Send {
    /// Decides on one packet.
    fn judge(&mut self, packet: &WirePacket<'_>) -> Verdict;
}

impl<F: FnMut(&WirePacket<'_>) -> Verdict + Send> Rule for F {
    fn judge(&mut self, packet: &WirePacket<'_>) -> Verdict {
        self(packet)
    }
}

/// A packet as a rule sees it.
#[derive(Clone, Copy, Debug)]
pub struct WirePacket<'a> {
    /// All of it, from the link's header on. The transport checksum may be partial.
    pub data: &'a [u8],
    /// What the link carries.
    pub medium: Medium,
    /// How many wire packets came before it in this direction.
    pub index: u64,
    /// Now.
    pub now: Instant,
}

impl WirePacket<'_> {
    /// Where its layers are; `None` when it is not IP.
    pub fn layers(&self) -> Option<Layers> {
        Layers::find(self.medium, self.data)
    }

    /// The header and the length of the text of a TCP segment; `None` when it is none, or a fragment.
    pub fn tcp(&self) -> Option<(tcp::Header, usize)> {
        let layers = self.layers()?;
        if layers.protocol != protocol::TCP || layers.is_fragment {
            return None;
        }
        let end = layers.end.min(self.data.len());
        let segment = self.data.get(layers.transport..end)?;
        let (header, text) = tcp::Header::parse(segment).ok()?;
        Some((header, segment.len() - text))
    }
}

/// A rule for one packet: the n-th, counted from 0, of those that `matches` likes.
///
/// ```
/// use estab_device::impair::{Verdict, nth};
/// use estab_wire::tcp::Flags;
///
/// let drop_first_syn_ack = nth(0, Verdict::Drop, |packet| {
///     packet.tcp().is_some_and(|(header, _)| header.flags.contains(Flags::SYN | Flags::ACK))
/// });
/// # let _: Box<dyn estab_device::impair::Rule> = Box::new(drop_first_syn_ack);
/// ```
pub fn nth(
    n: u64,
    verdict: Verdict,
    mut matches: impl FnMut(&WirePacket<'_>) -> bool + Send,
) -> impl Rule {
    let mut seen = 0;
    move |packet: &WirePacket<'_>| {
        if !matches(packet) {
            return Verdict::Pass;
        }
        seen += 1;
        if seen == n.saturating_add(1) {
            verdict
        } else {
            Verdict::Pass
        }
    }
}
