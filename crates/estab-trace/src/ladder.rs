//! The ladder of two hosts: time runs down, a segment is an arrow from one rail to the other, and beside each stand the
//! states of both ends.
//!
//! - An arrow that arrives before anything else happens is one line; its time is that of sending, and the receiver's
//!   state is the one after it.
//! - Otherwise sending and arriving are two lines, the arrow slants out of one (`\`, `/`) and into the other.
//! - `X`: it never arrived.
//! - Numbers are relative as tcpdump's; `seq:end(len)`; windows are in bytes.
//! - Calls, timers, drops and errors stand beside the rail of the host where they happen.

mod draw;
mod live;

pub use live::LiveLadder;

use crate::{Environment, HostRecord, Record, Relative, Segment, TcpRecord, describe};
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use draw::{Arrow, Row, Shape};
use estab_tcp::event::{Call, RetransmitReason};
use estab_tcp::{FourTuple, Instant, State};
use std::collections::{BTreeMap, VecDeque};

/// One of the two rails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Left,
    Right,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// Draws a trace of two hosts. Records of other hosts are left out.
///
/// ```
/// use estab_trace::{Collector, ladder};
/// let collector = Collector::new();
/// // ... give `collector.sink("a")` and `collector.sink("b")` to two stacks, and run them ...
/// print!("{}", ladder(&collector.records(), "a", "b"));
/// ```
pub fn ladder(records: &[Record], left: &str, right: &str) -> String {
    let mut ladder = Ladder::new(records, left, right);
    let mut out = ladder.legend();
    out.push_str(&draw::heading(left, right));
    let fine = records
        .iter()
        .any(|record| !(record.time.as_nanos() / 1000).is_multiple_of(1000));
    for row in ladder.rows() {
        out.push_str(&row.draw(fine));
        out.push('\n');
    }
    out
}

/// A connection seen from either end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pair(SocketAddr, SocketAddr);

impl From<&FourTuple> for Pair {
    fn from(tuple: &FourTuple) -> Self {
        let (a, b) = (tuple.local, tuple.remote);
        if a < b { Self(a, b) } else { Self(b, a) }
    }
}

/// What is known beforehand of one record.
#[derive(Clone, Default)]
struct Plan {
    /// The states that it led to, in order, with the connection they belong to.
    led_to: Vec<State>,
    /// Sent here, and arrives with this record.
    arrives: Option<usize>,
    /// Arrived here, and was sent with this record.
    departed: Option<usize>,
    /// It is told by another record's row.
    told: bool,
    /// Why the segment is sent again.
    again: Option<RetransmitReason>,
}

struct Ladder<'a> {
    records: Vec<(Side, &'a Record)>,
    plans: Vec<Plan>,
    relative: Relative,
    /// Numbers of connections, by first appearance.
    numbers: BTreeMap<Pair, usize>,
    order: Vec<Pair>,
    states: BTreeMap<(Side, Pair), State>,
    listening: BTreeMap<(Side, u16), State>,
}

impl<'a> Ladder<'a> {
    fn new(records: &'a [Record], left: &str, right: &str) -> Self {
        let sided = records.iter().filter_map(|record| {
            let side = match record.host.as_ref() {
                host if host == left => Side::Left,
                host if host == right => Side::Right,
                _ => return None,
            };
            Some((side, record))
        });
        let records: Vec<_> = sided.collect();
        let mut ladder = Self {
            plans: vec![Plan::default(); records.len()],
            records,
            relative: Relative::new(),
            numbers: BTreeMap::new(),
            order: Vec::new(),
            states: BTreeMap::new(),
            listening: BTreeMap::new(),
        };
        ladder.number();
        ladder.attach();
        ladder.match_arrivals();
        ladder
    }

    /// Numbers the connections that have segments.
    fn number(&mut self) {
        for (_, record) in &self.records {
            if let Some((tuple, TcpRecord::SegmentIn(_) | TcpRecord::SegmentOut(_))) = record.tcp()
            {
                let pair = Pair::from(tuple);
                if !self.numbers.contains_key(&pair) {
                    self.order.push(pair);
                    self.numbers.insert(pair, self.order.len());
                }
            }
        }
    }

    /// Gives state changes to what triggered them, and reasons to the segments that are sent again.
    fn attach(&mut self) {
        let mut trigger: BTreeMap<Side, usize> = BTreeMap::new();
        let mut again: BTreeMap<(Side, Pair), (usize, RetransmitReason)> = BTreeMap::new();
        for index in 0..self.records.len() {
            let (side, record) = self.records[index];
            let Some((tuple, event)) = record.tcp() else {
                continue;
            };
            let pair = Pair::from(tuple);
            match event {
                TcpRecord::SegmentIn(_) | TcpRecord::Call(_) | TcpRecord::TimerFired { .. } => {
                    trigger.insert(side, index);
                }
                TcpRecord::State { to, .. } => {
                    let Some(&by) = trigger.get(&side) else {
                        continue;
                    };
                    let (_, cause) = self.records[by];
                    let same = cause.tcp().is_some_and(|(t, _)| Pair::from(t) == pair);
                    if cause.time == record.time && same {
                        self.plans[by].led_to.push(*to);
                        self.plans[index].told = true;
                    }
                }
                TcpRecord::Retransmit { reason, .. } => {
                    again.insert((side, pair), (index, *reason));
                }
                TcpRecord::SegmentOut(_) => {
                    if let Some((announced, reason)) = again.remove(&(side, pair)) {
                        self.plans[index].again = Some(reason);
                        self.plans[announced].told = true;
                    }
                }
                _ => {}
            }
        }
    }

    /// Finds which arrival belongs to which sending. Identical segments, such as retransmissions without timestamps, are
    /// told apart by time: none is faster than the fastest of all.
    fn match_arrivals(&mut self) {
        let fastest = self.pair_up(Duration::ZERO);
        for plan in &mut self.plans {
            (plan.arrives, plan.departed) = (None, None);
        }
        self.pair_up(fastest);
        self.join();
    }

    /// Pairs arrivals with sendings; the shortest time between two of a pair.
    fn pair_up(&mut self, fastest: Duration) -> Duration {
        let mut under_way: BTreeMap<(Side, String), VecDeque<usize>> = BTreeMap::new();
        let mut shortest = Duration::MAX;
        for index in 0..self.records.len() {
            let (side, record) = self.records[index];
            let Some((sent, key)) = identity(record) else {
                continue;
            };
            if sent {
                under_way.entry((side, key)).or_default().push_back(index);
                continue;
            }
            let Some(queue) = under_way.get_mut(&(side.other(), key)) else {
                continue;
            };
            let took = |sent: usize| record.time.since(self.records[sent].1.time);
            let latest = queue.iter().rposition(|sent| took(*sent) >= fastest);
            // Of several that were sent at that moment the first.
            let first = latest.and_then(|latest| {
                let time = took(queue[latest]);
                queue.iter().position(|sent| took(*sent) == time)
            });
            let at = if fastest.is_zero() {
                0
            } else {
                first.unwrap_or(0)
            };
            if let Some(sent) = queue.remove(at) {
                shortest = shortest.min(took(sent));
                self.plans[sent].arrives = Some(index);
                self.plans[index].departed = Some(sent);
            }
        }
        shortest
    }

    /// Joins sending and arriving into one row where nothing that has a row lies between.
    fn join(&mut self) {
        for sent in 0..self.records.len() {
            if let Some(arrives) = self.plans[sent].arrives
                && !(sent + 1..arrives).any(|between| self.has_row(between))
            {
                self.plans[arrives].told = true;
            }
        }
    }

    fn has_row(&self, index: usize) -> bool {
        if self.plans[index].told {
            return false;
        }
        !matches!(
            &self.records[index].1.event,
            HostRecord::PacketIn { .. }
                | HostRecord::PacketOut { .. }
                | HostRecord::Tcp {
                    event: TcpRecord::TimerArmed { .. } | TcpRecord::Congestion { .. },
                    ..
                }
        )
    }

    /// What the numbers stand for, when there is more than one connection.
    fn legend(&self) -> String {
        const SHOWN: usize = 8;
        if self.order.len() < 2 {
            return String::new();
        }
        let shown = self.order.iter().take(SHOWN).enumerate();
        let mut out: String = shown
            .map(|(n, pair)| format!("#{}: {} - {}\n", n + 1, pair.0, pair.1))
            .collect();
        if self.order.len() > SHOWN {
            out.push_str(&format!("... and {} more\n", self.order.len() - SHOWN));
        }
        out.push('\n');
        out
    }

    fn rows(&mut self) -> Vec<Row> {
        let mut rows = Vec::new();
        for index in 0..self.records.len() {
            self.observe(index);
            if self.has_row(index) {
                self.row(index, &mut rows);
            }
            self.remember(index);
        }
        rows
    }

    fn observe(&mut self, index: usize) {
        let (_, record) = self.records[index];
        if let Some((tuple, TcpRecord::SegmentOut(segment))) = record.tcp() {
            self.relative
                .observe(tuple.local, tuple.remote, &segment.header);
        } else if let Some((tuple, TcpRecord::SegmentIn(segment))) = record.tcp() {
            self.relative
                .observe(tuple.remote, tuple.local, &segment.header);
        }
    }

    /// States as they are after this record.
    fn remember(&mut self, index: usize) {
        let (side, record) = self.records[index];
        if matches!(record.event, HostRecord::Environment(Environment::Reboot)) {
            self.states.retain(|(of, _), _| *of != side);
            self.listening.retain(|(of, _), _| *of != side);
        }
        if let (Some(state), Some((tuple, _))) = (self.plans[index].led_to.last(), record.tcp()) {
            self.states.insert((side, Pair::from(tuple)), *state);
        }
        if let Some((tuple, TcpRecord::State { to, .. })) = record.tcp() {
            if tuple.remote.port() == 0 {
                self.listening.insert((side, tuple.local.port()), *to);
            } else {
                self.states.insert((side, Pair::from(tuple)), *to);
            }
        }
    }

    /// A host's state of a connection now; a listener stands in until there is one.
    fn state(&self, side: Side, tuple: &FourTuple, local: bool) -> Option<State> {
        if let Some(state) = self.states.get(&(side, Pair::from(tuple))) {
            return Some(*state);
        }
        let port = if local {
            tuple.local.port()
        } else {
            tuple.remote.port()
        };
        let listening = self.listening.get(&(side, port)).copied();
        listening.filter(|state| *state != State::Closed)
    }

    fn row(&self, index: usize, rows: &mut Vec<Row>) {
        let (side, record) = self.records[index];
        let mut row = Row::new(record.time);
        match &record.event {
            HostRecord::Tcp { connection, event } => {
                row.set_state(side, self.state(side, connection, true));
                if connection.local.ip() != connection.remote.ip() {
                    row.set_state(side.other(), self.state(side.other(), connection, false));
                }
                if let Some(state) = self.plans[index].led_to.last() {
                    row.set_state(side, Some(*state));
                }
                let to_itself = connection.local.ip() == connection.remote.ip();
                match event {
                    TcpRecord::SegmentOut(segment) | TcpRecord::SegmentIn(segment) if to_itself => {
                        let way = if record.sent().is_some() {
                            "to itself:"
                        } else {
                            "from itself:"
                        };
                        let (from, to) = (connection.local, connection.remote);
                        let text = label(&self.relative, from, to, segment, true);
                        row.note(side, self.named(connection, format!("{way} {text}")));
                    }
                    TcpRecord::SegmentOut(segment) => {
                        self.departure(index, connection, segment, &mut row);
                    }
                    TcpRecord::SegmentIn(segment) => {
                        self.arrival(index, connection, segment, &mut row);
                    }
                    _ => {
                        let text = note(event, connection, &self.relative);
                        row.note(side, self.named(connection, text));
                        if let TcpRecord::State { to, .. } = event {
                            row.set_state(side, Some(*to));
                        }
                    }
                }
            }
            HostRecord::Environment(what) => row.note(side, format!("*** {} ***", what.name())),
            HostRecord::Drop { reason } => {
                let (name, clause) = reason.describe();
                row.note(side, format!("drop: {name} ({clause})"));
            }
            HostRecord::Udp { .. } | HostRecord::Icmp { .. } => self.datagram(index, &mut row),
            HostRecord::PacketIn { .. } | HostRecord::PacketOut { .. } => return,
        }
        rows.push(row);
        self.passed(index, rows);
    }

    fn departure(&self, index: usize, tuple: &FourTuple, segment: &Segment, row: &mut Row) {
        let (side, _) = self.records[index];
        let plan = &self.plans[index];
        row.set_state(side, Some(segment.state));
        let mut text = label(&self.relative, tuple.local, tuple.remote, segment, true);
        if let Some(reason) = plan.again {
            // Options were shown with the first copy.
            let brief = text.split(" <").next().unwrap_or_default();
            text = format!("{brief} [again: {}]", describe::retransmit(reason));
        }
        let shape = match plan.arrives {
            None => Shape::Lost,
            Some(arrives) if self.plans[arrives].told => {
                if let Some(state) = self.plans[arrives].led_to.last() {
                    row.set_state(side.other(), Some(*state));
                }
                Shape::Whole
            }
            Some(_) => Shape::Departs,
        };
        row.arrow(side, shape, self.named(tuple, text));
    }

    fn arrival(&self, index: usize, tuple: &FourTuple, segment: &Segment, row: &mut Row) {
        let (side, _) = self.records[index];
        let slanted = self.plans[index].departed.is_some();
        let text = label(&self.relative, tuple.remote, tuple.local, segment, !slanted);
        let shape = if slanted {
            Shape::Arrives
        } else {
            Shape::Unsent
        };
        row.arrow(side.other(), shape, self.named(tuple, text));
    }

    fn datagram(&self, index: usize, row: &mut Row) {
        let (side, record) = self.records[index];
        let Some((sent, text)) = datagram(&record.event) else {
            return;
        };
        let plan = &self.plans[index];
        let shape = match (sent, plan.arrives, plan.departed) {
            (true, None, _) => Shape::Lost,
            (true, Some(arrives), _) if self.plans[arrives].told => Shape::Whole,
            (true, Some(_), _) => Shape::Departs,
            (false, _, Some(_)) => Shape::Arrives,
            (false, _, None) => Shape::Unsent,
        };
        row.arrow(if sent { side } else { side.other() }, shape, text);
    }

    /// A segment may take a connection through several states at once: says so in a row of its own.
    fn passed(&self, index: usize, rows: &mut Vec<Row>) {
        let told = self.plans[index]
            .arrives
            .filter(|arrives| self.plans[*arrives].told);
        for at in [Some(index), told].into_iter().flatten() {
            let plan = &self.plans[at];
            let (side, record) = self.records[at];
            if plan.led_to.len() < 2 {
                continue;
            }
            let names: Vec<_> = plan.led_to.iter().map(|state| state.name()).collect();
            let mut row = Row::new(record.time);
            row.note(side, format!("through {}", names.join(", ")));
            rows.push(row);
        }
    }

    fn named(&self, tuple: &FourTuple, text: String) -> String {
        match self.numbers.get(&Pair::from(tuple)) {
            Some(number) if self.order.len() > 1 => format!("#{number} {text}"),
            _ => text,
        }
    }
}

/// Whether something was sent or arrived, and what an arrival must have in common with its sending.
fn identity(record: &Record) -> Option<(bool, String)> {
    match &record.event {
        HostRecord::Tcp { connection, event } => {
            let (sent, segment) = match event {
                TcpRecord::SegmentOut(segment) => (true, segment),
                TcpRecord::SegmentIn(segment) => (false, segment),
                _ => return None,
            };
            let pair = Pair::from(connection);
            Some((
                sent,
                format!("{pair:?} {:?} {}", segment.header, segment.len),
            ))
        }
        HostRecord::Udp {
            sent,
            local,
            remote,
            len,
        } => {
            let (from, to) = describe::ends(*sent, *local, *remote);
            Some((*sent, format!("{from} {to} {len}")))
        }
        HostRecord::Icmp {
            sent, kind, code, ..
        } => Some((*sent, format!("icmp {kind} {code}"))),
        _ => None,
    }
}

/// Was it sent, and the label of a datagram or an ICMP message.
fn datagram(event: &HostRecord) -> Option<(bool, String)> {
    match event {
        HostRecord::Udp {
            sent,
            local,
            remote,
            len,
        } => {
            let (from, to) = describe::ends(*sent, *local, *remote);
            let text = format!("UDP {} > {} length {len}", from.port(), to.port());
            Some((*sent, text))
        }
        HostRecord::Icmp {
            sent,
            remote,
            kind,
            code,
        } => Some((
            *sent,
            format!("ICMP {}", describe::icmp(*remote, *kind, *code)),
        )),
        _ => None,
    }
}

/// A segment's label: with window and options, or short.
fn label(
    relative: &Relative,
    from: SocketAddr,
    to: SocketAddr,
    segment: &Segment,
    full: bool,
) -> String {
    let header = &segment.header;
    let seq = relative.seq(from, to, header.seq);
    let mut text = format!("{} {seq}", header.flags);
    if segment.len > 0 {
        let len = u32::try_from(segment.len).unwrap_or(u32::MAX);
        text.push_str(&format!(":{}({len})", seq.wrapping_add(len)));
    }
    if header.flags.ack() {
        text.push_str(&format!(" ack {}", relative.ack(from, to, header.ack)));
    }
    if full && !header.flags.rst() {
        text.push_str(&format!(" win {}", relative.window_bytes(from, to, header)));
    }
    if header.flags.urg() {
        text.push_str(&format!(" urg {}", header.urgent));
    }
    let options = describe::options(header, |seq| relative.ack(from, to, seq));
    // The values of timestamps are noise here; that they are there is told in SYNs.
    let options = options.iter().filter_map(|option| match option.as_str() {
        ts if ts.starts_with("TS ") => header.flags.syn().then_some("TS"),
        other => Some(other),
    });
    let options: Vec<_> = options.collect();
    if full && !options.is_empty() {
        text.push_str(&format!(" <{}>", options.join(",")));
    }
    text
}

/// What is written beside the rail.
fn note(event: &TcpRecord, tuple: &FourTuple, relative: &Relative) -> String {
    match event {
        TcpRecord::State { from, to, cause } => format!("{from} > {to}: {cause}"),
        TcpRecord::Drop { reason, .. } => {
            let (name, clause) = reason.describe();
            if clause.is_empty() {
                format!("drop: {name}")
            } else {
                format!("drop: {name} ({clause})")
            }
        }
        TcpRecord::TimerFired { timer } => format!("{} timer", timer.name()),
        TcpRecord::Retransmit { seq, reason, .. } => {
            let seq = relative.seq(tuple.local, tuple.remote, *seq);
            format!("again from {seq}: {}", describe::retransmit(*reason))
        }
        TcpRecord::Recovery { phase } => format!("loss recovery: {}", describe::phase(*phase)),
        TcpRecord::Call(Call::Connect) => format!("connect({})", tuple.remote),
        TcpRecord::Call(Call::Listen) => format!("listen({})", tuple.local.port()),
        TcpRecord::Call(call) => describe::call(*call),
        TcpRecord::Error(error) => format!("error: {} ({error})", describe::errno(*error)),
        TcpRecord::SegmentIn(_)
        | TcpRecord::SegmentOut(_)
        | TcpRecord::TimerArmed { .. }
        | TcpRecord::Congestion { .. } => String::new(),
    }
}

impl Row {
    fn new(time: Instant) -> Self {
        Self {
            time,
            states: [None; 2],
            arrow: None,
            note: None,
        }
    }

    fn set_state(&mut self, side: Side, state: Option<State>) {
        self.states[side as usize] = state;
    }

    fn arrow(&mut self, from: Side, shape: Shape, label: String) {
        self.arrow = Some(Arrow { from, shape, label });
    }

    fn note(&mut self, side: Side, text: String) {
        self.note = Some((side, text));
    }
}

/// Used by the live ladder, whose peer is only an address.
fn peer_of(event: &HostRecord) -> Option<IpAddr> {
    match event {
        HostRecord::Tcp { connection, .. } => Some(connection.remote.ip()),
        HostRecord::Udp { remote, .. } => Some(remote.ip()),
        HostRecord::Icmp { remote, .. } => Some(*remote),
        _ => None,
    }
}
