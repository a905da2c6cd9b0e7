//! What the SYN's options, the settings and the socket's options agree on.

use super::*;

fn offered(segment: &SegmentOut) -> SynOptions {
    match &segment.header.options {
        Options::Syn(options) => options.clone(),
        Options::Segment(_) => panic!("a SYN-ACK has the options of a SYN"),
    }
}

/// The SYN-ACK and what the connection will get, for a SYN with these options.
fn negotiate(
    world: &mut World,
    offer: SynOptions,
    options: &SocketOptions,
) -> (SegmentOut, HalfOpenParts) {
    let mut syn = world.segment(SYN, IRS, SeqNum(0));
    syn.header.options = Options::Syn(offer);
    let record = record(world, &syn, options);
    (syn_ack(world, &record, options), record.into_parts())
}

#[test]
fn all_options_are_agreed() {
    let mut world = World::new();
    let offer = match syn(&world).header.options {
        Options::Syn(offer) => offer,
        Options::Segment(_) => unreachable!("a SYN"),
    };
    let (syn_ack, parts) = negotiate(&mut world, offer, &SocketOptions::default());
    assert_eq!(
        offered(&syn_ack),
        SynOptions {
            mss: Some(1460),
            // 64 MiB in units of 2 KiB.
            window_scale: Some(11),
            sack_permitted: true,
            timestamps: Some(Timestamps {
                value: 1000 + 5_000_000,
                echo: 900,
            }),
        }
    );
    assert_eq!(syn_ack.header.window, UnscaledWindow(0xffff));
    assert_eq!(parts.peer_mss, 1400);
    assert_eq!((parts.our_wscale, parts.peer_wscale), (Some(11), Some(7)));
    assert!(parts.sack && !parts.cookie && !parts.resent);
    assert_eq!(parts.timestamps, Some(900));
    assert_eq!((parts.announced_window, parts.peer_window), (0xffff, 500));
    assert_eq!((parts.irs, parts.opening.iss), (IRS, ISS));
    assert_eq!(parts.sent_at, Some(at(1000)));
}

/// RFC 7323, RFC 2018: an option that the SYN does not have does not stand in the SYN-ACK.
#[test]
fn nothing_is_answered_that_was_not_offered() {
    let mut world = World::new();
    let offer = SynOptions::default();
    let (syn_ack, parts) = negotiate(&mut world, offer, &SocketOptions::default());
    let expected = SynOptions {
        mss: Some(1460),
        ..SynOptions::default()
    };
    assert_eq!(offered(&syn_ack), expected);
    assert_eq!((parts.our_wscale, parts.peer_wscale), (None, None));
    assert_eq!((parts.sack, parts.timestamps), (false, None));
}

#[test]
fn nothing_is_agreed_that_the_settings_forbid() {
    let mut world = World::new();
    world.settings.tcp_window_scaling = false;
    world.settings.tcp_sack = false;
    world.settings.tcp_timestamps = false;
    let offer = SynOptions {
        mss: None,
        window_scale: Some(3),
        sack_permitted: true,
        timestamps: Some(Timestamps::default()),
    };
    let (syn_ack, parts) = negotiate(&mut world, offer, &SocketOptions::default());
    let expected = SynOptions {
        mss: Some(1460),
        ..SynOptions::default()
    };
    assert_eq!(offered(&syn_ack), expected);
    assert_eq!((parts.our_wscale, parts.peer_wscale), (None, None));
    assert_eq!((parts.sack, parts.timestamps), (false, None));
}

/// RFC 9293 3.7.1 MUST-15: 536 over IPv4 and 1220 over IPv6 when the option is absent.
#[test]
fn the_default_mss_depends_on_the_family() {
    let mut world = World::new();
    let none = SynOptions::default();
    let (_, parts) = negotiate(&mut world, none.clone(), &SocketOptions::default());
    assert_eq!(parts.peer_mss, 536);
    world.tuple.local = "[fd00::1]:80".parse().expect("an address");
    world.tuple.remote = "[fd00::2]:1234".parse().expect("an address");
    let (_, parts) = negotiate(&mut world, none, &SocketOptions::default());
    assert_eq!(parts.peer_mss, 1220);
}

/// RFC 9293 3.7.1 MUST-14, MAY-3: the option is always sent; `TCP_MAXSEG` lowers it.
#[test]
fn the_mss_is_announced_and_may_be_lowered() {
    let mut world = World::new();
    for (max_segment, announced) in [(None, 1460), (Some(9000), 1460), (Some(700), 700)] {
        let options = SocketOptions {
            max_segment,
            ..SocketOptions::default()
        };
        let (syn_ack, _) = negotiate(&mut world, SynOptions::default(), &options);
        assert_eq!(offered(&syn_ack).mss, Some(announced));
    }
}

#[test]
fn window_and_scale_follow_the_buffer_and_its_clamp() {
    let mut world = World::new();
    // Receive buffer, clamp, the two of tcp_rmem; window, scale.
    let cases = [
        (None, None, (128 << 10, 64 << 20), 0xffff, 11),
        (None, None, (10_000, 64 << 20), 10_000, 11),
        (None, None, (10_000, 65_535), 10_000, 0),
        (None, None, (10_000, 65_536), 10_000, 1),
        (None, None, (128 << 10, u32::MAX), 0xffff, 14),
        (Some(5000), None, (128 << 10, 64 << 20), 5000, 0),
        (Some(1 << 20), None, (128 << 10, 64 << 20), 0xffff, 5),
        (None, Some(4000), (128 << 10, 64 << 20), 4000, 0),
        (Some(5000), Some(4000), (128 << 10, 64 << 20), 4000, 0),
        (None, Some(1 << 20), (128 << 10, 64 << 20), 0xffff, 5),
    ];
    for (receive_buffer, window_clamp, tcp_rmem, window, scale) in cases {
        world.settings.tcp_rmem = tcp_rmem;
        let options = SocketOptions {
            receive_buffer,
            window_clamp,
            ..SocketOptions::default()
        };
        let offer = SynOptions {
            window_scale: Some(0),
            ..SynOptions::default()
        };
        let (syn_ack, parts) = negotiate(&mut world, offer, &options);
        assert_eq!(syn_ack.header.window, UnscaledWindow(window));
        assert_eq!(offered(&syn_ack).window_scale, Some(scale));
        assert_eq!(parts.our_wscale, Some(scale));
        assert_eq!(parts.peer_wscale, Some(0));
        assert_eq!(parts.announced_window, u32::from(window));
    }
}

/// RFC 7323: a shift beyond 14 is taken as 14.
#[test]
fn a_shift_beyond_14_counts_as_14() {
    let mut world = World::new();
    for (sent, taken) in [(13, 13), (14, 14), (15, 14), (255, 14)] {
        let offer = SynOptions {
            window_scale: Some(sent),
            ..SynOptions::default()
        };
        let (_, parts) = negotiate(&mut world, offer, &SocketOptions::default());
        assert_eq!(parts.peer_wscale, Some(taken));
    }
}

/// RFC 3360: a SYN with other bits is a plain SYN.
#[test]
fn other_bits_in_a_syn_change_nothing() {
    let mut world = World::new();
    let plain = syn(&world);
    for extra in [Flags::ECE | Flags::CWR, Flags::from_bits(0xe00), Flags::PSH] {
        let mut odd = plain.clone();
        odd.header.flags |= extra;
        let mut answers = [&plain, &odd].map(|syn| {
            let record = record(&mut world, syn, &options());
            syn_ack(&mut world, &record, &options()).header
        });
        assert_eq!(answers[0], answers[1]);
        assert_eq!(core::mem::take(&mut answers[0].flags), SYN | ACK);
    }
}

/// Text and FIN beside a SYN are not acknowledged, so the peer sends them again.
#[test]
fn text_beside_the_syn_is_left_to_the_peer() {
    let mut world = World::new();
    let mut syn = with_text(syn(&world), 100);
    syn.header.flags |= FIN;
    let record = record(&mut world, &syn, &options());
    assert_eq!(syn_ack(&mut world, &record, &options()).header.ack, IRS + 1);
}

#[test]
fn what_is_sent_has_the_sockets_ip_options() {
    let mut world = World::new();
    let options = SocketOptions {
        tos: 0x10,
        hop_limit: Some(3),
        ..options()
    };
    let syn = syn(&world);
    let record = record(&mut world, &syn, &options);
    let expected = IpMeta {
        tos: 0x10,
        hop_limit: 3,
        dont_fragment: true,
        ..IpMeta::default()
    };
    assert_eq!(syn_ack(&mut world, &record, &options).ip, expected);
}

/// RFC 4987: nothing is kept, and yet the connection gets what it would have got.
#[test]
fn a_cookie_brings_the_record_back() {
    let mut world = World::new();
    let syn = syn(&world);
    let kept = record(&mut world, &syn, &options());
    let syn_ack = syn_ack(&mut world, &kept, &options());
    world.seen();
    let cookie =
        world.run(|cx, tuple| HalfOpen::cookie_syn_ack(cx, tuple, &syn, opening(), &options()));
    assert_eq!(cookie.header, syn_ack.header);
    let seen = world.seen();
    assert!(matches!(
        seen[..],
        [Seen::In(S::Listen, SYN, _), Seen::Out(S::Listen, _, _)]
    ));

    let ack = with_timestamp(world.segment(ACK, IRS + 1, ISS + 1), 900);
    let peer = CookieOptions {
        mss: 1400,
        window_scale: Some(7),
        sack: true,
        timestamps: true,
    };
    let kept = kept.into_parts();
    let back = world
        .run(|cx, _| HalfOpen::from_cookie(cx, &ack, opening(), peer, &options()))
        .into_parts();
    assert_eq!(back.irs, kept.irs);
    assert_eq!(back.peer_mss, kept.peer_mss);
    assert_eq!(back.peer_wscale, kept.peer_wscale);
    assert_eq!(back.our_wscale, kept.our_wscale);
    assert_eq!(back.sack, kept.sack);
    assert_eq!(back.timestamps, kept.timestamps);
    assert_eq!(back.announced_window, kept.announced_window);
    assert_eq!((back.cookie, back.sent_at), (true, None));
}

/// Neither what the cookie does not remember, nor what was switched off since.
#[test]
fn a_cookie_brings_back_no_more() {
    for offered in [false, true] {
        let mut world = World::new();
        world.settings.tcp_window_scaling = !offered;
        world.settings.tcp_sack = !offered;
        world.settings.tcp_timestamps = !offered;
        let ack = with_timestamp(world.segment(ACK, IRS + 1, ISS + 1), 900);
        let peer = CookieOptions {
            mss: 536,
            window_scale: offered.then_some(1),
            sack: offered,
            timestamps: offered,
        };
        let parts = world
            .run(|cx, _| HalfOpen::from_cookie(cx, &ack, opening(), peer, &options()))
            .into_parts();
        assert_eq!((parts.our_wscale, parts.peer_wscale), (None, None));
        assert_eq!((parts.sack, parts.timestamps), (false, None));
    }
}
