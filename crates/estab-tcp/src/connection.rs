use core::net::SocketAddr;

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FourTuple {
    /// Our address and port.
    pub local: SocketAddr,
    /// The peer's.
    pub remote: SocketAddr,
}

/// Which directions `shutdown` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// `SHUT_RD`.
    Read,
    /// `SHUT_WR`.
    Write,
    /// `SHUT_RDWR`.
    Both,
}

/// One connection.
#[derive(Debug)]
pub struct Connection {}

use crate::event::ConnectionEvent;
use crate::half_open::{HalfOpen, Opening};
use crate::time_wait::TimeWait;
use crate::{
    ConnectionError, Cx, IcmpError, Instant, ReceiveError, SegmentIn, SegmentOut, SendError,
    SocketOptions, State, TcpInfo,
};
use bytes::Bytes;
use core::time::Duration;

#[allow(unused_variables, missing_docs, clippy::missing_errors_doc)]
impl Connection {
    // Ways into a connection.
    pub fn connect(
        cx: &mut Cx<'_>,
        tuple: FourTuple,
        opening: Opening,
        options: SocketOptions,
        timeout: Option<Duration>,
    ) -> Self {
        todo!()
    }
    /// The handshake of a half-open record is complete; `segment` is the one that completed it.
    pub fn from_half_open(
        cx: &mut Cx<'_>,
        tuple: FourTuple,
        record: HalfOpen,
        options: SocketOptions,
        segment: SegmentIn,
    ) -> Self {
        todo!()
    }

    // The network and the clock tell us something.
    pub fn handle_segment(&mut self, cx: &mut Cx<'_>, segment: SegmentIn) {
        todo!()
    }
    pub fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        todo!()
    }
    pub fn handle_icmp(&mut self, cx: &mut Cx<'_>, error: IcmpError) {
        todo!()
    }

    // The application asks for something.
    pub fn send(&mut self, cx: &mut Cx<'_>, data: &[u8], more: bool) -> Result<usize, SendError> {
        todo!()
    }
    pub fn send_bytes(&mut self, cx: &mut Cx<'_>, data: &mut Bytes) -> Result<usize, SendError> {
        todo!()
    }
    pub fn send_urgent(&mut self, cx: &mut Cx<'_>, data: &[u8]) -> Result<usize, SendError> {
        todo!()
    }
    pub fn receive(&mut self, cx: &mut Cx<'_>, buffer: &mut [u8]) -> Result<usize, ReceiveError> {
        todo!()
    }
    pub fn peek(&mut self, buffer: &mut [u8]) -> Result<usize, ReceiveError> {
        todo!()
    }
    /// Takes up to `max` bytes without a copy.
    pub fn receive_bytes(&mut self, cx: &mut Cx<'_>, max: usize) -> Result<Bytes, ReceiveError> {
        todo!()
    }
    pub fn receive_urgent(&mut self, peek: bool) -> Result<u8, ReceiveError> {
        todo!()
    }
    pub fn shutdown(&mut self, cx: &mut Cx<'_>, how: Shutdown) {
        todo!()
    }
    /// CLOSE: nobody will read or send any more; with unread data it resets (RFC 2525 2.17). The connection is an
    /// orphan afterwards, unless `linger` is given: then somebody waits for `Flushed` or `Finished` that long, and when
    /// the time is over the rest is dropped with a reset.
    pub fn close(&mut self, cx: &mut Cx<'_>, linger: Option<Duration>) {
        todo!()
    }
    pub fn abort(&mut self, cx: &mut Cx<'_>) {
        todo!()
    }
    /// Options change at once.
    pub fn set_options(&mut self, cx: &mut Cx<'_>, change: impl FnOnce(&mut SocketOptions)) {
        todo!()
    }

    // What the caller must do next; call until `None`.
    pub fn poll_transmit(&mut self, cx: &mut Cx<'_>, max_segments: u16) -> Option<SegmentOut> {
        todo!()
    }
    pub fn poll_timeout(&self) -> Option<Instant> {
        todo!()
    }
    pub fn poll_event(&mut self) -> Option<ConnectionEvent> {
        todo!()
    }
    /// In TIME-WAIT, after the last `poll_transmit`: the record that takes the connection's place in the stack. What was
    /// not read stays readable here.
    pub fn time_wait(&self, cx: &mut Cx<'_>) -> TimeWait {
        todo!()
    }

    // Look, without touching.
    pub fn state(&self) -> State {
        todo!()
    }
    pub fn tuple(&self) -> &FourTuple {
        todo!()
    }
    pub fn options(&self) -> &SocketOptions {
        todo!()
    }
    pub fn info(&self, now: Instant) -> TcpInfo {
        todo!()
    }
    pub fn is_readable(&self) -> bool {
        todo!()
    }
    pub fn is_writable(&self) -> bool {
        todo!()
    }
    /// Everything sent, and the FIN, is acknowledged.
    pub fn is_flushed(&self) -> bool {
        todo!()
    }
    /// The peer's FIN came, or nothing more will come.
    pub fn is_read_closed(&self) -> bool {
        todo!()
    }
    pub fn is_write_closed(&self) -> bool {
        todo!()
    }
    pub fn has_urgent(&self) -> bool {
        todo!()
    }
    /// The error that ended the connection, until it was told.
    pub fn error(&self) -> Option<ConnectionError> {
        todo!()
    }
    pub fn take_error(&mut self) -> Option<ConnectionError> {
        todo!()
    }
    /// Soft ICMP error remembered (RFC 5461), told when the connection times out.
    pub fn buffered(&self) -> usize {
        todo!()
    }
    /// Bytes queued that the peer has not acknowledged (`SIOCOUTQ`).
    pub fn unsent_or_unacked(&self) -> usize {
        todo!()
    }
}
