//! The calls `bind` and `connect`.

use super::input::canonical;
use super::{ConnectionId, HalfOpenId, Kept, KeptHalfOpen, KeptTimeWait, Owner, Tcp, TimeWaitId};
use crate::ports::{Claim, Hold, Scope};
use crate::sockets::Kind;
use crate::table::TupleTable;
use crate::{Error, InterfaceId, SocketId, Stack};
use alloc::boxed::Box;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use estab_tcp::{Cause, Connection, Cx, FourTuple, Instant, SeqNum, State};

impl Stack {
    /// Gives a socket its local address and port; port 0 chooses a free one. An IPv6 socket takes IPv4 addresses too, plain or
    /// mapped, unless `IPV6_V6ONLY` is set.
    ///
    /// # Errors
    /// [`Error::AddressInUse`]: the port is held for an address that overlaps; by anyone, if not both have `SO_REUSEADDR` and
    /// nobody listens, or both have `SO_REUSEPORT`; TIME-WAIT holds it for those without `SO_REUSEADDR`.
    /// [`Error::AddressNotAvailable`]: not an address of ours. [`Error::FamilyNotSupported`].
    /// [`Error::Invalid`]: it has an address already.
    pub fn bind(&mut self, socket: SocketId, address: SocketAddr) -> Result<(), Error> {
        let state = self.sockets.get(socket)?;
        let udp = matches!(state.kind, Kind::Udp(_));
        if state.hold.is_some() || !(udp || matches!(state.kind, Kind::Fresh)) {
            return Err(Error::Invalid);
        }
        let scope = match state.scope(address) {
            Err(Error::NetworkUnreachable) => return Err(Error::Invalid),
            scope => scope?,
        };
        // RFC 9293 3.9.1.1 MUST-43: one address of ours, or none for any.
        if let Some(ip) = scope.address() {
            let group = udp && (ip.is_multicast() || self.ip.is_broadcast(ip));
            if !(self.ip.is_local(ip) || group) {
                return Err(Error::AddressNotAvailable);
            }
        }
        let claim = Claim {
            reuse_address: state.reuse_address,
            reuse_port: state.reuse_port,
            ..Claim::default()
        };
        let range = self.settings.ip_local_port_range;
        let ports = match udp {
            true => &mut self.udp.ports,
            false => &mut self.tcp.ports,
        };
        let port = match address.port() {
            0 => ports.free(scope, range).ok_or(Error::AddressInUse)?,
            port if ports.conflicts(scope, port, claim) => return Err(Error::AddressInUse),
            port => port,
        };
        let hold = ports.hold(scope, port, claim);
        if udp {
            self.udp.receivers.add(scope, port, socket);
        }
        let state = self.sockets.get_mut(socket)?;
        state.hold = Some(hold);
        state.bound = true;
        Ok(())
    }

    /// Active OPEN (RFC 9293 3.10.1) of a TCP socket: always gives [`Error::InProgress`] when it begins; the socket becomes
    /// writable when it is decided, and then [`Self::take_error`] says how. Without a bound address the route chooses one, without
    /// a bound port an ephemeral one is taken (RFC 6056). `timeout` limits the opening; without it the SYN's
    /// retransmissions do.
    ///
    /// Of a UDP socket it sets the peer; no two sockets may have both ends in common ([`Error::AddressInUse`]). An unspecified
    /// address means this host.
    ///
    /// # Errors
    /// Also [`Error::AlreadyInProgress`], [`Error::AlreadyConnected`], [`Error::AddressNotAvailable`] (the four-tuple is in use, or
    /// no port is free), [`Error::NetworkUnreachable`], [`Error::FamilyNotSupported`]; [`Error::Connection`] with the error of an
    /// earlier attempt that was not told yet.
    pub fn connect(
        &mut self,
        now: Instant,
        socket: SocketId,
        remote: SocketAddr,
        timeout: Option<Duration>,
    ) -> Result<(), Error> {
        match self.sockets.get(socket)?.kind {
            Kind::Fresh | Kind::Udp(_) => {}
            Kind::Stream(id) => self.may_connect_again(socket, id)?,
            Kind::Accepting(_) => return Err(Error::AlreadyInProgress),
            Kind::Listener(_) | Kind::Interceptor(_) | Kind::Failed(..) => {
                return Err(Error::AlreadyConnected);
            }
        }
        let (remote, interface) = self.destination(socket, remote)?;
        if matches!(self.sockets.get(socket)?.kind, Kind::Udp(_)) {
            return self.udp_connect(now, socket, remote);
        }
        let path = self.path(now, remote, interface)?;
        // RFC 9293 3.9.1.1 MUST-44: the IP layer chooses the local address before the SYN, when nobody else has.
        let local = self.source(socket, remote.ip(), || path.source())?;
        let (tuple, hold, after) = self.take_four_tuple(now, socket, local, remote)?;
        let opening = self.opening(now, &tuple, &path, after);
        let options = self.sockets.get(socket)?.options.clone();
        let mut cx = self.reporter.cx(now, &self.settings);
        let connection = Connection::connect(&mut cx, tuple, opening, options, timeout);
        self.sockets.get_mut(socket)?.error = None;
        self.reporter.counters.active_opens += 1;
        let owner = Owner::Socket(socket);
        self.keep_connection(now, connection, owner, Some(hold), interface);
        Err(Error::InProgress)
    }

    /// A socket whose connecting failed may try again; its bound port is still its own.
    fn may_connect_again(&mut self, socket: SocketId, id: ConnectionId) -> Result<(), Error> {
        let Some(kept) = self.tcp.connections.get_mut(id) else {
            return Err(Error::BadSocket);
        };
        if !kept.ended {
            let opening = matches!(kept.connection.state(), State::SynSent | State::SynReceived);
            return Err(if opening {
                Error::AlreadyInProgress
            } else {
                Error::AlreadyConnected
            });
        }
        if let Some(error) = kept.connection.take_error() {
            let ready = self.readiness_now(socket);
            self.sockets.set_readiness(socket, ready);
            return Err(error.into());
        }
        if kept.established {
            return Err(Error::AlreadyConnected);
        }
        self.forget_connection(id);
        self.sockets.get_mut(socket)?.kind = Kind::Fresh;
        Ok(())
    }

    /// Checks an address to connect or send to, and brings it into its one form.
    // RFC 9293 3.9.1.1 MUST-46: no connection to a group or to everybody.
    pub(crate) fn destination(
        &self,
        socket: SocketId,
        remote: SocketAddr,
    ) -> Result<(SocketAddr, Option<InterfaceId>), Error> {
        let state = self.sockets.get(socket)?;
        state.scope(remote)?;
        let interface = match remote {
            SocketAddr::V6(v6) if v6.ip().is_unicast_link_local() => {
                InterfaceId::from_scope_id(v6.scope_id())
            }
            _ => None,
        };
        let mut remote = canonical(remote, interface);
        match remote.ip() {
            ip if ip.is_unspecified() && ip.is_ipv4() => remote.set_ip(Ipv4Addr::LOCALHOST.into()),
            ip if ip.is_unspecified() => remote.set_ip(Ipv6Addr::LOCALHOST.into()),
            ip => {
                let group = ip.is_multicast() || self.ip.is_broadcast(ip);
                if group && !matches!(state.kind, Kind::Udp(_)) {
                    return Err(Error::NetworkUnreachable);
                }
            }
        }
        if remote.port() == 0 {
            return Err(Error::AddressNotAvailable);
        }
        Ok((remote, interface))
    }

    /// The local address towards a peer: the bound one, or what the route says.
    // RFC 9293 3.9.1.1 MUST-43: the application may choose it. MUST-44: else the IP layer does. MUST-45: a connection keeps it, for
    // it is a part of the four-tuple.
    pub(crate) fn source(
        &self,
        socket: SocketId,
        remote: IpAddr,
        route: impl FnOnce() -> Result<IpAddr, Error>,
    ) -> Result<IpAddr, Error> {
        let hold = self.sockets.get(socket)?.hold.as_ref();
        let family = |ip: &IpAddr| ip.is_ipv4() == remote.is_ipv4();
        match hold.map(|hold| hold.scope) {
            Some(Scope::V4(None)) if remote.is_ipv6() => Err(Error::NetworkUnreachable),
            Some(Scope::V6(None)) if remote.is_ipv4() => Err(Error::NetworkUnreachable),
            Some(scope) if scope.address().is_some() => scope
                .address()
                .filter(family)
                .ok_or(Error::NetworkUnreachable),
            _ => route(),
        }
    }

    /// Takes possession of a four-tuple for a connection: the bound port, or an ephemeral one. One in TIME-WAIT is taken over
    /// when RFC 6191 allows; the ISS must then be after the number that comes with it.
    fn take_four_tuple(
        &mut self,
        now: Instant,
        socket: SocketId,
        local: IpAddr,
        remote: SocketAddr,
    ) -> Result<(FourTuple, Hold, Option<SeqNum>), Error> {
        let tuple = |port| FourTuple {
            local: canonical(SocketAddr::new(local, port), None),
            remote,
        };
        let state = self.sockets.get_mut(socket)?;
        let (port, claim) = match &state.hold {
            Some(hold) => {
                let cx = Cx {
                    now,
                    settings: &self.settings,
                    sink: None,
                };
                let tcp = &self.tcp;
                let (kept, waiting) = (&tcp.connections, &tcp.time_wait);
                if !is_free(kept, &tcp.half_open, waiting, &cx, &tuple(hold.port)) {
                    return Err(Error::AddressNotAvailable);
                }
                (hold.port, hold.claim)
            }
            None => {
                let claim = Claim {
                    reuse_address: state.reuse_address,
                    reuse_port: state.reuse_port,
                    automatic: true,
                    ..Claim::default()
                };
                let port = self.ephemeral_port(now, local, remote)?;
                (port, claim)
            }
        };
        let tuple = tuple(port);
        let after = self.take_over_time_wait(now, &tuple);
        let state = self.sockets.get_mut(socket)?;
        if let Some(hold) = state.hold.take() {
            self.tcp.ports.release(hold);
        }
        let hold = self.tcp.ports.hold(Scope::of(local), port, claim);
        Ok((tuple, hold, after))
    }

    fn ephemeral_port(
        &mut self,
        now: Instant,
        local: IpAddr,
        remote: SocketAddr,
    ) -> Result<u16, Error> {
        let range = self.settings.ip_local_port_range;
        let cx = Cx {
            now,
            settings: &self.settings,
            sink: None,
        };
        // The search borrows the ports, and asks the tables beside them.
        let Tcp {
            ports,
            connections,
            half_open,
            time_wait,
            ..
        } = &mut self.tcp;
        ports
            .ephemeral(local, remote, range, |port| {
                let local = canonical(SocketAddr::new(local, port), None);
                let tuple = FourTuple { local, remote };
                is_free(connections, half_open, time_wait, &cx, &tuple)
            })
            .ok_or(Error::AddressNotAvailable)
    }

    fn take_over_time_wait(&mut self, now: Instant, tuple: &FourTuple) -> Option<SeqNum> {
        let id = self.tcp.time_wait.find(tuple)?;
        let cx = Cx {
            now,
            settings: &self.settings,
            sink: None,
        };
        let after = self.tcp.time_wait.get(id)?.record.reusable(&cx);
        self.reporter.counters.time_wait_reuses += 1;
        self.forget_time_wait(now, id, Some(Cause::NewIncarnation));
        after
    }
}

/// May a connection have this four-tuple?
fn is_free(
    connections: &TupleTable<ConnectionId, Box<Kept>>,
    half_open: &TupleTable<HalfOpenId, KeptHalfOpen>,
    time_wait: &TupleTable<TimeWaitId, KeptTimeWait>,
    cx: &Cx<'_>,
    tuple: &FourTuple,
) -> bool {
    connections.find(tuple).is_none()
        && half_open.find(tuple).is_none()
        && time_wait
            .find(tuple)
            .and_then(|id| time_wait.get(id))
            .is_none_or(|kept| kept.record.reusable(cx).is_some())
}
