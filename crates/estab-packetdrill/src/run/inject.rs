//! Packets of the script on their way into the subject.

use super::Stop;
use super::flow::Protocol;
use super::player::Player;
use crate::packet::{Ip, Quoted, QuotedTransport, build, icmp};
use crate::report::{FailureKind, LogKind};
use crate::script::{Body, Echoed, Ecn, Icmp, IpFields, Packet, Segment};
use core::net::{IpAddr, SocketAddr};

/// TTL of what the script injects, unless it says another.
const TTL: u8 = 255;

impl Player<'_> {
    /// Makes a packet and gives it to the subject.
    pub(super) fn inject(&mut self, packet: &Packet) -> Result<(), Stop> {
        let bytes = match &packet.body {
            Body::Tcp(segment) => self.build_tcp(packet, segment)?,
            Body::Udp { len } => self.build_udp(packet, *len)?,
            Body::Icmp(message) => self.build_icmp(packet, message),
        };
        let now = self.now();
        self.log.add(now, LogKind::Inbound, packet.to_string());
        let data = bytes::Bytes::from(bytes);
        self.log.packet(now, false, data.clone());
        self.subject
            .inject(&data)
            .map_err(|error| Stop::subject(error, self.span))?;
        self.collect()
    }

    fn too_many_flows<T>(&self) -> Result<T, Stop> {
        let message = "too many connections";
        Err(Stop::at(FailureKind::Limit, self.span, message))
    }

    fn build_tcp(&mut self, packet: &Packet, segment: &Segment) -> Result<Vec<u8>, Stop> {
        let opens = segment.flags.syn && !segment.flags.ack;
        let Some(index) = self.flows.inbound(Protocol::Tcp, packet.ports, opens) else {
            return self.too_many_flows();
        };
        let flow = self.flows.get_mut(index);
        let live = flow.inbound(segment);
        let (local, remote) = (flow.local, flow.remote);
        let ip = self.inbound_ip(&packet.ip, local, remote);
        Ok(build::tcp(&ip, &live))
    }

    fn build_udp(&mut self, packet: &Packet, len: u16) -> Result<Vec<u8>, Stop> {
        let Some(index) = self.flows.inbound(Protocol::Udp, packet.ports, false) else {
            return self.too_many_flows();
        };
        let flow = self.flows.get(index);
        let (local, remote) = (flow.local, flow.remote);
        let ip = self.inbound_ip(&packet.ip, local, remote);
        let source = remote.map_or(0, |remote| remote.port());
        Ok(build::udp(&ip, source, local.port(), len))
    }

    fn inbound_ip(&self, fields: &IpFields, local: SocketAddr, remote: Option<SocketAddr>) -> Ip {
        let remote = remote.map_or(self.config.network.remote_ip, |remote| remote.ip());
        self.ip(fields, remote, local.ip())
    }

    fn ip(&self, fields: &IpFields, source: IpAddr, destination: IpAddr) -> Ip {
        let ecn = fields.ecn.map(|ecn| match ecn {
            Ecn::NotEct => 0,
            Ecn::Ect1 | Ecn::Ect01 => 1,
            Ecn::Ect0 => 2,
            Ecn::Ce => 3,
        });
        let tos = fields.tos.unwrap_or(0);
        Ip {
            source,
            destination,
            tos: ecn.map_or(tos, |ecn| tos & !3 | ecn),
            ttl: fields.ttl.unwrap_or(TTL),
            flow_label: fields.flow_label.unwrap_or(0),
        }
    }

    /// A message from the peer; errors about something that the subject sent.
    fn build_icmp(&mut self, packet: &Packet, message: &Icmp) -> Vec<u8> {
        let network = &self.config.network;
        let v6 = network.ip_version.packets_are_v6();
        // Both names were looked up before anything ran.
        let kind = icmp::kind(v6, &message.kind).unwrap_or(0);
        let code = message.code.as_ref();
        let code = code.map_or(0, |code| icmp::code(v6, kind, code).unwrap_or(0));
        let ip = self.ip(&packet.ip, network.remote_ip, network.local_ip);
        let rest = match (message.mtu, message.id, message.sequence) {
            (Some(mtu), ..) => mtu.to_be_bytes(),
            (None, id, sequence) => {
                let [a, b] = id.unwrap_or(0).to_be_bytes();
                let [c, d] = sequence.unwrap_or(0).to_be_bytes();
                [a, b, c, d]
            }
        };
        let body = if icmp::is_error(v6, kind) {
            build::quoted(&self.quoted(packet, message))
        } else {
            Vec::new()
        };
        build::icmp(&ip, kind, code, rest, &body)
    }

    /// What an error quotes: without a word of the script, the last thing that was sent.
    fn quoted(&mut self, packet: &Packet, message: &Icmp) -> Quoted {
        let network = &self.config.network;
        let own = (
            SocketAddr::new(network.local_ip, self.config.bind_port),
            SocketAddr::new(network.remote_ip, self.config.connect_port),
        );
        let protocol = match message.echoed {
            Some(Echoed::Udp { .. }) => Protocol::Udp,
            _ => Protocol::Tcp,
        };
        // Its ports are written as those of a packet that comes from the peer.
        let ports = packet.ports.map(|(remote, local)| (local, remote));
        let index = self
            .flows
            .outbound(protocol, ports)
            .or_else(|| self.flows.any());
        let Some(index) = index else {
            return Quoted {
                source: own.0,
                destination: own.1,
                transport: QuotedTransport::Tcp { seq: 0, len: 0 },
            };
        };
        let flow = self.flows.get(index);
        let transport = match message.echoed {
            Some(Echoed::Udp { len }) => QuotedTransport::Udp { len },
            Some(Echoed::Tcp(sequence)) => QuotedTransport::Tcp {
                seq: flow.sent(sequence.first),
                len: sequence.len,
            },
            None if flow.protocol == Protocol::Udp => QuotedTransport::Udp { len: 0 },
            None => {
                let (seq, len) = flow.last_sent.unwrap_or_default();
                QuotedTransport::Tcp { seq, len }
            }
        };
        Quoted {
            source: flow.local,
            destination: flow.remote.unwrap_or(own.1),
            transport,
        }
    }
}
