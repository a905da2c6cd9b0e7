//! What the SYN, or the cookie that remembers it, and our own limits agree on.

use super::{CookieOptions, HalfOpen, Opening};
use crate::handshake::{Offer, window_scale};
use crate::record::Limiter;
use crate::{Cx, FourTuple, SegmentIn, Settings, SocketOptions};

/// Shifts of both ends' windows, when scaling is agreed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scales {
    pub(super) ours: u8,
    pub(super) peers: u8,
}

impl HalfOpen {
    /// A SYN cookie came back valid (RFC 4987): the record as it would have been. `mss` is the peer's, as the cookie
    /// kept it; scale, SACK and timestamps are taken from the timestamp that our SYN-ACK carried. `options` are the
    /// listener's, as for the SYN-ACK.
    pub fn from_cookie(
        cx: &mut Cx<'_>,
        ack: &SegmentIn,
        opening: Opening,
        peer: CookieOptions,
        options: &SocketOptions,
    ) -> Self {
        let ts_recent = ack.header.options.timestamps().map(|ts| ts.value);
        Self {
            opening,
            irs: ack.header.seq - 1,
            ts_recent: ts_recent.filter(|_| peer.timestamps && cx.settings.tcp_timestamps),
            window: first_window(cx.settings, options),
            peer_window: ack.header.window.0,
            peer_mss: peer.mss,
            scales: agree_scales(cx.settings, options, peer.window_scale),
            sack: peer.sack && cx.settings.tcp_sack,
            cookie: true,
            resent: false,
            retransmits: 0,
            created: cx.now,
            deadline: cx.now,
            end: cx.now,
            answers: Limiter::default(),
        }
    }

    /// What both ends offer is agreed.
    pub(super) fn negotiate(
        cx: &Cx<'_>,
        tuple: &FourTuple,
        syn: &SegmentIn,
        opening: Opening,
        options: &SocketOptions,
    ) -> Self {
        let offer = Offer::of(&syn.header);
        let ts_recent = offer.timestamps.map(|ts| ts.value);
        // RFC 9293 3.7.1 MUST-15: without the option 536, or 1220 over IPv6.
        let default_mss = if tuple.remote.is_ipv4() { 536 } else { 1220 };
        Self {
            opening,
            irs: syn.header.seq,
            ts_recent: ts_recent.filter(|_| cx.settings.tcp_timestamps),
            window: first_window(cx.settings, options),
            peer_window: syn.header.window.0,
            peer_mss: offer.mss.unwrap_or(default_mss),
            scales: agree_scales(cx.settings, options, offer.window_scale),
            sack: offer.sack && cx.settings.tcp_sack,
            cookie: false,
            resent: false,
            retransmits: 0,
            created: cx.now,
            deadline: cx.now,
            end: cx.now,
            answers: Limiter::default(),
        }
    }
}

/// The window that a SYN-ACK announces, bytes.
fn first_window(settings: &Settings, options: &SocketOptions) -> u32 {
    let buffer = options.receive_buffer.unwrap_or(settings.tcp_rmem.0);
    let clamp = options.window_clamp.unwrap_or(u32::MAX);
    buffer.min(clamp).min(0xffff)
}

/// Both ends scale, or neither does (RFC 7323).
fn agree_scales(settings: &Settings, options: &SocketOptions, peers: Option<u8>) -> Option<Scales> {
    let peers = peers.filter(|_| settings.tcp_window_scaling)?;
    let largest = options.receive_buffer.unwrap_or(settings.tcp_rmem.1);
    let largest = largest.min(options.window_clamp.unwrap_or(u32::MAX));
    let ours = window_scale(largest);
    // RFC 7323: a shift above 14 is taken as 14.
    let peers = peers.min(14);
    Some(Scales { ours, peers })
}
