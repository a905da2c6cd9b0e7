//! Echo requests of the host's own (ping).

use crate::{Echo, EchoReply, Error, Stack};
use bytes::Bytes;
use estab_tcp::Instant;

impl Stack {
    /// Sends an ICMP echo request; its reply is taken with [`take_echo_reply`](Self::take_echo_reply).
    ///
    /// # Errors
    /// [`Error::NetworkUnreachable`]: no route; [`Error::AddressNotAvailable`]: no address of ours to send it from;
    /// [`Error::MessageTooLong`]; [`Error::NoBuffers`].
    pub fn send_echo_request(
        &mut self,
        now: Instant,
        echo: Echo,
        payload: Bytes,
    ) -> Result<(), Error> {
        let mut cx = self.reporter.ip_cx(now, &self.settings);
        self.ip.send_echo_request(&mut cx, echo, payload)
    }

    /// The reply to this request, once, if it has come. The last 64 replies are kept.
    pub fn take_echo_reply(&mut self, echo: Echo) -> Option<EchoReply> {
        self.ip.take_echo_reply(echo)
    }
}
