//! Datagrams and ICMP errors come in: whose are they?

use super::{COPY_MAX, Datagram, OVERHEAD};
use crate::ip::{Cast, IcmpReport, TransportIn};
use crate::sockets::Kind;
use crate::tcp::canonical;
use crate::{Checksum, HostEvent, Readiness, SocketId, Stack};
use bytes::Bytes;
use core::net::SocketAddr;
use estab_tcp::event::DropReason;
use estab_tcp::{ConnectionError, FourTuple, IcmpErrorKind, Instant};
use estab_wire::udp::{HEADER_LEN, Header};

impl Stack {
    pub(crate) fn udp_arrives(&mut self, now: Instant, packet: &TransportIn) {
        if packet.checksum == Checksum::Unverified
            && !estab_wire::udp::verify(packet.src, packet.dst, &packet.data)
        {
            return self.reporter.drop_packet(now, DropReason::Checksum);
        }
        let Ok(header) = Header::parse(&packet.data) else {
            return self.reporter.drop_packet(now, DropReason::Malformed);
        };
        let scope = Some(packet.interface);
        let tuple = FourTuple {
            local: canonical(SocketAddr::new(packet.dst, header.dst_port), None),
            remote: canonical(SocketAddr::new(packet.src, header.src_port), scope),
        };
        let data = packet.data.slice(HEADER_LEN..usize::from(header.len));
        let event = HostEvent::Udp {
            sent: false,
            local: tuple.local,
            remote: tuple.remote,
            len: data.len(),
        };
        self.reporter.host(now, &event);
        match self.udp_receiver(&tuple) {
            Some(socket) => self.udp_deliver(now, socket, &tuple, data),
            None => self.udp_nobody(now, packet),
        }
    }

    /// The socket that a datagram is for: one that is connected to its sender, else one that is bound.
    fn udp_receiver(&self, tuple: &FourTuple) -> Option<SocketId> {
        if let Some(id) = self.udp.peers.find(tuple) {
            return self.udp.peers.get(id).copied();
        }
        let receivers = &self.udp.receivers;
        let group = receivers.group(tuple.local.ip(), tuple.local.port());
        let last = *group.last()?;
        match self.sockets.get(last) {
            Ok(socket) if socket.reuse_port => receivers.pick(group, tuple),
            // As in Linux the one that was bound last, when they only share by SO_REUSEADDR.
            _ => Some(last),
        }
    }

    fn udp_deliver(&mut self, now: Instant, socket: SocketId, tuple: &FourTuple, data: Bytes) {
        let default = self.settings.rmem_default;
        let Ok(state) = self.sockets.get_mut(socket) else {
            return;
        };
        let limit = state.options.receive_buffer.unwrap_or(default) as usize;
        let Kind::Udp(udp) = &mut state.kind else {
            return;
        };
        let cost = data.len() + OVERHEAD;
        if udp.read_shut || udp.queued + cost > limit.max(cost * usize::from(udp.queue.is_empty()))
        {
            self.reporter.counters.udp_overflows += 1;
            return self.reporter.drop_packet(now, DropReason::NoRoom);
        }
        udp.queued += cost;
        self.udp_queued += data.len() as u64;
        // A small datagram must not pin a large buffer of the device.
        let data = match data.len() {
            0..=COPY_MAX => Bytes::copy_from_slice(&data),
            _ => data,
        };
        udp.queue.push_back(Datagram {
            from: tuple.remote,
            to: tuple.local,
            data,
        });
        self.reporter.counters.udp_in += 1;
        self.refresh(socket);
        self.sockets.tell_arrival(socket, Readiness::READABLE);
    }

    /// Nobody has the port: port unreachable (RFC 1122 4.1.3.1), if it was for us alone.
    fn udp_nobody(&mut self, now: Instant, packet: &TransportIn) {
        if !self.ip.is_local(packet.dst) && packet.cast == Cast::Unicast {
            // Interception is TCP's; here is the place where UDP's would begin.
            self.reporter.counters.udp_intercepted += 1;
            return self.reporter.drop_packet(now, DropReason::Intercepted);
        }
        self.reporter.counters.udp_no_port += 1;
        self.reporter.drop_packet(now, DropReason::NoSocket);
        if packet.cast == Cast::Unicast {
            let mut cx = self.reporter.ip_cx(now, &self.settings);
            let kind = IcmpErrorKind::PortUnreachable;
            self.ip
                .send_icmp_error(&mut cx, packet.interface, &packet.original, kind);
        }
    }

    /// An ICMP error about a datagram of ours: only a connected socket learns of it (RFC 1122 4.1.3.3).
    pub(crate) fn icmp_for_udp(&mut self, now: Instant, report: &IcmpReport) {
        let tuple = FourTuple {
            local: canonical(report.local, None),
            remote: canonical(report.remote, None),
        };
        if let IcmpErrorKind::PacketTooBig { mtu } = report.kind {
            if self.udp_receiver(&tuple).is_some() {
                let mut cx = self.reporter.ip_cx(now, &self.settings);
                self.ip.learn_path_mtu(&mut cx, tuple.remote.ip(), mtu);
                self.route_generation += 1;
            }
            return;
        }
        let error = match report.kind {
            IcmpErrorKind::PortUnreachable => ConnectionError::Refused,
            IcmpErrorKind::NetUnreachable => ConnectionError::NetworkUnreachable,
            IcmpErrorKind::ProtocolUnreachable => ConnectionError::ProtocolUnreachable,
            IcmpErrorKind::HostUnreachable | IcmpErrorKind::Prohibited => {
                ConnectionError::HostUnreachable
            }
            _ => return,
        };
        let peer = self.udp.peers.find(&tuple);
        let Some(socket) = peer.and_then(|id| self.udp.peers.get(id).copied()) else {
            self.reporter.counters.icmp_unmatched += 1;
            return;
        };
        if let Ok(state) = self.udp_socket_mut(socket) {
            state.error = Some(error);
            self.refresh(socket);
        }
    }
}
