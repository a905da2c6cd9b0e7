//! Numbers of the script and those on the wire.

use super::{fails, passes};
use estab_packetdrill::report::FailureKind;

#[test]
fn a_script_may_count_from_anywhere() {
    passes(
        "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n\
         +0 < S 1000:1000(0) win 1000\n+0 > S. 4294967295:4294967295(0) ack 1001 <mss 1460>\n\
         +0 < . 1001:1001(0) ack 0 win 1000\n+0 accept(3, ..., ...) = 4\n\
         +0 < P. 1001:1101(100) ack 0 win 1000\n+0 > . 0:0(0) ack 1101",
    );
}

#[test]
fn echoes_of_timestamps_are_checked() {
    let text = |echo: u32| {
        format!(
            "0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3\n\
             +0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n\
             +0 > S 0:0(0) <mss 1460,sackOK,TS val 700 ecr 0,nop,wscale 8>\n\
             +.1 < S. 0:0(0) ack 1 win 5792 <mss 1460,sackOK,TS val 100 ecr 700,nop,wscale 7>\n\
             +0 > . 1:1(0) ack 1 <nop,nop,TS val 800 ecr {echo}>"
        )
    };
    passes(&text(100));
    fails(&text(101), FailureKind::Packet);
}

#[test]
fn a_syn_sent_again_has_the_same_number() {
    passes(
        "0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3\n\
         +0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n\
         +0 > S 0:0(0) <mss 1460,sackOK,TS val 700 ecr 0,nop,wscale 8>\n\
         +1 > S 0:0(0) <mss 1460,sackOK,TS val 1700 ecr 0,nop,wscale 8>",
    );
}

#[test]
fn a_second_connection_of_a_socket_has_numbers_of_its_own() {
    passes(
        "0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3\n\
         +0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n\
         +0 > S 0:0(0) <...>\n+.1 < R. 0:0(0) ack 1 win 0\n\
         +0 connect(3, ..., ...) = -1 ECONNREFUSED (Connection refused)\n\
         +0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n\
         +0 > S 0:0(0) <...>\n+.1 < S. 0:0(0) ack 1 win 1000 <mss 1000>\n+0 > . 1:1(0) ack 1",
    );
}

#[test]
fn a_reset_without_a_connection_has_the_number_it_was_asked_with() {
    passes("0 < . 100:100(0) ack 7 win 1000\n+0 > R 7:7(0)");
    passes("0 < S 100:100(0) win 1000\n+0 > R. 0:0(0) ack 101");
}

#[test]
fn messages_of_icmp_quote_live_numbers() {
    let text = |first: u32| {
        format!(
            "{}+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1 <...>\n\
             +0 < icmp unreachable port_unreachable [{first}:{}(100)]\n\
             +0 read(4, ..., 100) = -1 EAGAIN (Resource temporarily unavailable)",
            super::OPENED.replace(
                "+0 accept(3, ..., ...) = 4",
                "+0 accept4(3, ..., ..., SOCK_NONBLOCK) = 4"
            ),
            first + 100
        )
    };
    passes(&text(1));
    passes(
        "0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3\n\
         +0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n\
         +0 > S 0:0(0) <...>\n+0 < icmp unreachable port_unreachable [0:0(0)]\n\
         +0 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0",
    );
    // About a segment that was never sent.
    passes(
        "0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3\n\
         +0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n\
         +0 > S 0:0(0) <...>\n+0 < icmp unreachable port_unreachable [5000:5000(0)]\n\
         +0 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0",
    );
}

#[test]
fn a_datagram_to_nobody_is_answered() {
    passes("0 < udp (100)\n+0 > icmp unreachable port_unreachable [udp (100)]");
    fails(
        "0 < udp (100)\n+0 > icmp unreachable host_unreachable [udp (100)]",
        FailureKind::Packet,
    );
    fails(
        "0 < udp (100)\n+0 > icmp unreachable port_unreachable [udp (99)]",
        FailureKind::Packet,
    );
}

#[test]
fn echoes() {
    passes("0 < icmp echo_request id 7 seq 3\n+0 > icmp echo_reply id 7 seq 3");
    fails(
        "0 < icmp echo_request id 7 seq 3\n+0 > icmp echo_reply id 7 seq 4",
        FailureKind::Packet,
    );
}
