use crate::ip::IpCounters;
use estab_tcp::event::DropReason;

/// Declares the counters, and their list with names, from one table.
macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What is and what was counted. Nothing is dropped, limited or refused without a counter.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
            /// TCP segments, and UDP datagrams, that were not used, by reason; read with [`Self::dropped`].
            pub(crate) drops: [u64; DropReason::ALL.len()],
            /// Of the IP layer.
            pub ip: IpCounters,
        }

        impl Counters {
            /// Each counter with its name: those of the sockets and of TCP, the drops by reason, those of the IP layer.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
                let drops = DropReason::ALL
                    .into_iter()
                    .map(|reason| (reason.describe().0, self.dropped(reason)));
                [$((stringify!($name), self.$name),)*]
                    .into_iter()
                    .chain(drops)
                    .chain(self.ip.iter())
            }
        }
    };
}

counters! {
    /// Sockets that somebody holds.
    sockets,
    /// Full connections, orphans among them, and ended ones that a socket still holds.
    connections,
    /// Connections that no socket holds.
    orphans,
    /// Half-open records.
    half_open,
    /// TIME-WAIT records.
    time_wait,
    /// Intercepted requests that are not decided, or whose repeats are being absorbed.
    requests,
    /// Local ports that somebody holds.
    ports,
    /// Timers that are armed.
    timers,
    /// Bytes of data in send and receive queues.
    buffered,
    /// Connections opened from here.
    active_opens,
    /// Connections opened by a peer, complete.
    passive_opens,
    /// SYNs that made a half-open record.
    half_opens,
    /// Half-open records given up: their SYN-ACK was never answered.
    half_open_timeouts,
    /// Half-open records ended by a RST or an ICMP error.
    half_open_resets,
    /// SYN cookies sent.
    cookies_sent,
    /// SYN cookies that came back and were good.
    cookies_accepted,
    /// Connections taken from a listener by the application.
    accepted,
    /// Connections in an accept queue, or half-open, that their listener's end reset.
    unaccepted_resets,
    /// Third ACKs that a full accept queue answered with RST (`tcp_abort_on_overflow`).
    overflow_resets,
    /// Segments that came to TCP with a right checksum, as the device gave them.
    segments_in,
    /// Segments that TCP handed to the IP layer; a super-segment is one.
    segments_out,
    /// RSTs sent to segments of no connection.
    resets_out,
    /// Segments sent again.
    retransmits,
    /// Segments that the IP layer did not take: no route, or its queue was full.
    unsendable,
    /// Connections reset because they were closed with unread data (RFC 2525 2.17).
    unread_resets,
    /// Connections reset by `SO_LINGER` with zero.
    linger_resets,
    /// Lingering closes whose time ran out.
    linger_timeouts,
    /// Connections aborted by the application.
    aborts,
    /// Orphans reset because there were too many.
    orphan_overflows,
    /// TIME-WAIT states cut short because there were too many records.
    time_wait_overflows,
    /// TIME-WAIT records that a new connection took over (RFC 6191).
    time_wait_reuses,
    /// Segments with data dropped, and sends put off, because `tcp_mem` was used up.
    memory_pressure,
    /// Requests that interceptors got.
    intercepted,
    /// Requests dropped because too many were undecided.
    request_overflows,
    /// Requests that nobody decided, forgotten.
    request_timeouts,
    /// Repeated SYNs of requests that were absorbed.
    request_repeats,
    /// Datagrams delivered to a UDP socket.
    udp_in,
    /// Datagrams that UDP sent.
    udp_out,
    /// Datagrams to a port that nobody has.
    udp_no_port,
    /// Datagrams dropped because a socket's receive queue was full.
    udp_overflows,
    /// Datagrams to addresses that are not ours, which only TCP intercepts.
    udp_intercepted,
    /// ICMP errors that no connection and no socket wanted.
    icmp_unmatched,
}

impl Counters {
    /// How many segments were not used for this reason.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.drops.get(reason as usize).copied().unwrap_or_default()
    }

    pub(crate) fn count_drop(&mut self, reason: DropReason) {
        if let Some(count) = self.drops.get_mut(reason as usize) {
            *count += 1;
        }
    }
}
