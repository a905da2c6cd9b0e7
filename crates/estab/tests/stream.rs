//! Blocking TCP sockets over a cable in memory.

#![allow(clippy::disallowed_methods, reason = "these tests run in real time")]

mod common;

use common::{at, eventually, hosts, pattern, within_limit};
use estab::{Host, SocketOption, State, TcpListener, TcpSocket, TcpStream};
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};

/// A connection: the server's end and the client's. The hosts live in the sockets.
fn connected() -> (TcpStream, TcpStream) {
    let (server, client) = hosts();
    pair(&server, &client, 7)
}

fn pair(server: &Host, client: &Host, port: u16) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(server, at(port)).unwrap();
    if port == 8 {
        // So small that windows are not scaled, and a window that is full is closed.
        let small = SocketOption::ReceiveBuffer(32 << 10);
        listener.set_option(small).unwrap();
    }
    let connecting = TcpStream::connect(client, at(port)).unwrap();
    let (accepted, peer) = listener.accept().unwrap();
    assert_eq!(peer, connecting.local_addr().unwrap());
    assert_eq!(accepted.local_addr().unwrap(), at(port));
    (accepted, connecting)
}

#[test]
fn what_is_written_is_read_at_the_other_end() {
    within_limit(|| {
        let (mut server, mut client) = connected();
        assert_eq!(client.peer_addr().unwrap(), at(7));
        client.write_all(b"ping").unwrap();
        let mut buffer = [0; 4];
        server.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"ping");
        server.write_all(b"pong").unwrap();
        client.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"pong");
        assert_eq!(client.state().unwrap(), State::Established);
        assert_eq!(client.info().unwrap().bytes_received, 4);
    });
}

#[test]
fn half_close_leaves_the_other_direction_open() {
    for server_first in [false, true] {
        within_limit(move || {
            let (server, client) = connected();
            let (mut first, mut second) = if server_first {
                (server, client)
            } else {
                (client, server)
            };
            first.write_all(b"question").unwrap();
            first.shutdown(Shutdown::Write).unwrap();
            assert_eq!(
                first.write(b"more").unwrap_err().kind(),
                ErrorKind::BrokenPipe
            );
            let mut text = String::new();
            second.read_to_string(&mut text).unwrap();
            assert_eq!(text, "question");
            second.write_all(b"answer, long after").unwrap();
            second.shutdown(Shutdown::Write).unwrap();
            text.clear();
            first.read_to_string(&mut text).unwrap();
            assert_eq!(text, "answer, long after");
        });
    }
}

#[test]
fn shutting_down_reading_gives_end_of_file() {
    within_limit(|| {
        let (mut server, _client) = connected();
        server.shutdown(Shutdown::Read).unwrap();
        assert_eq!(server.read(&mut [0; 8]).unwrap(), 0);
    });
}

#[test]
fn large_transfers_both_ways_at_once_arrive_byte_for_byte() {
    const LEN: usize = 8 << 20;
    within_limit(|| {
        let (server, client) = connected();
        let exchange = |stream: TcpStream, mark: u8| {
            let mut writing = stream.try_clone().unwrap();
            let writer = thread::spawn(move || {
                let mut data = pattern(LEN);
                data[0] = mark;
                writing.write_all(&data).unwrap();
                writing.shutdown(Shutdown::Write).unwrap();
            });
            let mut reading = stream;
            let reader = thread::spawn(move || {
                let mut data = Vec::new();
                reading.read_to_end(&mut data).unwrap();
                data
            });
            (writer, reader)
        };
        let (writer_a, reader_a) = exchange(server, 1);
        let (writer_b, reader_b) = exchange(client, 2);
        for (reader, mark) in [(reader_a, 2), (reader_b, 1)] {
            let mut expected = pattern(LEN);
            expected[0] = mark;
            assert!(reader.join().unwrap() == expected, "the bytes differ");
        }
        writer_a.join().unwrap();
        writer_b.join().unwrap();
    });
}

#[test]
fn vectored_writes_arrive_in_order() {
    within_limit(|| {
        let (mut server, mut client) = connected();
        let pieces = [
            IoSlice::new(b"one"),
            IoSlice::new(b""),
            IoSlice::new(b"two"),
        ];
        assert_eq!(client.write_vectored(&pieces).unwrap(), 6);
        let mut buffer = [0; 6];
        server.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"onetwo");
        let packets = client.info().unwrap().data_segments_out;
        assert_eq!(packets, 1, "both pieces in one segment");
    });
}

#[test]
fn owned_bytes_are_sent_and_cut_off() {
    within_limit(|| {
        let (mut server, client) = connected();
        let mut data = bytes::Bytes::from(pattern(5000));
        while !data.is_empty() {
            client.send_bytes(&mut data).unwrap();
        }
        let mut buffer = vec![0; 5000];
        server.read_exact(&mut buffer).unwrap();
        assert_eq!(buffer, pattern(5000));
    });
}

#[test]
fn peeking_leaves_the_data() {
    within_limit(|| {
        let (mut server, mut client) = connected();
        client.write_all(b"look").unwrap();
        let mut buffer = [0; 4];
        assert_eq!(server.peek(&mut buffer).unwrap(), 4);
        assert_eq!(server.peek(&mut buffer).unwrap(), 4);
        assert_eq!(server.read(&mut buffer).unwrap(), 4);
        assert_eq!(&buffer, b"look");
    });
}

#[test]
fn a_read_time_out_is_kept_and_gives_would_block() {
    within_limit(|| {
        let (mut server, mut client) = connected();
        assert_eq!(server.read_timeout().unwrap(), None);
        let timeout = Duration::from_millis(50);
        server.set_read_timeout(Some(timeout)).unwrap();
        assert_eq!(server.read_timeout().unwrap(), Some(timeout));
        assert!(server.set_read_timeout(Some(Duration::ZERO)).is_err());
        let start = Instant::now();
        let error = server.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        assert!(start.elapsed() >= timeout);
        assert!(start.elapsed() < timeout * 20);
        client.write_all(b"x").unwrap();
        assert_eq!(server.read(&mut [0; 8]).unwrap(), 1);
    });
}

#[test]
fn a_write_time_out_ends_waiting_for_a_peer_that_does_not_read() {
    within_limit(|| {
        let (server, client) = hosts();
        let (_server, mut client) = pair(&server, &client, 8);
        let small = SocketOption::SendBuffer(64 << 10);
        client.set_option(small).unwrap();
        client
            .set_write_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        let chunk = vec![0; 64 << 10];
        let error = loop {
            if let Err(error) = client.write(&chunk) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn nonblocking_calls_do_not_wait() {
    within_limit(|| {
        let (server, client) = hosts();
        let listener = TcpListener::bind(&server, at(7)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let error = listener.accept().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        let mut client = TcpStream::connect(&client, at(7)).unwrap();
        let mut accepted = None;
        eventually("accepted", || {
            accepted = listener.accept().ok();
            accepted.is_some()
        });
        let (mut stream, _) = accepted.unwrap();
        stream.set_nonblocking(true).unwrap();
        let error = stream.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        assert_eq!(error.raw_os_error(), Some(libc::EAGAIN));
        client.write_all(b"x").unwrap();
        // Nobody waits in a call now: the background thread brings it.
        eventually("the byte arrives", || stream.read(&mut [0; 8]).is_ok());
    });
}

#[test]
fn the_connection_lives_until_its_last_clone_is_dropped() {
    within_limit(|| {
        let (mut server, mut client) = connected();
        let mut clone = client.try_clone().unwrap();
        client.write_all(b"a").unwrap();
        drop(client);
        clone.write_all(b"b").unwrap();
        let mut buffer = [0; 2];
        server.read_exact(&mut buffer).unwrap();
        server
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let error = server.read(&mut buffer).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        drop(clone);
        assert_eq!(server.read(&mut buffer).unwrap(), 0);
    });
}

#[test]
fn a_clone_in_another_thread_is_woken_by_shutdown() {
    within_limit(|| {
        let (_server, client) = connected();
        let mut clone = client.try_clone().unwrap();
        let reader = thread::spawn(move || clone.read(&mut [0; 8]));
        eventually("it waits", || client.info().is_ok());
        client.shutdown(Shutdown::Both).unwrap();
        assert_eq!(reader.join().unwrap().unwrap(), 0);
    });
}

#[test]
fn connecting_to_a_closed_port_is_refused() {
    within_limit(|| {
        let (server, client) = hosts();
        let error = TcpStream::connect(&client, at(9)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(error.raw_os_error(), Some(libc::ECONNREFUSED));
        drop(server);
    });
}

#[test]
fn connecting_to_nobody_times_out_when_told() {
    within_limit(|| {
        let (_server, client) = hosts();
        let start = Instant::now();
        let nobody = "10.0.0.99:7".parse().unwrap();
        let timeout = Duration::from_millis(100);
        let error = TcpStream::connect_timeout(&client, &nobody, timeout).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!((timeout..timeout * 20).contains(&start.elapsed()));
    });
}

#[test]
fn an_address_in_use_cannot_be_bound() {
    within_limit(|| {
        let (server, _client) = hosts();
        let _listener = TcpListener::bind(&server, at(7)).unwrap();
        let error = TcpListener::bind(&server, at(7)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        let error = TcpListener::bind(&server, "10.9.9.9:7").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
    });
}

#[test]
fn a_socket_is_bound_before_it_connects() {
    within_limit(|| {
        let (server, client) = hosts();
        let listener = TcpSocket::new_v4(&server).unwrap();
        listener.set_reuseaddr(true).unwrap();
        listener.bind(at(7)).unwrap();
        let listener = listener.listen(4).unwrap();
        let socket = TcpSocket::new_v4(&client).unwrap();
        socket.bind("10.0.0.2:4321".parse().unwrap()).unwrap();
        let stream = socket.connect(at(7)).unwrap();
        assert_eq!(stream.local_addr().unwrap().port(), 4321);
        assert_eq!(listener.accept().unwrap().1.port(), 4321);
    });
}

#[test]
fn options_are_read_back() {
    within_limit(|| {
        let (_server, client) = connected();
        assert!(!client.nodelay().unwrap());
        client.set_nodelay(true).unwrap();
        assert!(client.nodelay().unwrap());
        client.set_ttl(7).unwrap();
        assert_eq!(client.ttl().unwrap(), 7);
        assert!(client.set_ttl(256).is_err());
        assert_eq!(client.linger().unwrap(), None);
        for linger in [Some(Duration::ZERO), Some(Duration::from_secs(3)), None] {
            client.set_linger(linger).unwrap();
            assert_eq!(client.linger().unwrap(), linger);
        }
        client.set_keepalive(true).unwrap();
        assert!(client.keepalive().unwrap());
        assert!(client.take_error().unwrap().is_none());
    });
}

#[test]
fn aborting_resets_the_peer() {
    within_limit(|| {
        let (mut server, client) = connected();
        client.abort().unwrap();
        let error = server.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert_eq!(server.read(&mut [0; 8]).unwrap(), 0, "it is said once");
    });
}

#[test]
fn aborting_wakes_those_who_wait_in_a_clone() {
    within_limit(|| {
        let (_server, client) = connected();
        let mut clone = client.try_clone().unwrap();
        let reader = thread::spawn(move || clone.read(&mut [0; 8]));
        thread::park_timeout(Duration::from_millis(20));
        client.abort().unwrap();
        let error = reader.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    });
}

#[test]
fn many_threads_on_one_host_each_get_their_own_bytes() {
    const THREADS: usize = 16;
    const ROUNDS: usize = 50;
    within_limit(|| {
        let (server, client) = hosts();
        let listener = TcpListener::bind(&server, at(7)).unwrap();
        thread::spawn(move || {
            for stream in listener.incoming().take(THREADS) {
                let mut stream = stream.unwrap();
                thread::spawn(move || {
                    let mut buffer = [0; 1024];
                    while let Ok(count @ 1..) = stream.read(&mut buffer) {
                        stream.write_all(&buffer[..count]).unwrap();
                    }
                });
            }
        });
        let threads = (0..THREADS).map(|number| {
            let client = client.clone();
            thread::spawn(move || {
                let mut stream = TcpStream::connect(&client, at(7)).unwrap();
                for round in 0..ROUNDS {
                    let text = format!("thread {number}, round {round}");
                    stream.write_all(text.as_bytes()).unwrap();
                    let mut answer = vec![0; text.len()];
                    stream.read_exact(&mut answer).unwrap();
                    assert_eq!(answer, text.as_bytes());
                }
            })
        });
        for thread in threads.collect::<Vec<_>>() {
            thread.join().unwrap();
        }
    });
}

#[test]
fn several_threads_may_accept() {
    within_limit(|| {
        let (server, client) = hosts();
        let listener = TcpListener::bind(&server, at(7)).unwrap();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let listener = listener.try_clone().unwrap();
                thread::spawn(move || listener.accept().map(|(_, peer)| peer.port()))
            })
            .collect();
        let streams: Vec<_> = (0..4)
            .map(|_| TcpStream::connect(&client, at(7)).unwrap())
            .collect();
        let mut accepted: Vec<u16> = threads
            .into_iter()
            .map(|thread| thread.join().unwrap().unwrap())
            .collect();
        accepted.sort_unstable();
        let mut connected: Vec<u16> = streams
            .iter()
            .map(|stream| stream.local_addr().unwrap().port())
            .collect();
        connected.sort_unstable();
        assert_eq!(accepted, connected);
    });
}

#[test]
fn a_host_connects_to_itself() {
    within_limit(|| {
        let host = Host::builder().build().unwrap();
        let listener = TcpListener::bind(&host, "127.0.0.1:7").unwrap();
        let mut client = TcpStream::connect(&host, "127.0.0.1:7").unwrap();
        let (mut server, _) = listener.accept().unwrap();
        client.write_all(b"inside").unwrap();
        drop(client);
        let mut text = String::new();
        server.read_to_string(&mut text).unwrap();
        assert_eq!(text, "inside");
    });
}
