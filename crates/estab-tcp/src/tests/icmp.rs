//! ICMP errors (RFC 9293 3.9.2.2, RFC 5461, RFC 5927).

use super::support::*;
use crate::{ConnectionError, IcmpError, IcmpErrorKind, SocketOptions, State};
use estab_wire::tcp::SynOptions;

fn icmp(t: &mut Tester, seq: u32, kind: IcmpErrorKind) {
    let error = IcmpError {
        seq: ISS + seq,
        kind,
        from: "192.0.2.9".parse().unwrap(),
    };
    t.cx(|connection, cx| connection.handle_icmp(cx, error));
}

// RFC 9293 3.9.2.2 SHLD-26: while opening.
#[test]
fn a_hard_error_ends_an_opening() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    t.out();
    icmp(&mut t, 0, IcmpErrorKind::PortUnreachable);
    assert_eq!(
        (t.state(), t.connection.error()),
        (State::Closed, Some(ConnectionError::Refused))
    );
}

// RFC 5461: never afterwards.
#[test]
fn no_error_ends_an_open_connection() {
    let mut t = Tester::established();
    t.write(100);
    t.out();
    for kind in [
        IcmpErrorKind::PortUnreachable,
        IcmpErrorKind::ProtocolUnreachable,
        IcmpErrorKind::Prohibited,
    ] {
        icmp(&mut t, 1, kind);
    }
    assert_eq!(t.state(), State::Established);
}

// RFC 9293 3.9.2.2 MUST-47, MUST-56, SHLD-25: remembered, and told when the connection fails.
#[test]
fn a_soft_error_is_remembered() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    t.out();
    icmp(&mut t, 0, IcmpErrorKind::HostUnreachable);
    assert_eq!(t.state(), State::SynSent);
    assert_eq!(
        t.connection.soft_error(),
        Some(ConnectionError::HostUnreachable)
    );
    t.run_ms(63_000);
    assert_eq!(t.connection.error(), Some(ConnectionError::HostUnreachable));
}

#[test]
fn a_soft_error_is_forgotten_when_the_peer_is_heard() {
    let mut t = Tester::connecting(plain(), SocketOptions::default());
    t.out();
    icmp(&mut t, 0, IcmpErrorKind::HostUnreachable);
    t.inject_syn("S. 0:0(0) ack 1", SynOptions::default());
    t.out();
    assert_eq!(t.connection.soft_error(), None);
    t.write(100);
    t.out();
    icmp(&mut t, 1, IcmpErrorKind::NetUnreachable);
    t.inject(". 1:1(0) ack 101");
    assert_eq!(t.connection.take_soft_error(), None);
}

// RFC 5927: only about what is outstanding.
#[test]
fn errors_about_other_sequence_numbers_are_ignored() {
    for seq in [1, 5, 0xffff_ffff] {
        let mut t = Tester::connecting(plain(), SocketOptions::default());
        t.out();
        icmp(&mut t, seq, IcmpErrorKind::PortUnreachable);
        assert_eq!(t.state(), State::SynSent, "{seq}");
    }
}

// RFC 9293 3.7.1 SHLD-6, 3.7.5, RFC 1191.
#[test]
fn a_smaller_path_cuts_what_is_outstanding_anew() {
    let mut t = Tester::established();
    t.write(2000);
    assert_eq!(t.out().len(), 2);
    let cwnd = t.connection.info(&t.settings).snd_cwnd;
    icmp(&mut t, 1, IcmpErrorKind::PacketTooBig { mtu: 640 });
    assert_eq!(
        t.out(),
        [
            ". 1:601(600) ack 1",
            ". 601:1201(600) ack 1",
            ". 1201:1801(600) ack 1",
            "P. 1801:2001(200) ack 1"
        ]
    );
    assert_eq!(
        t.connection.info(&t.settings).snd_cwnd,
        cwnd,
        "no congestion"
    );
}

#[test]
fn a_larger_path_is_not_believed() {
    let mut t = Tester::established();
    t.write(2000);
    t.out();
    icmp(&mut t, 1, IcmpErrorKind::PacketTooBig { mtu: 9000 });
    assert!(t.out().is_empty());
}
