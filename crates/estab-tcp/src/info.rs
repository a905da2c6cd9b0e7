use crate::State;
use core::time::Duration;

/// What a connection tells of itself, after Linux's `struct tcp_info`. Counts are of wire segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpInfo {
    /// The state.
    pub state: State,
    /// Consecutive retransmission time-outs of the same data.
    pub retransmits: u8,
    /// Unanswered keep-alive or window probes.
    pub probes: u8,
    /// Timestamps were agreed.
    pub timestamps: bool,
    /// SACK was agreed.
    pub sack: bool,
    /// Shift of the peer's windows; `None` when scaling was not agreed.
    pub snd_wscale: Option<u8>,
    /// Shift of our windows; `None` when scaling was not agreed.
    pub rcv_wscale: Option<u8>,
    /// The retransmission time-out.
    pub rto: Duration,
    /// Smoothed round-trip time, zero before the first measurement.
    pub srtt: Duration,
    /// Its variation.
    pub rttvar: Duration,
    /// Payload bytes of a full segment that we send.
    pub snd_mss: u32,
    /// Payload bytes of the largest recent segment that came.
    pub rcv_mss: u32,
    /// Path MTU, bytes of an IP packet.
    pub path_mtu: u32,
    /// Congestion window, bytes.
    pub snd_cwnd: u32,
    /// Slow start threshold, bytes; `u32::MAX` before the first loss.
    pub snd_ssthresh: u32,
    /// The peer's window, bytes.
    pub snd_wnd: u32,
    /// Our window as last announced, bytes.
    pub rcv_wnd: u32,
    /// Bytes sent and not acknowledged.
    pub unacked: u32,
    /// Bytes queued and not sent.
    pub notsent: u32,
    /// Bytes that wait for the application.
    pub readable: u32,
    /// Bytes received out of order.
    pub out_of_order: u32,
    /// Segments sent again, in all.
    pub total_retransmits: u64,
    /// Payload bytes sent, retransmissions included.
    pub bytes_sent: u64,
    /// Payload bytes acknowledged.
    pub bytes_acked: u64,
    /// Payload bytes received in order.
    pub bytes_received: u64,
    /// Payload bytes sent again.
    pub bytes_retransmitted: u64,
    /// Segments sent.
    pub segments_out: u64,
    /// Segments received.
    pub segments_in: u64,
    /// Segments with payload sent.
    pub data_segments_out: u64,
    /// Segments with payload received.
    pub data_segments_in: u64,
}
