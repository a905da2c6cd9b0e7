//! ARP (RFC 826), and the questions to neighbours of both families.

use super::neighbour::{Due, Heard, Key, Waiting};
use super::output::set_mac;
use super::queue::{Queued, Work};
use super::{Delivery, IcmpReport, IpCx, IpLayer};
use crate::{HeaderBuffer, InterfaceId, PacketOut};
use alloc::collections::VecDeque;
use core::net::{IpAddr, Ipv4Addr};
use estab_tcp::event::DropReason;
use estab_tcp::{Chunks, IcmpErrorKind};
use estab_wire::arp::{self, Operation};
use estab_wire::ethernet::{self, Address as Mac, EtherType};

/// Reports of unreachable neighbours that may wait for `poll_unreachable`.
const REPORTS_MAX: usize = 1024;

impl IpLayer {
    pub(super) fn arp_input(
        &mut self,
        cx: &mut IpCx<'_>,
        interface: InterfaceId,
        payload: &[u8],
    ) -> Option<Delivery> {
        let Ok(packet) = arp::Packet::parse(payload) else {
            return self.discard(cx, |c| &mut c.malformed, DropReason::Malformed);
        };
        let entry = self.interface(interface)?;
        let sender = packet.sender_protocol;
        let (target, own) = (IpAddr::V4(packet.target_protocol), entry.mac());
        let probe = sender.is_unspecified();
        let usable = packet.sender_hardware.is_unicast()
            && packet.sender_hardware != own
            && !(sender.is_multicast() || sender.is_loopback() || entry.is_broadcast(sender));
        if !usable {
            return self.discard(cx, |c| &mut c.neighbour_ignored, DropReason::Address);
        }
        if entry.has(IpAddr::V4(sender)) {
            // RFC 5227: the address stays ours, the program gave it to us.
            self.counters.address_conflicts += 1;
            return None;
        }
        let for_us = entry.has(target);
        if !probe {
            let heard = Heard {
                mac: Some(packet.sender_hardware),
                solicited: packet.operation == Operation::Reply && for_us,
                replaces: true,
                is_router: None,
                // RFC 826: whoever asks for us will soon be answered something; but a stranger to the link's network
                // would only fill the table.
                create: for_us && self.is_on_link(cx, interface, IpAddr::V4(sender)),
            };
            self.neighbour_heard(cx, (interface, IpAddr::V4(sender)), heard);
        }
        if packet.operation == Operation::Request && for_us {
            let reply = arp::Packet {
                operation: Operation::Reply,
                sender_hardware: own,
                sender_protocol: packet.target_protocol,
                target_hardware: packet.sender_hardware,
                target_protocol: sender,
            };
            self.send_arp(interface, packet.sender_hardware, reply);
        }
        None
    }

    /// Would packets to this address go directly to it, over this interface?
    pub(super) fn is_on_link(
        &self,
        cx: &IpCx<'_>,
        interface: InterfaceId,
        address: IpAddr,
    ) -> bool {
        self.hop(cx.now, address, Some(interface))
            .is_ok_and(|hop| hop.interface == interface && hop.next_hop == address)
    }

    /// What a neighbour said goes into the table; what waited for it goes out.
    pub(super) fn neighbour_heard(&mut self, cx: &mut IpCx<'_>, key: Key, heard: Heard) {
        let mut result = Waiting::default();
        let ready = self.neighbours.heard(cx.now, key, heard, &mut result);
        self.count_waiting(cx, &result);
        let Some((mac, waiting)) = ready else {
            return;
        };
        for mut queued in waiting {
            set_mac(&mut queued.packet.header, mac);
            self.push_output(queued);
        }
    }

    /// Asks for a neighbour: everybody, or itself when its Ethernet address is known.
    pub(super) fn solicit(&mut self, cx: &mut IpCx<'_>, key: Key, mac: Option<Mac>) {
        let (interface, address) = key;
        match address {
            IpAddr::V4(target) => {
                let Some(entry) = self.interface(interface) else {
                    return;
                };
                let request = arp::Packet {
                    operation: Operation::Request,
                    sender_hardware: entry.mac(),
                    sender_protocol: self.arp_source(interface, target),
                    target_hardware: mac.unwrap_or_default(),
                    target_protocol: target,
                };
                self.send_arp(interface, mac.unwrap_or(Mac::BROADCAST), request);
            }
            IpAddr::V6(target) => self.send_solicitation(cx, interface, target, mac),
        }
    }

    /// Tells the link about a new address of ours (RFC 5227, RFC 4861).
    pub(super) fn announce(&mut self, cx: &mut IpCx<'_>, interface: InterfaceId, address: IpAddr) {
        let Some(entry) = self
            .interface(interface)
            .filter(|entry| entry.is_ethernet())
        else {
            return;
        };
        match address {
            IpAddr::V4(own) => {
                let announcement = arp::Packet {
                    operation: Operation::Request,
                    sender_hardware: entry.mac(),
                    sender_protocol: own,
                    target_hardware: Mac::default(),
                    target_protocol: own,
                };
                self.send_arp(interface, Mac::BROADCAST, announcement);
            }
            IpAddr::V6(own) => self.send_advertisement(cx, interface, own, None),
        }
    }

    /// Our address in the target's network, else any on the link; none when there is none.
    fn arp_source(&self, interface: InterfaceId, target: Ipv4Addr) -> Ipv4Addr {
        let v4 = |cidr: &crate::Cidr| match cidr.address {
            IpAddr::V4(v4) => Some(v4),
            IpAddr::V6(_) => None,
        };
        let addresses = self
            .interface(interface)
            .map_or(&[][..], |entry| &entry.addresses);
        let near = addresses
            .iter()
            .filter(|cidr| super::address::contains(**cidr, IpAddr::V4(target)))
            .find_map(v4);
        near.or_else(|| addresses.iter().find_map(v4))
            .unwrap_or(Ipv4Addr::UNSPECIFIED)
    }

    fn send_arp(&mut self, interface: InterfaceId, to: Mac, packet: arp::Packet) {
        let mut link = [0; ethernet::HEADER_LEN];
        ethernet::Header {
            dst: to,
            src: packet.sender_hardware,
            ethertype: EtherType::ARP,
        }
        .emit(&mut link);
        let mut body = [0; arp::PACKET_LEN];
        packet.emit(&mut body);
        let mut header = HeaderBuffer::new();
        header.extend(link);
        header.extend(body);
        let packet = PacketOut {
            header,
            payload: Chunks::new(),
            checksum: None,
            segment_size: 0,
        };
        self.push_output(Queued {
            interface,
            packet,
            work: Work::Whole,
        });
    }

    /// Deadlines of neighbours that have passed.
    pub(super) fn neighbour_timeouts(&mut self, cx: &mut IpCx<'_>) {
        while let Some(due) = self.neighbours.handle_timeout(cx.now) {
            match due {
                Due::Solicit(key, mac) => self.solicit(cx, key, mac),
                Due::Failed((interface, address), waiting) => {
                    self.counters.neighbour_failures += 1;
                    self.routes.demote(interface, address);
                    self.report_unreachable(waiting);
                }
            }
        }
    }

    /// RFC 1122 2.3.2.1: packets that cannot be delivered count as if the gateway had said "host unreachable".
    fn report_unreachable(&mut self, waiting: VecDeque<Queued>) {
        for queued in waiting {
            self.counters.neighbour_drops += 1;
            let link = self
                .interface(queued.interface)
                .map_or(0, |i| i.link_header_len());
            let packet = queued.packet.header.get(link..).unwrap_or_default();
            let Some(quoted) = super::icmp_in::quoted(packet) else {
                continue;
            };
            let report = quoted.report(IcmpErrorKind::HostUnreachable, quoted.local.ip());
            if self.reports.len() >= REPORTS_MAX {
                self.counters.report_overflows += 1;
            } else {
                self.reports.push_back(report);
            }
        }
    }

    /// What could not be sent because its neighbour does not answer: `HostUnreachable`, soft.
    pub(crate) fn poll_unreachable(&mut self) -> Option<IcmpReport> {
        self.reports.pop_front()
    }
}
