//! Packets of the script: injected, or expected.

use super::Stop;
use super::flow::{Arrived, Protocol};
use super::player::{GRACE, Player, Schedule};
use crate::packet::{LiveBody, LiveSegment, compare};
use crate::report::{Difference, FailureKind};
use crate::script::{Body, Direction, Options, Packet, Segment, TcpOption};
use core::net::SocketAddr;
use core::time::Duration;

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

/// Out of the subject.
impl Player<'_> {
    fn expect(&mut self, packet: &Packet, schedule: &Schedule) -> Result<Duration, Stop> {
        let source = match &packet.body {
            Body::Tcp(_) => self.flow_of(packet, Protocol::Tcp)?,
            Body::Udp { .. } => self.flow_of(packet, Protocol::Udp)?,
            Body::Icmp(_) => None,
        };
        let Some((source, first)) = self.next_packet(packet, source, schedule)? else {
            return Ok(schedule.until);
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

    /// The next packet of a flow, or without one the next message of ICMP; and whose it is.
    fn take(&mut self, flow: Option<usize>) -> Option<(Option<usize>, Arrived)> {
        match flow {
            Some(index) => self.flows.take(index).map(|arrived| (flow, arrived)),
            None => self.flows.take_icmp(),
        }
    }

    /// The next packet that could be meant; `None` when there is none and that is not fatal.
    fn next_packet(
        &mut self,
        packet: &Packet,
        flow: Option<usize>,
        schedule: &Schedule,
    ) -> Result<Option<(Option<usize>, Arrived)>, Stop> {
        let until = if schedule.any {
            schedule.until.max(self.now()) + self.any_time()
        } else {
            schedule.until + schedule.tolerance + GRACE
        };
        loop {
            self.collect()?;
            if let Some(taken) = self.take(flow) {
                return Ok(Some(taken));
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
        let Some(index) = flow else {
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
        let shown = flow.map(|index| {
            let flow = self.flows.get(index);
            flow.to_script(&arrived.live, Some(packet), packet.ports.is_some())
        });
        let actual = shown.as_ref().map_or_else(String::new, Packet::to_string);
        // Not the expected packet at another time, but another packet: what tells them apart matters more.
        let differences = shown.map(|shown| compare::packets(packet, &shown, &arrived.live.ip));
        let mut others: Vec<Difference> = differences.unwrap_or_default();
        others.retain(|other| ["seq", "ack"].contains(&other.field));
        if !others.is_empty() {
            others.push(difference);
            let stop = Stop::at(FailureKind::Packet, packet.span, self::message(&others));
            return Err(stop.with(packet.to_string(), actual, others));
        }
        let stop = Stop::at(FailureKind::Time, packet.span, message);
        Err(stop.with(packet.to_string(), actual, vec![difference]))
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
