//! Blocking UDP sockets over a cable in memory.

mod common;

use common::{at, hosts, within_limit};
use estab::UdpSocket;
use std::io::ErrorKind;
use std::time::Duration;

#[test]
fn datagrams_keep_their_boundaries_and_senders() {
    within_limit(|| {
        let (server, client) = hosts();
        let server = UdpSocket::bind(&server, at(53)).unwrap();
        let client = UdpSocket::bind(&client, "10.0.0.2:0").unwrap();
        client.send_to(b"one", at(53)).unwrap();
        client.send_to(b"three", at(53)).unwrap();
        let mut buffer = [0; 16];
        assert_eq!(server.peek(&mut buffer).unwrap(), 3);
        let (len, from) = server.recv_from(&mut buffer).unwrap();
        assert_eq!((len, from), (3, client.local_addr().unwrap()));
        let received = server.recv_message(&mut buffer[..2]).unwrap();
        assert_eq!((received.len, received.datagram_len), (2, 5));
        assert_eq!(received.to, at(53));
    });
}

#[test]
fn a_connected_socket_hears_its_peer_only() {
    within_limit(|| {
        let (server_host, client_host) = hosts();
        let server = UdpSocket::bind(&server_host, at(53)).unwrap();
        let stranger = UdpSocket::bind(&server_host, at(54)).unwrap();
        let client = UdpSocket::bind(&client_host, "10.0.0.2:0").unwrap();
        client.connect(at(53)).unwrap();
        assert_eq!(client.peer_addr().unwrap(), at(53));
        let to = client.local_addr().unwrap();
        stranger.send_to(b"no", to).unwrap();
        server.send_to(b"yes", to).unwrap();
        let mut buffer = [0; 8];
        let len = client.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..len], b"yes");
    });
}

#[test]
fn a_closed_port_refuses_a_connected_socket() {
    within_limit(|| {
        let (_server, client) = hosts();
        let client = UdpSocket::bind(&client, "10.0.0.2:0").unwrap();
        client.connect(at(9)).unwrap();
        client.send(b"anybody?").unwrap();
        client
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        let error = client.recv(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn receiving_times_out_and_does_not_wait_when_told() {
    within_limit(|| {
        let (server, _client) = hosts();
        let socket = UdpSocket::bind(&server, at(53)).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        let error = socket.recv(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        socket.set_nonblocking(true).unwrap();
        let error = socket.recv(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        let too_long = vec![0; 70_000];
        let error = socket.send_to(&too_long, "10.0.0.2:9").unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EMSGSIZE));
    });
}
