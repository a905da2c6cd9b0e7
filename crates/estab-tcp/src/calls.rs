//! The application's calls (RFC 9293 sections 3.10.2 - 3.10.6).

use crate::event::{Call, ConnectionEvent, Event, Timer};
use crate::{
    Cause, Connection, ConnectionError, Cx, ReceiveError, SendError, Shutdown, SocketOptions, State,
};
use bytes::Bytes;
use core::time::Duration;

/// No buffer holds more, whatever options and settings say: sequence numbers tell old from new only within half their space.
const BUFFER_MAX: u32 = 1 << 30;

/// The application asks for something.
impl Connection {
    /// SEND: queues a copy of what there is room for, and returns how much that was. With `more` a partial segment at the end
    /// waits for the next call (`MSG_MORE`).
    ///
    /// # Errors
    /// See [`SendError`].
    pub fn send(&mut self, cx: &mut Cx<'_>, data: &[u8], more: bool) -> Result<usize, SendError> {
        let room = self.may_send(cx, data.len())?;
        self.snd.queue.push(&data[..room]);
        self.queued(cx, room, more);
        Ok(room)
    }

    /// SEND without a copy: takes from the front of `data` what there is room for.
    ///
    /// # Errors
    /// See [`SendError`].
    pub fn send_bytes(&mut self, cx: &mut Cx<'_>, data: &mut Bytes) -> Result<usize, SendError> {
        let room = self.may_send(cx, data.len())?;
        self.snd.queue.push_bytes(data.split_to(room));
        self.queued(cx, room, false);
        Ok(room)
    }

    /// SEND with the URGENT flag (`MSG_OOB`): the last byte of `data` is urgent (RFC 9293 3.8.5, RFC 6093).
    ///
    /// # Errors
    /// See [`SendError`].
    pub fn send_urgent(&mut self, cx: &mut Cx<'_>, data: &[u8]) -> Result<usize, SendError> {
        let sent = self.send(cx, data, false)?;
        if sent > 0 {
            self.snd.up = Some(self.snd.queue_end());
        }
        Ok(sent)
    }

    /// What was sent last ends a record: no segment carries the end of one and the beginning of the next (`MSG_EOR`).
    pub fn end_record(&mut self) {
        self.snd.end_write(true);
    }

    // RFC 9293 3.9.1.2 SHLD-27, MAY-16: writes gather in the queue until they are sent, and only the last one's end is pushed.
    fn queued(&mut self, cx: &mut Cx<'_>, len: usize, more: bool) {
        self.snd.more = more;
        if !more {
            self.snd.end_write(false);
        }
        self.report(cx, Event::Call(Call::Send(len)));
    }

    /// How many of `wanted` bytes may be queued.
    fn may_send(&mut self, cx: &Cx<'_>, wanted: usize) -> Result<usize, SendError> {
        if let Some(error) = self.take_error() {
            return Err(SendError::Failed(error));
        }
        if self.snd.fin || matches!(self.state, State::Closed | State::TimeWait | State::Listen) {
            return Err(SendError::Closed);
        }
        self.send_limit_follows_path(cx);
        let room = if self.state.can_send() {
            self.snd.room()
        } else {
            0
        };
        if room == 0 && wanted > 0 {
            self.due.write_blocked = true;
            return Err(SendError::WouldBlock);
        }
        Ok(wanted.min(room))
    }

    /// The buffer holds twice what the path takes in a round trip, so that the application never stalls it.
    pub(crate) fn send_limit_follows_path(&mut self, cx: &Cx<'_>) {
        let (first, most) = cx.settings.tcp_wmem;
        self.snd.limit = match self.options.send_buffer {
            Some(limit) => limit.min(BUFFER_MAX),
            None => self
                .congestion
                .window()
                .saturating_mul(2)
                .clamp(first.min(most), most)
                .max(self.snd.limit),
        };
    }

    /// Acknowledged data made room: the application is told when it waits and a third of the buffer is free.
    pub(crate) fn offer_room(&mut self) {
        if self.due.write_blocked && self.is_writable() {
            self.due.write_blocked = false;
            self.due.events.set(ConnectionEvent::Writable);
        }
    }

    /// RECEIVE: copies what is there, at most up to the urgent mark. `Ok(0)` is the end of the stream (for a buffer that is not
    /// empty).
    ///
    /// # Errors
    /// See [`ReceiveError`].
    pub fn receive(&mut self, cx: &mut Cx<'_>, buffer: &mut [u8]) -> Result<usize, ReceiveError> {
        let readable = self.may_receive()?.min(buffer.len());
        let taken = self.rcv.queue.read(&mut buffer[..readable]);
        self.taken(cx, taken);
        Ok(taken)
    }

    /// RECEIVE without a copy: the next piece, of at most `max` bytes. An empty one is the end of the stream.
    ///
    /// # Errors
    /// See [`ReceiveError`].
    pub fn receive_bytes(&mut self, cx: &mut Cx<'_>, max: usize) -> Result<Bytes, ReceiveError> {
        let readable = self.may_receive()?.min(max);
        let piece = self.rcv.queue.take(readable);
        self.taken(cx, piece.len());
        Ok(piece)
    }

    /// RECEIVE without keeping: up to `max` bytes are thrown away (`MSG_TRUNC`).
    ///
    /// # Errors
    /// See [`ReceiveError`].
    pub fn discard(&mut self, cx: &mut Cx<'_>, max: usize) -> Result<usize, ReceiveError> {
        let readable = self.may_receive()?.min(max);
        self.rcv.queue.discard(readable);
        self.taken(cx, readable);
        Ok(readable)
    }

    /// Copies what is there and leaves it there (`MSG_PEEK`).
    ///
    /// # Errors
    /// See [`ReceiveError`].
    pub fn peek(&mut self, buffer: &mut [u8]) -> Result<usize, ReceiveError> {
        let readable = self.may_receive()?.min(buffer.len());
        Ok(self.rcv.queue.peek(&mut buffer[..readable]))
    }

    /// Bytes that may be read now: zero at the end of the stream.
    fn may_receive(&mut self) -> Result<usize, ReceiveError> {
        if !self.rcv.queue.is_empty() {
            return Ok(self.rcv.readable_until_mark());
        }
        if let Some(error) = self.take_error() {
            return Err(ReceiveError::Failed(error));
        }
        if self.is_read_closed() {
            Ok(0)
        } else {
            Err(ReceiveError::WouldBlock)
        }
    }

    fn taken(&mut self, cx: &mut Cx<'_>, len: usize) {
        if len > 0 {
            let limit_max = self.receive_limit_max(cx);
            self.rcv.taken(len, cx.now, self.rtt.srtt(), limit_max);
            // RFC 9293 3.8.6.2.2: a window that was closed or small, and is worth a segment of its own now.
            if self.state.can_receive() && self.rcv.owes_window_update() {
                self.acks.owe_now();
            }
            self.report(cx, Event::Call(Call::Receive(len)));
        }
    }

    // RFC 9293 3.8.5 MUST-33: `has_urgent` and `is_at_mark` say whether and where.
    /// The urgent byte (`MSG_OOB`), unless the application has it in the stream.
    ///
    /// # Errors
    /// [`ReceiveError::NoUrgent`] when none was announced, or it was read; [`ReceiveError::WouldBlock`] when it was announced and
    /// has not come.
    pub fn receive_urgent(&mut self, peek: bool) -> Result<u8, ReceiveError> {
        let urgent = &mut self.rcv.urgent;
        match (urgent.byte, urgent.pointer) {
            (Some(byte), _) => {
                if !peek {
                    urgent.byte = None;
                }
                Ok(byte)
            }
            (None, Some(_)) if !self.options.oob_inline => Err(ReceiveError::WouldBlock),
            _ => Err(ReceiveError::NoUrgent),
        }
    }

    /// Ends one direction or both, and keeps the connection. After [`Shutdown::Write`] reading goes on for as long as the peer
    /// sends. After [`Shutdown::Read`] what is there can still be read, then comes the end of the stream; what the peer sends
    /// from then on is acknowledged and thrown away. With both ended it is answered with a reset, as after [`close`](Self::close).
    pub fn shutdown(&mut self, cx: &mut Cx<'_>, how: Shutdown) {
        if matches!(how, Shutdown::Read | Shutdown::Both) && !self.life.read_shut {
            self.life.read_shut = true;
            self.report(cx, Event::Call(Call::ShutdownRead));
            self.due.events.set(ConnectionEvent::Readable);
        }
        if matches!(how, Shutdown::Write | Shutdown::Both) && !self.snd.fin {
            self.report(cx, Event::Call(Call::ShutdownWrite));
            self.close_sending(cx);
        }
    }

    /// The FIN goes behind what is queued (RFC 9293 3.10.4).
    fn close_sending(&mut self, cx: &mut Cx<'_>) {
        match self.state {
            State::SynSent => self.enter(cx, Cause::Close),
            // RFC 9293 3.10.4: "queue for processing after entering ESTABLISHED state". Always, not only with data pending: until the SYN
            // is acknowledged there is one thing to resend, not two.
            State::SynReceived => {
                self.snd.fin = true;
                self.snd.more = false;
            }
            State::Established | State::CloseWait => {
                self.snd.fin = true;
                self.snd.more = false;
                self.enter(cx, Cause::Close);
            }
            _ => {}
        }
    }

    /// CLOSE: nobody will read or send any more. What is queued is still sent, then the FIN; but when data was received and not
    /// read, the peer is reset, for it must not believe that it was (RFC 2525 section 2.17, RFC 9293 3.6.1 SHLD-3).
    ///
    /// The connection is an orphan afterwards. With `linger` somebody still waits for [`ConnectionEvent::Flushed`] or
    /// [`ConnectionEvent::Finished`]; when that time has passed, the rest is dropped with a reset.
    pub fn close(&mut self, cx: &mut Cx<'_>, linger: Option<Duration>) {
        if self.life.closed {
            return;
        }
        self.life.closed = true;
        self.life.orphan = linger.is_none();
        self.report(cx, Event::Call(Call::Close));
        // RFC 9293 3.6.1 MAY-1, SHLD-3.
        let unread = self.rcv.held() > 0;
        self.rcv.queue.clear();
        if matches!(self.state, State::Closed | State::TimeWait) {
            return;
        }
        if unread {
            self.reset_peer();
            return self.enter(cx, Cause::Abort);
        }
        self.timers.stop(Timer::User);
        self.close_sending(cx);
        self.start_fin_wait_2(cx);
        if let Some(limit) = linger.filter(|_| self.state != State::Closed) {
            self.arm(cx, Timer::User, cx.now + limit);
        }
    }

    /// The lingering closer gave up waiting, or never waited: from now on the limits of orphans hold.
    pub fn orphan(&mut self) {
        self.life.orphan = true;
        if self.life.closed {
            self.timers.stop(Timer::User);
        }
    }

    /// ABORT (RFC 9293 3.10.5): what is queued is dropped, the peer is reset, there is no TIME-WAIT.
    pub fn abort(&mut self, cx: &mut Cx<'_>) {
        if matches!(self.state, State::Closed | State::TimeWait) {
            return;
        }
        self.report(cx, Event::Call(Call::Abort));
        self.reset_peer();
        self.rcv.queue.clear();
        self.life.error = Some(ConnectionError::Aborted);
        self.enter(cx, Cause::Abort);
    }

    /// A limit of the stack ends the connection: as [`abort`](Self::abort), with another error.
    pub fn evict(&mut self, cx: &mut Cx<'_>) {
        if matches!(self.state, State::Closed | State::TimeWait) {
            return;
        }
        self.reset_peer();
        self.fail(cx, Cause::Evicted, ConnectionError::NoBuffers);
    }

    /// Changes options; they take effect at once.
    pub fn set_options(&mut self, cx: &mut Cx<'_>, change: impl FnOnce(&mut SocketOptions)) {
        let before = self.options.clone();
        change(&mut self.options);
        self.apply_options(cx, &before);
    }

    /// `TCP_QUICKACK`: acknowledgements are given at once, or delayed, from now until the exchange asks for the other. What is owed
    /// goes at once when it is on.
    pub fn acknowledge_at_once(&mut self, on: bool) {
        self.options.quickack = on;
        self.acks.set_quick(on);
    }

    fn apply_options(&mut self, cx: &mut Cx<'_>, before: &SocketOptions) {
        if self.options.congestion != before.congestion {
            self.congestion.choose(self.options.congestion);
        }
        if self.options.max_segment != before.max_segment {
            self.update_mss();
        }
        self.limit_receiving(cx);
        if (before.cork && !self.options.cork) || (!before.nodelay && self.options.nodelay) {
            // Linux sends at once what was held back.
            self.due.partial = true;
            self.timers.stop(Timer::Cork);
        }
        self.start_keepalive(cx);
        self.start_fin_wait_2(cx);
        self.announce_readable_again();
    }

    /// A lower `SO_RCVLOWAT` may make readable what was not.
    fn announce_readable_again(&mut self) {
        if self.is_readable() {
            self.due.events.set(ConnectionEvent::Readable);
        }
    }

    /// The receive buffer follows its options. What was announced stays announced.
    pub(crate) fn limit_receiving(&mut self, cx: &Cx<'_>) {
        let wanted = self.options.receive_buffer.unwrap_or(self.rcv.limit);
        self.rcv.limit = wanted.clamp(1, self.receive_limit_max(cx));
    }

    /// Room in the receive buffer at most.
    pub(crate) fn receive_limit_max(&self, cx: &Cx<'_>) -> u32 {
        let limit = self
            .options
            .receive_buffer
            .unwrap_or(cx.settings.tcp_rmem.1);
        limit
            .min(self.options.window_clamp.unwrap_or(u32::MAX))
            .clamp(1, BUFFER_MAX)
    }
}
