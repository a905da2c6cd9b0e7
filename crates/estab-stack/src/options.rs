//! Socket options: the one table of them, and reading and setting them.

use crate::ports::Claim;
use crate::sockets::{Kind, Socket};
use crate::{Error, Linger, OptionName, SocketId, SocketOption, Stack};
use core::time::Duration;
use estab_tcp::{Instant, SocketOptions};

/// What there is to know of an option.
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    /// Which.
    pub name: OptionName,
    /// By the name that programs know.
    pub posix_name: &'static str,
    /// The type of its value.
    pub value: &'static str,
    /// The unit of its value; empty when it has none.
    pub unit: &'static str,
    /// What it is when nobody set it.
    pub default: &'static str,
    /// TCP sockets have it.
    pub tcp: bool,
    /// UDP sockets have it.
    pub udp: bool,
    /// What it does.
    pub effect: &'static str,
}

macro_rules! table {
    ($($name:ident $posix:literal $value:literal $unit:literal $default:literal $tcp:literal $udp:literal $effect:literal;)*) => {
        /// All options, in the order in which they are documented.
        pub const TABLE: &[OptionInfo] = &[$(OptionInfo {
            name: OptionName::$name,
            posix_name: $posix,
            value: $value,
            unit: $unit,
            default: $default,
            tcp: $tcp,
            udp: $udp,
            effect: $effect,
        },)*];
    };
}

table! {
    ReuseAddress "SO_REUSEADDR" "bool" "" "off" true true "`bind` takes a port that TIME-WAIT holds, or that others with the option hold and do not listen on.";
    ReusePort "SO_REUSEPORT" "bool" "" "off" true true "Several sockets with the option share an address and port; each peer always reaches the same one.";
    Keepalive "SO_KEEPALIVE" "bool" "" "off" true false "Idle connections are probed, and end when the peer does not answer.";
    Linger "SO_LINGER" "off, abort or a time" "seconds" "off" true false "What `close` does about data that is not delivered.";
    Broadcast "SO_BROADCAST" "bool" "" "off" false true "Datagrams may be sent to broadcast addresses.";
    OobInline "SO_OOBINLINE" "bool" "" "off" true false "The urgent byte stays in the stream.";
    SendBuffer "SO_SNDBUF" "u32" "bytes" "tcp_wmem" true false "Most data queued for sending; when it is not set the limit grows with the path.";
    ReceiveBuffer "SO_RCVBUF" "u32" "bytes" "tcp_rmem, rmem_default" true true "Most data held for reading; when it is not set TCP's limit grows with the path.";
    ReceiveLowWater "SO_RCVLOWAT" "u32" "bytes" "1" true false "The socket is readable when so much is there.";
    NoDelay "TCP_NODELAY" "bool" "" "off" true false "Small segments are not held back.";
    Cork "TCP_CORK" "bool" "" "off" true false "Only full segments are sent, for at most 200 ms.";
    QuickAck "TCP_QUICKACK" "bool" "" "off" true false "Acknowledgements are not delayed.";
    MaxSegment "TCP_MAXSEG" "u16" "bytes" "of the path" true false "Upper bound of the MSS that is announced and sent.";
    KeepaliveIdle "TCP_KEEPIDLE" "time" "seconds" "tcp_keepalive_time" true false "Idle time before the first keep-alive probe.";
    KeepaliveInterval "TCP_KEEPINTVL" "time" "seconds" "tcp_keepalive_intvl" true false "Time between keep-alive probes.";
    KeepaliveCount "TCP_KEEPCNT" "u8" "" "tcp_keepalive_probes" true false "Unanswered probes that end the connection.";
    SynRetries "TCP_SYNCNT" "u8" "" "tcp_syn_retries" true false "SYNs resent before `connect` fails.";
    Linger2 "TCP_LINGER2" "time" "seconds" "tcp_fin_timeout" true false "Life of the closed connection in FIN-WAIT-2; zero ends it at once.";
    UserTimeout "TCP_USER_TIMEOUT" "time" "milliseconds" "0" true false "The connection ends when data is unacknowledged for so long; zero leaves it to the retransmissions.";
    WindowClamp "TCP_WINDOW_CLAMP" "u32" "bytes" "0" true false "Upper bound of the window that is offered; zero is none.";
    NotSentLowWater "TCP_NOTSENT_LOWAT" "u32" "bytes" "4294967295" true false "The socket is writable while less than this is queued and not sent.";
    DeferAccept "TCP_DEFER_ACCEPT" "time" "seconds" "0" true false "A listener's connections are accepted when data came, or so much later.";
    Congestion "TCP_CONGESTION" "name" "" "reno" true false "The congestion control.";
    Tos "IP_TOS, IPV6_TCLASS" "u8" "" "0" true true "TOS or traffic class of what is sent; the two ECN bits can be set for UDP only.";
    HopLimit "IP_TTL, IPV6_UNICAST_HOPS" "u8" "" "ip_default_ttl" true true "TTL or hop limit of what is sent.";
    V6Only "IPV6_V6ONLY" "bool" "" "off" true true "An IPv6 socket does not serve IPv4; to be set before `bind`.";
}

/// What is known of an option.
pub fn info(name: OptionName) -> Option<&'static OptionInfo> {
    TABLE.iter().find(|info| info.name == name)
}

/// Largest buffer that can be asked for.
const MAX_BUFFER: u32 = 1 << 30;
/// Largest time of keep-alive, as in Linux.
const MAX_KEEPALIVE: Duration = Duration::from_secs(32_767);

impl SocketOption {
    /// Its name.
    pub const fn name(&self) -> OptionName {
        match self {
            Self::ReuseAddress(_) => OptionName::ReuseAddress,
            Self::ReusePort(_) => OptionName::ReusePort,
            Self::Keepalive(_) => OptionName::Keepalive,
            Self::Linger(_) => OptionName::Linger,
            Self::Broadcast(_) => OptionName::Broadcast,
            Self::OobInline(_) => OptionName::OobInline,
            Self::SendBuffer(_) => OptionName::SendBuffer,
            Self::ReceiveBuffer(_) => OptionName::ReceiveBuffer,
            Self::ReceiveLowWater(_) => OptionName::ReceiveLowWater,
            Self::NoDelay(_) => OptionName::NoDelay,
            Self::Cork(_) => OptionName::Cork,
            Self::QuickAck(_) => OptionName::QuickAck,
            Self::MaxSegment(_) => OptionName::MaxSegment,
            Self::KeepaliveIdle(_) => OptionName::KeepaliveIdle,
            Self::KeepaliveInterval(_) => OptionName::KeepaliveInterval,
            Self::KeepaliveCount(_) => OptionName::KeepaliveCount,
            Self::SynRetries(_) => OptionName::SynRetries,
            Self::Linger2(_) => OptionName::Linger2,
            Self::UserTimeout(_) => OptionName::UserTimeout,
            Self::WindowClamp(_) => OptionName::WindowClamp,
            Self::NotSentLowWater(_) => OptionName::NotSentLowWater,
            Self::DeferAccept(_) => OptionName::DeferAccept,
            Self::Congestion(_) => OptionName::Congestion,
            Self::Tos(_) => OptionName::Tos,
            Self::HopLimit(_) => OptionName::HopLimit,
            Self::V6Only(_) => OptionName::V6Only,
        }
    }
}

impl Stack {
    /// Sets an option. It takes effect at once, and is inherited by the connections of a listener.
    ///
    /// # Errors
    /// [`Error::Invalid`]: not a value that it can have, or not at this time. [`Error::NotSupported`]: this kind of socket does
    /// not have it. [`Error::NoSuchOption`]: the other family's.
    pub fn set_option(
        &mut self,
        now: Instant,
        socket: SocketId,
        option: SocketOption,
    ) -> Result<(), Error> {
        let state = self.sockets.get_mut(socket)?;
        supported(state, option.name())?;
        match option {
            SocketOption::ReuseAddress(on) => state.reuse_address = on,
            SocketOption::ReusePort(on) => state.reuse_port = on,
            SocketOption::Broadcast(on) => state.broadcast = on,
            // A time of zero is no time to wait, as in Linux.
            SocketOption::Linger(Linger::Wait(Duration::ZERO)) => state.linger = Linger::Abort,
            SocketOption::Linger(linger) => state.linger = linger,
            SocketOption::DeferAccept(time) => state.defer_accept = time,
            SocketOption::V6Only(_) if state.hold.is_some() => return Err(Error::Invalid),
            SocketOption::V6Only(on) => state.v6_only = on,
            option => return self.set_transport_option(now, socket, option),
        }
        self.change_claim(socket);
        Ok(())
    }

    /// Those that are kept with the connection.
    fn set_transport_option(
        &mut self,
        now: Instant,
        socket: SocketId,
        option: SocketOption,
    ) -> Result<(), Error> {
        let state = self.sockets.get_mut(socket)?;
        let option = match option {
            // TCP has the ECN bits for itself.
            SocketOption::Tos(tos) if !matches!(state.kind, Kind::Udp(_)) => {
                SocketOption::Tos(tos & !3)
            }
            option => option,
        };
        let mut options = state.options.clone();
        apply(&mut options, option.clone())?;
        state.options = options;
        let quickack = match option {
            SocketOption::QuickAck(on) => Some(on),
            _ => None,
        };
        if let Kind::Stream(id) = state.kind
            && let Some(kept) = self.tcp.connections.get_mut(id)
        {
            let mut cx = self.reporter.cx(now, &self.settings);
            kept.connection.set_options(&mut cx, |options| {
                // It was good for the socket's, so it is for the connection's.
                let _ = apply(options, option);
            });
            // Each call counts, the value being the same or not: it holds until the exchange asks for another way.
            if let Some(on) = quickack {
                kept.connection.acknowledge_at_once(on);
            }
            self.touched(now, id);
        }
        Ok(())
    }

    /// What others see of how a port is held.
    fn change_claim(&mut self, socket: SocketId) {
        let Ok(state) = self.sockets.get_mut(socket) else {
            return;
        };
        let (ports, hold) = match &state.kind {
            Kind::Udp(_) => (&mut self.udp.ports, state.hold.as_mut()),
            Kind::Stream(id) => {
                let kept = self.tcp.connections.get_mut(*id);
                (
                    &mut self.tcp.ports,
                    kept.and_then(|kept| kept.hold.as_mut()),
                )
            }
            _ => (&mut self.tcp.ports, state.hold.as_mut()),
        };
        if let Some(hold) = hold {
            let claim = Claim {
                reuse_address: state.reuse_address,
                reuse_port: state.reuse_port,
                ..hold.claim
            };
            ports.change(hold, claim);
        }
    }

    /// Reads an option. What was not set shows what is in force instead.
    ///
    /// # Errors
    /// [`Error::NotSupported`], [`Error::NoSuchOption`].
    pub fn option(&self, socket: SocketId, name: OptionName) -> Result<SocketOption, Error> {
        let state = self.sockets.get(socket)?;
        supported(state, name)?;
        let settings = &self.settings;
        let connection = match state.kind {
            Kind::Stream(id) => self.tcp.connections.get(id).map(|kept| &kept.connection),
            _ => None,
        };
        let options = connection.map_or(&state.options, |connection| connection.options());
        let udp = matches!(state.kind, Kind::Udp(_));
        Ok(match name {
            OptionName::ReuseAddress => SocketOption::ReuseAddress(state.reuse_address),
            OptionName::ReusePort => SocketOption::ReusePort(state.reuse_port),
            OptionName::Keepalive => SocketOption::Keepalive(options.keepalive),
            OptionName::Linger => SocketOption::Linger(state.linger),
            OptionName::Broadcast => SocketOption::Broadcast(state.broadcast),
            OptionName::OobInline => SocketOption::OobInline(options.oob_inline),
            OptionName::SendBuffer => {
                SocketOption::SendBuffer(options.send_buffer.unwrap_or(settings.tcp_wmem.0))
            }
            OptionName::ReceiveBuffer => {
                let default = if udp {
                    settings.rmem_default
                } else {
                    settings.tcp_rmem.0
                };
                SocketOption::ReceiveBuffer(options.receive_buffer.unwrap_or(default))
            }
            OptionName::ReceiveLowWater => SocketOption::ReceiveLowWater(options.receive_low_water),
            OptionName::NoDelay => SocketOption::NoDelay(options.nodelay),
            OptionName::Cork => SocketOption::Cork(options.cork),
            OptionName::QuickAck => SocketOption::QuickAck(options.quickack),
            OptionName::MaxSegment => {
                let in_force = connection.map(|connection| connection.info(settings).snd_mss);
                let in_force = in_force.and_then(|mss| u16::try_from(mss).ok());
                SocketOption::MaxSegment(options.max_segment.or(in_force).unwrap_or(0))
            }
            OptionName::KeepaliveIdle => SocketOption::KeepaliveIdle(
                options
                    .keepalive_idle
                    .unwrap_or(settings.tcp_keepalive_time),
            ),
            OptionName::KeepaliveInterval => SocketOption::KeepaliveInterval(
                options
                    .keepalive_interval
                    .unwrap_or(settings.tcp_keepalive_intvl),
            ),
            OptionName::KeepaliveCount => SocketOption::KeepaliveCount(
                options
                    .keepalive_count
                    .unwrap_or(settings.tcp_keepalive_probes),
            ),
            OptionName::SynRetries => {
                SocketOption::SynRetries(options.syn_retries.unwrap_or(settings.tcp_syn_retries))
            }
            OptionName::Linger2 => {
                SocketOption::Linger2(options.linger2.unwrap_or(settings.tcp_fin_timeout))
            }
            OptionName::UserTimeout => {
                SocketOption::UserTimeout(options.user_timeout.unwrap_or_default())
            }
            OptionName::WindowClamp => {
                SocketOption::WindowClamp(options.window_clamp.unwrap_or_default())
            }
            OptionName::NotSentLowWater => {
                SocketOption::NotSentLowWater(options.notsent_low_water.unwrap_or(u32::MAX))
            }
            OptionName::DeferAccept => SocketOption::DeferAccept(state.defer_accept),
            OptionName::Congestion => SocketOption::Congestion(options.congestion),
            OptionName::Tos => SocketOption::Tos(options.tos),
            OptionName::HopLimit => {
                SocketOption::HopLimit(options.hop_limit.unwrap_or(settings.ip_default_ttl))
            }
            OptionName::V6Only => SocketOption::V6Only(state.v6_only),
        })
    }
}

/// Does this kind of socket have the option?
fn supported(socket: &Socket, name: OptionName) -> Result<(), Error> {
    let info = info(name).ok_or(Error::NoSuchOption)?;
    let has = match socket.kind {
        Kind::Udp(_) => info.udp,
        // It has done its work once there is a connection.
        Kind::Stream(_) | Kind::Accepting(_) | Kind::Failed(..)
            if name == OptionName::DeferAccept =>
        {
            false
        }
        _ => info.tcp,
    };
    match name {
        _ if !has => Err(Error::NotSupported),
        OptionName::V6Only if !socket.v6 => Err(Error::NoSuchOption),
        _ => Ok(()),
    }
}

/// Sets an option that is kept with the connection, if the value is one that it can have.
fn apply(options: &mut SocketOptions, option: SocketOption) -> Result<(), Error> {
    let keepalive = |time: Duration| {
        let valid = !time.is_zero() && time <= MAX_KEEPALIVE;
        valid.then_some(Some(time)).ok_or(Error::Invalid)
    };
    let count = |count: u8| {
        let valid = (1..=127).contains(&count);
        valid.then_some(Some(count)).ok_or(Error::Invalid)
    };
    let buffer = |bytes: u32| {
        let valid = bytes > 0;
        valid
            .then_some(Some(bytes.min(MAX_BUFFER)))
            .ok_or(Error::Invalid)
    };
    match option {
        SocketOption::Keepalive(on) => options.keepalive = on,
        SocketOption::OobInline(on) => options.oob_inline = on,
        SocketOption::SendBuffer(bytes) => options.send_buffer = buffer(bytes)?,
        SocketOption::ReceiveBuffer(bytes) => options.receive_buffer = buffer(bytes)?,
        SocketOption::ReceiveLowWater(bytes) => {
            options.receive_low_water = bytes.clamp(1, MAX_BUFFER);
        }
        SocketOption::NoDelay(on) => options.nodelay = on,
        SocketOption::Cork(on) => options.cork = on,
        SocketOption::QuickAck(on) => options.quickack = on,
        SocketOption::MaxSegment(0) => options.max_segment = None,
        SocketOption::MaxSegment(bytes) if (88..=32_767).contains(&bytes) => {
            options.max_segment = Some(bytes);
        }
        SocketOption::KeepaliveIdle(time) => options.keepalive_idle = keepalive(time)?,
        SocketOption::KeepaliveInterval(time) => options.keepalive_interval = keepalive(time)?,
        SocketOption::KeepaliveCount(n) => options.keepalive_count = count(n)?,
        SocketOption::SynRetries(n) => options.syn_retries = count(n)?,
        SocketOption::Linger2(time) => options.linger2 = Some(time),
        SocketOption::UserTimeout(time) => {
            options.user_timeout = (!time.is_zero()).then_some(time);
        }
        SocketOption::WindowClamp(bytes) => {
            options.window_clamp = (bytes > 0).then_some(bytes.min(MAX_BUFFER));
        }
        SocketOption::NotSentLowWater(bytes) => {
            options.notsent_low_water = (bytes < u32::MAX).then_some(bytes);
        }
        SocketOption::Congestion(name) => options.congestion = name,
        SocketOption::Tos(tos) => options.tos = tos,
        SocketOption::HopLimit(limit) if limit > 0 => options.hop_limit = Some(limit),
        _ => return Err(Error::Invalid),
    }
    Ok(())
}
