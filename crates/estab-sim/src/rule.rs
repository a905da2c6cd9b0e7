//! Rules of a link: what happens to the nth packet of a kind. They are values, so that a scenario can be played over a
//! simulated link and over a real one: both give them to an [`Impairer`](estab_device::impair::Impairer).

use core::fmt;
use estab_device::impair::{self, Verdict, WirePacket};
use estab_tcp::Flags;
use std::sync::Arc;

/// One end of a link, and in the lab one of its two hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// The first.
    A,
    /// The second.
    B,
}

impl End {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    /// The one at the other end.
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// `a` or `b`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }
}

/// Which packets a rule is about.
#[derive(Clone)]
pub struct Filter(Arc<dyn Fn(&WirePacket<'_>) -> bool + Send + Sync>);

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filter")
    }
}

impl Filter {
    /// Those for which this is true.
    pub fn new(is: impl Fn(&WirePacket<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is))
    }

    /// All.
    pub fn any() -> Self {
        Self::new(|_| true)
    }

    /// Segments with all of `set` and none of `clear`.
    pub fn flags(set: Flags, clear: Flags) -> Self {
        Self::new(move |packet| {
            let flags = packet.tcp().map(|(header, _)| header.flags);
            flags.is_some_and(|flags| flags.contains(set) && !flags.intersects(clear))
        })
    }

    /// SYN without ACK.
    pub fn syn() -> Self {
        Self::flags(Flags::SYN, Flags::ACK)
    }

    /// SYN with ACK.
    pub fn syn_ack() -> Self {
        Self::flags(Flags::SYN | Flags::ACK, Flags::NONE)
    }

    /// Segments with FIN.
    pub fn fin() -> Self {
        Self::flags(Flags::FIN, Flags::NONE)
    }

    /// Segments with RST.
    pub fn rst() -> Self {
        Self::flags(Flags::RST, Flags::NONE)
    }

    /// Segments with text.
    pub fn data() -> Self {
        Self::new(|packet| packet.tcp().is_some_and(|(_, len)| len > 0))
    }

    /// Segments with nothing but an acknowledgement.
    pub fn pure_ack() -> Self {
        Self::new(|packet| {
            packet.tcp().is_some_and(|(header, len)| {
                let controls = Flags::SYN | Flags::FIN | Flags::RST;
                len == 0 && header.flags.ack() && !header.flags.intersects(controls)
            })
        })
    }

    /// Is the packet one of them?
    pub fn matches(&self, packet: &WirePacket<'_>) -> bool {
        (self.0)(packet)
    }
}

/// What happens to which packets.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Packets that this end sends.
    pub from: End,
    /// Of these
    pub filter: Filter,
    /// the first so many are let through,
    pub skip: u32,
    /// and to the next so many
    pub times: u32,
    /// this happens.
    pub verdict: Verdict,
}

impl Rule {
    /// Drops the first packet of a kind.
    pub fn drop_first(from: End, filter: Filter) -> Self {
        Self::new(from, filter, Verdict::Drop)
    }

    /// Does something to the first packet of a kind.
    pub const fn new(from: End, filter: Filter, verdict: Verdict) -> Self {
        Self {
            from,
            filter,
            skip: 0,
            times: 1,
            verdict,
        }
    }

    /// To the nth of them, from 0 on, instead of the first.
    #[must_use]
    pub const fn nth(mut self, nth: u32) -> Self {
        self.skip = nth;
        self
    }

    /// To so many of them.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// To all that follow.
    #[must_use]
    pub const fn always(self) -> Self {
        self.times(u32::MAX)
    }
}

impl impair::Rule for Rule {
    fn judge(&mut self, packet: &WirePacket<'_>) -> Verdict {
        if self.times == 0 || !self.filter.matches(packet) {
            return Verdict::Pass;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return Verdict::Pass;
        }
        if self.times != u32::MAX {
            self.times -= 1;
        }
        self.verdict
    }
}
