//! The life of a connection through the sockets' calls, and that nothing is left of it.

mod support;
use estab_stack::*;
use estab_tcp::{Flags, Shutdown, State};
use support::*;

#[test]
fn open_exchange_close() {
    let mut net = pair();
    let (listener, client, server) = net.connected();
    assert_eq!(net.send(A, client, b"hello"), Ok(5));
    net.settle();
    assert_eq!(net.receive(B, server).unwrap(), b"hello");
    net.hosts[A]
        .shutdown(net.now, client, Shutdown::Write)
        .unwrap();
    net.settle();
    assert_eq!(net.receive(B, server).unwrap(), b"");
    assert_eq!(net.send(B, server, b"and back"), Ok(8));
    net.settle();
    assert_eq!(net.receive(A, client).unwrap(), b"and back");
    net.close(B, server).unwrap();
    net.settle();
    assert_eq!(net.state(A, client), State::TimeWait);
    assert_eq!(net.receive(A, client).unwrap(), b"");
    net.close(A, client).unwrap();
    net.close(B, listener).unwrap();
    assert_eq!(net.counters(A).time_wait, 1);
    assert_eq!(
        net.sent_with(A, Flags::RST) + net.sent_with(B, Flags::RST),
        0
    );
    net.run_secs(61);
    net.assert_nothing_left();
}

#[test]
fn a_megabyte_each_way() {
    let mut net = pair();
    let (listener, client, server) = net.connected();
    let data: Vec<u8> = (0..1_000_000u32).map(|i| ((i * 7) >> 3) as u8).collect();
    for (from, sender, to, receiver) in [(A, client, B, server), (B, server, A, client)] {
        let (mut sent, mut got) = (0, Vec::new());
        for _ in 0..10_000 {
            match net.send(from, sender, &data[sent..]) {
                Ok(n) => sent += n,
                Err(error) => assert_eq!(error, Error::WouldBlock(Wait::Writable)),
            }
            net.run(std::time::Duration::from_millis(2));
            match net.receive(to, receiver) {
                Ok(piece) => got.extend(piece),
                Err(error) => assert_eq!(error, Error::WouldBlock(Wait::Readable)),
            }
            if got.len() == data.len() {
                break;
            }
        }
        assert!(got == data, "{} of {}", got.len(), data.len());
    }
    for (host, socket) in [(A, client), (B, server), (B, listener)] {
        net.close(host, socket).unwrap();
    }
    net.run_secs(130);
    net.assert_nothing_left();
}
