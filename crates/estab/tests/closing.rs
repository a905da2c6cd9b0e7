//! Lingering, shutting hosts down, dropping things in any order.

#![allow(clippy::disallowed_methods, reason = "these tests run in real time")]

mod common;

use common::{CLIENT, SERVER, at, builder, eventually, hosts, hosts_on, within_limit};
use estab::{Host, SocketOption, State, TcpListener, TcpStream};
use estab_device::memory::MemoryLinkConfig;
use std::io::{ErrorKind, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

fn pair(server: &Host, client: &Host) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(server, at(7)).unwrap();
    // So small that windows are not scaled, and a window that is full is closed.
    listener
        .set_option(SocketOption::ReceiveBuffer(32 << 10))
        .unwrap();
    let connecting = TcpStream::connect(client, at(7)).unwrap();
    (listener.accept().unwrap().0, connecting)
}

/// Writes until the peer, who does not read, takes no more.
fn fill(stream: &mut TcpStream) {
    let small = SocketOption::SendBuffer(128 << 10);
    stream.set_option(small).unwrap();
    stream.set_nonblocking(true).unwrap();
    let chunk = vec![7; 64 << 10];
    let mut last = Instant::now();
    while last.elapsed() < Duration::from_millis(100) {
        if stream.write(&chunk).is_ok() {
            last = Instant::now();
        }
    }
    stream.set_nonblocking(false).unwrap();
}

#[test]
fn without_linger_closing_returns_at_once_and_everything_arrives() {
    within_limit(|| {
        let (server, client) = hosts();
        let (mut server, mut client) = pair(&server, &client);
        client.write_all(&[1; 100_000]).unwrap();
        client.close().unwrap();
        let mut data = Vec::new();
        server.read_to_end(&mut data).unwrap();
        assert_eq!(data.len(), 100_000);
    });
}

#[test]
fn linger_waits_until_everything_is_acknowledged() {
    within_limit(|| {
        let (server, client) = hosts();
        let (mut server, mut client) = pair(&server, &client);
        fill(&mut client);
        client.set_linger(Some(Duration::from_secs(5))).unwrap();
        let reader = thread::spawn(move || {
            let mut data = Vec::new();
            server.read_to_end(&mut data).map(|_| data.len())
        });
        client.close().unwrap();
        assert!(reader.join().unwrap().unwrap() > 0);
    });
}

#[test]
fn linger_gives_up_after_its_time_and_resets_the_peer() {
    within_limit(|| {
        let (server, client) = hosts();
        let (mut server, mut client) = pair(&server, &client);
        fill(&mut client);
        let linger = Duration::from_millis(100);
        client.set_linger(Some(linger)).unwrap();
        let start = Instant::now();
        let error = client.close().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        assert!(start.elapsed() >= linger);
        let mut data = Vec::new();
        let error = server.read_to_end(&mut data).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn linger_zero_resets_at_once() {
    within_limit(|| {
        let (server, client) = hosts();
        let (mut server, client) = pair(&server, &client);
        client.set_linger(Some(Duration::ZERO)).unwrap();
        client.close().unwrap();
        let error = server.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_nonblocking_close_never_waits_and_its_data_is_sent() {
    within_limit(|| {
        let (server, client) = hosts();
        let (mut server, mut client) = pair(&server, &client);
        client.write_all(&[1; 50_000]).unwrap();
        client.set_linger(Some(Duration::from_secs(60))).unwrap();
        client.set_nonblocking(true).unwrap();
        client.close().unwrap();
        let mut data = Vec::new();
        server.read_to_end(&mut data).unwrap();
        assert_eq!(data.len(), 50_000);
    });
}

#[test]
fn unread_data_makes_closing_a_reset() {
    within_limit(|| {
        let (server, client) = hosts();
        let (server, mut client) = pair(&server, &client);
        client.write_all(b"never read").unwrap();
        eventually("the data is there", || server.info().unwrap().readable > 0);
        server.close().unwrap();
        let error = client.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn closing_one_of_two_clones_closes_nothing() {
    within_limit(|| {
        let (server, client) = hosts();
        let (mut server, client) = pair(&server, &client);
        let mut clone = client.try_clone().unwrap();
        client.close().unwrap();
        clone.write_all(b"still here").unwrap();
        clone.close().unwrap();
        let mut text = String::new();
        server.read_to_string(&mut text).unwrap();
        assert_eq!(text, "still here");
    });
}

#[test]
fn shutdown_delivers_what_is_queued_and_says_so() {
    within_limit(|| {
        let (server_host, client_host) = hosts();
        let (mut server, mut client) = pair(&server_host, &client_host);
        client.write_all(&[5; 60_000]).unwrap();
        let reader = thread::spawn(move || {
            let mut data = Vec::new();
            server.read_to_end(&mut data).map(|_| data.len())
        });
        let report = client_host.shutdown(Duration::from_secs(5));
        assert!(report.is_complete(), "{report:?}");
        assert_eq!(reader.join().unwrap().unwrap(), 60_000);
        let error = client.write(b"more").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NetworkDown);
        let error = TcpStream::connect(&client_host, at(7)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NetworkDown);
    });
}

#[test]
fn shutdown_reports_what_could_not_be_delivered() {
    within_limit(|| {
        let (server_host, client_host) = hosts();
        let (_server, mut client) = pair(&server_host, &client_host);
        fill(&mut client);
        let local = client.local_addr().unwrap();
        let deadline = Duration::from_millis(200);
        let start = Instant::now();
        let report = client_host.shutdown(deadline);
        assert!(start.elapsed() < deadline * 10);
        assert!(!report.is_complete());
        assert_eq!(report.undelivered.len(), 1, "{report:?}");
        assert_eq!(report.undelivered[0].local, local);
        assert_eq!(report.undelivered[0].remote, at(7));
        assert!(report.undelivered[0].bytes > 0);
    });
}

#[test]
fn shutdown_wakes_those_who_wait() {
    within_limit(|| {
        let (server_host, client_host) = hosts();
        let (_server, client) = pair(&server_host, &client_host);
        let listener = TcpListener::bind(&client_host, "10.0.0.2:80").unwrap();
        let accepting = thread::spawn(move || listener.accept().map(drop));
        let mut reading = client;
        let reading = thread::spawn(move || reading.read(&mut [0; 8]).map(drop));
        eventually("both wait", || client_host.driver_counters().sleeps > 0);
        client_host.shutdown(Duration::from_millis(100));
        for thread in [accepting, reading] {
            let error = thread.join().unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NetworkDown);
        }
    });
}

/// What can be dropped, in an order given by a number.
fn drop_in_order(mut order: usize, mut things: Vec<Box<dyn std::any::Any>>) {
    while !things.is_empty() {
        let index = order % things.len();
        order /= things.len();
        drop(things.swap_remove(index));
    }
}

#[test]
fn everything_can_be_dropped_in_any_order() {
    for order in 0..120 {
        within_limit(move || {
            let (server_host, client_host) = hosts();
            let listener = TcpListener::bind(&server_host, at(7)).unwrap();
            let mut client = TcpStream::connect(&client_host, at(7)).unwrap();
            let (server, _) = listener.accept().unwrap();
            client.write_all(b"on its way").unwrap();
            drop_in_order(
                order,
                vec![
                    Box::new(server_host),
                    Box::new(client_host),
                    Box::new(listener),
                    Box::new(client),
                    Box::new(server),
                ],
            );
        });
    }
}

#[test]
fn sockets_work_after_the_hosts_handles_are_gone() {
    within_limit(|| {
        let (server_host, client_host) = hosts();
        let (mut server, mut client) = pair(&server_host, &client_host);
        drop((server_host, client_host));
        client.write_all(b"alive").unwrap();
        let mut buffer = [0; 5];
        server.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"alive");
    });
}

#[test]
fn what_was_written_is_delivered_after_everything_was_dropped() {
    within_limit(|| {
        let (server_host, client_host) = hosts();
        let (mut server, mut client) = pair(&server_host, &client_host);
        client.write_all(&[3; 60_000]).unwrap();
        drop((client, client_host));
        let mut data = Vec::new();
        server.read_to_end(&mut data).unwrap();
        assert_eq!(data.len(), 60_000);
    });
}

#[test]
fn what_cannot_be_delivered_is_reset_after_its_time() {
    within_limit(|| {
        let (left, right) = estab_device::memory::pair(MemoryLinkConfig::default());
        let server_host = builder().device("left", left).address(SERVER, 24).build();
        let linger = Duration::from_millis(100);
        let client_host = builder()
            .device("right", right)
            .address(CLIENT, 24)
            .linger(linger)
            .build();
        let (server_host, client_host) = (server_host.unwrap(), client_host.unwrap());
        let (mut server, mut client) = pair(&server_host, &client_host);
        fill(&mut client);
        let start = Instant::now();
        drop((client, client_host));
        assert!(start.elapsed() < linger, "dropping does not wait");
        eventually("the peer is reset", || {
            server.state().unwrap() == State::Closed
        });
        assert!(start.elapsed() >= linger);
        let error = server.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_full_link_delays_and_loses_nothing() {
    within_limit(|| {
        let link = MemoryLinkConfig {
            queue_len: 2,
            ..MemoryLinkConfig::default()
        };
        let (server, client) = hosts_on(link);
        let (mut server, mut client) = pair(&server, &client);
        let writer = thread::spawn(move || client.write_all(&[9; 1 << 20]));
        let mut data = Vec::new();
        server.read_to_end(&mut data).unwrap();
        assert_eq!(data.len(), 1 << 20);
        writer.join().unwrap().unwrap();
    });
}
