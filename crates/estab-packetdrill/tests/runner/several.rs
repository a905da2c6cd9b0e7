//! Several sockets are told apart.

use super::{fails, passes};
use estab_packetdrill::report::FailureKind;

#[test]
fn connections_to_a_listener_by_ports() {
    passes(
        "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 2) = 0\n\
         +0 < 1001 > 8080 S 0:0(0) win 1000\n+0 > 8080 > 1001 S. 0:0(0) ack 1 <mss 1460>\n\
         +0 < 1002 > 8080 S 0:0(0) win 1000\n+0 > 8080 > 1002 S. 0:0(0) ack 1 <mss 1460>\n\
         +0 < 1002 > 8080 . 1:1(0) ack 1 win 1000\n+0 < 1001 > 8080 . 1:1(0) ack 1 win 1000\n\
         +0 accept(3, ..., ...) = 4\n+0 accept(3, ..., ...) = 5\n\
         +0 write(4, ..., 10) = 10\n+0 > 8080 > 1002 P. 1:11(10) ack 1\n\
         +0 write(5, ..., 20) = 20\n+0 > 8080 > 1001 P. 1:21(20) ack 1",
    );
}

#[test]
fn ports_of_active_opens_are_names() {
    passes(
        "0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3\n\
         +0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n\
         +0 > 5001 > 8080 S 0:0(0) <...>\n\
         +0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 4\n\
         +0 connect(4, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n\
         +0 > 5002 > 8080 S 0:0(0) <...>\n\
         +.1 < 8080 > 5001 S. 0:0(0) ack 1 win 1000\n+0 > 5001 > 8080 . 1:1(0) ack 1\n\
         +.1 < 8080 > 5002 S. 0:0(0) ack 1 win 1000\n+0 > 5002 > 8080 . 1:1(0) ack 1\n\
         +0 write(3, ..., 10) = 10\n+0 > 5001 > 8080 P. 1:11(10) ack 1",
    );
}

#[test]
fn a_packet_of_another_connection_does_not_do() {
    let failure = fails(
        "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 2) = 0\n\
         +0 < 1001 > 8080 S 0:0(0) win 1000\n+0 > 8080 > 1001 S. 0:0(0) ack 1 <mss 1460>\n\
         +0 < 1002 > 8080 S 0:0(0) win 1000\n+0 > 8080 > 1001 S. 0:0(0) ack 1 <mss 1460>",
        FailureKind::Time,
    );
    // The first connection sends its SYN-ACK again after a second; what came is the second one's.
    assert!(
        failure.message.contains("1.000000 s too late"),
        "{}",
        failure.message
    );
}

#[test]
fn ports_that_no_socket_has() {
    fails(
        "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 > 1 > 2 S 0:0(0) <...>",
        FailureKind::Script,
    );
    fails("0 > S 0:0(0) <...>", FailureKind::Script);
}

#[test]
fn lines_without_ports_go_on_with_the_newest_connection() {
    passes(
        "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 2) = 0\n\
         +0 < S 0:0(0) win 1000\n+0 > S. 0:0(0) ack 1 <mss 1460>\n+0 < . 1:1(0) ack 1 win 1000\n\
         +0 accept(3, ..., ...) = 4\n+0 close(3) = 0\n+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 5\n\
         +0 < P. 1:11(10) ack 1 win 1000\n+0 > . 1:1(0) ack 11",
    );
}

#[test]
fn datagram_sockets_have_their_own_peers() {
    passes(
        "0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n+0 bind(3, ..., ...) = 0\n\
         +0 sendto(3, ..., 10, 0, ..., ...) = 10\n+0 > udp (10)\n+0 < udp (20)\n+0 read(3, ..., 100) = 20\n\
         +0 < 9000 > 8080 udp (30)\n+0 recvfrom(3, ..., 100, 0, ..., ...) = 30",
    );
}

#[test]
fn messages_of_icmp_are_about_the_newest_connection() {
    passes(
        "0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3\n\
         +0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n\
         +0 > 5001 > 8080 S 0:0(0) <...>\n\
         +0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 4\n\
         +0 connect(4, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n\
         +0 > 5002 > 8080 S 0:0(0) <...>\n\
         +.1 < icmp unreachable port_unreachable [0:0(0)]\n\
         +0 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0\n\
         +0 getsockopt(4, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0\n\
         +0 < 9000 > 9001 udp (7)\n+0 < 9002 > 9001 udp (8)\n\
         +0 > icmp unreachable port_unreachable [udp (7)]\n\
         +0 > icmp unreachable port_unreachable [udp (8)]",
    );
}
