//! What an application did, and the system calls that say so.

mod syntax;

use super::RecordError;
use crate::script::{Call, Expression, Value};
use core::net::SocketAddr;
use core::time::Duration;
use estab_posix::Errno;
use estab_stack::{Error, Linger, SocketOption};
use estab_tcp::{ConnectionError, Instant, Shutdown};
use syntax::{
    call, ellipsis, expression, failed, fd, function, integer, list, number, or, structure, symbol,
};

/// Something that an application asked of a host.
#[derive(Clone, Debug, PartialEq)]
pub struct Called {
    /// When.
    pub time: Instant,
    /// So many of the records came before it.
    pub after: usize,
    /// The socket, by a number of the recorder's own; of `Accept` the new one.
    pub socket: usize,
    /// What.
    pub verb: Verb,
    /// How it ended; a number of bytes where there is one. Calls that would have waited are left out of scripts, but for `Close`.
    pub result: Result<usize, Error>,
}

/// The verbs of sockets that never wait.
#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// A socket is made.
    Socket {
        /// UDP, not TCP.
        udp: bool,
    },
    /// An option is set.
    Option(SocketOption),
    /// It is bound to a port of the host's address.
    Bind(u16),
    /// It listens, with this backlog.
    Listen(u32),
    /// A connection was taken from this listener.
    Accept(usize),
    /// It begins to connect.
    Connect(SocketAddr),
    /// So many bytes are to be sent.
    Send {
        /// How many.
        len: usize,
        /// The last one is urgent.
        urgent: bool,
        /// The next call comes before anything of it is sent.
        more: bool,
    },
    /// A datagram of so many bytes.
    SendTo {
        /// How many.
        len: usize,
        /// To there.
        to: SocketAddr,
    },
    /// Bytes are taken, as many as there is room for.
    Receive {
        /// For how many.
        room: usize,
        /// The urgent byte.
        urgent: bool,
    },
    /// One direction, or both, are ended.
    Shutdown(Shutdown),
    /// It is closed.
    Close,
    /// It is aborted.
    Abort,
    /// The pending error, which was this, is taken.
    TakeError(ConnectionError),
}

/// How a script names ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// By the options `bind_port` and `connect_port`: `...` in calls.
    ByOptions,
    /// Written out.
    Written,
}

/// A `sockaddr` with its length.
fn address(address: SocketAddr) -> [Expression; 2] {
    let port = function("htons", integer(address.port().into()));
    let ip = expression(Value::Text(address.ip().to_string().into_bytes()));
    match address {
        SocketAddr::V4(_) => [
            structure(vec![
                ("sa_family", symbol("AF_INET")),
                ("sin_port", port),
                ("sin_addr", function("inet_addr", ip)),
            ]),
            integer(16),
        ],
        SocketAddr::V6(_) => [
            structure(vec![
                ("sa_family", symbol("AF_INET6")),
                ("sin6_port", port),
                (
                    "sin6_addr",
                    expression(Value::Function {
                        name: "inet_pton".to_owned(),
                        arguments: vec![symbol("AF_INET6"), ip],
                    }),
                ),
            ]),
            integer(28),
        ],
    }
}

fn ends(address_of: SocketAddr, ends: Ends) -> [Expression; 2] {
    match ends {
        Ends::ByOptions => [ellipsis(), ellipsis()],
        Ends::Written => address(address_of),
    }
}

/// The calls that say this; none when nothing came of it. `local` is the socket's own end, for `bind`.
pub(super) fn of(called: &Called, local: SocketAddr, way: Ends) -> Result<Vec<Call>, RecordError> {
    let this = || fd(called.socket);
    let zero = || integer(0);
    let bytes = || number(called.result.unwrap_or(0));
    let one = match &called.verb {
        Verb::Socket { udp } => {
            let (kind, protocol) = if *udp {
                ("SOCK_DGRAM", "IPPROTO_UDP")
            } else {
                ("SOCK_STREAM", "IPPROTO_TCP")
            };
            call(
                "socket",
                vec![ellipsis(), symbol(kind), symbol(protocol)],
                this(),
            )
        }
        Verb::Option(option) => set_option(this(), option)?,
        Verb::Bind(_) => {
            let [address, len] = ends(local, way);
            call("bind", vec![this(), address, len], zero())
        }
        Verb::Listen(backlog) => call("listen", vec![this(), integer((*backlog).into())], zero()),
        Verb::Accept(listener) => call(
            "accept",
            vec![fd(*listener), ellipsis(), ellipsis()],
            this(),
        ),
        Verb::Connect(to) => return Ok(connect(called, *to, way)),
        Verb::Send {
            len,
            urgent: false,
            more: false,
        } => call("write", vec![this(), ellipsis(), number(*len)], bytes()),
        Verb::Send { len, urgent, more } => {
            let flags = match (urgent, more) {
                (true, true) => or(&["MSG_OOB", "MSG_MORE"]),
                (true, false) => symbol("MSG_OOB"),
                _ => symbol("MSG_MORE"),
            };
            call(
                "send",
                vec![this(), ellipsis(), number(*len), flags],
                bytes(),
            )
        }
        Verb::SendTo { len, to } => {
            let [address, address_len] = ends(*to, way);
            let arguments = vec![
                this(),
                ellipsis(),
                number(*len),
                zero(),
                address,
                address_len,
            ];
            call("sendto", arguments, number(*len))
        }
        Verb::Receive {
            room,
            urgent: false,
        } => call("read", vec![this(), ellipsis(), number(*room)], bytes()),
        Verb::Receive { room, urgent: true } => {
            let arguments = vec![this(), ellipsis(), number(*room), symbol("MSG_OOB")];
            call("recv", arguments, bytes())
        }
        Verb::Shutdown(how) => {
            let how = match how {
                Shutdown::Read => "SHUT_RD",
                Shutdown::Write => "SHUT_WR",
                Shutdown::Both => "SHUT_RDWR",
            };
            call("shutdown", vec![this(), symbol(how)], zero())
        }
        Verb::Close => call("close", vec![this()], zero()),
        Verb::Abort => {
            let linger = set_option(this(), &SocketOption::Linger(Linger::Abort))?;
            return Ok(vec![linger, call("close", vec![this()], zero())]);
        }
        Verb::TakeError(error) => {
            let errno = Errno::from(Error::Connection(*error));
            let value = list(vec![symbol(errno.name().unwrap_or("EIO"))]);
            let arguments = vec![
                this(),
                symbol("SOL_SOCKET"),
                symbol("SO_ERROR"),
                value,
                list(vec![integer(4)]),
            ];
            call("getsockopt", arguments, zero())
        }
    };
    Ok(match called.result {
        Ok(_) => vec![one],
        Err(error) => vec![failed(one, Errno::from(error))],
    })
}

/// It does not wait, and the script goes on meanwhile.
fn connect(called: &Called, to: SocketAddr, way: Ends) -> Vec<Call> {
    let this = || fd(called.socket);
    let [address, len] = ends(to, way);
    let connect = call("connect", vec![this(), address, len], integer(0));
    let connect = match called.result {
        Err(Error::InProgress) => failed(connect, Errno::EINPROGRESS),
        Err(error) => failed(connect, Errno::from(error)),
        // Of UDP.
        Ok(_) => connect,
    };
    let flags = or(&["O_RDWR", "O_NONBLOCK"]);
    vec![set_flags(called.socket, flags), connect]
}

/// Its calls wait again.
pub(super) fn waits(socket: usize) -> Call {
    set_flags(socket, symbol("O_RDWR"))
}

fn set_flags(socket: usize, flags: Expression) -> Call {
    call(
        "fcntl",
        vec![fd(socket), symbol("F_SETFL"), flags],
        integer(0),
    )
}

/// An option's value is one of these.
enum OptionValue {
    Number(i64),
    Linger(i64, i64),
}

fn set_option(fd: Expression, option: &SocketOption) -> Result<Call, RecordError> {
    use SocketOption as O;
    let whole = |duration: &Duration, unit: Duration| {
        let whole = duration.as_nanos().is_multiple_of(unit.as_nanos());
        let number = i64::try_from(duration.as_nanos() / unit.as_nanos());
        number
            .ok()
            .filter(|_| whole)
            .map(OptionValue::Number)
            .ok_or_else(|| {
                RecordError::new(format!(
                    "an option has a time, {duration:?}, that no call can give"
                ))
            })
    };
    let seconds = |duration: &Duration| whole(duration, Duration::from_secs(1));
    let flag = |on: &bool| Ok(OptionValue::Number((*on).into()));
    let number = |value: u32| Ok(OptionValue::Number(value.into()));
    let (level, name, value) = match option {
        O::ReuseAddress(on) => ("SOL_SOCKET", "SO_REUSEADDR", flag(on)),
        O::ReusePort(on) => ("SOL_SOCKET", "SO_REUSEPORT", flag(on)),
        O::Keepalive(on) => ("SOL_SOCKET", "SO_KEEPALIVE", flag(on)),
        O::Broadcast(on) => ("SOL_SOCKET", "SO_BROADCAST", flag(on)),
        O::OobInline(on) => ("SOL_SOCKET", "SO_OOBINLINE", flag(on)),
        O::Linger(linger) => {
            let (on, time) = match linger {
                Linger::Off => (0, 0),
                Linger::Abort => (1, 0),
                Linger::Wait(time) => match seconds(time)? {
                    OptionValue::Number(time) => (1, time),
                    OptionValue::Linger(..) => (1, 0),
                },
            };
            ("SOL_SOCKET", "SO_LINGER", Ok(OptionValue::Linger(on, time)))
        }
        O::SendBuffer(bytes) => ("SOL_SOCKET", "SO_SNDBUF", number(*bytes)),
        O::ReceiveBuffer(bytes) => ("SOL_SOCKET", "SO_RCVBUF", number(*bytes)),
        O::ReceiveLowWater(bytes) => ("SOL_SOCKET", "SO_RCVLOWAT", number(*bytes)),
        O::NoDelay(on) => ("SOL_TCP", "TCP_NODELAY", flag(on)),
        O::Cork(on) => ("SOL_TCP", "TCP_CORK", flag(on)),
        O::QuickAck(on) => ("SOL_TCP", "TCP_QUICKACK", flag(on)),
        O::MaxSegment(bytes) => ("SOL_TCP", "TCP_MAXSEG", number((*bytes).into())),
        O::KeepaliveIdle(time) => ("SOL_TCP", "TCP_KEEPIDLE", seconds(time)),
        O::KeepaliveInterval(time) => ("SOL_TCP", "TCP_KEEPINTVL", seconds(time)),
        O::KeepaliveCount(count) => ("SOL_TCP", "TCP_KEEPCNT", number((*count).into())),
        O::SynRetries(count) => ("SOL_TCP", "TCP_SYNCNT", number((*count).into())),
        O::Linger2(time) => ("SOL_TCP", "TCP_LINGER2", seconds(time)),
        O::UserTimeout(time) => (
            "SOL_TCP",
            "TCP_USER_TIMEOUT",
            whole(time, Duration::from_millis(1)),
        ),
        O::WindowClamp(bytes) => ("SOL_TCP", "TCP_WINDOW_CLAMP", number(*bytes)),
        O::NotSentLowWater(bytes) => ("SOL_TCP", "TCP_NOTSENT_LOWAT", number(*bytes)),
        O::DeferAccept(time) => ("SOL_TCP", "TCP_DEFER_ACCEPT", seconds(time)),
        other => return Err(RecordError::new(format!("no script can set {other:?}"))),
    };
    let (value, len) = match value? {
        OptionValue::Number(value) => (list(vec![integer(value)]), 4),
        OptionValue::Linger(on, time) => (
            structure(vec![("onoff", integer(on)), ("linger", integer(time))]),
            8,
        ),
    };
    Ok(call(
        "setsockopt",
        vec![fd, symbol(level), symbol(name), value, integer(len)],
        integer(0),
    ))
}
