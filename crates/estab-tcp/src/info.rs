use crate::event::RecoveryPhase;
use crate::{Instant, State};
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
    /// What loss recovery is about.
    pub recovery: RecoveryPhase,
    /// Consecutive duplicate acknowledgements.
    pub duplicates: u32,
    /// Doublings of the retransmission time-out since the last progress.
    pub backoff: u8,
    /// The retransmission time-out.
    pub rto: Duration,
    /// Smoothed round-trip time, zero before the first measurement.
    pub srtt: Duration,
    /// Its variation.
    pub rttvar: Duration,
    /// The shortest round trip that was measured, zero before the first one.
    pub min_rtt: Duration,
    /// How long an acknowledgement may wait now.
    pub ack_delay: Duration,
    /// Payload bytes of a full segment that we send.
    pub snd_mss: u32,
    /// Payload bytes of the largest recent segment that came.
    pub rcv_mss: u32,
    /// The MSS that we announced.
    pub announced_mss: u16,
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
    /// Data that we are ready to hold, bytes; it grows with the path.
    pub receive_limit: u32,
    /// Bytes outstanding that count as lost, those included that were sent again.
    pub lost: u32,
    /// Of those, bytes sent again.
    pub resent: u32,
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
    /// Segments received out of order.
    pub out_of_order_segments: u64,
    /// When data was last sent.
    pub data_sent_at: Instant,
    /// When data last came.
    pub data_received_at: Instant,
    /// When anything acceptable last came.
    pub heard_at: Instant,
}
