//! What estab answers differently, and why.

pub(crate) struct Difference {
    pub(crate) scenario: &'static str,
    pub(crate) step: &'static str,
    pub(crate) estab: &'static str,
    pub(crate) linux: &'static str,
    #[allow(dead_code, reason = "for the reader")]
    pub(crate) reason: &'static str,
}

macro_rules! differences {
    ($($scenario:ident: $reason:literal { $($step:literal: $estab:literal, $linux:literal;)* })*) => {
        pub(crate) const DIFFERENCES: &[Difference] = &[$($(Difference {
            scenario: stringify!($scenario),
            step: $step,
            estab: $estab,
            linux: $linux,
            reason: $reason,
        },)*)*];
    };
}

differences! {
    making_sockets: "estab has no UNIX sockets" {
        "UNIX": "EAFNOSUPPORT", "()";
    }
    connected: "a flag that is not implemented is refused, not ignored" {
        "zero copy": "EOPNOTSUPP", "1";
        "fast open": "EOPNOTSUPP", "EISCONN";
    }
    defaults_of_a_stream: "estab gives up connecting after 63 s" {
        "4 TCP_SYNCNT": "[5, 0, 0, 0]", "[6, 0, 0, 0]";
        "6 TCP_SYNCNT": "[5, 0, 0, 0]", "[6, 0, 0, 0]";
    }
    epolls: "no epoll in an epoll" {
        "nested": "EINVAL", "()";
    }
    ranges_of_ip_options: "a hop limit of zero is no hop limit" {
        "6 IPV6_UNICAST_HOPS 0: 0": "EINVAL", "0";
    }
    information: "estab counts the bytes of the stream, Linux the FIN with them" {
        "time-wait bytes_received": "0", "1";
        "closed bytes_received": "5", "6";
    }
}
