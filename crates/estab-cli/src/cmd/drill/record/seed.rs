//! Simulations by their seeds.

use estab_packetdrill::record::{Called, Host, RecordError, Verb, from_records};
use estab_packetdrill::script::Script;
use estab_sim::swarm::{Plan, Run};
use estab_stack::Medium;
use estab_tcp::event::Call;
use estab_tcp::{FourTuple, Interest, Shutdown};
use estab_trace::{Record, TcpRecord};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// The host whose script it is.
const HOST: &str = "a";

/// Runs the simulation and makes a script of what host a recorded.
///
/// # Errors
/// Something happened that no script can say.
pub(super) fn record(seed: u64) -> Result<Script, RecordError> {
    let plan = Plan::draw(seed);
    if plan.link.medium != Medium::Ip {
        return Err(RecordError::new(
            "its link carries Ethernet, and a script cannot play how addresses are found there",
        ));
    }
    let address = if plan.v6 {
        IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, 1])
    } else {
        IpAddr::from([10, 0, 0, 1])
    };
    let host = Host {
        name: HOST.to_owned(),
        address,
        mtu: plan.link.mtu[0],
        settings: plan.settings[0].clone(),
    };
    let mut run = Run::new(plan.clone(), Interest::ALL);
    // What does not hold is the very thing that a script is wanted for.
    let _ = run.go();
    let records = run.collector().take();
    let calls = gathered(Calls::of(&plan, address, &records), &records);
    from_records(&host, &records, &calls)
}

/// An application makes several calls before anything is sent; those of a script are followed by what they cause at once. So writes are joined,
/// and one that ends with the stream says that more follows.
fn gathered(calls: Vec<Called>, records: &[Record]) -> Vec<Called> {
    let mut gathered: Vec<Called> = Vec::with_capacity(calls.len());
    for call in calls {
        let before = gathered
            .iter()
            .rposition(|before| before.socket == call.socket);
        let before = before.filter(|before| {
            let before = &gathered[*before];
            let between = records.get(before.after..call.after).unwrap_or_default();
            let sent = between
                .iter()
                .any(|record| *record.host == *HOST && record.sent().is_some());
            before.time == call.time && !sent
        });
        if let Some(before) = before.and_then(|before| gathered.get_mut(before))
            && let Verb::Send { len, more, .. } = &mut before.verb
        {
            match call.verb {
                Verb::Send { len: further, .. } => {
                    *len += further;
                    before.result = Ok(*len);
                    continue;
                }
                Verb::Shutdown(_) | Verb::Close => *more = true,
                _ => {}
            }
        }
        gathered.push(call);
    }
    gathered
}

/// The calls of the applications, as the connections reported them.
struct Calls {
    calls: Vec<Called>,
    sockets: usize,
    listeners: BTreeMap<SocketAddr, usize>,
    connections: BTreeMap<(SocketAddr, SocketAddr), usize>,
}

impl Calls {
    fn of(plan: &Plan, address: IpAddr, records: &[Record]) -> Vec<Called> {
        let mut calls = Self {
            calls: Vec::new(),
            sockets: 0,
            listeners: BTreeMap::new(),
            connections: BTreeMap::new(),
        };
        for (index, record) in records.iter().enumerate() {
            if let (HOST, Some((connection, TcpRecord::Call(call)))) = (&*record.host, record.tcp())
            {
                let ends = FourTuple {
                    local: SocketAddr::new(address, connection.local.port()),
                    ..*connection
                };
                calls.call(plan, index, record, ends, *call);
            }
        }
        calls.calls
    }

    fn push(
        &mut self,
        after: usize,
        record: &Record,
        socket: usize,
        verb: Verb,
        result: Result<usize, estab_stack::Error>,
    ) {
        self.calls.push(Called {
            time: record.time,
            after,
            socket,
            verb,
            result,
        });
    }

    fn socket(&mut self, after: usize, record: &Record) -> usize {
        let socket = self.sockets;
        self.sockets += 1;
        self.push(after, record, socket, Verb::Socket { udp: false }, Ok(0));
        socket
    }

    fn call(&mut self, plan: &Plan, after: usize, record: &Record, ends: FourTuple, call: Call) {
        let (local, remote) = (ends.local, ends.remote);
        let connection = self.connections.get(&(local, remote)).copied();
        match (call, connection) {
            (Call::Listen, _) => {
                let socket = self.socket(after, record);
                self.options(plan, after, record, socket, local.port(), true);
                self.push(after, record, socket, Verb::Bind(local.port()), Ok(0));
                self.push(after, record, socket, Verb::Listen(4), Ok(0));
                self.listeners.insert(local, socket);
            }
            (Call::Connect, _) => {
                let socket = self.socket(after, record);
                self.options(plan, after, record, socket, remote.port(), false);
                let result = Err(estab_stack::Error::InProgress);
                self.push(after, record, socket, Verb::Connect(remote), result);
                self.connections.insert((local, remote), socket);
            }
            (Call::Accept, _) => {
                let Some(listener) = self.listeners.get(&local).copied() else {
                    return;
                };
                let socket = self.sockets;
                self.sockets += 1;
                self.push(after, record, socket, Verb::Accept(listener), Ok(0));
                self.connections.insert((local, remote), socket);
            }
            (call, Some(socket)) => {
                let (verb, result) = match call {
                    Call::Send(len) => (
                        Verb::Send {
                            len,
                            urgent: false,
                            more: false,
                        },
                        len,
                    ),
                    Call::Receive(len) => (
                        Verb::Receive {
                            room: len,
                            urgent: false,
                        },
                        len,
                    ),
                    Call::ShutdownWrite => (Verb::Shutdown(Shutdown::Write), 0),
                    Call::ShutdownRead => (Verb::Shutdown(Shutdown::Read), 0),
                    Call::Close => (Verb::Close, 0),
                    Call::Abort => (Verb::Abort, 0),
                    Call::Listen | Call::Connect | Call::Accept => return,
                };
                self.push(after, record, socket, verb, Ok(result));
            }
            (_, None) => {}
        }
    }

    /// Those that the plan gives to the sockets of this port; a listener hands them on.
    fn options(
        &mut self,
        plan: &Plan,
        after: usize,
        record: &Record,
        socket: usize,
        port: u16,
        listens: bool,
    ) {
        let index = usize::from(port.saturating_sub(1000));
        let Some(connection) = plan.connections.get(index) else {
            return;
        };
        let config = if listens {
            &connection.server
        } else {
            &connection.client
        };
        for option in &config.options {
            self.push(after, record, socket, Verb::Option(option.clone()), Ok(0));
        }
    }
}
