//! Every edge of the state table is taken: by the lab, by simulations drawn from seeds, and, for the ways out that those do
//! not take, by going into each state and leaving it in each way.

use core::net::IpAddr;
use core::time::Duration;
use estab_sim::checkers::Coverage;
use estab_sim::stage::{Expectations, Problem, Setup, Simulated, Socket, Stage};
use estab_sim::{End, Filter, Rule, craft, lab, swarm};
use estab_stack::SocketOption;
use estab_tcp::{Cause, Flags, Header, Settings, Shutdown, State};
use estab_trace::{Collector, Record, TcpRecord, ladder};
use estab_wire::tcp::{Options, UnscaledWindow};

const SECOND: Duration = Duration::from_secs(1);

/// Brings a socket of host a into a state, and keeps it there.
fn enter(stage: &mut Stage<'_>, state: State) -> Result<Socket, Problem> {
    match state {
        State::SynSent => {
            stage.lab.cut(true);
            let a = stage.lab.tcp_socket(End::A)?;
            stage.lab.set_option(a, SocketOption::SynRetries(1))?;
            let to = stage.at(End::B, 80);
            stage.lab.connect(a, to, None)?;
            return Ok(a);
        }
        State::SynReceived => {
            let a = stage.lab.tcp_socket(End::A)?;
            let b = stage.lab.tcp_socket(End::B)?;
            stage.lab.bind(a, 7777)?;
            stage.lab.bind(b, 8888)?;
            stage.lab.set_option(a, SocketOption::SynRetries(1))?;
            // Host b's SYN arrives, and nothing after it.
            stage
                .lab
                .add_rule(Rule::drop_first(End::B, Filter::any()).nth(1).always());
            let (at_a, at_b) = (stage.at(End::A, 7777), stage.at(End::B, 8888));
            stage.lab.connect(a, at_b, None)?;
            stage.lab.connect(b, at_a, None)?;
            stage.wait(Duration::from_millis(100));
            return Ok(a);
        }
        _ => {}
    }
    let options = [
        SocketOption::Keepalive(true),
        SocketOption::KeepaliveIdle(5 * SECOND),
        SocketOption::KeepaliveInterval(SECOND),
        SocketOption::KeepaliveCount(2),
        SocketOption::UserTimeout(5 * SECOND),
    ];
    let (a, b) = stage.open_with(80, &options, &[])?;
    stage.wait(Duration::from_millis(300));
    match state {
        State::Established => {}
        State::FinWait1 => {
            stage.lab.cut(true);
            stage.shutdown_write(a)?;
        }
        State::FinWait2 => stage.shutdown_write(a)?,
        State::CloseWait => stage.shutdown_write(b)?,
        State::LastAck => {
            stage.shutdown_write(b)?;
            stage.wait(Duration::from_millis(300));
            stage.lab.cut(true);
            stage.shutdown_write(a)?;
        }
        State::Closing => {
            // The FINs cross; b's arrives, its ACK of a's never does.
            stage
                .lab
                .add_rule(Rule::drop_first(End::B, Filter::any()).nth(1).always());
            stage.shutdown_write(a)?;
            stage.shutdown_write(b)?;
        }
        State::TimeWait => {
            stage.shutdown_write(a)?;
            stage.shutdown_write(b)?;
        }
        _ => return Err(Problem(format!("nobody knows the way to {state}"))),
    }
    stage.wait(Duration::from_millis(300));
    Ok(a)
}

/// The last segment that a sent, and the ends of its connection.
fn last_sent(stage: &mut Stage<'_>) -> Result<Record, Problem> {
    let records = stage.simulated()?.records();
    let mut sent = records.into_iter().rev();
    let last = sent.find(|record| &*record.host == "a" && record.sent().is_some());
    last.ok_or_else(|| Problem("a sent nothing".into()))
}

/// A RST that b might have sent.
fn inject_reset(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let last = last_sent(stage)?;
    let (Some((tuple, _)), Some(sent)) = (last.tcp(), last.sent()) else {
        return Err(Problem("a sent nothing".into()));
    };
    let acknowledged = sent.header.flags.ack();
    let header = Header {
        src_port: tuple.remote.port(),
        dst_port: tuple.local.port(),
        seq: sent.header.ack,
        ack: sent.header.seq + 1,
        flags: if acknowledged {
            Flags::RST
        } else {
            Flags::RST | Flags::ACK
        },
        window: UnscaledWindow(0),
        urgent: 0,
        options: Options::NONE,
    };
    let packet = craft::segment(tuple.remote.ip(), tuple.local.ip(), &header, &[]);
    stage.simulated()?.inject(End::A, packet);
    Ok(())
}

/// What a router might say of the last segment: protocol unreachable, which is hard.
fn inject_icmp(stage: &mut Stage<'_>) -> Result<(), Problem> {
    let last = last_sent(stage)?;
    let (Some((tuple, _)), Some(sent)) = (last.tcp(), last.sent()) else {
        return Err(Problem("a sent nothing".into()));
    };
    let quoted = craft::segment(tuple.local.ip(), tuple.remote.ip(), &sent.header, &[]);
    let IpAddr::V4(router) = tuple.remote.ip() else {
        return Err(Problem("not IPv4".into()));
    };
    stage
        .simulated()?
        .inject(End::A, craft::unreachable(router, 2, &quoted));
    Ok(())
}

/// Leaves the state in this way.
fn leave(stage: &mut Stage<'_>, a: Socket, cause: Cause) -> Result<(), Problem> {
    match cause {
        Cause::ReceiveRst => inject_reset(stage)?,
        Cause::ReceiveIcmp => inject_icmp(stage)?,
        Cause::Abort => stage.lab.abort(a)?,
        Cause::Evicted => stage.close(a)?,
        Cause::Close => match stage.lab.state(a) {
            State::SynSent => stage.close(a)?,
            _ => stage.lab.shutdown(a, Shutdown::Write)?,
        },
        Cause::Timeout => {
            stage.lab.cut(true);
            if stage.lab.state(a).can_send() {
                stage.send(a, b"anybody?")?;
            }
        }
        _ => return Err(Problem(format!("nobody knows how to cause {cause}"))),
    }
    stage.wait(60 * SECOND);
    Ok(())
}

/// Goes into a state, leaves it so, and gives the records.
fn take(state: State, cause: Cause) -> Vec<Record> {
    let collector = Collector::new();
    let mut setup = Setup::default();
    for settings in &mut setup.settings {
        settings.tcp_rfc1337 = false;
        settings.tcp_synack_retries = 1;
        settings.tcp_time_wait = 300 * SECOND;
        if cause == Cause::Evicted {
            settings.tcp_max_orphans = 0;
        }
    }
    let mut simulated = Simulated::new(1, setup, &collector, None);
    let mut expect = Expectations::new();
    let mut stage = Stage {
        lab: &mut simulated,
        expect: &mut expect,
    };
    let entered = enter(&mut stage, state);
    let result = entered.and_then(|a| {
        let found = stage.lab.state(a);
        // A TIME-WAIT belongs to no socket's connection any more, or to one that says so.
        if found != state && state != State::TimeWait {
            return Err(Problem(format!("in {found} instead of {state}")));
        }
        leave(&mut stage, a, cause)
    });
    let records = collector.take();
    let drawn = || ladder(&records, "a", "b");
    assert_eq!(result, Ok(()), "{state} by {cause}\n{}", drawn());
    let mut seen = Coverage::new();
    seen.add(&records).expect("changes that the table has");
    assert!(
        seen.has(state, cause),
        "{state} was not left by {cause}\n{}",
        drawn()
    );
    records
}

const OPEN: [State; 7] = [
    State::Established,
    State::FinWait1,
    State::FinWait2,
    State::CloseWait,
    State::Closing,
    State::LastAck,
    State::SynReceived,
];

#[test]
fn each_state_is_left_by_a_reset() {
    for state in OPEN.into_iter().chain([State::SynSent, State::TimeWait]) {
        take(state, Cause::ReceiveRst);
    }
}

#[test]
fn each_state_is_left_by_an_abort() {
    for state in OPEN.into_iter().chain([State::SynSent]) {
        take(state, Cause::Abort);
    }
}

#[test]
fn each_state_is_left_by_a_timeout() {
    for state in OPEN.into_iter().chain([State::SynSent]) {
        take(state, Cause::Timeout);
    }
}

#[test]
fn opening_states_are_left_by_a_hard_icmp_error() {
    for state in [State::SynSent, State::SynReceived] {
        take(state, Cause::ReceiveIcmp);
    }
}

#[test]
fn a_connecting_socket_is_closed_without_a_word() {
    let records = take(State::SynSent, Cause::Close);
    let sent = records.iter().filter_map(Record::sent);
    assert!(sent.into_iter().all(|sent| sent.header.flags == Flags::SYN));
}

/// RFC 9293 3.10.4: CLOSE in SYN-RECEIVED is queued until ESTABLISHED; the SYN-ACK is still resent meanwhile.
#[test]
fn closing_in_syn_received_waits_for_the_ack_of_the_syn() {
    let collector = Collector::new();
    let mut simulated = Simulated::new(1, Setup::default(), &collector, None);
    let mut expect = Expectations::new();
    let mut stage = Stage {
        lab: &mut simulated,
        expect: &mut expect,
    };
    let a = stage.lab.tcp_socket(End::A).expect("a socket");
    let b = stage.lab.tcp_socket(End::B).expect("a socket");
    stage.lab.bind(a, 7777).expect("a free port");
    stage.lab.bind(b, 8888).expect("a free port");
    // Of what b sends its SYN passes, and its SYN-ACK is lost once.
    stage
        .lab
        .add_rule(Rule::drop_first(End::B, Filter::syn_ack()));
    let (at_a, at_b) = (stage.at(End::A, 7777), stage.at(End::B, 8888));
    stage.lab.connect(a, at_b, None).expect("a way");
    stage.lab.connect(b, at_a, None).expect("a way");
    stage.wait(Duration::from_millis(100));
    assert_eq!(stage.lab.state(a), State::SynReceived);
    stage.close(a).expect("closed");
    stage.wait(2 * SECOND);
    stage.close(b).expect("closed");
    stage.wait(2 * SECOND);
    let records = collector.take();
    let states: Vec<_> = lab_states(&records, "a");
    let drawn = || ladder(&records, "a", "b");
    let wanted = [
        State::SynSent,
        State::SynReceived,
        State::Established,
        State::FinWait1,
        State::FinWait2,
        State::TimeWait,
    ];
    assert_eq!(states, wanted, "{}", drawn());
}

fn lab_states(records: &[Record], host: &str) -> Vec<State> {
    let own = records.iter().filter(|record| &*record.host == host);
    let entered = own.filter_map(|record| match record.tcp()? {
        (_, TcpRecord::State { to, .. }) => Some(*to),
        _ => None,
    });
    entered.collect()
}

/// Where an orphan is one too many: it is reset at once.
const ORPHANED: [State; 4] = [
    State::FinWait1,
    State::FinWait2,
    State::Closing,
    State::LastAck,
];

#[test]
fn an_orphan_beyond_the_limit_is_reset() {
    for state in ORPHANED {
        let records = take(state, Cause::Evicted);
        let resets = records.iter().filter_map(Record::sent);
        let resets = resets.filter(|sent| sent.header.flags.rst()).count();
        assert_eq!(resets, 1, "{state}");
    }
}

/// What a limit makes of a connection that goes through all states: the records.
fn limited(limit: impl Fn(&mut Settings)) -> Vec<Record> {
    let collector = Collector::new();
    let mut setup = Setup::default();
    setup.settings.iter_mut().for_each(limit);
    let mut simulated = Simulated::new(1, setup, &collector, None);
    let mut expect = Expectations::new();
    let mut stage = Stage {
        lab: &mut simulated,
        expect: &mut expect,
    };
    let listener = stage.listen_with(End::B, 80, 2, &[]).expect("a listener");
    // The listener's queues take three that are open, and two that are half-open.
    let mut clients = Vec::new();
    for _ in 0..2 {
        for _ in 0..2 {
            clients.push(stage.connect(End::A, 80).expect("a way"));
        }
        stage.wait(SECOND);
    }
    let server = stage.accept(listener).expect("a connection");
    stage.close(clients[0]).expect("closed");
    stage.wait(SECOND);
    stage.close(server).expect("closed");
    stage.wait(10 * SECOND);
    collector.take()
}

fn evictions() -> Vec<Record> {
    let mut records = limited(|settings| settings.tcp_max_tw_buckets = 0);
    records.extend(limited(|settings| settings.tcp_abort_on_overflow = true));
    records
}

#[test]
fn records_beyond_their_limits_are_evicted() {
    let mut seen = Coverage::new();
    seen.add(&evictions()).expect("changes that the table has");
    assert!(seen.has(State::TimeWait, Cause::Evicted));
    assert!(seen.has(State::SynReceived, Cause::Evicted));
}

/// The whole table, but for what is listed with its reason.
#[test]
fn every_edge_is_taken() {
    let mut seen = Coverage::new();
    let mut add = |records: &[Record]| seen.add(records).expect("changes that the table has");
    for scenario in lab::scenarios() {
        let report = lab::run(scenario.name, &lab::Options::default());
        add(&report.expect("a scenario").events);
    }
    for seed in 0..30 {
        let run = swarm::Run::check(seed);
        add(&run.unwrap_or_else(|violation| panic!("seed {seed}: {violation}")));
    }
    let causes = [Cause::ReceiveRst, Cause::Abort, Cause::Timeout];
    for (state, cause) in OPEN
        .into_iter()
        .flat_map(|state| causes.map(|cause| (state, cause)))
    {
        add(&take(state, cause));
    }
    for state in ORPHANED {
        add(&take(state, Cause::Evicted));
    }
    add(&evictions());
    for (state, cause) in [
        (State::SynSent, Cause::ReceiveRst),
        (State::SynSent, Cause::Abort),
        (State::SynSent, Cause::Timeout),
        (State::SynSent, Cause::Close),
        (State::SynSent, Cause::ReceiveIcmp),
        (State::SynReceived, Cause::ReceiveIcmp),
        (State::TimeWait, Cause::ReceiveRst),
    ] {
        add(&take(state, cause));
    }
    let missing = seen.missing();
    let missing: Vec<_> = missing.iter().map(|edge| (edge.from, edge.cause)).collect();
    assert_eq!(
        missing,
        [
            // Evicted are orphans and small records; these belong to a socket.
            (State::SynSent, Cause::Evicted),
            // Queued until ESTABLISHED.
            (State::SynReceived, Cause::Close),
            // A FIN comes with the ACK of our SYN, which leads on to ESTABLISHED first.
            (State::SynReceived, Cause::ReceiveFin),
            (State::Established, Cause::Evicted),
            (State::CloseWait, Cause::Evicted),
        ]
    );
}
