//! How things are called in every printer.

use core::net::{IpAddr, SocketAddr};
use estab_tcp::event::{Call, RecoveryPhase, RetransmitReason};
use estab_tcp::{ConnectionError, Header};
use estab_wire::tcp::Options;

/// Options as tcpdump writes them; `relative` makes the numbers of SACK blocks relative.
pub(crate) fn options(header: &Header, relative: impl Fn(estab_tcp::SeqNum) -> u32) -> Vec<String> {
    let mut out = Vec::new();
    if let Options::Syn(options) = &header.options {
        out.extend(options.mss.map(|mss| format!("mss {mss}")));
        out.extend(options.sack_permitted.then(|| "sackOK".into()));
    }
    if let Some(timestamps) = header.options.timestamps() {
        out.push(format!(
            "TS val {} ecr {}",
            timestamps.value, timestamps.echo
        ));
    }
    match &header.options {
        Options::Syn(options) => {
            out.extend(options.window_scale.map(|shift| format!("wscale {shift}")));
        }
        Options::Segment(options) if !options.sack.is_empty() => {
            let blocks = options.sack.iter();
            let blocks = blocks.map(|b| format!("{{{}:{}}}", relative(b.left), relative(b.right)));
            let blocks: String = blocks.collect();
            out.push(format!("sack {} {blocks}", options.sack.len()));
        }
        Options::Segment(_) => {}
    }
    out
}

/// A call as a program would write it, with its result.
pub(crate) fn call(call: Call) -> String {
    match call {
        Call::Listen => "listen()".into(),
        Call::Connect => "connect()".into(),
        Call::Accept => "accept()".into(),
        Call::Send(len) => format!("send() = {len}"),
        Call::Receive(0) => "receive() = 0, end of file".into(),
        Call::Receive(len) => format!("receive() = {len}"),
        Call::ShutdownWrite => "shutdown(WRITE)".into(),
        Call::ShutdownRead => "shutdown(READ)".into(),
        Call::Close => "close()".into(),
        Call::Abort => "abort()".into(),
    }
}

/// Name of the call alone.
pub(crate) const fn call_name(call: Call) -> &'static str {
    match call {
        Call::Listen => "listen",
        Call::Connect => "connect",
        Call::Accept => "accept",
        Call::Send(_) => "send",
        Call::Receive(_) => "receive",
        Call::ShutdownWrite => "shutdown-write",
        Call::ShutdownRead => "shutdown-read",
        Call::Close => "close",
        Call::Abort => "abort",
    }
}

/// Why something is sent again.
pub(crate) const fn retransmit(reason: RetransmitReason) -> &'static str {
    match reason {
        RetransmitReason::Timeout => "timeout",
        RetransmitReason::FastRetransmit => "fast retransmit",
        RetransmitReason::PartialAck => "partial ACK",
        RetransmitReason::PathMtu => "path MTU",
        RetransmitReason::RepeatedSyn => "repeated SYN",
    }
}

/// What loss recovery does.
pub(crate) const fn phase(phase: RecoveryPhase) -> &'static str {
    match phase {
        RecoveryPhase::Open => "open",
        RecoveryPhase::Recovery => "recovery",
        RecoveryPhase::Loss => "loss",
    }
}

/// The error's name in `errno`.
pub(crate) const fn errno(error: ConnectionError) -> &'static str {
    match error {
        ConnectionError::Refused => "ECONNREFUSED",
        ConnectionError::Reset => "ECONNRESET",
        ConnectionError::TimedOut => "ETIMEDOUT",
        ConnectionError::Aborted => "ECONNABORTED",
        ConnectionError::HostUnreachable => "EHOSTUNREACH",
        ConnectionError::NetworkUnreachable => "ENETUNREACH",
        ConnectionError::ProtocolUnreachable => "ENOPROTOOPT",
        ConnectionError::NoBuffers => "ENOBUFS",
    }
}

/// An ICMP message by its type and code.
pub(crate) fn icmp(remote: IpAddr, kind: u8, code: u8) -> String {
    let name = if remote.is_ipv6() {
        match (kind, code) {
            (1, 0) => "no route to destination",
            (1, 1) => "administratively prohibited",
            (1, 3) => "address unreachable",
            (1, 4) => "port unreachable",
            (2, _) => "packet too big",
            (3, _) => "time exceeded",
            (4, _) => "parameter problem",
            (128, _) => "echo request",
            (129, _) => "echo reply",
            (133, _) => "router solicitation",
            (134, _) => "router advertisement",
            (135, _) => "neighbor solicitation",
            (136, _) => "neighbor advertisement",
            _ => "",
        }
    } else {
        match (kind, code) {
            (0, _) => "echo reply",
            (3, 0) => "net unreachable",
            (3, 1) => "host unreachable",
            (3, 2) => "protocol unreachable",
            (3, 3) => "port unreachable",
            (3, 4) => "fragmentation needed",
            (3, 13) => "administratively prohibited",
            (8, _) => "echo request",
            (11, _) => "time exceeded",
            (12, _) => "parameter problem",
            _ => "",
        }
    };
    if name.is_empty() {
        format!("type {kind} code {code}")
    } else {
        name.into()
    }
}

/// Source and destination of what the host sent, or received.
pub(crate) fn ends(sent: bool, local: SocketAddr, remote: SocketAddr) -> (SocketAddr, SocketAddr) {
    if sent {
        (local, remote)
    } else {
        (remote, local)
    }
}
