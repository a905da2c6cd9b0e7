//! What the driver and the sink are told.

mod support;
use estab_stack::*;
use estab_tcp::event::{Call, DropReason, Event};
use estab_tcp::{Cause, ConnectionError, Instant, Interest, State};
use std::sync::{Arc, Mutex};
use support::*;

#[test]
fn events_are_coalesced_per_socket() {
    let mut net = pair();
    let (_, client, server) = net.connected();
    net.events[B].clear();
    let [a, b] = &mut net.hosts;
    for _ in 0..100 {
        a.send(net.now, client, b"x", MessageFlags::default())
            .unwrap();
        while let Some((_, packet)) = a.poll_transmit(net.now) {
            let packet = packet.to_bytes().into();
            b.handle_packet(net.now, net.interfaces[B], packet);
        }
    }
    let events: Vec<_> = std::iter::from_fn(|| net.hosts[B].poll_event()).collect();
    assert_eq!(events, [StackEvent::Ready(server, Readiness::READABLE)]);
    // Read out, it can rise again.
    net.receive(B, server).unwrap();
    net.send(A, client, b"y").unwrap();
    net.settle();
    assert_eq!(
        net.events[B],
        [StackEvent::Ready(server, Readiness::READABLE)]
    );
}

#[test]
fn each_change_that_matters_is_told() {
    let mut net = pair();
    let listener = net.listen(B, 80, 8);
    let client = net.connect(A, at(B, 80));
    net.settle();
    assert_eq!(
        net.events[A],
        [StackEvent::Ready(client, Readiness::WRITABLE)]
    );
    assert_eq!(
        net.events[B],
        [StackEvent::Ready(listener, Readiness::READABLE)]
    );
    let server = net.accept(B, listener);
    assert!(!net.ready(B, listener, Readiness::READABLE));
    net.events[B].clear();
    net.close(A, client).unwrap();
    net.settle();
    let closed = Readiness::READABLE.with(Readiness::READ_CLOSED);
    assert_eq!(net.events[B], [StackEvent::Ready(server, closed)]);
}

#[test]
fn a_reset_raises_everything() {
    let mut net = pair();
    let (_, client, server) = net.connected();
    net.events[B].clear();
    net.hosts[A].abort(net.now, client).unwrap();
    net.settle();
    let all = Readiness::READABLE
        .with(Readiness::READ_CLOSED)
        .with(Readiness::HANG_UP)
        .with(Readiness::ERROR);
    assert_eq!(net.events[B], [StackEvent::Ready(server, all)]);
    // A RST in ESTABLISHED must surface as a reset, not as end of file.
    let reset = Error::Connection(ConnectionError::Reset);
    assert_eq!(net.receive(B, server), Err(reset));
    assert_eq!(net.receive(B, server).unwrap(), b"");
    assert!(!net.ready(B, server, Readiness::ERROR));
}

/// Keeps what it is told as text.
struct Recorder(Arc<Mutex<Vec<String>>>, Interest);

impl HostSink for Recorder {
    fn interest(&self) -> Interest {
        self.1
    }
    fn event(&mut self, _: Instant, event: &HostEvent<'_>) {
        let text = match event {
            HostEvent::Tcp { event, .. } => match event {
                Event::State { from, to, cause } => format!("{from} -> {to}: {cause}"),
                Event::Call(call) => format!("{call:?}"),
                Event::Drop { reason, .. } => format!("drop {reason:?}"),
                Event::SegmentIn { header, .. } => format!("in {}", header.flags),
                Event::SegmentOut { header, .. } => format!("out {}", header.flags),
                _ => return,
            },
            HostEvent::PacketIn { .. } => "packet in".into(),
            HostEvent::PacketOut { .. } => "packet out".into(),
            HostEvent::Drop { reason } => format!("host drop {reason:?}"),
            HostEvent::Udp { sent, len, .. } => format!("udp {sent} {len}"),
            HostEvent::Icmp {
                sent, kind, code, ..
            } => format!("icmp {sent} {kind} {code}"),
        };
        self.0.lock().unwrap().push(text);
    }
}

fn record(net: &mut Pair, host: usize, interest: Interest) -> Arc<Mutex<Vec<String>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let recorder = Recorder(seen.clone(), interest);
    net.hosts[host].set_sink(Some(Box::new(recorder)));
    seen
}

#[test]
fn the_sink_sees_a_servers_life() {
    let mut net = pair();
    let seen = record(&mut net, B, Interest::STATE.with(Interest::CALL));
    let (listener, client, server) = net.connected();
    net.send(A, client, b"x").unwrap();
    net.settle();
    net.receive(B, server).unwrap();
    net.close(A, client).unwrap();
    net.settle();
    net.close(B, server).unwrap();
    net.settle();
    net.close(B, listener).unwrap();
    let expected = [
        "Listen",
        "CLOSED -> LISTEN: passive OPEN",
        "LISTEN -> SYN-RECEIVED: rcv SYN",
        "SYN-RECEIVED -> ESTABLISHED: rcv ACK of SYN",
        "Accept",
        "Receive(1)",
        "ESTABLISHED -> CLOSE-WAIT: rcv FIN",
        "Close",
        "CLOSE-WAIT -> LAST-ACK: CLOSE",
        "LAST-ACK -> CLOSED: rcv ACK of FIN",
        "LISTEN -> CLOSED: CLOSE",
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
    assert_eq!(State::Listen.next(Cause::Close), Some(State::Closed));
    assert_ne!(Call::Listen, Call::Accept);
}

#[test]
fn every_packet_and_segment_is_reported_once() {
    let mut net = pair();
    let seen = record(
        &mut net,
        B,
        Interest::PACKET
            .with(Interest::SEGMENT)
            .with(Interest::DROP),
    );
    net.connect(A, at(B, 99));
    net.settle();
    let refused = ["packet in", "in S", "drop NoSocket", "out R.", "packet out"];
    assert_eq!(*seen.lock().unwrap(), refused);
    seen.lock().unwrap().clear();
    net.listen(B, 80, 1);
    net.connect(A, at(B, 80));
    net.settle();
    let opened = [
        "packet in",
        "in S",
        "out S.",
        "packet out",
        "packet in",
        "in .",
    ];
    assert_eq!(*seen.lock().unwrap(), opened);
    assert_eq!(net.dropped(B, DropReason::NoSocket), 1);
    seen.lock().unwrap().clear();
    let udp = net.udp(A);
    net.hosts[A]
        .send_to(net.now, udp, b"abc", Some(at(B, 5)))
        .unwrap();
    net.settle();
    let datagram = [
        "packet in",
        "udp false 3",
        "host drop NoSocket",
        "icmp true 3 3",
        "packet out",
    ];
    assert_eq!(*seen.lock().unwrap(), datagram);
}

#[test]
fn a_cookies_life_begins_in_listen() {
    let mut net = pair_both(|s| s.tcp_syncookies = 2);
    let seen = record(&mut net, B, Interest::STATE.with(Interest::SEGMENT));
    net.listen(B, 80, 1);
    net.connect(A, at(B, 80));
    net.settle();
    let expected = [
        "CLOSED -> LISTEN: passive OPEN",
        "in S",
        "out S.",
        "in .",
        "LISTEN -> ESTABLISHED: rcv ACK of cookie",
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

/// The same seed and the same input give the same packets.
#[test]
fn runs_repeat() {
    let run = || {
        let mut net = pair();
        let (_, client, server) = net.connected();
        net.send(A, client, &[3; 50_000]).unwrap();
        net.run_secs(1);
        net.receive(B, server).unwrap();
        net.close(A, client).unwrap();
        net.close(B, server).unwrap();
        net.run_secs(70);
        net.seen
    };
    assert!(run() == run());
}

#[test]
fn arrivals_are_told_again_to_those_who_ask() {
    let mut net = pair();
    let (listener, client, server) = net.connected();
    let receiver = net.udp(B);
    net.hosts[B].bind(receiver, any(53)).unwrap();
    for socket in [listener, server, receiver] {
        net.hosts[B].tell_arrivals(socket, true).unwrap();
    }
    let sender = net.udp(A);
    // Nothing is read in between: readiness does not rise, but something comes.
    for _ in 0..2 {
        net.events[B].clear();
        net.send(A, client, b"x").unwrap();
        net.hosts[A]
            .send_to(net.now, sender, b"y", Some(at(B, 53)))
            .unwrap();
        net.connect(A, at(B, 80));
        net.settle();
        for socket in [listener, server, receiver] {
            let told = |event: &StackEvent| match event {
                StackEvent::Ready(id, ready) => {
                    *id == socket && ready.contains(Readiness::READABLE)
                }
                StackEvent::Closed(_) => false,
            };
            let times = net.events[B].iter().filter(|event| told(event)).count();
            assert!(times >= 1, "{:?}", net.events[B]);
        }
    }
    net.hosts[B].tell_arrivals(server, false).unwrap();
    net.events[B].clear();
    net.send(A, client, b"x").unwrap();
    net.settle();
    assert_eq!(net.events[B], []);
}
