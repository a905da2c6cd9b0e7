//! From moments to a script.

use super::calls::{self, Called, Ends, Verb};
use super::moments::{Moment, What, ends, is_udp};
use super::numbers::Numbers;
use super::{Host, RecordError, settings};
use crate::packet::{Live, LiveBody};
use crate::script::{
    Action, Body, Direction, Ecn, Event, IpFields, OptionLine, Packet, Script, Span, Time,
};
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use estab_stack::Error;
use std::collections::{BTreeMap, BTreeSet};

/// The runner's own port, of either end.
const PORT: u16 = 8080;
/// The runner's MTU.
const MTU: u16 = 1500;

/// What is known of all moments before the first event is written.
struct Survey {
    way: Ends,
    bind_port: u16,
    connect_port: u16,
    peer: Option<IpAddr>,
}

/// The script of these moments.
pub(super) fn script(host: &Host, moments: &[Moment]) -> Result<Script, RecordError> {
    let survey = survey(host, moments)?;
    let mut writer = Writer {
        host,
        survey: &survey,
        numbers: Numbers::default(),
        ports: BTreeMap::new(),
        lingering: BTreeMap::new(),
        events: Vec::new(),
    };
    for moment in moments {
        writer.moment(moment)?;
    }
    if writer.events.is_empty() {
        return Err(RecordError::new("nothing happened"));
    }
    Ok(Script {
        options: option_lines(host, &survey),
        init: settings::command(&host.settings),
        events: writer.events,
        cleanup: None,
    })
}

fn survey(host: &Host, moments: &[Moment]) -> Result<Survey, RecordError> {
    let mut flows = BTreeSet::new();
    let mut own_ports = BTreeSet::new();
    let mut peer_ports = BTreeSet::new();
    let mut peers = BTreeSet::new();
    for moment in moments {
        match &moment.what {
            What::Packet { outbound, live } => {
                if let Some((own, peer)) = ends(*outbound, live) {
                    flows.insert((is_udp(live), own, peer));
                    peers.insert(peer.ip());
                }
            }
            What::Called(called) => match called.verb {
                Verb::Bind(port) if port != 0 => {
                    own_ports.insert(port);
                }
                Verb::Connect(to) | Verb::SendTo { to, .. } => {
                    peers.insert(to.ip());
                    peer_ports.insert(to.port());
                }
                _ => {}
            },
        }
    }
    if peers.contains(&host.address) {
        return Err(RecordError::new(
            "the host speaks to itself: nothing of that passes its interface",
        ));
    }
    if peers.len() > 1 {
        return Err(RecordError::new(
            "there are several peers, but a script plays only one",
        ));
    }
    let single = flows.len() <= 1 && own_ports.len() <= 1 && peer_ports.len() <= 1;
    Ok(Survey {
        way: if single {
            Ends::ByOptions
        } else {
            Ends::Written
        },
        bind_port: own_ports.first().copied().unwrap_or(PORT),
        connect_port: peer_ports.first().copied().unwrap_or(PORT),
        peer: peers.first().copied(),
    })
}

fn option_lines(host: &Host, survey: &Survey) -> Vec<OptionLine> {
    let line = |name: &str, value: String| OptionLine {
        name: name.to_owned(),
        value: Some(value),
        span: Span::default(),
    };
    let mut lines = vec![OptionLine {
        name: "strict_segments".to_owned(),
        value: None,
        span: Span::default(),
    }];
    if host.address.is_ipv6() {
        lines.push(line("ip_version", "ipv6".to_owned()));
    }
    if host.address.is_ipv6() || host.mtu != MTU {
        lines.push(line("mtu", host.mtu.to_string()));
    }
    if survey.way == Ends::Written {
        lines.push(line("local_ip", host.address.to_string()));
        lines.extend(survey.peer.map(|peer| line("remote_ip", peer.to_string())));
    } else {
        for (name, port) in [
            ("bind_port", survey.bind_port),
            ("connect_port", survey.connect_port),
        ] {
            if port != PORT {
                lines.push(line(name, port.to_string()));
            }
        }
    }
    lines
}

struct Writer<'a> {
    host: &'a Host,
    survey: &'a Survey,
    numbers: Numbers,
    /// The port that each socket asked for.
    ports: BTreeMap<usize, u16>,
    /// Sockets whose close waits, with the event that began it and when.
    lingering: BTreeMap<usize, (usize, Duration)>,
    events: Vec<Event>,
}

impl Writer<'_> {
    fn push(&mut self, time: Time, action: Action) {
        self.events.push(Event {
            time,
            action,
            span: Span::default(),
        });
    }

    fn moment(&mut self, moment: &Moment) -> Result<(), RecordError> {
        match &moment.what {
            What::Packet { outbound, live } => {
                if let Some(packet) = self.packet(*outbound, live) {
                    self.push(Time::Absolute(moment.time), Action::Packet(packet));
                }
                Ok(())
            }
            What::Called(called) => self.called(moment.time, called),
        }
    }

    fn called(&mut self, time: Duration, called: &Called) -> Result<(), RecordError> {
        if called.verb == Verb::Close {
            if matches!(called.result, Err(Error::WouldBlock(_))) {
                return self.begin_close(time, called);
            }
            if let Some((event, begun)) = self.lingering.remove(&called.socket) {
                return self.end_close(event, begun, time, called);
            }
        }
        if matches!(called.result, Err(Error::WouldBlock(_))) {
            return Ok(());
        }
        if let Verb::Bind(port) = called.verb {
            self.ports.insert(called.socket, port);
        }
        for call in calls::of(called, self.own_end(called.socket), self.survey.way)? {
            self.push(Time::Absolute(time), Action::Call(call));
        }
        Ok(())
    }

    fn own_end(&self, socket: usize) -> SocketAddr {
        let port = self.ports.get(&socket).copied();
        SocketAddr::new(self.host.address, port.unwrap_or(0))
    }

    /// A close that waits is written when it begins, and its end when that is known.
    fn begin_close(&mut self, time: Duration, called: &Called) -> Result<(), RecordError> {
        if self.lingering.contains_key(&called.socket) {
            return Ok(());
        }
        let done = Called {
            result: Ok(0),
            ..called.clone()
        };
        // A socket whose calls never wait does not linger.
        self.push(
            Time::Absolute(time),
            Action::Call(calls::waits(called.socket)),
        );
        self.lingering
            .insert(called.socket, (self.events.len(), time));
        for call in calls::of(&done, self.own_end(called.socket), self.survey.way)? {
            self.push(Time::AbsoluteBlocking(time, time), Action::Call(call));
        }
        Ok(())
    }

    fn end_close(
        &mut self,
        event: usize,
        begun: Duration,
        ended: Duration,
        called: &Called,
    ) -> Result<(), RecordError> {
        let mut ends = calls::of(called, self.own_end(called.socket), self.survey.way)?;
        if let (Some(event), Some(call)) = (self.events.get_mut(event), ends.pop()) {
            event.time = Time::AbsoluteBlocking(begun, ended);
            event.action = Action::Call(call);
        }
        Ok(())
    }

    fn packet(&mut self, outbound: bool, live: &Live) -> Option<Packet> {
        let ends = ends(outbound, live);
        let body = match &live.body {
            LiveBody::Tcp(segment) => Body::Tcp(self.numbers.segment(outbound, ends?, segment)),
            LiveBody::Udp { len, .. } => Body::Udp { len: *len },
            LiveBody::Icmp(message) => {
                let v6 = live.ip.source.is_ipv6();
                Body::Icmp(self.numbers.message(outbound, v6, ends, message))
            }
            LiveBody::Other => return None,
        };
        let with_ports = self.survey.way == Ends::Written && !matches!(body, Body::Icmp(_));
        let ports = ends.filter(|_| with_ports).map(|(own, peer)| {
            if outbound {
                (own.port(), peer.port())
            } else {
                (peer.port(), own.port())
            }
        });
        Some(Packet {
            direction: if outbound {
                Direction::Outbound
            } else {
                Direction::Inbound
            },
            encapsulation: Vec::new(),
            ip: IpFields {
                ecn: ecn(live.ip.tos),
                ..IpFields::default()
            },
            ports,
            body,
            span: Span::default(),
        })
    }
}

fn ecn(tos: u8) -> Option<Ecn> {
    match tos & 3 {
        0 => None,
        1 => Some(Ecn::Ect1),
        2 => Some(Ecn::Ect0),
        _ => Some(Ecn::Ce),
    }
}
