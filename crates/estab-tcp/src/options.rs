use core::time::Duration;

/// Congestion control algorithms by Linux's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CongestionControl {
    /// `reno`: RFC 5681 with NewReno's recovery (RFC 6582).
    #[default]
    Reno,
}

/// What a socket sets on its connection. A socket has these before it is connected; a listener's are inherited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketOptions {
    /// `TCP_NODELAY`: small segments are not held back (RFC 9293 3.7.4).
    pub nodelay: bool,
    /// `TCP_CORK`: only full segments are sent, for at most 200 ms.
    pub cork: bool,
    /// `TCP_QUICKACK`: acknowledgements are not delayed until data flows the other way.
    pub quickack: bool,
    /// `SO_KEEPALIVE` (RFC 9293 3.8.4).
    pub keepalive: bool,
    /// `TCP_KEEPIDLE`; `None` takes `tcp_keepalive_time`.
    pub keepalive_idle: Option<Duration>,
    /// `TCP_KEEPINTVL`; `None` takes `tcp_keepalive_intvl`.
    pub keepalive_interval: Option<Duration>,
    /// `TCP_KEEPCNT`; `None` takes `tcp_keepalive_probes`.
    pub keepalive_count: Option<u8>,
    /// `TCP_USER_TIMEOUT` (RFC 9293 3.8.3).
    pub user_timeout: Option<Duration>,
    /// `TCP_SYNCNT`; `None` takes `tcp_syn_retries`.
    pub syn_retries: Option<u8>,
    /// `TCP_LINGER2`: life of an orphan in FIN-WAIT-2; `None` takes `tcp_fin_timeout`, zero ends it at once.
    pub linger2: Option<Duration>,
    /// `TCP_MAXSEG`: upper bound on the MSS that is sent and announced.
    pub max_segment: Option<u16>,
    /// `TCP_WINDOW_CLAMP`: upper bound on the window that is offered.
    pub window_clamp: Option<u32>,
    /// `SO_SNDBUF` in bytes of data; `None` lets it grow up to `tcp_wmem`'s maximum.
    pub send_buffer: Option<u32>,
    /// `SO_RCVBUF` in bytes of data; `None` lets it grow up to `tcp_rmem`'s maximum.
    pub receive_buffer: Option<u32>,
    /// `SO_RCVLOWAT`: bytes that make the socket readable.
    pub receive_low_water: u32,
    /// `TCP_NOTSENT_LOWAT`: unsent bytes above which the socket is not writable.
    pub notsent_low_water: Option<u32>,
    /// `SO_OOBINLINE`: the urgent byte stays in the stream (RFC 6093).
    pub oob_inline: bool,
    /// `IP_TOS` or `IPV6_TCLASS`, ECN bits zero.
    pub tos: u8,
    /// `IP_TTL` or `IPV6_UNICAST_HOPS`; `None` takes the stack's default.
    pub hop_limit: Option<u8>,
    /// `TCP_CONGESTION`.
    pub congestion: CongestionControl,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            nodelay: false,
            cork: false,
            quickack: false,
            keepalive: false,
            keepalive_idle: None,
            keepalive_interval: None,
            keepalive_count: None,
            user_timeout: None,
            syn_retries: None,
            linger2: None,
            max_segment: None,
            window_clamp: None,
            send_buffer: None,
            receive_buffer: None,
            receive_low_water: 1,
            notsent_low_water: None,
            oob_inline: false,
            tos: 0,
            hop_limit: None,
            congestion: CongestionControl::Reno,
        }
    }
}

/// No segment is cut smaller than this, whatever the peer or the path says: smaller ones are only good for exhausting us.
pub(crate) const MIN_MSS: u32 = 48;
