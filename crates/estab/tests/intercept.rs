//! Interception: a client reaches any address and port, and a program decides.

mod common;

use common::{CLIENT, SERVER, builder, within_limit};
use estab::{Host, IcmpErrorKind, TcpStream};
use estab_device::memory;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

/// A client whose default route leads to a host that takes all.
fn intercepting() -> (Host, Host) {
    let (left, right) = memory::pair(Default::default());
    let taker = builder()
        .device("left", left)
        .address(SERVER, 24)
        .any_address(true)
        .build()
        .unwrap();
    let client = builder()
        .device("right", right)
        .address(CLIENT, 24)
        .gateway(SERVER)
        .build()
        .unwrap();
    (taker, client)
}

fn target(number: u16) -> SocketAddr {
    let [high, low] = number.to_be_bytes();
    SocketAddr::from(([198, 18, high, low], 1000 + number))
}

#[test]
fn accepted_requests_have_the_right_addresses() {
    within_limit(|| {
        let (taker, client) = intercepting();
        let interceptor = taker.intercept(64).unwrap();
        let server = thread::spawn(move || {
            for _ in 0..50 {
                let request = interceptor.next().unwrap();
                let wanted = request.local_addr();
                let mut stream = request.accept().unwrap();
                assert_eq!(stream.local_addr().unwrap(), wanted);
                stream.write_all(wanted.to_string().as_bytes()).unwrap();
            }
        });
        for number in 0..50 {
            let mut stream = TcpStream::connect(&client, target(number)).unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            assert_eq!(text, target(number).to_string());
        }
        server.join().unwrap();
    });
}

#[test]
fn nothing_is_answered_before_the_decision() {
    within_limit(|| {
        let (taker, client) = intercepting();
        let interceptor = taker.intercept(64).unwrap();
        let connecting = thread::spawn(move || TcpStream::connect(&client, target(1)).map(drop));
        let request = interceptor.next().unwrap();
        assert_eq!(request.local_addr(), target(1));
        let sent = taker.driver_counters().packets_out;
        thread::park_timeout(Duration::from_millis(50));
        assert_eq!(taker.driver_counters().packets_out, sent);
        assert!(!connecting.is_finished());
        drop(request.accept().unwrap());
        connecting.join().unwrap().unwrap();
    });
}

#[test]
fn refused_unreachable_and_forgotten_requests() {
    within_limit(|| {
        let (taker, client) = intercepting();
        let interceptor = taker.intercept(64).unwrap();
        thread::spawn(move || {
            interceptor.next().unwrap().refuse();
            interceptor
                .next()
                .unwrap()
                .unreachable(IcmpErrorKind::Prohibited);
            drop(interceptor.next().unwrap());
            interceptor.next().unwrap().ignore();
        });
        let kind = |number| {
            let timeout = Duration::from_millis(500);
            let error = TcpStream::connect_timeout(&client, &target(number), timeout).unwrap_err();
            error.kind()
        };
        assert_eq!(kind(1), ErrorKind::ConnectionRefused);
        assert_eq!(kind(2), ErrorKind::HostUnreachable);
        assert_eq!(kind(3), ErrorKind::ConnectionRefused, "dropping refuses");
        assert_eq!(kind(4), ErrorKind::TimedOut);
    });
}

#[test]
fn an_interceptor_dropped_with_its_requests_refuses_them() {
    within_limit(|| {
        let (taker, client) = intercepting();
        assert_eq!(
            taker.intercept(0).unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
        let interceptor = taker.intercept(4).unwrap();
        let connecting = thread::spawn(move || TcpStream::connect(&client, target(1)).map(drop));
        let request = interceptor.next().unwrap();
        drop(interceptor);
        drop(request);
        let error = connecting.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(taker.counters().sockets, 0);
    });
}

#[test]
fn async_interception() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    within_limit(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (taker, client) = intercepting();
            let interceptor = estab::tokio::Interceptor::open(&taker, 16).unwrap();
            let server = tokio::spawn(async move {
                let request = interceptor.next().await.unwrap();
                assert_eq!(request.local_addr(), target(9));
                request.accept().await.unwrap().write_u8(9).await.unwrap();
                interceptor.next().await.unwrap().refuse();
            });
            let mut stream = estab::tokio::TcpStream::connect(&client, target(9))
                .await
                .unwrap();
            assert_eq!(stream.read_u8().await.unwrap(), 9);
            let error = estab::tokio::TcpStream::connect(&client, target(8))
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            server.await.unwrap();
        });
    });
}
