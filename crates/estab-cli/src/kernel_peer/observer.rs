//! Host `b`'s side of the story: what the kernel sends and receives, as the records that an estab host would give.

use super::tracker::Tracker;
use estab_sim::{End, Seen, Transport};
use estab_tcp::event::{Call, DropReason};
use estab_tcp::{Cause, ConnectionError, FourTuple, Header, Instant, State};
use estab_trace::{Collector, HostRecord, Record, Segment, TcpRecord};
use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How long the kernel keeps a connection in TIME-WAIT (`TCP_TIMEWAIT_LEN`).
const TIME_WAIT: Duration = Duration::from_secs(60);

/// Follows the kernel's connections and records what they do.
#[derive(Debug)]
pub(crate) struct Observer {
    collector: Collector,
    host: Arc<str>,
    address: IpAddr,
    connections: HashMap<FourTuple, Tracker>,
    listeners: BTreeSet<u16>,
    /// When connections that nobody holds will be forgotten.
    ends: Vec<(Instant, FourTuple)>,
    fin_timeout: Duration,
}

impl Observer {
    pub(crate) fn new(collector: &Collector, address: IpAddr, fin_timeout: Duration) -> Self {
        Self {
            collector: collector.clone(),
            host: End::B.name().into(),
            address,
            connections: HashMap::new(),
            listeners: BTreeSet::new(),
            ends: Vec::new(),
            fin_timeout,
        }
    }

    /// The kernel sends a packet.
    pub(crate) fn sends(&mut self, now: Instant, seen: &Seen) {
        match &seen.transport {
            Transport::Tcp { header, len } => {
                let tuple = FourTuple {
                    local: SocketAddr::new(seen.src, header.src_port),
                    remote: SocketAddr::new(seen.dst, header.dst_port),
                };
                self.tracker(tuple).sends(header, *len);
                // What made the kernel send came before what it sends.
                self.report_changes(now, tuple);
                let segment = self.segment(tuple, header, *len);
                self.tell(now, tuple, TcpRecord::SegmentOut(segment));
                self.forget_closed(tuple);
            }
            other => self.datagram(now, true, seen, other),
        }
    }

    /// The kernel receives a packet.
    pub(crate) fn receives(&mut self, now: Instant, seen: &Seen) {
        match &seen.transport {
            Transport::Tcp { header, len } => {
                let tuple = FourTuple {
                    local: SocketAddr::new(seen.dst, header.dst_port),
                    remote: SocketAddr::new(seen.src, header.src_port),
                };
                let segment = self.segment(tuple, header, *len);
                let to_nobody = segment.state == State::Closed;
                self.tell(now, tuple, TcpRecord::SegmentIn(segment));
                if to_nobody {
                    let (reason, header) = (DropReason::NoSocket, header.clone());
                    self.tell(
                        now,
                        tuple,
                        TcpRecord::Drop {
                            reason,
                            header,
                            len: *len,
                        },
                    );
                }
                self.tracker(tuple).receives(header, *len);
                self.report_changes(now, tuple);
                self.forget_closed(tuple);
            }
            other => self.datagram(now, false, seen, other),
        }
    }

    /// A program on the kernel's side calls.
    pub(crate) fn call(&mut self, now: Instant, tuple: FourTuple, call: Call) {
        self.tell(now, tuple, TcpRecord::Call(call));
    }

    /// A call tells the program that its connection failed.
    pub(crate) fn error(&mut self, now: Instant, tuple: FourTuple, error: ConnectionError) {
        self.tell(now, tuple, TcpRecord::Error(error));
    }

    /// Somebody listens on a port, or no more.
    pub(crate) fn listen(&mut self, now: Instant, local: SocketAddr, on: bool) {
        let tuple = listener(local);
        let (from, to, cause) = if on {
            self.listeners.insert(local.port());
            self.call(now, tuple, Call::Listen);
            (State::Closed, State::Listen, Cause::PassiveOpen)
        } else {
            self.listeners.remove(&local.port());
            (State::Listen, State::Closed, Cause::Close)
        };
        self.tell(now, tuple, TcpRecord::State { from, to, cause });
    }

    /// The state of a connection, as its segments tell it.
    pub(crate) fn state(&self, tuple: FourTuple) -> State {
        self.connections
            .get(&tuple)
            .map_or(State::Closed, Tracker::state)
    }

    /// The kernel says that its socket is in this state. What no segment has shown yet is made up for: the program closed
    /// and the FIN waits behind data, or the kernel gave up.
    pub(crate) fn learn(&mut self, now: Instant, tuple: FourTuple, state: State) {
        let tracker = self.tracker(tuple);
        let known = tracker.state();
        match (known, state) {
            (State::Established, State::FinWait1) | (State::CloseWait, State::LastAck) => {
                tracker.enter(Cause::Close);
            }
            // A socket in TIME-WAIT says that it is closed.
            (State::TimeWait | State::Closed | State::Listen, State::Closed) => {}
            (_, State::Closed) => tracker.enter(Cause::Timeout),
            _ => {}
        }
        self.report_changes(now, tuple);
    }

    /// All connections are forgotten, without a word.
    pub(crate) fn reboot(&mut self) {
        self.connections.clear();
        self.listeners.clear();
        self.ends.clear();
    }

    /// When the kernel forgets something next.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.ends.iter().map(|(at, _)| *at).min()
    }

    /// Lets the kernel forget what it has forgotten by now.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some(index) = self.ends.iter().position(|(at, _)| *at <= now) {
            let (_, tuple) = self.ends.swap_remove(index);
            self.tracker(tuple).enter(Cause::TimeWaitOver);
            self.report_changes(now, tuple);
            self.connections.remove(&tuple);
        }
    }

    /// The socket of a connection was closed: in FIN-WAIT-2 the kernel now waits for so long.
    pub(crate) fn orphaned(&mut self, now: Instant, tuple: FourTuple) {
        if self.state(tuple) == State::FinWait2 {
            self.ends.push((now + self.fin_timeout, tuple));
        }
    }

    fn tracker(&mut self, tuple: FourTuple) -> &mut Tracker {
        let listens = self.listeners.contains(&tuple.local.port());
        let state = if listens {
            State::Listen
        } else {
            State::Closed
        };
        self.connections
            .entry(tuple)
            .or_insert_with(|| Tracker::new(state))
    }

    /// A connection that is no more is as if it had never been.
    fn forget_closed(&mut self, tuple: FourTuple) {
        if matches!(self.state(tuple), State::Closed | State::Listen) {
            self.connections.remove(&tuple);
        }
    }

    fn report_changes(&mut self, now: Instant, tuple: FourTuple) {
        for change in self.tracker(tuple).take_changes() {
            self.ends.retain(|(_, other)| *other != tuple);
            if change.to == State::TimeWait {
                self.ends.push((now + TIME_WAIT, tuple));
            }
            let (from, to, cause) = (change.from, change.to, change.cause);
            self.tell(now, tuple, TcpRecord::State { from, to, cause });
        }
    }

    fn segment(&mut self, tuple: FourTuple, header: &Header, len: usize) -> Segment {
        let tracker = self.tracker(tuple);
        Segment {
            header: header.clone(),
            len,
            state: tracker.state(),
            variables: tracker.variables(),
        }
    }

    fn tell(&self, time: Instant, connection: FourTuple, event: TcpRecord) {
        self.record(time, HostRecord::Tcp { connection, event });
    }

    /// Records something else that concerns the host.
    pub(crate) fn record(&self, time: Instant, event: HostRecord) {
        self.collector.push(Record {
            time,
            host: Arc::clone(&self.host),
            event,
        });
    }

    fn datagram(&self, now: Instant, sent: bool, seen: &Seen, transport: &Transport) {
        let remote = if sent { seen.dst } else { seen.src };
        match *transport {
            Transport::Udp {
                src_port,
                dst_port,
                len,
            } => {
                let (own, other) = if sent {
                    (src_port, dst_port)
                } else {
                    (dst_port, src_port)
                };
                let local = SocketAddr::new(self.address, own);
                let remote = SocketAddr::new(remote, other);
                self.record(
                    now,
                    HostRecord::Udp {
                        sent,
                        local,
                        remote,
                        len,
                    },
                );
            }
            Transport::Icmp { kind, code } => {
                self.record(
                    now,
                    HostRecord::Icmp {
                        sent,
                        remote,
                        kind,
                        code,
                    },
                );
            }
            Transport::Tcp { .. } | Transport::Other => {}
        }
    }
}

/// A listener as a connection: its remote end is unspecified.
fn listener(local: SocketAddr) -> FourTuple {
    let nobody: IpAddr = match local {
        SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    FourTuple {
        local,
        remote: SocketAddr::new(nobody, 0),
    }
}
