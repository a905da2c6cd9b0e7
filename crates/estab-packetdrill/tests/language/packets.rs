//! Packets: TCP headers, what is said of the IP header, ICMP, UDP.

use estab_packetdrill::script::{Ecn, Flags, IpFields, Sequence};

use crate::support::{canonical, message, packet, segment};

#[test]
fn flags() {
    let none = Flags::default();
    for (text, expected) in [
        ("S", Flags { syn: true, ..none }),
        (
            "S.",
            Flags {
                syn: true,
                ack: true,
                ..none
            },
        ),
        (".", Flags { ack: true, ..none }),
        ("-", none),
        (
            "FP.",
            Flags {
                fin: true,
                psh: true,
                ack: true,
                ..none
            },
        ),
        (
            "RUEWA",
            Flags {
                rst: true,
                urg: true,
                ece: true,
                cwr: true,
                ae: true,
                ..none
            },
        ),
        (
            "SEWA",
            Flags {
                syn: true,
                ece: true,
                cwr: true,
                ae: true,
                ..none
            },
        ),
        (
            "P5.",
            Flags {
                psh: true,
                ack: true,
                ace: Some(5),
                ..none
            },
        ),
        (
            ".5",
            Flags {
                ack: true,
                ace: Some(5),
                ..none
            },
        ),
        (
            "5.",
            Flags {
                ack: true,
                ace: Some(5),
                ..none
            },
        ),
        (
            "0",
            Flags {
                ace: Some(0),
                ..none
            },
        ),
    ] {
        assert_eq!(
            segment(&format!("> {text} 1:1(0)")).flags,
            expected,
            "{text}"
        );
    }
    for (text, expected) in [
        ("SS", "the flag `S` is given twice"),
        ("SX", "`X` is not a flag"),
        ("8.", "`8` is not a flag"),
        ("56", "the ACE field is given twice"),
        ("A5", "a digit stands for the flags `A`, `W` and `E`"),
        (
            "--",
            "expected a segment's flags, `icmp` or `udp`, found `--`",
        ),
        ("S-", "`-` is not a flag"),
    ] {
        assert_eq!(message(&format!("+0 > {text} 1:1(0)")), expected, "{text}");
    }
}

#[test]
fn numbers() {
    let tcp = segment("< PU. 4294967000:704(1000) ack 4294967295 win 65535 urg 17");
    assert_eq!(
        tcp.sequence,
        Sequence {
            first: 4294967000,
            last: 704,
            len: 1000
        }
    );
    assert_eq!(
        (tcp.ack, tcp.window, tcp.urgent),
        (Some(u32::MAX), Some(65535), Some(17))
    );
    let tcp = segment("> . 1:1(0)");
    assert_eq!((tcp.ack, tcp.window, tcp.urgent), (None, None, None));

    for (text, expected) in [
        (
            "1:1001(999)",
            "the payload's length is 999, but the sequence numbers are 1000 apart",
        ),
        ("1:65537(65536)", "the payload's length is at most 65535"),
        ("4294967296:1(0)", "a sequence number is at most 4294967295"),
        (
            "1:1(0) ack 4294967296",
            "an acknowledgement number is at most 4294967295",
        ),
        ("1:1(0) win 65536", "a window is at most 65535"),
        ("1:1(0) urg 65536", "an urgent pointer is at most 65535"),
        ("1-1(0)", "expected `:`, found `-`"),
        ("1:1", "expected `(`, found the end of the script"),
        ("1:1(0x)", "`0x` is not a number"),
        ("1:1(0) win 1x", "`1x` is not a number"),
        (
            "1:1(0) ack -1",
            "expected an acknowledgement number, a number, found `-`",
        ),
        ("ack 1", "expected a sequence number, a number, found `ack`"),
        (
            "1:1(0) win 1 ack 1",
            "expected an event, which begins with a time (`0.1`, `+0.1` or `*`), found `ack`",
        ),
    ] {
        assert_eq!(message(&format!("+0 > . {text}")), expected, "{text}");
    }
}

#[test]
fn an_inbound_segment_says_its_window() {
    assert_eq!(
        message("+0 < . 1:1(0) ack 1"),
        "an inbound segment needs a window"
    );
}

#[test]
fn ports() {
    assert_eq!(packet("> 8080 > 55555 . 1:1(0)").ports, Some((8080, 55555)));
    assert_eq!(packet("< 8080 > 55555 udp (10)").ports, Some((8080, 55555)));
    assert_eq!(packet("> [ect0] 1 > 2 5 1:1(0)").ports, Some((1, 2)));
    assert_eq!(
        message("+0 > 65536 > 1 . 1:1(0)"),
        "a port is at most 65535"
    );
    assert_eq!(
        message("+0 < 1 > 2 icmp echo_request"),
        "an ICMP message has no ports"
    );
}

#[test]
fn ip_fields() {
    let none = IpFields::default();
    for (text, expected) in [
        (
            "[ect0]",
            IpFields {
                ecn: Some(Ecn::Ect0),
                ..none
            },
        ),
        (
            "[ect1]",
            IpFields {
                ecn: Some(Ecn::Ect1),
                ..none
            },
        ),
        (
            "[ect01]",
            IpFields {
                ecn: Some(Ecn::Ect01),
                ..none
            },
        ),
        (
            "[ce]",
            IpFields {
                ecn: Some(Ecn::Ce),
                ..none
            },
        ),
        (
            "[noecn]",
            IpFields {
                ecn: Some(Ecn::NotEct),
                ..none
            },
        ),
        (
            "[tos 0x10]",
            IpFields {
                tos: Some(16),
                ..none
            },
        ),
        (
            "(tos 0x10)",
            IpFields {
                tos: Some(16),
                ..none
            },
        ),
        (
            "[ttl 255]",
            IpFields {
                ttl: Some(255),
                ..none
            },
        ),
        (
            "[hoplimit 1]",
            IpFields {
                ttl: Some(1),
                ..none
            },
        ),
        (
            "[flowlabel 0x1]",
            IpFields {
                flow_label: Some(1),
                ..none
            },
        ),
        (
            "[ect0, ttl 64 ,flowlabel 0xfffff]",
            IpFields {
                ecn: Some(Ecn::Ect0),
                tos: None,
                ttl: Some(64),
                flow_label: Some(0xfffff),
            },
        ),
    ] {
        assert_eq!(packet(&format!("> {text} . 1:1(0)")).ip, expected, "{text}");
        assert_eq!(
            packet(&format!("> {text} icmp redirect")).ip,
            expected,
            "{text}"
        );
        assert_eq!(packet(&format!("> {text} udp (1)")).ip, expected, "{text}");
    }
    for (text, expected) in [
        ("> [tos 256]", "a TOS is at most 255"),
        ("> [ttl 256]", "a TTL is at most 255"),
        ("> [flowlabel 0x100000]", "a flow label is at most 1048575"),
        ("> [ect0, tos 1]", "the same field is given twice"),
        ("< [ect01]", "`ect01` is for outbound packets"),
        ("> [ect0)", "expected `,` or `]`, found `)`"),
        (
            "> [ect2]",
            "expected `ect0`, `ect1`, `ect01`, `ce`, `noecn`, `tos`, `ttl` or `flowlabel`, found `ect2`",
        ),
    ] {
        assert_eq!(
            message(&format!("+0 {text} . 1:1(0) win 1")),
            expected,
            "{text}"
        );
    }
}

/// What is read is written in one way only.
#[test]
fn the_canonical_spelling() {
    for (text, expected) in [
        (
            "+0 >  (tos 0x10)  .PF  1:1001( 1000 )ack 1 win 5",
            "+0 > [tos 0x10] FP. 1:1001(1000) ack 1 win 5",
        ),
        (
            "+0 > [ttl 0x10,noecn] S 0:0(0) <>",
            "+0 > [noecn, ttl 16] S 0:0(0)",
        ),
        (
            "+0 < icmp unreachable frag_needed mtu 1200 [1:1001(1000)]",
            "",
        ),
        (
            "+0 < icmp unreachable 4 [ udp(1000) ]",
            "+0 < icmp unreachable 4 [udp (1000)]",
        ),
        ("+0 < icmp packet_too_big mtu 1280 [1:1(0)]", ""),
        ("+0 < icmp 3 4", ""),
        (
            "+0 > icmp echo_reply id 7 seq 0x1",
            "+0 > icmp echo_reply id 7 seq 1",
        ),
        ("+0 > udp(1000)", "+0 > udp (1000)"),
        ("+0 > ipv4 192.0.2.1 > 192.0.2.2: gre: . 1:1(0)", ""),
        (
            "+0 < ipv4 192.0.2.1>192.0.2.2:ipv6 ::1 > ::2: udp (8)",
            "+0 < ipv4 192.0.2.1 > 192.0.2.2: ipv6 ::1 > ::2: udp (8)",
        ),
        (
            "+0 < ipv6 2001:db8:: > 2001:0db8::2 : gre key  0x1 : [ect0] udp (8)",
            "+0 < ipv6 2001:db8:: > 2001:db8::2: gre key 0x1: [ect0] udp (8)",
        ),
        (
            "+0 > mpls (label 16, tc 0, ttl 1) (label 1048575,tc 7,[S],ttl 255): . 1:1(0)",
            "+0 > mpls (label 16, tc 0, ttl 1) (label 1048575, tc 7, [S], ttl 255): . 1:1(0)",
        ),
    ] {
        assert_eq!(
            canonical(text),
            if expected.is_empty() { text } else { expected }
        );
    }
}

/// A number that begins a line is the time of an event, not the code of the message before.
#[test]
fn a_message_without_code_before_an_absolute_time() {
    let script = crate::support::read("0 < icmp redirect\n1 < icmp redirect 1\n2 close(3) = 0\n");
    assert_eq!(script.events.len(), 3);
}

#[test]
fn wrong_messages() {
    for (text, expected) in [
        (
            "icmp",
            "expected the type of a message, a name or a number, found the end of the script",
        ),
        ("icmp 256", "the type of a message is at most 255"),
        (
            "icmp unreachable [1:1(0)",
            "expected `]`, found the end of the script",
        ),
        ("icmp echo id 65536", "an identifier is at most 65535"),
        ("udp 5", "expected `(`, found `5`"),
        ("udp (65528)", "the length of a datagram is at most 65527"),
    ] {
        assert_eq!(message(&format!("+0 < {text}")), expected, "{text}");
    }
}
