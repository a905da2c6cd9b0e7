//! `struct tcp_info`.

use crate::{Errno, Posix};
use core::time::Duration;
use estab_stack::SocketId;
use estab_tcp::event::RecoveryPhase;
use estab_tcp::{Instant, State, TcpInfo};

/// Bytes of the structure in Linux 6.18.
const LEN: usize = 280;
/// `snd_ssthresh` before the first loss.
const INFINITE: u32 = 0x7fff_ffff;
/// MSS of a socket without a connection.
const DEFAULT_MSS: u32 = 536;

/// Linux's numbers of the states. A socket does not see TIME-WAIT there: its connection is over for it.
const fn state(state: State) -> u8 {
    match state {
        State::Established => 1,
        State::SynSent => 2,
        State::SynReceived => 3,
        State::FinWait1 => 4,
        State::FinWait2 => 5,
        State::TimeWait | State::Closed => 7,
        State::CloseWait => 8,
        State::LastAck => 9,
        State::Listen => 10,
        State::Closing => 11,
    }
}

/// The structure, filled from its beginning.
struct Writer(Vec<u8>);

impl Writer {
    fn u8(&mut self, value: u8) {
        self.0.push(value);
    }
    fn u16(&mut self, value: u16) {
        self.0.extend(value.to_ne_bytes());
    }
    fn u32(&mut self, value: u32) {
        self.0.extend(value.to_ne_bytes());
    }
    fn u64(&mut self, value: u64) {
        self.0.extend(value.to_ne_bytes());
    }
    /// Figures that estab does not have.
    fn unknown(&mut self, words: usize) {
        self.0.resize(self.0.len() + 4 * words, 0);
    }
    fn at(&self) -> usize {
        self.0.len()
    }
}

/// The whole structure, of any TCP socket. What estab does not know is zero.
pub(crate) fn bytes(posix: &Posix, now: Instant, id: SocketId) -> Result<Vec<u8>, Errno> {
    let mut out = Writer(Vec::with_capacity(LEN));
    match posix.stack.info(id) {
        Ok(info) => {
            let reordering = posix.stack.settings().tcp_reordering;
            begin(&mut out, &info);
            segments(&mut out, &info);
            times(&mut out, now, &info);
            metrics(&mut out, &info, u32::from(reordering));
            counts(&mut out, &info);
            later(&mut out, &info);
        }
        Err(_) => unconnected(&mut out, posix, id)?,
    }
    out.0.resize(LEN, 0);
    Ok(out.0)
}

/// State, options, time-outs.
fn begin(out: &mut Writer, info: &TcpInfo) {
    out.u8(state(info.state));
    out.u8(match info.recovery {
        RecoveryPhase::Open if info.duplicates > 0 => 1,
        RecoveryPhase::Open => 0,
        RecoveryPhase::Recovery => 3,
        RecoveryPhase::Loss => 4,
    });
    out.u8(info.retransmits);
    out.u8(info.probes);
    out.u8(info.backoff);
    let scaled = info.snd_wscale.is_some();
    out.u8(u8::from(info.timestamps) | u8::from(info.sack) << 1 | u8::from(scaled) << 2);
    let (snd, rcv) = (info.snd_wscale.unwrap_or(0), info.rcv_wscale.unwrap_or(0));
    out.u8((snd & 15) | rcv << 4);
    out.u8(0);
    out.u32(micros(info.rto));
    out.u32(micros(info.ack_delay));
    out.u32(info.snd_mss);
    out.u32(info.rcv_mss);
}

/// What is on its way, in segments.
fn segments(out: &mut Writer, info: &TcpInfo) {
    debug_assert_eq!(out.at(), 24);
    out.u32(info.unacked.div_ceil(info.snd_mss.max(1)));
    out.unknown(1); // sacked
    out.u32(info.lost.div_ceil(info.snd_mss.max(1)));
    out.u32(info.resent.div_ceil(info.snd_mss.max(1)));
    out.unknown(1); // fackets, which Linux does not count any more either
}

/// Milliseconds since something happened.
fn times(out: &mut Writer, now: Instant, info: &TcpInfo) {
    debug_assert_eq!(out.at(), 44);
    let since = |then: Instant| u32::try_from(now.since(then).as_millis()).unwrap_or(u32::MAX);
    out.u32(since(info.data_sent_at));
    out.unknown(1); // last_ack_sent: "not remembered" in Linux
    out.u32(since(info.data_received_at));
    out.u32(since(info.heard_at));
}

fn metrics(out: &mut Writer, info: &TcpInfo, reordering: u32) {
    debug_assert_eq!(out.at(), 60);
    out.u32(info.path_mtu);
    out.u32(info.receive_limit);
    out.u32(micros(info.srtt));
    out.u32(micros(info.rttvar));
    let mss = info.snd_mss.max(1);
    out.u32(match info.snd_ssthresh {
        u32::MAX => INFINITE,
        bytes => bytes / mss,
    });
    out.u32((info.snd_cwnd / mss).max(1));
    out.u32(u32::from(info.announced_mss));
    out.u32(reordering);
    out.unknown(1); // rcv_rtt
    out.u32(info.receive_limit);
    out.u32(low(info.total_retransmits));
}

fn counts(out: &mut Writer, info: &TcpInfo) {
    debug_assert_eq!(out.at(), 104);
    // Nothing is paced: there is no limit.
    out.u64(u64::MAX);
    out.u64(u64::MAX);
    out.u64(info.bytes_acked);
    out.u64(info.bytes_received);
    out.u32(low(info.segments_out));
    out.u32(low(info.segments_in));
    out.u32(info.notsent);
    out.u32(match info.min_rtt {
        Duration::ZERO => u32::MAX,
        time => micros(time),
    });
    out.u32(low(info.data_segments_in));
    out.u32(low(info.data_segments_out));
}

/// What later versions of Linux added.
fn later(out: &mut Writer, info: &TcpInfo) {
    debug_assert_eq!(out.at(), 160);
    out.unknown(2); // delivery_rate
    out.unknown(6); // busy_time, rwnd_limited, sndbuf_limited
    out.unknown(2); // delivered, delivered_ce
    out.u64(info.bytes_sent);
    out.u64(info.bytes_retransmitted);
    out.unknown(2); // dsack_dups, reord_seen
    out.u32(low(info.out_of_order_segments));
    out.u32(info.snd_wnd);
    out.u32(info.rcv_wnd);
    debug_assert_eq!(out.at(), 236);
    out.unknown(1); // rehash
    out.u16(0); // total_rto
    out.u16(0); // total_rto_recoveries
}

/// A socket that has no connection. A listener tells its accept queue and backlog.
fn unconnected(out: &mut Writer, posix: &Posix, id: SocketId) -> Result<(), Errno> {
    let settings = posix.stack.settings();
    let queues = posix.stack.queues(id)?;
    let now = posix.stack.state(id)?;
    // Of a listener Linux tells no more than its queue.
    let listens = now == State::Listen;
    let unless_listening = |value: u32| if listens { 0 } else { value };
    out.u8(state(now));
    out.0.resize(8, 0);
    out.u32(unless_listening(micros(settings.tcp_rto_initial)));
    out.unknown(1);
    out.u32(unless_listening(DEFAULT_MSS));
    out.unknown(1);
    out.u32(low(queues.acceptable as u64));
    out.u32(low(queues.backlog as u64));
    out.unknown(11);
    debug_assert_eq!(out.at(), 76);
    out.u32(unless_listening(INFINITE));
    out.u32(settings.tcp_init_cwnd);
    out.unknown(1);
    out.u32(u32::from(settings.tcp_reordering));
    out.unknown(3);
    out.u64(u64::MAX);
    out.u64(u64::MAX);
    out.0.resize(148, 0);
    out.u32(unless_listening(u32::MAX));
    Ok(())
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

/// Linux's counters of 32 bits wrap.
const fn low(count: u64) -> u32 {
    count as u32
}
