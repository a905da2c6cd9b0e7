//! Look, without touching.

use crate::{Connection, ConnectionError, FourTuple, Settings, SocketOptions, State, TcpInfo};

/// Look, without touching.
impl Connection {
    /// The state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Both ends.
    pub fn tuple(&self) -> &FourTuple {
        &self.tuple
    }

    /// The options.
    pub fn options(&self) -> &SocketOptions {
        &self.options
    }

    /// Reading gives something other than "would block": data, the end of the stream, an error.
    pub fn is_readable(&self) -> bool {
        let enough = self.rcv.queue.len() >= self.options.receive_low_water.max(1) as usize;
        let full = !self.rcv.queue.is_empty() && self.rcv.room() == 0;
        enough || full || self.is_read_closed() || self.life.error.is_some()
    }

    /// Sending would queue something, or fails at once.
    pub fn is_writable(&self) -> bool {
        if self.is_write_closed() || self.life.error.is_some() {
            return true;
        }
        let free = self.snd.room();
        let few_unsent = self
            .options
            .notsent_low_water
            .is_none_or(|limit| self.snd.unsent() < limit);
        self.state.can_send() && free > 0 && free >= self.snd.limit as usize / 3 && few_unsent
    }

    /// Everything sent, and the FIN, is acknowledged.
    pub fn is_flushed(&self) -> bool {
        self.life.flushed
    }

    /// Nothing more will come: the peer's FIN came, reading was shut down, or the connection is over.
    pub fn is_read_closed(&self) -> bool {
        let fin_came = matches!(
            self.state,
            State::CloseWait | State::Closing | State::LastAck | State::TimeWait | State::Closed
        );
        fin_came || self.life.read_shut
    }

    /// Nothing more can be sent.
    pub fn is_write_closed(&self) -> bool {
        self.snd.fin || matches!(self.state, State::Closed | State::TimeWait)
    }

    /// Urgent data was announced and not yet read.
    pub fn has_urgent(&self) -> bool {
        self.rcv.urgent.pointer.is_some() || self.rcv.urgent.byte.is_some()
    }

    /// Is the next byte to read the one after the urgent mark (`SIOCATMARK`)?
    pub fn is_at_mark(&self) -> bool {
        self.rcv.urgent.mark == Some(0)
    }

    /// Does somebody still hold the socket, or wait for its close?
    pub fn is_orphan(&self) -> bool {
        self.life.orphan
    }

    /// The error that ended the connection, until it was told.
    pub fn error(&self) -> Option<ConnectionError> {
        self.life.error
    }

    /// The same, and it counts as told (`SO_ERROR`).
    pub fn take_error(&mut self) -> Option<ConnectionError> {
        self.life.error.take()
    }

    /// A soft ICMP error that was remembered (RFC 5461), until the peer is heard again.
    pub fn soft_error(&self) -> Option<ConnectionError> {
        self.life.soft_error
    }

    /// The same, and it counts as told (`SO_ERROR`). It has not ended anything.
    pub fn take_soft_error(&mut self) -> Option<ConnectionError> {
        self.life.soft_error.take()
    }

    /// Bytes of data in both directions' queues.
    pub fn buffered(&self) -> usize {
        self.snd.queue.len() + self.rcv.queue.len() + self.rcv.reassembly.memory()
    }

    /// Bytes queued that the peer has not acknowledged (`SIOCOUTQ`).
    pub fn unsent_or_unacked(&self) -> usize {
        self.snd.queue.len()
    }

    /// Bytes queued that were never sent.
    pub fn unsent(&self) -> usize {
        self.snd.unsent() as usize
    }

    /// A FIN of ours is to be sent or acknowledged.
    pub fn is_fin_outstanding(&self) -> bool {
        self.snd.fin && !self.snd.is_fin_acknowledged()
    }

    /// A FIN of ours was never sent.
    pub fn is_fin_unsent(&self) -> bool {
        self.snd.fin && !self.snd.is_fin_sent()
    }

    /// Bytes that one call can read: as far as the urgent mark (`SIOCINQ`).
    pub fn readable_until_mark(&self) -> usize {
        self.rcv.readable_until_mark()
    }

    /// Bytes that wait for the application, whatever is urgent.
    pub fn readable_bytes(&self) -> usize {
        self.rcv.queue.len()
    }

    /// Everything, after Linux's `TCP_INFO`.
    pub fn info(&self, settings: &Settings) -> TcpInfo {
        TcpInfo {
            state: self.state,
            retransmits: self.retries,
            probes: self.probes,
            timestamps: self.agreed.timestamps,
            sack: self.agreed.sack,
            snd_wscale: self.snd.wscale,
            rcv_wscale: self.rcv.wscale,
            recovery: self.recovery.phase(),
            duplicates: self.recovery.duplicates(),
            backoff: self.rtt.backoff(),
            rto: self.rtt.rto(settings),
            srtt: self.rtt.srtt(),
            rttvar: self.rtt.rttvar(),
            min_rtt: self.rtt.min(),
            ack_delay: self.acks.delay(settings),
            snd_mss: self.snd.mss,
            rcv_mss: self.rcv.mss,
            announced_mss: self.rcv.announced_mss,
            path_mtu: u32::from(self.path_mss) + if self.tuple.remote.is_ipv4() { 40 } else { 60 },
            snd_cwnd: self.congestion.window(),
            snd_ssthresh: self.congestion.threshold(),
            snd_wnd: self.snd.wnd,
            rcv_wnd: self.rcv.wnd(),
            receive_limit: self.rcv.limit,
            lost: self.recovery.lost(self.snd.una),
            resent: self.recovery.resent_bytes(self.snd.una),
            unacked: self.snd.nxt.since(self.snd.una),
            notsent: self.snd.unsent(),
            readable: u32::try_from(self.rcv.queue.len()).unwrap_or(u32::MAX),
            out_of_order: u32::try_from(self.rcv.reassembly.len()).unwrap_or(u32::MAX),
            total_retransmits: self.stats.retransmits,
            bytes_sent: self.stats.bytes_sent,
            bytes_acked: self.stats.bytes_acked,
            bytes_received: self.stats.bytes_received,
            bytes_retransmitted: self.stats.bytes_retransmitted,
            segments_out: self.stats.segments_out,
            segments_in: self.stats.segments_in,
            data_segments_out: self.stats.data_segments_out,
            data_segments_in: self.stats.data_segments_in,
            out_of_order_segments: self.stats.out_of_order,
            data_sent_at: self.sent_at,
            data_received_at: self.acks.data_at(),
            heard_at: self.heard_at,
        }
    }
}
