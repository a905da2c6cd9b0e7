//! The checkers find what they look for, and nothing where there is nothing.

use core::time::Duration;
use estab_sim::checkers::{self, Coverage};
use estab_sim::{LinkConfig, Network, PeerReport, lab};
use estab_stack::Error;
use estab_tcp::{Cause, ConnectionError, Settings, State};
use estab_trace::{HostRecord, Record, TcpRecord};
use estab_wire::tcp::UnscaledWindow;

fn events(name: &str) -> Vec<Record> {
    let report = lab::run(name, &lab::Options::default());
    report.expect("a scenario of this name").events
}

#[test]
fn a_window_that_is_taken_back_is_found() {
    let mut records = events("mss");
    assert_eq!(checkers::windows_are_kept(&records, true), Ok(()));
    let last = records
        .iter_mut()
        .rev()
        .find_map(|record| match &mut record.event {
            HostRecord::Tcp {
                event: TcpRecord::SegmentOut(segment),
                ..
            } => Some(segment),
            _ => None,
        });
    last.expect("a segment").header.window = UnscaledWindow(1);
    assert!(checkers::windows_are_kept(&records, true).is_err());
}

#[test]
fn a_packet_that_is_too_large_is_found() {
    let records = events("mss");
    assert_eq!(checkers::segments_fit(&records, [576, 576]), Ok(()));
    assert!(checkers::segments_fit(&records, [575, 576]).is_err());
}

#[test]
fn a_reset_is_found() {
    assert_eq!(checkers::no_resets(&events("close")), Ok(()));
    assert!(checkers::no_resets(&events("abort")).is_err());
}

#[test]
fn streams_that_differ_are_found() {
    let good = PeerReport {
        sent: 10,
        received: 10,
        end_of_file: true,
        closed: true,
        ..PeerReport::default()
    };
    assert_eq!(checkers::streams_are_equal(&good, &good), Ok(()));
    let bad = [
        PeerReport {
            received: 9,
            ..good.clone()
        },
        PeerReport {
            mismatch: Some(3),
            ..good.clone()
        },
        PeerReport {
            end_of_file: false,
            ..good.clone()
        },
        PeerReport {
            error: Some(Error::Connection(ConnectionError::Reset)),
            ..good
        },
    ];
    for bad in &bad {
        assert!(checkers::streams_are_equal(&good, bad).is_err(), "{bad:?}");
        assert!(checkers::streams_are_equal(bad, &good).is_err(), "{bad:?}");
    }
    // A connection that failed may have delivered less, but no end of file before the end.
    assert_eq!(checkers::streams_are_prefixes(&good, &bad[3]), Ok(()));
    assert!(checkers::streams_are_prefixes(&good, &bad[0]).is_err());
    let more = PeerReport {
        received: 11,
        ..good
    };
    assert!(checkers::streams_are_prefixes(&good, &more).is_err());
}

#[test]
fn what_is_left_is_found() {
    let mut net = Network::new(1);
    let a = net.add_host("a", Settings::default());
    let b = net.add_host("b", Settings::default());
    net.join(a, "10.0.0.1/24", b, "10.0.0.2/24", LinkConfig::default());
    assert_eq!(
        checkers::nothing_is_left(&mut net, Duration::from_secs(1)),
        Ok(())
    );
    let socket = net
        .call(a, |stack, _| stack.tcp_socket(false))
        .expect("a socket");
    assert!(checkers::nothing_is_left(&mut net, Duration::from_secs(1)).is_err());
    net.call(a, |stack, now| stack.close(now, socket, false))
        .expect("closed");
    assert_eq!(
        checkers::nothing_is_left(&mut net, Duration::from_secs(1)),
        Ok(())
    );
}

#[test]
fn a_change_that_the_table_does_not_have_is_found() {
    let mut records = events("close");
    let mut seen = Coverage::new();
    assert_eq!(seen.add(&records), Ok(()));
    assert!(seen.has(State::FinWait1, Cause::ReceiveAckOfFin));
    assert!(!seen.has(State::SynSent, Cause::Abort));
    for record in &mut records {
        if let HostRecord::Tcp {
            event: TcpRecord::State { to, .. },
            ..
        } = &mut record.event
        {
            *to = State::Listen;
        }
    }
    assert!(seen.add(&records).is_err());
}
