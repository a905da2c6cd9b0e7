//! Configuring the kernel's side, in a namespace of its own.
#![cfg(target_os = "linux")]

use estab_device::namespace::testing::privileged_test;
use estab_device::namespace::{NetworkNamespace, isolate};
use estab_device::netlink;
use estab_device::tuntap::{TunTap, TunTapConfig};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::time::Duration;

#[test]
fn addresses_and_routes_take_effect() {
    privileged_test("addresses_and_routes_take_effect", || {
        let lo = netlink::link("lo").expect("every namespace has one");
        assert!(lo.up);
        assert_eq!(lo.name, "lo");
        let destination = "192.0.2.9:9";
        let socket = UdpSocket::bind("0.0.0.0:0").expect("bind");
        let error = socket.connect(destination).expect_err("no route yet");
        assert_eq!(error.kind(), ErrorKind::NetworkUnreachable);

        let own = Ipv4Addr::new(198, 51, 100, 1);
        for _ in 0..2 {
            netlink::add_address(lo.index, own.into(), 24).expect("also when it is there");
        }
        UdpSocket::bind((own, 0)).expect("an address of ours");
        netlink::add_route([192, 0, 2, 0].into(), 24, None, lo.index).expect("a route");
        socket.connect(destination).expect("a route is there");
        netlink::add_route(
            [0, 0, 0, 0].into(),
            0,
            Some([198, 51, 100, 7].into()),
            lo.index,
        )
        .expect("a default route through a gateway");
        socket
            .connect("203.0.113.1:9")
            .expect("by the default route");

        let own: Ipv6Addr = "2001:db8::1".parse().expect("an address");
        netlink::add_address(lo.index, own.into(), 64).expect("an IPv6 address");
        UdpSocket::bind((own, 0)).expect("at once, without duplicate address detection");
        let network: Ipv6Addr = "2001:db8:1::".parse().expect("an address");
        netlink::add_route(network.into(), 48, None, lo.index).expect("an IPv6 route");

        netlink::set_mtu(lo.index, 1400).expect("an MTU");
        netlink::set_down(lo.index).expect("down");
        let lo = netlink::link("lo").expect("still there");
        assert_eq!((lo.mtu, lo.up), (1400, false));
    });
}

/// The first packet to a new address arrives, without waiting: of a link that is up, and of one that was down.
#[test]
fn an_ipv6_address_takes_packets_at_once() {
    privileged_test("an_ipv6_address_takes_packets_at_once", || {
        for number in 1..=50 {
            let config = TunTapConfig::tun(format!("estab-a{number}"));
            let device = TunTap::open(&config).expect("a device");
            let own = |host| IpAddr::from(Ipv6Addr::new(0xfd17, 0, 0, number, 0, 0, 0, host));
            netlink::add_address(device.index(), own(1), 64).expect("on a link that is down");
            netlink::set_up(device.index()).expect("up");
            hears_itself(own(1));
            netlink::add_address(device.index(), own(2), 64).expect("on a link that is up");
            hears_itself(own(2));
        }
    });
}

fn hears_itself(own: IpAddr) {
    let socket = UdpSocket::bind((own, 0)).expect("bind");
    let second = Some(Duration::from_secs(1));
    socket.set_read_timeout(second).expect("a time-out");
    let to = socket.local_addr().expect("an address");
    socket.send_to(b"?", to).expect("send");
    socket.recv(&mut [0]).expect("the first packet");
}

#[test]
fn errors_name_what_failed() {
    privileged_test("errors_name_what_failed", || {
        let error = netlink::link_index("nosuch0").expect_err("no such device");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("nosuch0"), "{error}");
        let error = netlink::add_address(9999, [192, 0, 2, 1].into(), 24).expect_err("no device");
        assert!(error.to_string().contains("192.0.2.1/24"), "{error}");
    });
}

#[test]
fn a_namespace_is_apart_and_its_sockets_stay_in_it() {
    privileged_test("a_namespace_is_apart_and_its_sockets_stay_in_it", || {
        let other = NetworkNamespace::new().expect("a namespace");
        let inside = other
            .run(|| UdpSocket::bind("127.0.0.1:5000"))
            .expect("loopback is up");
        let outside = UdpSocket::bind("127.0.0.1:5000").expect("the port is free here");
        let sender = other.run(|| UdpSocket::bind("127.0.0.1:0")).expect("bind");
        sender.send_to(b"hello", "127.0.0.1:5000").expect("send");
        let mut buffer = [0; 8];
        assert_eq!(inside.recv(&mut buffer).expect("receive"), 5);
        outside.set_nonblocking(true).expect("non-blocking");
        assert_eq!(
            outside.recv(&mut buffer).expect_err("nothing").kind(),
            ErrorKind::WouldBlock
        );
    });
}

/// Of the calling thread.
fn drop_capabilities() {
    let none = CapabilitySet::empty();
    let sets = CapabilitySets {
        effective: none,
        permitted: none,
        inheritable: none,
    };
    set_capabilities(None, sets).expect("less is always allowed");
}

#[test]
fn without_privileges_errors_say_what_to_do() {
    privileged_test("without_privileges_errors_say_what_to_do", || {
        drop_capabilities();
        let lo = netlink::link_index("lo").expect("looking is allowed");
        let add = netlink::add_address(lo, [192, 0, 2, 1].into(), 24).map(drop);
        let open = TunTap::open(&TunTapConfig::tun("estab-n0")).map(drop);
        let make = NetworkNamespace::new().map(drop);
        for result in [add, open, make] {
            let error = result.expect_err("not allowed");
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            let text = error.to_string();
            assert!(
                text.contains("needs CAP_NET_ADMIN: run with sudo"),
                "{text}"
            );
        }
    });
}

#[test]
fn a_process_can_isolate_itself_with_and_without_privileges() {
    privileged_test(
        "a_process_can_isolate_itself_with_and_without_privileges",
        || {
            let own = Ipv4Addr::new(192, 0, 2, 1);
            let add = || netlink::add_address(netlink::link_index("lo")?, own.into(), 24);
            add().expect("an address");
            isolate().expect("with privileges");
            UdpSocket::bind((own, 0)).expect_err("it is not there any more");
            drop_capabilities();
            add().expect_err("not allowed");
            if let Err(error) = isolate() {
                // Systems may forbid user namespaces.
                let text = error.to_string();
                assert!(text.contains("allow user namespaces"), "{text}");
                return;
            }
            add().expect("root in a namespace of its own");
            UdpSocket::bind((own, 0)).expect("an address of ours");
            UdpSocket::bind("127.0.0.1:0").expect("loopback is up");
        },
    );
}
