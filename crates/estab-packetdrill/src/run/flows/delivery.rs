//! Packets that were emitted, and where the lines that expect them will look.

use super::{Flows, Owner, WAITING_MAX};
use crate::packet::{Live, LiveBody, icmp};
use crate::run::flow::{Arrived, Flow, Protocol};
use core::net::SocketAddr;
use core::time::Duration;

impl Flows {
    /// Puts a packet where the line that expects it will look.
    pub(crate) fn deliver(&mut self, time: Duration, live: Live) -> Owner {
        let owner = self.owner(&live);
        if self.waiting >= WAITING_MAX {
            return owner;
        }
        let arrived = Arrived { time, live };
        match owner {
            Owner::Flow(index) => self.flows[index].queue.push_back(arrived),
            Owner::Stray => self.stray.push_back(arrived),
            Owner::Nobody => return owner,
        }
        self.waiting += 1;
        owner
    }

    /// Have more packets come than are kept?
    pub(crate) const fn is_full(&self) -> bool {
        self.waiting >= WAITING_MAX
    }

    pub(crate) fn take(&mut self, index: usize) -> Option<Arrived> {
        let taken = self.flows[index].queue.pop_front();
        self.waiting -= usize::from(taken.is_some());
        taken
    }

    /// The first message of ICMP that stands at the head of a queue, and the flow that it is about.
    pub(crate) fn take_icmp(&mut self) -> Option<(Option<usize>, Arrived)> {
        let heads = self.flows.iter().enumerate();
        let messages = heads.filter_map(|(index, flow)| {
            let head = flow.queue.front()?;
            matches!(head.live.body, LiveBody::Icmp(_)).then_some((head.time, Some(index)))
        });
        let stray = self.stray.front().map(|stray| (stray.time, None));
        let (_, index) = messages.chain(stray).min()?;
        let taken = match index {
            Some(index) => self.flows[index].queue.pop_front(),
            None => self.stray.pop_front(),
        };
        self.waiting -= usize::from(taken.is_some());
        taken.map(|arrived| (index, arrived))
    }

    /// The earliest packet that no line has met, and its flow.
    pub(crate) fn unmet(&self) -> Option<(Option<usize>, &Arrived)> {
        let flows = self.flows.iter().enumerate();
        let queued = flows.flat_map(|(index, flow)| flow.queue.front().map(|a| (Some(index), a)));
        let stray = self.stray.front().map(|arrived| (None, arrived));
        queued.chain(stray).min_by_key(|(_, arrived)| arrived.time)
    }

    fn owner(&mut self, live: &Live) -> Owner {
        if let LiveBody::Icmp(message) = &live.body {
            let v6 = live.ip.source.is_ipv6();
            if live.ip.destination != self.network.remote_ip {
                return Owner::Nobody;
            }
            let Some(quoted) = message.quoted else {
                let known = icmp::is_echo(v6, message.kind);
                return if known { Owner::Stray } else { Owner::Nobody };
            };
            // What it quotes came from the peer.
            let found = self.find(quoted.destination, quoted.source, None, false);
            return found.map_or(Owner::Stray, Owner::Flow);
        }
        let Some((local, remote)) = live.ends() else {
            return Owner::Nobody;
        };
        let (protocol, opens) = match &live.body {
            LiveBody::Tcp(segment) => (Protocol::Tcp, segment.flags.syn && !segment.flags.ack),
            _ => (Protocol::Udp, false),
        };
        self.find(local, remote, Some(protocol), opens)
            .map_or(Owner::Nobody, Owner::Flow)
    }

    fn find(
        &mut self,
        local: SocketAddr,
        remote: SocketAddr,
        protocol: Option<Protocol>,
        opens: bool,
    ) -> Option<usize> {
        let is = |flow: &Flow| {
            flow.remote == Some(remote) && protocol.is_none_or(|known| known == flow.protocol)
        };
        let exact = self
            .flows
            .iter()
            .rposition(|flow| is(flow) && flow.local == local);
        if exact.is_some() {
            return exact;
        }
        // The first packet of an active open, or of a socket that was not bound, tells where it comes from.
        let first = |flow: &Flow| is(flow) && flow.local.port() == 0;
        let again = |flow: &Flow| opens && is(flow) && flow.fd.is_some();
        let index =
            (self.flows.iter().position(first)).or_else(|| self.flows.iter().rposition(again))?;
        let flow = &mut self.flows[index];
        if flow.local.port() != 0 {
            // Another attempt with the same socket, from another port.
            flow.restart(remote);
        }
        flow.local = local;
        Some(index)
    }
}
