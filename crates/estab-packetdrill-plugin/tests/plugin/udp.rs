//! Datagrams, and what ICMP says of them.

use crate::tool::Tool;
use crate::wire::sockaddr;
use crate::world::{Form, MAPPED, V4, V6};
use etherparse::{
    Icmpv4Type, Icmpv6Type, NetSlice, PacketBuilder, SlicedPacket, TransportSlice, icmpv4, icmpv6,
};
use std::net::IpAddr;

/// The next packet is a datagram from our port; its payload's length, and the packet.
fn expect_datagram(tool: &Tool, form: &Form) -> (usize, u16, Vec<u8>) {
    let (packet, _) = tool.netdev_receive();
    let whole = packet.clone();
    let sliced = SlicedPacket::from_ip(&whole).unwrap();
    let v6 = matches!(sliced.net, Some(NetSlice::Ipv6(_)));
    assert_eq!(v6, form.remote().is_ipv6());
    let Some(TransportSlice::Udp(udp)) = sliced.transport else {
        panic!("no datagram: {packet:x?}");
    };
    assert_eq!(udp.destination_port(), 8080);
    let (len, port) = (udp.payload().len(), udp.source_port());
    (len, port, packet)
}

/// A port unreachable about this packet, from where it went.
fn unreachable(form: &Form, about: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    match (form.remote().ip(), form.local().ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let kind = Icmpv4Type::DestinationUnreachable(icmpv4::DestUnreachableHeader::Port);
            let builder = PacketBuilder::ipv4(from.octets(), to.octets(), 64).icmpv4(kind);
            builder.write(&mut packet, about).unwrap();
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let kind = Icmpv6Type::DestinationUnreachable(icmpv6::DestUnreachableCode::Port);
            let builder = PacketBuilder::ipv6(from.octets(), to.octets(), 64).icmpv6(kind);
            builder.write(&mut packet, about).unwrap();
        }
        _ => unreachable!("one family"),
    }
    packet
}

fn datagrams(form: &Form) {
    let tool = form.tool();
    let fd = form.udp(&tool);
    let remote = form.sockaddr(form.remote());
    assert_eq!(tool.connect(fd, &remote), Ok(0));
    assert_eq!(tool.send(fd, &[0; 100], 0), Ok(100));
    let (len, port, packet) = expect_datagram(&tool, form);
    assert_eq!(len, 100);

    let mut reply = Vec::new();
    let builder = match (form.remote().ip(), form.local().ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => PacketBuilder::ipv4(from.octets(), to.octets(), 64),
        (IpAddr::V6(from), IpAddr::V6(to)) => PacketBuilder::ipv6(from.octets(), to.octets(), 64),
        _ => unreachable!("one family"),
    };
    builder.udp(8080, port).write(&mut reply, &[7; 30]).unwrap();
    assert_eq!(tool.netdev_send(&reply), Ok(0));
    let mut buffer = [0; 100];
    let received = tool.recvfrom(fd, &mut buffer, 0);
    assert_eq!(received, Ok((30, remote)));
    assert_eq!(buffer[..31], [[7; 30].as_slice(), &[0]].concat());

    assert_eq!(tool.netdev_send(&unreachable(form, &packet)), Ok(0));
    let nothing = tool.recv(fd, &mut buffer, libc::MSG_DONTWAIT);
    assert_eq!(nothing, Err(libc::ECONNREFUSED));
    let nothing = tool.recv(fd, &mut buffer, libc::MSG_DONTWAIT);
    assert_eq!(nothing, Err(libc::EAGAIN));
    assert_eq!(tool.close(fd), Ok(0));
}

#[test]
fn datagrams_and_a_refusal_over_ipv4() {
    datagrams(&V4);
}

#[test]
fn datagrams_and_a_refusal_over_ipv6() {
    datagrams(&V6);
}

#[test]
fn datagrams_and_a_refusal_over_mapped_addresses() {
    datagrams(&MAPPED);
}

#[test]
fn a_datagram_goes_to_the_address_of_the_call() {
    let tool = V4.tool();
    let fd = V4.udp(&tool);
    let to = sockaddr(libc::AF_INET, V4.remote());
    assert_eq!(tool.sendto(fd, b"to", 0, &to), Ok(2));
    assert_eq!(expect_datagram(&tool, &V4).0, 2);
    // SAFETY: all zero is a header without anything.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    let mut list = crate::tool::vectors(&[b"by ", b"message"]);
    (header.msg_iov, header.msg_iovlen) = (list.as_mut_ptr(), 2);
    header.msg_name = to.as_ptr().cast_mut().cast();
    header.msg_namelen = to.len() as u32;
    assert_eq!(tool.sendmsg(fd, &header, 0), Ok(10));
    assert_eq!(expect_datagram(&tool, &V4).0, 10);
}
