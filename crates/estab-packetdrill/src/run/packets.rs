//! Packets of the script: injected, or expected.

use super::Stop;
use super::flow::{Arrived, Protocol};
use super::player::{GRACE, Player, Schedule};
use crate::packet::{Ip, LiveBody, LiveSegment, Quoted, QuotedTransport, build, compare, icmp};
use crate::report::{Difference, FailureKind, LogKind};
use crate::script::{
    Body, Direction, Echoed, Ecn, Icmp, IpFields, Options, Packet, Segment, TcpOption,
};
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

/// TTL of what the script injects, unless it says another.
const TTL: u8 = 255;

impl Player<'_> {
    /// When the packet passed.
    pub(super) fn packet(
        &mut self,
        packet: &Packet,
        schedule: &Schedule,
    ) -> Result<Duration, Stop> {
        match packet.direction {
            Direction::Inbound => {
                self.pass_until(schedule.from)?;
                self.inject(packet)?;
                Ok(self.now())
            }
            Direction::Outbound => self.expect(packet, schedule),
        }
    }
}

/// Into the subject.
impl Player<'_> {
    fn inject(&mut self, packet: &Packet) -> Result<(), Stop> {
        let bytes = match &packet.body {
            Body::Tcp(segment) => self.build_tcp(packet, segment)?,
            Body::Udp { len } => self.build_udp(packet, *len)?,
            Body::Icmp(message) => self.build_icmp(packet, message),
        };
        let now = self.now();
        self.log.add(now, LogKind::Inbound, packet.to_string());
        let data = bytes::Bytes::from(bytes);
        self.log.packet(now, false, data.clone());
        self.subject
            .inject(&data)
            .map_err(|error| Stop::subject(error, self.span))?;
        self.collect()
    }

    fn too_many_flows<T>(&self) -> Result<T, Stop> {
        let message = "too many connections";
        Err(Stop::at(FailureKind::Limit, self.span, message))
    }

    fn build_tcp(&mut self, packet: &Packet, segment: &Segment) -> Result<Vec<u8>, Stop> {
        let opens = segment.flags.syn && !segment.flags.ack;
        let Some(index) = self.flows.inbound(Protocol::Tcp, packet.ports, opens) else {
            return self.too_many_flows();
        };
        let flow = self.flows.get_mut(index);
        let live = flow.to_live(segment);
        let (local, remote) = (flow.local, flow.remote);
        let ip = self.inbound_ip(&packet.ip, local, remote);
        Ok(build::tcp(&ip, &live))
    }

    fn build_udp(&mut self, packet: &Packet, len: u16) -> Result<Vec<u8>, Stop> {
        let Some(index) = self.flows.inbound(Protocol::Udp, packet.ports, false) else {
            return self.too_many_flows();
        };
        let flow = self.flows.get(index);
        let (local, remote) = (flow.local, flow.remote);
        let ip = self.inbound_ip(&packet.ip, local, remote);
        let source = remote.map_or(0, |remote| remote.port());
        Ok(build::udp(&ip, source, local.port(), len))
    }

    fn inbound_ip(&self, fields: &IpFields, local: SocketAddr, remote: Option<SocketAddr>) -> Ip {
        let remote = remote.map_or(self.config.network.remote_ip, |remote| remote.ip());
        self.ip(fields, remote, local.ip())
    }

    fn ip(&self, fields: &IpFields, source: IpAddr, destination: IpAddr) -> Ip {
        let ecn = fields.ecn.map(|ecn| match ecn {
            Ecn::NotEct => 0,
            Ecn::Ect1 | Ecn::Ect01 => 1,
            Ecn::Ect0 => 2,
            Ecn::Ce => 3,
        });
        let tos = fields.tos.unwrap_or(0);
        Ip {
            source,
            destination,
            tos: ecn.map_or(tos, |ecn| tos & !3 | ecn),
            ttl: fields.ttl.unwrap_or(TTL),
            flow_label: fields.flow_label.unwrap_or(0),
        }
    }

    /// A message from the peer; errors about something that the subject sent.
    fn build_icmp(&mut self, packet: &Packet, message: &Icmp) -> Vec<u8> {
        let network = &self.config.network;
        let v6 = network.ip_version.packets_are_v6();
        // Both names were looked up before anything ran.
        let kind = icmp::kind(v6, &message.kind).unwrap_or(0);
        let code = message.code.as_ref();
        let code = code.map_or(0, |code| icmp::code(v6, kind, code).unwrap_or(0));
        let ip = self.ip(&packet.ip, network.remote_ip, network.local_ip);
        let rest = match (message.mtu, message.id, message.sequence) {
            (Some(mtu), ..) => mtu.to_be_bytes(),
            (None, id, sequence) => {
                let [a, b] = id.unwrap_or(0).to_be_bytes();
                let [c, d] = sequence.unwrap_or(0).to_be_bytes();
                [a, b, c, d]
            }
        };
        let body = if icmp::is_error(v6, kind) {
            build::quoted(&self.quoted(packet, message))
        } else {
            Vec::new()
        };
        build::icmp(&ip, kind, code, rest, &body)
    }

    /// What an error quotes: without a word of the script, the last thing that was sent.
    fn quoted(&mut self, packet: &Packet, message: &Icmp) -> Quoted {
        let network = &self.config.network;
        let own = (
            SocketAddr::new(network.local_ip, self.config.bind_port),
            SocketAddr::new(network.remote_ip, self.config.connect_port),
        );
        let protocol = match message.echoed {
            Some(Echoed::Udp { .. }) => Protocol::Udp,
            _ => Protocol::Tcp,
        };
        // Its ports are written as those of a packet that comes from the peer.
        let ports = packet.ports.map(|(remote, local)| (local, remote));
        let index = self.flows.outbound(protocol, ports).or(self.flows.any());
        let Some(index) = index else {
            return Quoted {
                source: own.0,
                destination: own.1,
                transport: QuotedTransport::Tcp { seq: 0, len: 0 },
            };
        };
        let flow = self.flows.get(index);
        let transport = match message.echoed {
            Some(Echoed::Udp { len }) => QuotedTransport::Udp { len },
            Some(Echoed::Tcp(sequence)) => QuotedTransport::Tcp {
                seq: flow.sent(sequence.first),
                len: sequence.len,
            },
            None if flow.protocol == Protocol::Udp => QuotedTransport::Udp { len: 0 },
            None => {
                let (seq, len) = flow.last_sent.unwrap_or_default();
                QuotedTransport::Tcp { seq, len }
            }
        };
        Quoted {
            source: flow.local,
            destination: flow.remote.unwrap_or(own.1),
            transport,
        }
    }
}

/// Out of the subject.
impl Player<'_> {
    fn expect(&mut self, packet: &Packet, schedule: &Schedule) -> Result<Duration, Stop> {
        let source = match &packet.body {
            Body::Tcp(_) => self.flow_of(packet, Protocol::Tcp)?,
            Body::Udp { .. } => self.flow_of(packet, Protocol::Udp)?,
            Body::Icmp(_) => None,
        };
        let first = match self.next_packet(packet, source, schedule)? {
            Some(first) => first,
            None => return Ok(schedule.until),
        };
        let met = self.meet(packet, source, schedule, first);
        match met {
            Err(Stop::Failed(failure)) if self.config.packets_not_fatal => {
                self.notes.push(format!("not fatal: {}", failure.message));
                Ok(schedule.until)
            }
            met => met,
        }
    }

    fn flow_of(&mut self, packet: &Packet, protocol: Protocol) -> Result<Option<usize>, Stop> {
        let index = self.flows.outbound(protocol, packet.ports);
        if index.is_some() {
            return Ok(index);
        }
        let message = match packet.ports {
            Some((source, destination)) => {
                format!("no socket of the script has the ports {source} > {destination}")
            }
            None => "the script has no socket that could send this".to_owned(),
        };
        Err(Stop::at(FailureKind::Script, packet.span, message))
    }

    fn take(&mut self, flow: Option<usize>) -> Option<Arrived> {
        match flow {
            Some(index) => self.flows.take(index),
            None => self.take_message(),
        }
    }

    /// A message of ICMP: of no flow, else the first in the queue of any.
    fn take_message(&mut self) -> Option<Arrived> {
        self.flows.take_stray().or_else(|| self.flows.take_icmp())
    }

    /// The next packet that could be meant; `None` when there is none and that is not fatal.
    fn next_packet(
        &mut self,
        packet: &Packet,
        flow: Option<usize>,
        schedule: &Schedule,
    ) -> Result<Option<Arrived>, Stop> {
        let until = if schedule.any {
            schedule.until.max(self.now()) + self.any_time()
        } else {
            schedule.until + schedule.tolerance + GRACE
        };
        loop {
            self.collect()?;
            if let Some(arrived) = self.take(flow) {
                return Ok(Some(arrived));
            }
            if self.now() >= until {
                break;
            }
            self.wait(until)?;
        }
        let due = schedule.until.as_secs_f64();
        let message = if schedule.any {
            "no packet came".to_owned()
        } else {
            format!("no packet came: it was due at {due:.6}")
        };
        let stop = Stop::at(FailureKind::MissingPacket, packet.span, message);
        if self.config.packets_not_fatal {
            self.notes.push(format!("not fatal: no packet at {due:.6}"));
            return Ok(None);
        }
        match stop {
            Stop::Failed(mut failure) => {
                failure.expected = Some(packet.to_string());
                Err(Stop::Failed(failure))
            }
            skipped => Err(skipped),
        }
    }

    /// Compares what came with what is expected; more of it is taken where one line stands for several segments.
    fn meet(
        &mut self,
        packet: &Packet,
        flow: Option<usize>,
        schedule: &Schedule,
        first: Arrived,
    ) -> Result<Duration, Stop> {
        let time = first.time;
        self.on_time(packet, flow, schedule, &first)?;
        let whole = self.gather(packet, flow, schedule, first)?;
        let Some(index) = flow.or_else(|| self.flows.any()) else {
            return self.compare_stray(packet, &whole).map(|()| time);
        };
        let expected_segment = match &packet.body {
            Body::Tcp(segment) => Some(segment),
            _ => None,
        };
        let with_ports = packet.ports.is_some();
        let flow = self.flows.get_mut(index);
        // The values of timestamps are the subject's own: those of the script are names for them.
        let learned = learn_timestamps(flow, expected_segment, &whole.live.body);
        let actual = flow.to_script(&whole.live, Some(packet), with_ports);
        let mut differences = compare::packets(packet, &actual, &whole.live.ip);
        if let (Some((script, live)), Some(tick)) = (learned, self.config.timestamp_tick) {
            let allowed = schedule.tolerance;
            let flow = self.flows.get(index);
            differences.extend(tick_difference(
                flow.timestamps.first(),
                (script, live),
                tick,
                allowed,
            ));
        }
        if !differences.is_empty() {
            let message = message(&differences);
            let stop = Stop::at(FailureKind::Packet, packet.span, message);
            return Err(stop.with(packet.to_string(), actual.to_string(), differences));
        }
        if let (LiveBody::Tcp(live), Some(expected)) = (&whole.live.body, expected_segment) {
            self.flows
                .get_mut(index)
                .learn(live, expected.sequence.first);
        }
        Ok(time)
    }

    fn compare_stray(&self, packet: &Packet, arrived: &Arrived) -> Result<(), Stop> {
        let flow = super::flow::Flow::new(
            Protocol::Udp,
            SocketAddr::new(self.config.network.local_ip, 0),
            0,
        );
        let actual = flow.to_script(&arrived.live, Some(packet), false);
        let differences = compare::packets(packet, &actual, &arrived.live.ip);
        if differences.is_empty() {
            return Ok(());
        }
        let stop = Stop::at(FailureKind::Packet, packet.span, message(&differences));
        Err(stop.with(packet.to_string(), actual.to_string(), differences))
    }

    fn on_time(
        &self,
        packet: &Packet,
        flow: Option<usize>,
        schedule: &Schedule,
        arrived: &Arrived,
    ) -> Result<(), Stop> {
        let earliest = schedule.from.saturating_sub(schedule.tolerance);
        let latest = schedule.until + schedule.tolerance;
        let time = arrived.time;
        if schedule.any || (earliest..=latest).contains(&time) {
            return Ok(());
        }
        let seconds = |time: Duration| format!("{:.6}", time.as_secs_f64());
        let (way, by) = if time < earliest {
            ("early", schedule.from - time)
        } else {
            ("late", time - schedule.until)
        };
        let message = format!(
            "the packet came at {}, {} s too {way}",
            seconds(time),
            seconds(by)
        );
        let window = if schedule.from == schedule.until {
            seconds(schedule.from)
        } else {
            format!("{}~{}", seconds(schedule.from), seconds(schedule.until))
        };
        let difference = Difference {
            field: "time",
            expected: format!("{window} (+-{})", seconds(schedule.tolerance)),
            actual: seconds(time),
        };
        let actual = flow.map(|index| {
            let flow = self.flows.get(index);
            let shown = flow.to_script(&arrived.live, Some(packet), packet.ports.is_some());
            shown.to_string()
        });
        let stop = Stop::at(FailureKind::Time, packet.span, message);
        Err(stop.with(
            packet.to_string(),
            actual.unwrap_or_default(),
            vec![difference],
        ))
    }

    /// One line may stand for several segments, each but the last of one size: their payloads are added up.
    fn gather(
        &mut self,
        packet: &Packet,
        flow: Option<usize>,
        schedule: &Schedule,
        first: Arrived,
    ) -> Result<Arrived, Stop> {
        let (Body::Tcp(expected), Some(index)) = (&packet.body, flow) else {
            return Ok(first);
        };
        let wanted = expected.sequence.len;
        let (size, first_seq) = match &first.live.body {
            LiveBody::Tcp(live) => (live.len, live.seq),
            _ => return Ok(first),
        };
        if self.config.strict_segments || size == 0 || size >= wanted {
            return Ok(first);
        }
        let mut whole = first;
        let mut total = size;
        while total < wanted {
            let Some(next) = self.part(index, schedule, first_seq.wrapping_add(total))? else {
                break;
            };
            self.on_time(packet, flow, schedule, &next)?;
            let LiveBody::Tcp(part) = &next.live.body else {
                break;
            };
            // All but the last are as long as the first.
            if part.len > size || part.len < size && total + part.len < wanted {
                let message = "one line stands for segments of several sizes";
                return Err(Stop::at(FailureKind::Packet, packet.span, message));
            }
            total += part.len;
            whole = joined(&whole, &next, first_seq, total);
        }
        Ok(whole)
    }

    /// The next part of a large segment, if it is there by the end of its time.
    fn part(
        &mut self,
        index: usize,
        schedule: &Schedule,
        seq: u32,
    ) -> Result<Option<Arrived>, Stop> {
        let until = if schedule.any {
            self.now()
        } else {
            schedule.until + schedule.tolerance
        };
        loop {
            self.collect()?;
            let queue = &self.flows.get(index).queue;
            if let Some(next) = queue.front() {
                let fits = match &next.live.body {
                    LiveBody::Tcp(live) => live.seq == seq && live.len > 0,
                    _ => false,
                };
                return Ok(if fits { self.flows.take(index) } else { None });
            }
            if self.now() >= until {
                return Ok(None);
            }
            self.wait(until)?;
        }
    }

    /// Packets that came while the script ran, and that no line met.
    pub(super) fn surplus(&mut self) -> Result<(), Stop> {
        let Some((index, arrived)) = self.flows.unmet() else {
            return Ok(());
        };
        let actual = match index {
            Some(index) => {
                let with_ports = self.flows.several();
                let flow = self.flows.get(index);
                flow.to_script(&arrived.live, None, with_ports).to_string()
            }
            None => "> a message of ICMP".to_owned(),
        };
        let time = arrived.time.as_secs_f64();
        let message = format!("a packet that no line expects came at {time:.6}: {actual}");
        let stop = Stop::at(FailureKind::SurplusPacket, self.span, message);
        if self.config.packets_not_fatal {
            self.notes.push(format!("not fatal: {actual} at {time:.6}"));
            return Ok(());
        }
        Err(stop.with("nothing", actual, Vec::new()))
    }
}

/// Sequence number and CWR from the first, flags and options from the last.
fn joined(first: &Arrived, last: &Arrived, seq: u32, len: u32) -> Arrived {
    let mut whole = last.clone();
    whole.time = first.time;
    if let (LiveBody::Tcp(whole), LiveBody::Tcp(first)) = (&mut whole.live.body, &first.live.body) {
        let flags = crate::script::Flags {
            cwr: first.flags.cwr,
            ..whole.flags
        };
        *whole = LiveSegment {
            seq,
            len,
            flags,
            ..whole.clone()
        };
    }
    whole
}

fn message(differences: &[Difference]) -> String {
    let fields: Vec<_> = differences.iter().map(|d| d.field).collect();
    format!("the packet differs in {}", fields.join(", "))
}

/// The timestamp of a segment gets the name that the script has for it.
fn learn_timestamps(
    flow: &mut super::flow::Flow,
    expected: Option<&Segment>,
    body: &LiveBody,
) -> Option<(u32, u32)> {
    let value = |options: &[TcpOption]| {
        options.iter().find_map(|option| match option {
            TcpOption::Timestamp { value, .. } => Some(*value),
            _ => None,
        })
    };
    let (Some(expected), LiveBody::Tcp(live)) = (expected, body) else {
        return None;
    };
    let Options::These(expected) = &expected.options else {
        return None;
    };
    let pair = (value(expected)?, value(&live.options)?);
    flow.timestamps.learn(pair.0, pair.1);
    Some(pair)
}

/// Where timestamps are to be compared: has as much time passed by them as the script says?
fn tick_difference(
    first: Option<(u32, u32)>,
    (script, live): (u32, u32),
    tick: Duration,
    allowed: Duration,
) -> Option<Difference> {
    /// A tick of the subjects' clocks.
    const LIVE_TICK: Duration = Duration::from_millis(1);
    let (first_script, first_live) = first?;
    let passed = |from: u32, to: u32, tick: Duration| {
        let ticks = to.wrapping_sub(from).cast_signed();
        i128::from(ticks) * i128::try_from(tick.as_nanos()).unwrap_or(i128::MAX)
    };
    let expected = passed(first_script, script, tick);
    let actual = passed(first_live, live, LIVE_TICK);
    let allowed = allowed.max(tick).max(LIVE_TICK);
    if (expected - actual).unsigned_abs() <= allowed.as_nanos() {
        return None;
    }
    let millis = |nanos: i128| format!("{} ms after the first", nanos / 1_000_000);
    Some(Difference {
        field: "TS val",
        expected: millis(expected),
        actual: millis(actual),
    })
}
