//! What estab writes, etherparse must read, and the other way round.

use crate::support::{bytes, emitted, ipv4_header, ipv6_header, tcp_header, v4, v6};
use estab_wire::{arp, ethernet, icmpv4, icmpv6, ipv4, ipv6, tcp, udp};
use etherparse::TcpOptionElement as Element;
use etherparse::{
    ArpEthIpv4Packet, Ethernet2Header, IcmpEchoHeader, Icmpv4Header, Icmpv4Slice, Icmpv4Type,
    Icmpv6Header, Icmpv6Slice, Icmpv6Type, Ipv4Header, Ipv6FragmentHeader, Ipv6Header, TcpHeader,
    UdpHeader,
};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn theirs_ipv4(header: &ipv4::Header) -> Ipv4Header {
    let mut theirs = Ipv4Header {
        dscp: (header.tos >> 2).try_into().unwrap(),
        ecn: (header.tos & 3).try_into().unwrap(),
        total_len: header.total_len,
        identification: header.identification,
        dont_fragment: header.dont_fragment,
        more_fragments: header.more_fragments,
        fragment_offset: (header.fragment_offset / 8).try_into().unwrap(),
        time_to_live: header.ttl,
        protocol: header.protocol.into(),
        header_checksum: 0,
        source: header.src.octets(),
        destination: header.dst.octets(),
        options: Default::default(),
    };
    theirs.header_checksum = theirs.calc_header_checksum();
    theirs
}

fn theirs_ipv6(header: &ipv6::Header) -> Ipv6Header {
    Ipv6Header {
        traffic_class: header.traffic_class,
        flow_label: header.flow_label.try_into().unwrap(),
        payload_length: header.payload_len,
        next_header: header.next_header.into(),
        hop_limit: header.hop_limit,
        source: header.src.octets(),
        destination: header.dst.octets(),
    }
}

/// Without options: those are compared as elements, since the layout is everybody's own.
fn theirs_tcp(header: &tcp::Header) -> TcpHeader {
    let has = |flag| header.flags.contains(flag);
    let mut theirs = TcpHeader::new(
        header.src_port,
        header.dst_port,
        header.seq.0,
        header.window.0,
    );
    theirs.acknowledgment_number = header.ack.0;
    theirs.ns = has(tcp::Flags::AE);
    theirs.fin = has(tcp::Flags::FIN);
    theirs.syn = has(tcp::Flags::SYN);
    theirs.rst = has(tcp::Flags::RST);
    theirs.psh = has(tcp::Flags::PSH);
    theirs.ack = has(tcp::Flags::ACK);
    theirs.urg = has(tcp::Flags::URG);
    theirs.ece = has(tcp::Flags::ECE);
    theirs.cwr = has(tcp::Flags::CWR);
    theirs.urgent_pointer = header.urgent;
    theirs
}

fn elements(options: &tcp::Options) -> Vec<Element> {
    let mut list = Vec::new();
    match options {
        tcp::Options::Syn(options) => {
            list.extend(options.mss.map(Element::MaximumSegmentSize));
            list.extend(options.window_scale.map(Element::WindowScale));
            if options.sack_permitted {
                list.push(Element::SelectiveAcknowledgementPermitted);
            }
        }
        tcp::Options::Segment(options) => {
            let mut blocks = options
                .sack
                .iter()
                .map(|block| (block.left.0, block.right.0));
            if let Some(first) = blocks.next() {
                let rest = [blocks.next(), blocks.next(), blocks.next()];
                list.push(Element::SelectiveAcknowledgement(first, rest));
            }
        }
    }
    list.extend(
        options
            .timestamps()
            .map(|t| Element::Timestamp(t.value, t.echo)),
    );
    list
}

/// Both read the same elements, in whatever order they stand.
fn same_elements(mut a: Vec<Element>, mut b: Vec<Element>) -> bool {
    for list in [&mut a, &mut b] {
        list.retain(|element| *element != Element::Noop);
        list.sort_by_key(|element| format!("{element:?}"));
    }
    a == b
}

proptest! {
    #[test]
    fn ethernet(dst: [u8; 6], src: [u8; 6], ethertype in 0x600u16..) {
        let ours = ethernet::Header {
            dst: ethernet::Address(dst),
            src: ethernet::Address(src),
            ethertype: ethernet::EtherType(ethertype),
        };
        let theirs = Ethernet2Header {
            source: src,
            destination: dst,
            ether_type: etherparse::EtherType(ethertype),
        };
        let mut out = [0; 14];
        ours.emit(&mut out);
        prop_assert_eq!(ethernet::Header::parse(&theirs.to_bytes()), Ok(ours));
        prop_assert_eq!(Ethernet2Header::from_bytes(out), theirs);
    }

    #[test]
    fn arp(reply: bool, a: [u8; 6], b: [u8; 6], from in v4(), to in v4()) {
        let ours = arp::Packet {
            operation: if reply { arp::Operation::Reply } else { arp::Operation::Request },
            sender_hardware: ethernet::Address(a),
            sender_protocol: from,
            target_hardware: ethernet::Address(b),
            target_protocol: to,
        };
        let theirs = ArpEthIpv4Packet {
            operation: etherparse::ArpOperation(if reply { 2 } else { 1 }),
            sender_mac: a,
            sender_ipv4: from.octets(),
            target_mac: b,
            target_ipv4: to.octets(),
        };
        let mut out = [0; 28];
        ours.emit(&mut out);
        prop_assert_eq!(out, theirs.to_bytes());
        prop_assert_eq!(arp::Packet::parse(&theirs.to_bytes()), Ok(ours));
    }

    #[test]
    fn ipv4(header in ipv4_header(0), options in 0usize..=10) {
        let mut theirs = theirs_ipv4(&header);
        let mut out = [0; 20];
        header.emit(&mut out);
        prop_assert_eq!(&out[..], &theirs.to_bytes()[..]);
        prop_assert_eq!(&Ipv4Header::from_slice(&out).unwrap().0, &theirs);
        // We send no options, but read what others do.
        theirs.options = vec![1; 4 * options][..].try_into().unwrap();
        theirs.total_len = theirs.header_len() as u16;
        theirs.header_checksum = theirs.calc_header_checksum();
        let expected = ipv4::Header {
            header_len: theirs.header_len() as u16,
            total_len: theirs.total_len,
            ..header
        };
        prop_assert_eq!(ipv4::Header::parse(&theirs.to_bytes()), Ok(expected));
    }

    #[test]
    fn ipv6(header in ipv6_header(0)) {
        let theirs = theirs_ipv6(&header);
        let mut out = [0; 40];
        header.emit(&mut out);
        prop_assert_eq!(out, theirs.to_bytes());
        prop_assert_eq!(ipv6::Header::parse(&theirs.to_bytes()), Ok(header));
    }

    #[test]
    fn fragment(next_header: u8, offset in 0u16..0x2000, more_fragments: bool, identification: u32) {
        let ours = ipv6::FragmentHeader {
            next_header, fragment_offset: offset * 8, more_fragments, identification,
        };
        let theirs = Ipv6FragmentHeader::new(
            next_header.into(), offset.try_into().unwrap(), more_fragments, identification,
        );
        let mut out = [0; 8];
        ours.emit(&mut out);
        prop_assert_eq!(out, theirs.to_bytes());
        prop_assert_eq!(ipv6::FragmentHeader::parse(&theirs.to_bytes()), Ok(ours));
    }

    #[test]
    fn extension_headers(
        header in ipv6_header(0), hop_by_hop: bool, destination: bool, routing: bool,
        fragment in proptest::option::of((0u16..0x2000, any::<bool>())), payload in bytes(30),
    ) {
        use etherparse::{Ipv6Extensions, Ipv6RawExtHeader, Ipv6RoutingExtensions, ip_number};
        let padding = Ipv6RawExtHeader::new_raw(ip_number::TCP, &[1, 4, 0, 0, 0, 0]).unwrap();
        let no_segments = Ipv6RawExtHeader::new_raw(ip_number::TCP, &[0; 6]).unwrap();
        let mut extensions = Ipv6Extensions {
            hop_by_hop_options: hop_by_hop.then(|| padding.clone()),
            destination_options: destination.then(|| padding.clone()),
            routing: routing.then_some(Ipv6RoutingExtensions {
                routing: no_segments,
                final_destination_options: None,
            }),
            fragment: fragment.map(|(offset, more)| {
                Ipv6FragmentHeader::new(ip_number::TCP, offset.try_into().unwrap(), more, 77)
            }),
            auth: None,
        };
        let first = extensions.set_next_headers(ip_number::TCP);
        let mut packet = Vec::new();
        let header = ipv6::Header {
            next_header: first.0,
            payload_len: (extensions.header_len() + payload.len()) as u16,
            ..header
        };
        packet.extend(theirs_ipv6(&header).to_bytes());
        extensions.write(&mut packet, first).unwrap();
        packet.extend(&payload);

        let upper = ipv6::walk(&ipv6::Header::parse(&packet).unwrap(), &packet).unwrap();
        prop_assert_eq!(upper.protocol, 6);
        prop_assert_eq!(&packet[upper.offset..], &payload);
        let theirs = etherparse::Ipv6Slice::from_slice(&packet).unwrap();
        prop_assert_eq!(theirs.payload().payload, &packet[upper.offset..]);
        let got = upper.fragment.map(|fragment| fragment.header);
        prop_assert_eq!(
            got.map(|header| (header.fragment_offset / 8, header.more_fragments)),
            fragment
        );
        prop_assert_eq!(theirs.is_payload_fragmented(), got.is_some_and(|header| !header.is_atomic()));
    }

    #[test]
    fn tcp(header in tcp_header(), payload in bytes(50), v4 in (v4(), v4()), v6 in (v6(), v6())) {
        let bytes = emitted(&header);
        let (read, rest) = TcpHeader::from_slice(&bytes).unwrap();
        prop_assert!(rest.is_empty());
        let plain = TcpHeader { options: read.options.clone(), ..theirs_tcp(&header) };
        prop_assert_eq!(&read, &plain);
        let read_elements = read.options_iterator().collect::<Result<Vec<_>, _>>().unwrap();
        prop_assert!(same_elements(read_elements, elements(&header.options)));

        // Theirs are packed more closely, so all that fits ours fits them.
        let mut theirs = theirs_tcp(&header);
        theirs.set_options(&elements(&header.options)).unwrap();
        let (parsed, payload_offset) = tcp::Header::parse(&theirs.to_bytes()).unwrap();
        prop_assert_eq!(payload_offset, theirs.header_len());
        // etherparse knows nine of the twelve bits.
        let flags = tcp::Flags::from_bits(header.flags.bits() & 0x1ff);
        prop_assert_eq!(&parsed, &tcp::Header { flags, ..header });

        let ours = |src: IpAddr, dst: IpAddr| {
            let bytes = theirs.to_bytes();
            tcp::checksum(src, dst, [&bytes[..], &payload].into_iter())
        };
        let expected = theirs.calc_checksum_ipv4_raw(v4.0.octets(), v4.1.octets(), &payload).unwrap();
        prop_assert_eq!(ours(v4.0.into(), v4.1.into()), expected);
        let expected = theirs.calc_checksum_ipv6_raw(v6.0.octets(), v6.1.octets(), &payload).unwrap();
        prop_assert_eq!(ours(v6.0.into(), v6.1.into()), expected);
    }

    #[test]
    fn udp(src_port: u16, dst_port: u16, payload in bytes(50), v4 in (v4(), v4()), v6 in (v6(), v6())) {
        let header = udp::Header { src_port, dst_port, len: 8 + payload.len() as u16 };
        let mut head = [0; 8];
        header.emit(&mut head);
        let ours = |src: IpAddr, dst: IpAddr| udp::checksum(src, dst, [&head[..], &payload].into_iter());
        let over_v4 = UdpHeader::without_ipv4_checksum(src_port, dst_port, payload.len()).unwrap();
        prop_assert_eq!(head, over_v4.to_bytes());
        let sum = over_v4.calc_checksum_ipv4_raw(v4.0.octets(), v4.1.octets(), &payload).unwrap();
        prop_assert_eq!(ours(v4.0.into(), v4.1.into()), sum);
        let sum = over_v4.calc_checksum_ipv6_raw(v6.0.octets(), v6.1.octets(), &payload).unwrap();
        prop_assert_eq!(ours(v6.0.into(), v6.1.into()), sum);
        let datagram = [&UdpHeader { checksum: sum, ..over_v4 }.to_bytes()[..], &payload].concat();
        prop_assert_eq!(udp::Header::parse(&datagram), Ok(header));
        prop_assert!(udp::verify(v6.0.into(), v6.1.into(), &datagram));
    }

    #[test]
    fn icmpv4(ident: u16, seq: u16, mtu: u16, code in 0u8..16, body in bytes(50)) {
        let echo = IcmpEchoHeader { id: ident, seq };
        // Only frag-needed has an MTU, the others read 0 there.
        let mtu = if code == icmpv4::unreachable::FRAGMENTATION_NEEDED { mtu } else { 0 };
        let unreachable = etherparse::icmpv4::DestUnreachableHeader::from_values(code, mtu).unwrap();
        let cases = [
            (
                icmpv4::Message::EchoRequest { ident, seq, data: &body },
                Icmpv4Type::EchoRequest(echo),
            ),
            (
                icmpv4::Message::EchoReply { ident, seq, data: &body },
                Icmpv4Type::EchoReply(echo),
            ),
            (
                icmpv4::Message::DestinationUnreachable { code, next_hop_mtu: mtu, quoted: &body },
                Icmpv4Type::DestinationUnreachable(unreachable),
            ),
            (
                icmpv4::Message::TimeExceeded { code: 1, quoted: &body },
                Icmpv4Type::TimeExceeded(
                    etherparse::icmpv4::TimeExceededCode::FragmentReassemblyTimeExceeded,
                ),
            ),
            (
                icmpv4::Message::ParameterProblem { code: 0, pointer: code, quoted: &body },
                Icmpv4Type::ParameterProblem(
                    etherparse::icmpv4::ParameterProblemHeader::PointerIndicatesError(code),
                ),
            ),
        ];
        for (ours, theirs) in cases {
            let bytes = [&Icmpv4Header::with_checksum(theirs.clone(), &body).to_bytes()[..], &body].concat();
            prop_assert_eq!(icmpv4::Message::parse(&bytes), Ok(ours));
            let mut out = Vec::new();
            ours.emit(&mut out);
            let slice = Icmpv4Slice::from_slice(&out).unwrap();
            prop_assert_eq!(slice.icmp_type(), theirs);
            prop_assert_eq!(slice.payload(), &body);
        }
    }

    #[test]
    fn icmpv6(ident: u16, seq: u16, word: u32, body in bytes(50), src in v6(), dst in v6()) {
        use etherparse::icmpv6::{
            DestUnreachableCode, ParameterProblemCode, ParameterProblemHeader, TimeExceededCode,
        };
        let echo = IcmpEchoHeader { id: ident, seq };
        let cases = [
            (
                icmpv6::Message::EchoRequest { ident, seq, data: &body },
                Icmpv6Type::EchoRequest(echo),
            ),
            (
                icmpv6::Message::EchoReply { ident, seq, data: &body },
                Icmpv6Type::EchoReply(echo),
            ),
            (
                icmpv6::Message::DestinationUnreachable {
                    code: icmpv6::unreachable::ADDRESS, quoted: &body,
                },
                Icmpv6Type::DestinationUnreachable(DestUnreachableCode::Address),
            ),
            (
                icmpv6::Message::PacketTooBig { mtu: word, quoted: &body },
                Icmpv6Type::PacketTooBig { mtu: word },
            ),
            (
                icmpv6::Message::TimeExceeded {
                    code: icmpv6::time_exceeded::HOP_LIMIT, quoted: &body,
                },
                Icmpv6Type::TimeExceeded(TimeExceededCode::HopLimitExceeded),
            ),
            (
                icmpv6::Message::ParameterProblem {
                    code: icmpv6::parameter_problem::NEXT_HEADER, pointer: word, quoted: &body,
                },
                Icmpv6Type::ParameterProblem(ParameterProblemHeader {
                    code: ParameterProblemCode::UnrecognizedNextHeader,
                    pointer: word,
                }),
            ),
        ];
        for (ours, theirs) in cases {
            let header =
                Icmpv6Header::with_checksum(theirs, src.octets(), dst.octets(), &body).unwrap();
            let bytes = [&header.to_bytes()[..], &body].concat();
            prop_assert_eq!(icmpv6::Message::parse(src, dst, &bytes), Ok(ours));
            let mut out = Vec::new();
            ours.emit(src, dst, &mut out);
            let slice = Icmpv6Slice::from_slice(&out).unwrap();
            prop_assert!(slice.is_checksum_valid(src.octets(), dst.octets()));
            prop_assert_eq!(slice.icmp_type(), theirs);
            prop_assert_eq!(slice.payload(), &body);
        }
    }

    #[test]
    fn neighbour_discovery(mac: [u8; 6], mtu: u32, prefix in v6(), bits: u8, lifetimes: (u32, u32)) {
        use etherparse::icmpv6::{NdpOptionSlice, NdpOptionsIterator, PrefixInformation};
        let theirs = PrefixInformation {
            prefix_length: bits,
            on_link: bits & 1 != 0,
            autonomous_address_configuration: bits & 2 != 0,
            valid_lifetime: lifetimes.0,
            preferred_lifetime: lifetimes.1,
            prefix: prefix.octets(),
        };
        let ours = icmpv6::PrefixInformation {
            prefix,
            prefix_len: bits,
            on_link: bits & 1 != 0,
            autonomous: bits & 2 != 0,
            valid_s: lifetimes.0,
            preferred_s: lifetimes.1,
        };
        prop_assert_eq!(&icmpv6::NdpOption::Prefix(ours).to_bytes()[..], &theirs.to_bytes()[..]);
        let read = icmpv6::NdpOptions::new(&theirs.to_bytes()).unwrap().prefixes().next();
        prop_assert_eq!(read, Some(ours));

        let address = ethernet::Address(mac);
        let options = [
            icmpv6::NdpOption::SourceLinkAddress(address),
            icmpv6::NdpOption::TargetLinkAddress(address),
            icmpv6::NdpOption::Mtu(mtu),
        ];
        let written: Vec<u8> = options.iter().flat_map(|option| option.to_bytes()).collect();
        let read = NdpOptionsIterator::from_slice(&written).collect::<Result<Vec<_>, _>>().unwrap();
        let [
            NdpOptionSlice::SourceLinkLayerAddress(source),
            NdpOptionSlice::TargetLinkLayerAddress(target),
            NdpOptionSlice::Mtu(theirs),
        ] = &read[..] else {
            return Err(TestCaseError::fail(format!("{read:?}")));
        };
        prop_assert_eq!(source.link_layer_address(), mac);
        prop_assert_eq!(target.link_layer_address(), mac);
        prop_assert_eq!(theirs.mtu(), mtu);
    }
}

/// Whole packets as etherparse's builder makes them.
#[test]
fn built_packets() {
    let payload = b"to whom it may concern";
    let mut packet = Vec::new();
    etherparse::PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 61)
        .tcp(49152, 80, 1000, 64240)
        .syn()
        .options(&[Element::MaximumSegmentSize(1460), Element::WindowScale(9)])
        .unwrap()
        .write(&mut packet, payload)
        .unwrap();
    let header = ipv4::Header::parse(&packet).unwrap();
    assert_eq!((header.src, header.ttl), (Ipv4Addr::new(192, 0, 2, 1), 61));
    let segment = header.payload(&packet);
    assert!(tcp::verify(header.src.into(), header.dst.into(), segment));
    let (tcp_header, offset) = tcp::Header::parse(segment).unwrap();
    assert_eq!(segment[offset..], payload[..]);
    assert_eq!(
        tcp_header.options,
        tcp::Options::Syn(tcp::SynOptions {
            mss: Some(1460),
            window_scale: Some(9),
            ..tcp::SynOptions::default()
        })
    );

    let mut packet = Vec::new();
    etherparse::PacketBuilder::ipv6(
        Ipv6Addr::LOCALHOST.octets(),
        Ipv6Addr::LOCALHOST.octets(),
        3,
    )
    .udp(53, 49152)
    .write(&mut packet, payload)
    .unwrap();
    let header = ipv6::Header::parse(&packet).unwrap();
    let upper = ipv6::walk(&header, &packet).unwrap();
    assert_eq!(upper.protocol, 17);
    let datagram = &packet[upper.offset..];
    assert!(udp::verify(header.src.into(), header.dst.into(), datagram));
    assert_eq!(
        udp::Header::parse(datagram).unwrap().payload(datagram),
        payload
    );
}
