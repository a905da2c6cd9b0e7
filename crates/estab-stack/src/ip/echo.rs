//! Echo requests of our own, and the replies to them (RFC 792, RFC 4443).

use super::input::Received;
use super::output::Packet;
use super::{IpCx, IpLayer};
use crate::Error;
use alloc::collections::VecDeque;
use bytes::Bytes;
use core::net::IpAddr;
use core::time::Duration;
use estab_tcp::{Chunks, Instant, IpMeta};
use estab_wire::{icmpv4, icmpv6, protocol};

/// Requests that may wait for their reply, and replies that may wait to be taken: the oldest ones are forgotten.
const ECHOES_MAX: usize = 64;

/// What an echo request and its reply are known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// To whom the request goes.
    pub to: IpAddr,
    /// Tells programs apart.
    pub identifier: u16,
    /// Tells requests of one program apart.
    pub sequence: u16,
}

/// A reply to an echo request of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EchoReply {
    /// The request.
    pub echo: Echo,
    /// From sending the request to receiving the reply.
    pub round_trip: Duration,
    /// TTL or hop limit with which the reply came.
    pub hop_limit: u8,
    /// Bytes behind the ICMP header.
    pub len: usize,
}

/// Requests under way, and replies that nobody has taken.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    requests: VecDeque<(Echo, Instant)>,
    replies: VecDeque<EchoReply>,
}

impl IpLayer {
    /// Sends an echo request.
    ///
    /// # Errors
    /// No route, no address of ours for it, no room, or the payload does not fit into a packet.
    pub(crate) fn send_echo_request(
        &mut self,
        cx: &mut IpCx<'_>,
        echo: Echo,
        payload: Bytes,
    ) -> Result<(), Error> {
        let hop = self
            .hop(cx.now, echo.to, None)
            .inspect_err(|_| self.counters.no_route += 1)?;
        let src = self.route(cx.now, echo.to, None)?.source()?;
        let (ident, seq, data) = (echo.identifier, echo.sequence, &payload[..]);
        let (number, header) = match (src, echo.to) {
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                let request = icmpv6::Message::EchoRequest { ident, seq, data };
                (protocol::ICMPV6, request.header(src, dst))
            }
            _ => {
                let request = icmpv4::Message::EchoRequest { ident, seq, data };
                (protocol::ICMP, request.header().into_iter().collect())
            }
        };
        let packet = Packet {
            hop,
            src,
            dst: echo.to,
            protocol: number,
            meta: IpMeta::default(),
            header: &header,
            payload: Chunks::from(payload),
            segment_size: 0,
            mac: None,
        };
        self.emit(cx, packet)?;
        if self.echoes.requests.len() == ECHOES_MAX {
            self.echoes.requests.pop_front();
            self.counters.echo_overflows += 1;
        }
        self.echoes.requests.push_back((echo, cx.now));
        self.icmp_sent(cx, echo.to, &header);
        Ok(())
    }

    /// The reply to this request, once.
    pub(crate) fn take_echo_reply(&mut self, echo: Echo) -> Option<EchoReply> {
        let replies = &mut self.echoes.replies;
        let index = replies.iter().position(|reply| reply.echo == echo)?;
        replies.remove(index)
    }

    /// An echo reply came. One that answers no request under way is ignored.
    pub(super) fn echo_reply_came(
        &mut self,
        now: Instant,
        received: &Received,
        (identifier, sequence): (u16, u16),
        len: usize,
    ) {
        let echo = Echo {
            to: received.src,
            identifier,
            sequence,
        };
        let requests = &mut self.echoes.requests;
        let Some(index) = requests.iter().position(|(request, _)| *request == echo) else {
            self.counters.icmp_ignored += 1;
            return;
        };
        let Some((_, sent)) = requests.remove(index) else {
            return;
        };
        if self.echoes.replies.len() == ECHOES_MAX {
            self.echoes.replies.pop_front();
            self.counters.echo_overflows += 1;
        }
        self.echoes.replies.push_back(EchoReply {
            echo,
            round_trip: now.since(sent),
            hop_limit: received.meta.hop_limit,
            len,
        });
    }
}
