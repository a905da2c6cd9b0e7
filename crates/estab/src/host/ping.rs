use super::Host;
use crate::error;
use bytes::Bytes;
use estab_stack::{Echo, EchoReply};
use std::io;
use std::time::Duration;

/// How often it is looked whether the reply has come. The round-trip time does not depend on it.
const INTERVAL: Duration = Duration::from_millis(2);

impl Host {
    /// Sends an ICMP echo request and waits for the reply, at most for `timeout`.
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut) when none comes; [`NetworkUnreachable`](io::ErrorKind::NetworkUnreachable)
    /// without a route; an error about the message's size when the payload does not fit into a packet.
    pub fn ping(&self, echo: Echo, payload: &[u8], timeout: Duration) -> io::Result<EchoReply> {
        let payload = Bytes::copy_from_slice(payload);
        let sent = self
            .handle
            .call(|core, now| core.stack.send_echo_request(now, echo, payload));
        sent.map_err(error::io_error)?;
        let until = self.now() + timeout;
        let reply = self
            .handle
            .block_until(until, INTERVAL, |core, _| core.stack.take_echo_reply(echo));
        reply.ok_or_else(|| io::Error::from(io::ErrorKind::TimedOut))
    }
}
