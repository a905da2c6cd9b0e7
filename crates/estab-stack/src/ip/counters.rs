/// Declares the counters, and their list with names, from one table.
macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What the IP layer counted since it began: packets, and each reason for which one was not used.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct IpCounters {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl IpCounters {
            /// Each counter with its name, in the order of the declaration.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)*].into_iter()
            }
        }
    };
}

counters! {
    /// Packets and frames that came in.
    packets_in,
    /// Packets and frames that were handed out.
    packets_out,
    /// Packets that were looped back to an address of ours.
    looped,
    /// Not a well-formed frame, IP header, extension header or ICMP message.
    malformed,
    /// Wrong checksum of an IPv4 header or an ICMP message.
    bad_checksum,
    /// Neither IPv4, IPv6 nor ARP.
    unknown_ether_type,
    /// A frame for another station, or a packet for an address that is not ours.
    not_for_us,
    /// A source that cannot be: multicast, broadcast, unspecified, loopback, or an address of ours.
    bad_source,
    /// A unicast IP destination in a link-layer broadcast (RFC 1122 3.3.6), or TCP to a group.
    bad_destination,
    /// IPv4 source routes, which a host need not obey.
    source_routed,
    /// An IPv6 option or routing header that must not be ignored.
    unknown_option,
    /// No transport for this protocol number.
    unknown_protocol,
    /// Fragments that came in.
    fragments_in,
    /// Datagrams put together from fragments.
    reassembled,
    /// Datagrams given up because fragments did not come in time.
    reassembly_timeouts,
    /// Datagrams given up because their fragments overlap (RFC 8200 4.5), disagree about the end, or are too many.
    reassembly_overlaps,
    /// Datagrams given up because the room for reassembly was needed.
    reassembly_overflows,
    /// Datagrams sent in fragments.
    fragmented,
    /// Too long for the path, and not allowed to be fragmented.
    too_long,
    /// Super-segments cut in software.
    cut,
    /// No route to the destination.
    no_route,
    /// ICMP messages that came in.
    icmp_in,
    /// ICMP messages sent.
    icmp_out,
    /// ICMP errors not sent because there were too many.
    icmp_rate_limited,
    /// ICMP errors not used: they do not quote a packet of ours.
    icmp_not_ours,
    /// ICMP messages of a type that is not used here, redirects and source quench among them.
    icmp_ignored,
    /// Echo requests answered.
    echo_replies,
    /// Echo requests of our own, and replies to them, forgotten because too many waited.
    echo_overflows,
    /// ARP and neighbour messages not used.
    neighbour_ignored,
    /// Neighbours that did not answer.
    neighbour_failures,
    /// Neighbours forgotten because the table was full.
    neighbour_evictions,
    /// Packets dropped while their neighbour was not known: too many waited, or it did not answer.
    neighbour_drops,
    /// Another station claims an address of ours.
    address_conflicts,
    /// Routers and prefixes not learned because there were too many.
    router_overflows,
    /// Path MTUs learned.
    path_mtu_updates,
    /// Path MTUs forgotten because the cache was full.
    path_mtu_evictions,
    /// Packets not queued because the queue towards the devices was full.
    output_overflows,
    /// Packets not looped back because that queue was full.
    loopback_overflows,
    /// Reports of unreachable neighbours lost because that queue was full.
    report_overflows,
}
