//! The way out: headers, checksums, and the queue that `poll_transmit` empties.

use super::address::{group_mac, is_link_local_v6, same_family};
use super::neighbour::Waiting;
use super::path::Hop;
use super::queue::{OUTPUT_MAX, Queued, Work};
use super::{IpCx, IpLayer, LOOPBACK, Outgoing, Transport};
use crate::{ChecksumOffload, Error, HeaderBuffer, InterfaceId, PacketOut};
use core::net::{IpAddr, Ipv6Addr};
use estab_tcp::event::DropReason;
use estab_tcp::{Chunks, IpMeta};
use estab_wire::checksum::{Sum, pseudo_header};
use estab_wire::ethernet::{self, Address as Mac, EtherType};
use estab_wire::{ipv4, ipv6, protocol, tcp, udp};

/// Longest transport header.
const TRANSPORT_HEADER_MAX: usize = tcp::HEADER_LEN_MAX;

/// What the layer sends, for itself or for a transport.
#[derive(Debug)]
pub(super) struct Packet<'a> {
    pub(super) hop: Hop,
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    pub(super) protocol: u8,
    pub(super) meta: IpMeta,
    /// The protocol's header. The checksum of TCP and UDP is filled in here, that of others is there already.
    pub(super) header: &'a [u8],
    pub(super) payload: Chunks,
    pub(super) segment_size: u16,
    /// The Ethernet address, when it need not be looked up.
    pub(super) mac: Option<Mac>,
}

impl Packet<'_> {
    fn ip_header_len(&self) -> usize {
        if self.dst.is_ipv6() {
            ipv6::HEADER_LEN
        } else {
            ipv4::HEADER_LEN
        }
    }

    /// Bytes of the IP packet, if it was one.
    pub(super) fn len(&self) -> usize {
        self.ip_header_len() + self.header.len() + self.payload.len()
    }

    pub(super) fn is_super_segment(&self) -> bool {
        let segment = usize::from(self.segment_size);
        self.protocol == protocol::TCP && segment > 0 && self.payload.len() > segment
    }

    const fn is_transport(&self) -> bool {
        matches!(self.protocol, protocol::TCP | protocol::UDP)
    }
}

/// How a packet goes to its device.
struct Plan {
    work: Work,
    /// Where it is cut, by the device or here; 0: it is one packet.
    segment_size: u16,
    /// Leave the checksum to the device?
    offload: bool,
    identification: u32,
}

impl IpLayer {
    /// Sends for a transport.
    ///
    /// # Errors
    /// [`Error::NetworkUnreachable`]; [`Error::MessageTooLong`] for what does not fit and must not be fragmented;
    /// [`Error::NoBuffers`] when the queue is full.
    pub(crate) fn send(&mut self, cx: &mut IpCx<'_>, out: Outgoing<'_>) -> Result<(), Error> {
        if !same_family(out.src, out.dst) || out.header.len() > TRANSPORT_HEADER_MAX {
            return Err(Error::Invalid);
        }
        let hop = self
            .hop(cx.now, out.dst, out.interface)
            .inspect_err(|_| self.counters.no_route += 1)?;
        let protocol = match out.transport {
            Transport::Tcp => protocol::TCP,
            Transport::Udp => protocol::UDP,
        };
        self.emit(
            cx,
            Packet {
                hop,
                src: out.src,
                dst: out.dst,
                protocol,
                meta: out.meta,
                header: out.header,
                payload: out.payload,
                segment_size: out.segment_size,
                mac: None,
            },
        )
    }

    /// Builds the headers and queues the packet.
    pub(super) fn emit(&mut self, cx: &mut IpCx<'_>, packet: Packet<'_>) -> Result<(), Error> {
        if packet.hop.interface == LOOPBACK {
            return self.loop_back(cx, packet);
        }
        if self.output.len() >= OUTPUT_MAX {
            self.counters.output_overflows += 1;
            cx.drop(DropReason::NoRoom);
            return Err(Error::NoBuffers);
        }
        let plan = self.plan(cx, &packet)?;
        let header = self.build_header(cx, &packet, &plan)?;
        let checksum = plan.offload.then(|| {
            let start = header.len() - packet.header.len();
            ChecksumOffload {
                start: start as u16,
                offset: checksum_offset(packet.protocol) as u16,
            }
        });
        let queued = Queued {
            interface: packet.hop.interface,
            packet: PacketOut {
                header,
                payload: packet.payload,
                checksum,
                segment_size: plan.segment_size,
            },
            work: plan.work,
        };
        self.resolve(cx, queued, packet.hop.next_hop, packet.mac);
        Ok(())
    }

    /// Decides who cuts the packet, and who completes its checksum.
    fn plan(&mut self, cx: &IpCx<'_>, packet: &Packet<'_>) -> Result<Plan, Error> {
        let v6 = packet.dst.is_ipv6();
        let interface = self.interface(packet.hop.interface).ok_or(Error::Invalid)?;
        let may_offload = interface.config.checksum_offload && packet.is_transport();
        let headers = packet.ip_header_len() + packet.header.len();
        let segment = usize::from(packet.segment_size);
        let mut plan = Plan {
            work: Work::Whole,
            segment_size: 0,
            offload: may_offload,
            identification: 0,
        };
        let link_mtu = usize::from(interface.mtu(v6));
        if packet.is_super_segment() {
            if headers + segment > link_mtu {
                self.counters.too_long += 1;
                return Err(Error::MessageTooLong);
            }
            plan.segment_size = packet.segment_size;
            let device = interface.config.segmentation_offload as usize;
            if packet.payload.len() > device || packet.len() > usize::from(u16::MAX) {
                plan.work = Work::Segments;
                plan.offload = false;
                self.counters.cut += 1;
            }
        } else {
            let path_mtu = usize::from(self.path_mtu(cx.now, interface, packet.dst));
            // TCP follows the path MTU itself; what it sent before it knew better must still leave.
            let may_fragment = !packet.meta.dont_fragment;
            let fits = if packet.protocol == protocol::TCP && !may_fragment {
                link_mtu
            } else {
                path_mtu
            };
            if packet.len() > fits {
                if !may_fragment || packet.len() > usize::from(u16::MAX) {
                    self.counters.too_long += 1;
                    return Err(Error::MessageTooLong);
                }
                plan.work = Work::Fragments {
                    mtu: path_mtu,
                    identification: 0,
                };
                plan.offload = false;
                self.counters.fragmented += 1;
            }
        }
        self.identify(packet, &mut plan);
        Ok(plan)
    }

    /// RFC 6864: only what may be fragmented, or is, needs an identification.
    fn identify(&mut self, packet: &Packet<'_>, plan: &mut Plan) {
        let fragments = matches!(plan.work, Work::Fragments { .. });
        if fragments || packet.dst.is_ipv4() && !packet.meta.dont_fragment {
            plan.identification =
                self.identifications
                    .next(packet.src, packet.dst, packet.protocol);
        }
        if let Work::Fragments { identification, .. } = &mut plan.work {
            *identification = plan.identification;
        }
    }

    fn build_header(
        &self,
        cx: &IpCx<'_>,
        packet: &Packet<'_>,
        plan: &Plan,
    ) -> Result<HeaderBuffer, Error> {
        let interface = self.interface(packet.hop.interface).ok_or(Error::Invalid)?;
        let mut header = HeaderBuffer::new();
        if interface.is_ethernet() {
            let mut link = [0; ethernet::HEADER_LEN];
            ethernet::Header {
                dst: Mac::default(),
                src: interface.mac(),
                ethertype: if packet.dst.is_ipv6() {
                    EtherType::IPV6
                } else {
                    EtherType::IPV4
                },
            }
            .emit(&mut link);
            header.extend(link);
        }
        // Of several packets in one, the cuts get their own lengths.
        let len = packet.len().min(usize::from(u16::MAX));
        push_ip_header(
            &mut header,
            cx,
            packet,
            len as u16,
            plan.identification as u16,
        );
        let transport = header.len();
        header
            .try_extend_from_slice(packet.header)
            .map_err(|_| Error::Invalid)?;
        if packet.is_transport() && plan.work != Work::Segments {
            let text = packet.header.len() + packet.payload.len();
            let sum = pseudo_header(packet.src, packet.dst, packet.protocol, text as u32);
            let value = if plan.offload {
                sum.folded()
            } else {
                complete(sum, &header[transport..], &packet.payload, packet.protocol)
            };
            put_u16(
                &mut header,
                transport + checksum_offset(packet.protocol),
                value,
            );
        }
        Ok(header)
    }

    /// Finds the Ethernet address, or makes the packet wait for it.
    pub(super) fn resolve(
        &mut self,
        cx: &mut IpCx<'_>,
        mut queued: Queued,
        next_hop: IpAddr,
        mac: Option<Mac>,
    ) {
        let Some(interface) = self.interface(queued.interface) else {
            return;
        };
        if interface.is_ethernet() {
            let known = mac.or_else(|| match next_hop {
                _ if next_hop.is_multicast() => Some(group_mac(next_hop)),
                IpAddr::V4(v4) if interface.is_broadcast(v4) => Some(Mac::BROADCAST),
                _ => None,
            });
            let key = (queued.interface, next_hop);
            let Some(mac) = known.or_else(|| self.neighbours.lookup(cx.now, key)) else {
                let result = self.neighbours.wait(cx.now, key, queued);
                self.count_waiting(cx, &result);
                if result.solicit {
                    self.solicit(cx, key, None);
                }
                return;
            };
            set_mac(&mut queued.packet.header, mac);
        }
        self.push_output(queued);
    }

    pub(super) fn count_waiting(&mut self, cx: &mut IpCx<'_>, result: &Waiting) {
        self.counters.neighbour_evictions += u64::from(result.evicted);
        self.counters.neighbour_drops += result.dropped;
        if result.dropped > 0 {
            cx.drop(DropReason::NoRoom);
        }
    }

    /// The source of a packet that the layer itself sends to a neighbour or group on a link.
    pub(super) fn link_source_v6(&self, interface: InterfaceId) -> Ipv6Addr {
        let Some(interface) = self.interface(interface) else {
            return Ipv6Addr::UNSPECIFIED;
        };
        let any = interface
            .addresses
            .iter()
            .find_map(|cidr| match cidr.address {
                IpAddr::V6(v6) if !is_link_local_v6(cidr.address) => Some(v6),
                _ => None,
            });
        interface
            .link_local()
            .or(any)
            .unwrap_or(Ipv6Addr::UNSPECIFIED)
    }
}

/// Where in its header a transport has its checksum.
pub(super) const fn checksum_offset(protocol: u8) -> usize {
    if protocol == protocol::UDP {
        udp::CHECKSUM_OFFSET
    } else {
        tcp::CHECKSUM_OFFSET
    }
}

/// The checksum over what `sum` has, a header whose checksum field is zero, and the payload.
pub(super) fn complete(mut sum: Sum, header: &[u8], payload: &Chunks, protocol: u8) -> u16 {
    sum.add_bytes(header);
    for piece in payload.pieces() {
        sum.add_bytes(piece);
    }
    match sum.finish() {
        // RFC 768: zero would mean that there is none.
        0 if protocol == protocol::UDP => 0xffff,
        checksum => checksum,
    }
}

pub(super) fn put_u16(bytes: &mut [u8], at: usize, value: u16) {
    if let Some(field) = bytes.get_mut(at..at + 2) {
        field.copy_from_slice(&value.to_be_bytes());
    }
}

pub(super) fn set_mac(header: &mut HeaderBuffer, mac: Mac) {
    if let Some(field) = header.get_mut(..6) {
        field.copy_from_slice(&mac.0);
    }
}

pub(super) fn push_ip_header(
    header: &mut HeaderBuffer,
    cx: &IpCx<'_>,
    packet: &Packet<'_>,
    len: u16,
    identification: u16,
) {
    let meta = packet.meta;
    let tos = meta.tos & !3 | meta.ecn as u8;
    let hop_limit = match meta.hop_limit {
        0 if packet.dst.is_multicast() => 1,
        0 => cx.settings.ip_default_ttl,
        limit => limit,
    };
    match (packet.src, packet.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let mut out = [0; ipv4::HEADER_LEN];
            ipv4::Header {
                tos,
                ttl: hop_limit,
                identification,
                dont_fragment: meta.dont_fragment,
                total_len: len,
                ..ipv4::Header::new(src, dst, packet.protocol)
            }
            .emit(&mut out);
            header.extend(out);
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let mut out = [0; ipv6::HEADER_LEN];
            ipv6::Header {
                traffic_class: tos,
                hop_limit,
                payload_len: len - ipv6::HEADER_LEN as u16,
                ..ipv6::Header::new(src, dst, packet.protocol)
            }
            .emit(&mut out);
            header.extend(out);
        }
        // `send` has compared the families, and the layer's own packets answer their kind.
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => {}
    }
}
