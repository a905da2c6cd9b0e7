use super::support::*;
use crate::ip::{Delivery, LOOPBACK, Outgoing, Transport, TransportIn};
use crate::{Checksum, Error};
use alloc::vec::Vec;
use bytes::Bytes;
use estab_tcp::{Chunks, IcmpErrorKind, IpMeta};

fn looped(host: &mut Host) -> Option<Delivery> {
    host.with(|ip, cx| ip.poll_loopback(cx))
}

fn send_tcp(
    host: &mut Host,
    src: &str,
    dst: &str,
    len: usize,
    segment_size: u16,
) -> Result<(), Error> {
    let header = tcp_header(100, 0x19);
    let out = Outgoing {
        transport: Transport::Tcp,
        src: ip(src),
        dst: ip(dst),
        interface: None,
        meta: IpMeta {
            dont_fragment: true,
            ..IpMeta::default()
        },
        header: &header,
        payload: Chunks::from(pattern(len)),
        segment_size,
    };
    host.with(|ip, cx| ip.send(cx, out))
}

fn tcp(delivery: Option<Delivery>) -> TransportIn {
    match delivery {
        Some(Delivery::Tcp(delivered)) => delivered,
        other => panic!("TCP: {other:?}"),
    }
}

#[test]
fn packets_to_our_addresses_stay_inside() {
    for own in ["10.0.0.1", "127.0.0.1", "127.3.2.1", "fd00::1", "::1"] {
        let mut host = Host::ethernet(&["10.0.0.1/24", "fd00::1/64"]);
        assert!(host.ip.is_local(ip(own)));
        let path = host.ip.route(host.now, ip(own), None).unwrap();
        assert_eq!(path.interface, LOOPBACK);
        send_tcp(&mut host, own, own, 3000, 0).unwrap();
        assert_eq!(host.transmit(), Vec::<Bytes>::new());
        let delivered = tcp(looped(&mut host));
        assert_eq!((delivered.src, delivered.dst), (ip(own), ip(own)));
        assert_eq!(
            (delivered.interface, delivered.checksum),
            (LOOPBACK, Checksum::Valid)
        );
        assert_eq!(delivered.data[20..], pattern(3000));
        assert!(looped(&mut host).is_none());
    }
}

#[test]
fn a_super_segment_to_ourselves_stays_whole_when_it_fits() {
    let mut host = Host::tun(&["10.0.0.1/24"]);
    send_tcp(&mut host, "10.0.0.1", "10.0.0.1", 50_000, 1460).unwrap();
    let delivered = tcp(looped(&mut host));
    assert_eq!((delivered.segments, delivered.segment_size), (35, 1460));
    assert_eq!(delivered.data.len(), 50_020);
    // 65535 bytes of text do not: they come as wire segments.
    send_tcp(&mut host, "10.0.0.1", "10.0.0.1", 65_535, 30_000).unwrap();
    let mut all = Vec::new();
    while let Some(delivery) = looped(&mut host) {
        all.extend_from_slice(&tcp(Some(delivery)).data[20..]);
    }
    assert_eq!(all, pattern(65_535));
    assert_eq!(
        send_tcp(&mut host, "10.0.0.1", "10.0.0.1", 65_535, 0),
        Err(Error::MessageTooLong)
    );
}

#[test]
fn our_own_port_unreachable_comes_back() {
    for own in ["10.0.0.1", "127.0.0.1", "fd00::1"] {
        let mut host = Host::tun(&["10.0.0.1/24", "fd00::1/64"]);
        host.send_udp(own, own, 10).unwrap();
        let Some(Delivery::Udp(delivered)) = looped(&mut host) else {
            panic!("UDP");
        };
        host.with(|ip, cx| {
            ip.send_icmp_error(
                cx,
                LOOPBACK,
                &delivered.original,
                IcmpErrorKind::PortUnreachable,
            );
        });
        let Some(Delivery::IcmpError(report)) = looped(&mut host) else {
            panic!("the error");
        };
        assert_eq!(report.kind, IcmpErrorKind::PortUnreachable);
        assert_eq!(report.local, (ip(own), 1000).into());
    }
}

#[test]
fn the_queue_is_bounded() {
    let mut host = Host::tun(&["10.0.0.1/24"]);
    let sent = (0..2000)
        .take_while(|_| host.send_udp("10.0.0.1", "10.0.0.1", 1).is_ok())
        .count();
    assert_eq!(sent, 1024);
    assert_eq!(
        host.send_udp("10.0.0.1", "10.0.0.1", 1),
        Err(Error::NoBuffers)
    );
    assert_eq!(host.ip.counters().loopback_overflows, 2);
    assert!(looped(&mut host).is_some());
    assert_eq!(host.send_udp("10.0.0.1", "10.0.0.1", 1), Ok(()));
}

#[test]
fn the_queue_to_devices_is_bounded() {
    let mut host = Host::tun(&["10.0.0.1/24"]);
    let sent = (0..10_000)
        .take_while(|_| host.send_udp("10.0.0.1", "10.0.0.2", 1).is_ok())
        .count();
    assert_eq!(sent, 4096);
    assert_eq!(host.ip.counters().output_overflows, 1);
    assert_eq!(host.transmit().len(), 4096);
}
