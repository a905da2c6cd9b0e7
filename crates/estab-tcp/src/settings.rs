use core::time::Duration;

/// Settings of a whole stack, by Linux's `net.ipv4.*` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// SYNs resent before an active open gives up.
    pub tcp_syn_retries: u8,
    /// SYN-ACKs resent before a half-open connection is forgotten.
    pub tcp_synack_retries: u8,
    /// Retransmissions of data before the connection times out (RFC 9293 3.8.3, R2).
    pub tcp_retries2: u8,
    /// The same for orphans.
    pub tcp_orphan_retries: u8,
    /// Most orphans: connections that no socket holds. Beyond it they are reset.
    pub tcp_max_orphans: u32,
    /// Most TIME-WAIT records.
    pub tcp_max_tw_buckets: u32,
    /// Life of an orphan in FIN-WAIT-2.
    pub tcp_fin_timeout: Duration,
    /// 2 MSL. Linux has it fixed at 60 s.
    pub tcp_time_wait: Duration,
    /// RSTs are ignored in TIME-WAIT (RFC 1337).
    pub tcp_rfc1337: bool,
    /// A listener's SYN queue.
    pub tcp_max_syn_backlog: u32,
    /// Largest backlog.
    pub somaxconn: u32,
    /// 0: never SYN cookies; 1: when the queue is full; 2: always.
    pub tcp_syncookies: u8,
    /// A full accept queue answers with RST.
    pub tcp_abort_on_overflow: bool,
    /// Idle time before the first keep-alive probe.
    pub tcp_keepalive_time: Duration,
    /// Time between probes.
    pub tcp_keepalive_intvl: Duration,
    /// Unanswered probes before the connection is dead.
    pub tcp_keepalive_probes: u8,
    /// Window scaling is offered and accepted (RFC 7323).
    pub tcp_window_scaling: bool,
    /// Timestamps are offered and accepted (RFC 7323).
    pub tcp_timestamps: bool,
    /// SACK is offered and accepted (RFC 2018).
    pub tcp_sack: bool,
    /// D-SACK blocks are sent (RFC 2883).
    pub tcp_dsack: bool,
    /// Receive buffer: first, and largest when it grows by itself; bytes of data.
    pub tcp_rmem: (u32, u32),
    /// Send buffer: first, and largest when it grows by itself; bytes of data.
    pub tcp_wmem: (u32, u32),
    /// Data held by all connections of the stack together, bytes.
    pub tcp_mem: u64,
    /// Smallest retransmission time-out.
    pub tcp_rto_min: Duration,
    /// Largest retransmission time-out.
    pub tcp_rto_max: Duration,
    /// Retransmission time-out before anything was measured (RFC 6298).
    pub tcp_rto_initial: Duration,
    /// Longest delay of an acknowledgement.
    pub tcp_delack_max: Duration,
    /// Shortest delay of an acknowledgement.
    pub tcp_delack_min: Duration,
    /// Initial congestion window, segments (RFC 6928).
    pub tcp_init_cwnd: u32,
    /// Duplicate acknowledgements that mean a loss (RFC 5681).
    pub tcp_reordering: u8,
    /// Least time between two answers to invalid segments of one connection.
    pub tcp_invalid_ratelimit: Duration,
    /// The congestion window shrinks after idleness (RFC 5681 4.1).
    pub tcp_slow_start_after_idle: bool,
    /// Smallest path MTU believed.
    pub min_pmtu: u16,
    /// TTL and hop limit of what is sent.
    pub ip_default_ttl: u8,
    /// Ports given to sockets that ask for none, first and last.
    pub ip_local_port_range: (u16, u16),
    /// A TIME-WAIT's four-tuple may be taken by `connect` when timestamps allow it (RFC 6191).
    pub tcp_tw_reuse: bool,
    /// Most ICMP errors a second.
    pub icmp_msgs_per_sec: u32,
    /// Echo requests are ignored.
    pub icmp_echo_ignore_all: bool,
    /// Most RSTs a second to segments of no connection. Linux has no such limit.
    pub tcp_resets_per_sec: u32,
    /// Receive queue of a UDP socket in bytes, each datagram's overhead counted.
    pub rmem_default: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tcp_syn_retries: 5,
            tcp_synack_retries: 5,
            tcp_retries2: 15,
            tcp_orphan_retries: 8,
            tcp_max_orphans: 65_536,
            tcp_max_tw_buckets: 262_144,
            tcp_fin_timeout: Duration::from_secs(60),
            tcp_time_wait: Duration::from_secs(60),
            tcp_rfc1337: true,
            tcp_max_syn_backlog: 4096,
            somaxconn: 4096,
            tcp_syncookies: 1,
            tcp_abort_on_overflow: false,
            tcp_keepalive_time: Duration::from_secs(7200),
            tcp_keepalive_intvl: Duration::from_secs(75),
            tcp_keepalive_probes: 9,
            tcp_window_scaling: true,
            tcp_timestamps: true,
            tcp_sack: true,
            tcp_dsack: true,
            tcp_rmem: (128 << 10, 64 << 20),
            tcp_wmem: (64 << 10, 64 << 20),
            tcp_mem: 4 << 30,
            tcp_rto_min: Duration::from_millis(200),
            tcp_rto_max: Duration::from_secs(120),
            tcp_rto_initial: Duration::from_secs(1),
            tcp_delack_max: Duration::from_millis(200),
            tcp_delack_min: Duration::from_millis(40),
            tcp_init_cwnd: 10,
            tcp_reordering: 3,
            tcp_invalid_ratelimit: Duration::from_millis(500),
            tcp_slow_start_after_idle: true,
            min_pmtu: 552,
            ip_default_ttl: 64,
            ip_local_port_range: (32_768, 60_999),
            tcp_tw_reuse: true,
            icmp_msgs_per_sec: 1000,
            icmp_echo_ignore_all: false,
            tcp_resets_per_sec: 5000,
            rmem_default: 212_992,
        }
    }
}
