//! Rules of a link: what happens to the nth packet of a kind. They are data, so that a scenario can be played over a
//! simulated link and over a real one.

use crate::{Seen, Transport};
use core::fmt;
use core::time::Duration;
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
pub struct Filter(Arc<dyn Fn(&Seen) -> bool + Send + Sync>);

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filter")
    }
}

impl Filter {
    /// Those for which this is true.
    pub fn new(is: impl Fn(&Seen) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is))
    }

    /// All.
    pub fn any() -> Self {
        Self::new(|_| true)
    }

    /// Segments with all of `set` and none of `clear`.
    pub fn flags(set: Flags, clear: Flags) -> Self {
        Self::new(move |seen| {
            let flags = seen.tcp().map(|(header, _)| header.flags);
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
        Self::new(|seen| seen.tcp().is_some_and(|(_, len)| len > 0))
    }

    /// Segments with nothing but an acknowledgement.
    pub fn pure_ack() -> Self {
        Self::new(|seen| {
            seen.tcp().is_some_and(|(header, len)| {
                let controls = Flags::SYN | Flags::FIN | Flags::RST;
                len == 0 && header.flags.ack() && !header.flags.intersects(controls)
            })
        })
    }

    /// ICMP messages.
    pub fn icmp() -> Self {
        Self::new(|seen| matches!(seen.transport, Transport::Icmp { .. }))
    }

    /// IP packets of more bytes than this.
    pub fn larger_than(bytes: usize) -> Self {
        Self::new(move |seen| seen.len > bytes)
    }

    /// Is the packet one of them?
    pub fn matches(&self, seen: &Seen) -> bool {
        (self.0)(seen)
    }
}

/// What a rule does to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is lost.
    Drop,
    /// It takes this much longer.
    Delay(Duration),
    /// It arrives twice.
    Duplicate,
    /// A router in the middle says with ICMP that only packets of so many bytes pass, and drops it.
    TooBig(u16),
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
    pub action: Action,
}

impl Rule {
    /// Drops the first packet of a kind.
    pub fn drop_first(from: End, filter: Filter) -> Self {
        Self::new(from, filter, Action::Drop)
    }

    /// Does something to the first packet of a kind.
    pub const fn new(from: End, filter: Filter, action: Action) -> Self {
        Self {
            from,
            filter,
            skip: 0,
            times: 1,
            action,
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

/// The rules of a link, with how often each was met. The first rule that acts decides.
#[derive(Debug, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Adds one behind the others.
    pub fn push(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What happens to a packet that `from` sends; `None`: nothing special. Counts it.
    pub fn judge(&mut self, from: End, seen: &Seen) -> Option<Action> {
        let applies =
            |rule: &&mut Rule| rule.times > 0 && rule.from == from && rule.filter.matches(seen);
        for rule in self.0.iter_mut().filter(applies) {
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if rule.times != u32::MAX {
                rule.times -= 1;
            }
            return Some(rule.action);
        }
        None
    }
}
