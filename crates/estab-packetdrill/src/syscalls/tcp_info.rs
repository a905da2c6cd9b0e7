//! Linux's `struct tcp_info`.

use super::layout::Place;

/// Bytes that are known of it.
pub(crate) const SIZE: usize = 248;

const fn at(names: &'static [&'static str], offset: usize, size: usize) -> Place {
    Place {
        names,
        offset,
        size,
    }
}

/// Its fields but those of bits.
#[rustfmt::skip]
pub(super) const PLACES: &[Place] = &[
    at(&["tcpi_state"], 0, 1), at(&["tcpi_ca_state"], 1, 1), at(&["tcpi_retransmits"], 2, 1), at(&["tcpi_probes"], 3, 1),
    at(&["tcpi_backoff"], 4, 1), at(&["tcpi_options"], 5, 1), at(&["tcpi_rto"], 8, 4), at(&["tcpi_ato"], 12, 4), at(&["tcpi_snd_mss"], 16, 4),
    at(&["tcpi_rcv_mss"], 20, 4), at(&["tcpi_unacked"], 24, 4), at(&["tcpi_sacked"], 28, 4), at(&["tcpi_lost"], 32, 4), at(&["tcpi_retrans"], 36, 4),
    at(&["tcpi_fackets"], 40, 4), at(&["tcpi_last_data_sent"], 44, 4), at(&["tcpi_last_ack_sent"], 48, 4), at(&["tcpi_last_data_recv"], 52, 4),
    at(&["tcpi_last_ack_recv"], 56, 4), at(&["tcpi_pmtu"], 60, 4), at(&["tcpi_rcv_ssthresh"], 64, 4), at(&["tcpi_rtt"], 68, 4),
    at(&["tcpi_rttvar"], 72, 4), at(&["tcpi_snd_ssthresh"], 76, 4), at(&["tcpi_snd_cwnd"], 80, 4), at(&["tcpi_advmss"], 84, 4),
    at(&["tcpi_reordering"], 88, 4), at(&["tcpi_rcv_rtt"], 92, 4), at(&["tcpi_rcv_space"], 96, 4), at(&["tcpi_total_retrans"], 100, 4),
    at(&["tcpi_pacing_rate"], 104, 8), at(&["tcpi_max_pacing_rate"], 112, 8), at(&["tcpi_bytes_acked"], 120, 8), at(&["tcpi_bytes_received"], 128, 8),
    at(&["tcpi_segs_out"], 136, 4), at(&["tcpi_segs_in"], 140, 4), at(&["tcpi_notsent_bytes"], 144, 4), at(&["tcpi_min_rtt"], 148, 4),
    at(&["tcpi_data_segs_in"], 152, 4), at(&["tcpi_data_segs_out"], 156, 4), at(&["tcpi_delivery_rate"], 160, 8), at(&["tcpi_busy_time"], 168, 8),
    at(&["tcpi_rwnd_limited"], 176, 8), at(&["tcpi_sndbuf_limited"], 184, 8), at(&["tcpi_delivered"], 192, 4), at(&["tcpi_delivered_ce"], 196, 4),
    at(&["tcpi_bytes_sent"], 200, 8), at(&["tcpi_bytes_retrans"], 208, 8), at(&["tcpi_dsack_dups"], 216, 4), at(&["tcpi_reord_seen"], 220, 4),
    at(&["tcpi_rcv_ooopack"], 224, 4), at(&["tcpi_snd_wnd"], 228, 4), at(&["tcpi_rcv_wnd"], 232, 4), at(&["tcpi_rehash"], 236, 4),
    at(&["tcpi_total_rto"], 240, 2), at(&["tcpi_total_rto_recoveries"], 242, 2), at(&["tcpi_total_rto_time"], 244, 4),
];

/// Names and values of all fields; what a subject does not fill is 0.
pub(crate) fn values(bytes: &[u8]) -> Vec<(&'static str, u64)> {
    let byte = |at: usize| u64::from(bytes.get(at).copied().unwrap_or(0));
    let little = cfg!(target_endian = "little");
    let number = |place: &Place| {
        (0..place.size).fold(0, |value, n| {
            let at = if little { place.size - 1 - n } else { n };
            value << 8 | byte(place.offset + at)
        })
    };
    // Bit fields begin at the low end where numbers do.
    let scales = byte(6);
    let (first, second) = (scales & 15, scales >> 4);
    let (snd, rcv) = if little {
        (first, second)
    } else {
        (second, first)
    };
    let limited = byte(7);
    let app_limited = if little { limited & 1 } else { limited >> 7 };
    let client_fail = if little {
        limited >> 1 & 3
    } else {
        limited >> 5 & 3
    };
    let mut values: Vec<_> = PLACES
        .iter()
        .map(|place| (place.names[0], number(place)))
        .collect();
    values.extend([
        ("tcpi_snd_wscale", snd),
        ("tcpi_rcv_wscale", rcv),
        ("tcpi_delivery_rate_app_limited", app_limited),
        ("tcpi_fastopen_client_fail", client_fail),
    ]);
    values
}
