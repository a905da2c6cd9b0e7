//! Headers around packets.

use estab_packetdrill::script::{Body, Encapsulation, MplsEntry};

use crate::support::{message, packet};

#[test]
fn headers_around_a_packet() {
    let packet =
        packet("> ipv4 192.0.2.1 > 192.0.2.2: mpls (label 5, tc 1, [S], ttl 3): 1 > 2 udp (5)");
    let address = |text: &str| text.parse().unwrap();
    let outer = Encapsulation::Ip {
        source: address("192.0.2.1"),
        destination: address("192.0.2.2"),
    };
    let entry = MplsEntry {
        label: 5,
        traffic_class: 1,
        bottom: true,
        ttl: 3,
    };
    assert_eq!(
        packet.encapsulation,
        [outer, Encapsulation::Mpls(vec![entry])]
    );
    assert_eq!(
        (packet.ports, packet.body),
        (Some((1, 2)), Body::Udp { len: 5 })
    );
    for (text, expected) in [
        ("ipv4 ::1 > ::2:", "this is not an ipv4 address"),
        ("ipv6 192.0.2.1 > ::2:", "this is not an ipv6 address"),
        ("ipv4 192.0.2 > 192.0.2.1:", "this is not an ipv4 address"),
        ("ipv4 192.0.2.1 > 192.0.2.2", "expected `:`, found `.`"),
        ("mpls :", "no label"),
        (
            "mpls (label 1048576, tc 0, ttl 1):",
            "a label is at most 1048575",
        ),
        (
            "mpls (label 1, tc 8, ttl 1):",
            "a traffic class is at most 7",
        ),
        ("mpls (label 1, ttl 1):", "expected `tc`, found `ttl`"),
    ] {
        assert_eq!(
            message(&format!("+0 > {text} . 1:1(0)")),
            expected,
            "{text}"
        );
    }
    assert_eq!(
        message("+0 > gre\n"),
        "expected `:`, found the end of the script"
    );
}
