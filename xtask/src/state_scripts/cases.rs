//! Which cases there are: where a connection stands, and what arrives.

use super::oracle::{Segment, Tcb};

/// Where a connection stands when the segment arrives: a folder of scripts each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Closed,
    Listen,
    SynSent,
    /// After a passive open.
    SynReceived,
    /// After an active open that met another.
    SynReceivedActive,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
}

impl Place {
    pub(super) const ALL: [Self; 12] = [
        Self::Closed,
        Self::Listen,
        Self::SynSent,
        Self::SynReceived,
        Self::SynReceivedActive,
        Self::Established,
        Self::FinWait1,
        Self::FinWait2,
        Self::CloseWait,
        Self::Closing,
        Self::LastAck,
        Self::TimeWait,
    ];

    /// Of its folder.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Listen => "listen",
            Self::SynSent => "syn-sent",
            Self::SynReceived => "syn-received",
            Self::SynReceivedActive => "syn-received-active",
            Self::Established => "established",
            Self::FinWait1 => "fin-wait-1",
            Self::FinWait2 => "fin-wait-2",
            Self::CloseWait => "close-wait",
            Self::Closing => "closing",
            Self::LastAck => "last-ack",
            Self::TimeWait => "time-wait",
        }
    }

    /// The peer's FIN came.
    fn is_after_fin(self) -> bool {
        matches!(
            self,
            Self::CloseWait | Self::Closing | Self::LastAck | Self::TimeWait
        )
    }

    fn is_syn_received(self) -> bool {
        matches!(self, Self::SynReceived | Self::SynReceivedActive)
    }

    fn has_window(self) -> bool {
        !matches!(self, Self::Closed | Self::Listen | Self::SynSent)
    }
}

/// What arrives, by its flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Syn,
    SynAck,
    Ack,
    Fin,
    FinAck,
    Rst,
    RstAck,
    Data,
    None,
    SynFin,
}

impl Kind {
    pub(super) const ALL: [Self; 10] = [
        Self::Syn,
        Self::SynAck,
        Self::Ack,
        Self::Fin,
        Self::FinAck,
        Self::Rst,
        Self::RstAck,
        Self::Data,
        Self::None,
        Self::SynFin,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Syn => "syn",
            Self::SynAck => "syn-ack",
            Self::Ack => "ack",
            Self::Fin => "fin",
            Self::FinAck => "fin-ack",
            Self::Rst => "rst",
            Self::RstAck => "rst-ack",
            Self::Data => "data",
            Self::None => "none",
            Self::SynFin => "syn-fin",
        }
    }

    /// In words.
    fn words(self) -> &'static str {
        match self {
            Self::Syn => "a SYN",
            Self::SynAck => "a SYN-ACK",
            Self::Ack => "an ACK",
            Self::Fin => "a FIN without ACK",
            Self::FinAck => "a FIN with ACK",
            Self::Rst => "a RST",
            Self::RstAck => "a RST with ACK",
            Self::Data => "data",
            Self::None => "a segment without flags",
            Self::SynFin => "a SYN with FIN",
        }
    }

    fn has_ack(self) -> bool {
        matches!(
            self,
            Self::SynAck | Self::Ack | Self::FinAck | Self::RstAck | Self::Data
        )
    }

    fn has_syn(self) -> bool {
        matches!(self, Self::Syn | Self::SynAck | Self::SynFin)
    }

    fn has_fin(self) -> bool {
        matches!(self, Self::Fin | Self::FinAck | Self::SynFin)
    }

    fn has_rst(self) -> bool {
        matches!(self, Self::Rst | Self::RstAck)
    }
}

/// Where its sequence number lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// All of it left of the window.
    Left,
    /// That of the peer's SYN or FIN, which comes a second time.
    Again,
    LeftEdge,
    Inside,
    /// The last number of the window.
    Last,
    /// RCV.NXT+RCV.WND, the first number that is not in the window.
    RightEdge,
    Beyond,
}

impl Position {
    pub(super) const ALL: [Self; 7] = [
        Self::Left,
        Self::Again,
        Self::LeftEdge,
        Self::Inside,
        Self::Last,
        Self::RightEdge,
        Self::Beyond,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Again => "again",
            Self::LeftEdge => "left-edge",
            Self::Inside => "inside",
            Self::Last => "last",
            Self::RightEdge => "right-edge",
            Self::Beyond => "beyond",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Left => "left of the window",
            Self::Again => "for the second time",
            Self::LeftEdge => "at the left edge of the window",
            Self::Inside => "inside the window",
            Self::Last => "at the last number of the window",
            Self::RightEdge => "at the right edge of the window",
            Self::Beyond => "beyond the window",
        }
    }

    fn number(self, tcb: &Tcb) -> u32 {
        match self {
            Self::Left => 401,
            Self::Again => tcb.rcv_nxt - 1,
            Self::LeftEdge => tcb.rcv_nxt,
            Self::Inside => tcb.rcv_nxt + 500,
            Self::Last => tcb.edge - 1,
            Self::RightEdge => tcb.edge,
            Self::Beyond => tcb.edge + 10_000,
        }
    }
}

/// What it acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acked {
    /// What no peer of this connection can acknowledge any more: before SND.UNA-MAX.SND.WND.
    Ancient,
    /// What was acknowledged before.
    Old,
    /// All that was sent.
    Acceptable,
    /// What was not sent.
    Future,
}

impl Acked {
    pub(super) const ALL: [Self; 4] = [Self::Ancient, Self::Old, Self::Acceptable, Self::Future];

    fn name(self) -> &'static str {
        match self {
            Self::Ancient => "ancient",
            Self::Old => "old",
            Self::Acceptable => "acceptable",
            Self::Future => "future",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Ancient => "an ACK from before the largest window",
            Self::Old => "an old ACK",
            Self::Acceptable => "an acceptable ACK",
            Self::Future => "an ACK of what was not sent",
        }
    }

    fn number(self, tcb: &Tcb) -> u32 {
        match self {
            Self::Ancient => 251,
            Self::Old => tcb.snd_una.min(751),
            Self::Acceptable => tcb.snd_nxt,
            Self::Future => tcb.snd_nxt + 500,
        }
    }
}

/// A segment in a state: one script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) place: Place,
    kind: Kind,
    position: Position,
    acked: Option<Acked>,
}

impl Case {
    /// All of them, in the order of the states.
    pub(super) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for place in Place::ALL {
            for kind in Kind::ALL {
                for position in Position::ALL {
                    let acks: &[Option<Acked>] = if kind.has_ack() {
                        &Acked::ALL.map(Some)
                    } else {
                        &[None]
                    };
                    all.extend(acks.iter().map(|acked| Self {
                        place,
                        kind,
                        position,
                        acked: *acked,
                    }));
                }
            }
        }
        all.retain(|case| case.is_wanted());
        all
    }

    /// Leaves out what cannot be, and what would show nothing new.
    fn is_wanted(&self) -> bool {
        let of_the_rule = match self.position {
            Position::Again => {
                !self.kind.has_rst()
                    && ((self.place.is_syn_received()
                        && self.kind.has_syn()
                        && !self.kind.has_fin())
                        || (self.place.is_after_fin()
                            && self.kind.has_fin()
                            && !self.kind.has_syn()))
            }
            Position::Last => {
                self.place.has_window() && matches!(self.acked, None | Some(Acked::Acceptable))
            }
            _ => true,
        };
        // In TIME-WAIT MAX.SND.WND may be taken as the largest that there can be (RFC 9293 3.10.7.4, fifth).
        let ancient_tells = self.place.has_window()
            && !self.place.is_syn_received()
            && self.place != Place::TimeWait
            && self.position == Position::LeftEdge
            && !self.kind.has_syn()
            && !self.kind.has_rst();
        of_the_rule && (self.acked != Some(Acked::Ancient) || ancient_tells)
    }

    /// The script's path in the folder of these scripts.
    pub(super) fn path(&self) -> String {
        let mut path = format!(
            "{}/{}-{}",
            self.place.folder(),
            self.kind.name(),
            self.position.name()
        );
        if let Some(acked) = self.acked {
            path += "-";
            path += acked.name();
        }
        path + ".pkt"
    }

    /// What it shows, when the connection is as `tcb` says.
    pub(super) fn title(&self, tcb: &Tcb) -> String {
        let position = if self.place.has_window() {
            self.position.words().to_owned()
        } else {
            format!(
                "with number {} (there is no window)",
                self.position.number(tcb)
            )
        };
        let acked = self
            .acked
            .map_or_else(String::new, |acked| format!(", with {}", acked.words()));
        format!("{} {position}{acked}", self.kind.words())
    }

    /// The segment, when the connection is as `tcb` says. Where there is no window, `tcb` has the numbers of a connection like the others.
    pub(super) fn segment(&self, tcb: &Tcb) -> Segment {
        Segment {
            syn: self.kind.has_syn(),
            fin: self.kind.has_fin(),
            rst: self.kind.has_rst(),
            seq: self.position.number(tcb),
            ack: self.acked.map(|acked| acked.number(tcb)),
            text: if self.kind == Kind::Data { 500 } else { 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Acked, Case, Kind, Place, Position};
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_comes_everywhere_in_every_state() {
        let paths: Vec<String> = Case::all().iter().map(Case::path).collect();
        let known: BTreeSet<&str> = paths.iter().map(String::as_str).collect();
        assert_eq!(known.len(), paths.len(), "a path twice");
        for place in Place::ALL {
            for kind in Kind::ALL {
                for position in [
                    Position::Left,
                    Position::LeftEdge,
                    Position::Inside,
                    Position::RightEdge,
                    Position::Beyond,
                ] {
                    for acked in [Acked::Old, Acked::Acceptable, Acked::Future] {
                        let case = Case {
                            place,
                            kind,
                            position,
                            acked: kind.has_ack().then_some(acked),
                        };
                        assert!(known.contains(case.path().as_str()), "{}", case.path());
                    }
                }
            }
        }
    }
}
