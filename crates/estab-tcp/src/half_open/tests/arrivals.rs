//! SEGMENT ARRIVES in SYN-RECEIVED.

use super::*;

const NXT: SeqNum = SeqNum(IRS.0.wrapping_add(1));

/// Where a segment begins, as the columns of the tables below.
const COLUMNS: [SeqNum; 8] = [
    SeqNum(NXT.0.wrapping_sub(2000)), // far left
    IRS,                              // the SYN's place
    SeqNum(NXT.0.wrapping_sub(5)),    // text of 10 straddles the left edge
    NXT,
    SeqNum(NXT.0.wrapping_add(100)),         // inside
    SeqNum(NXT.0.wrapping_add(WINDOW - 1)),  // the last byte
    SeqNum(NXT.0.wrapping_add(WINDOW)),      // beyond
    SeqNum(NXT.0.wrapping_add(0x4000_0000)), // far right
];

/// No options, so that only sequence numbers count.
fn plain_record(world: &mut World) -> HalfOpen {
    let syn = world.segment(SYN, IRS, SeqNum(0));
    let record = record(world, &syn, &options());
    world.seen();
    record
}

/// One letter for what became of a segment, which is checked on the way.
///
/// `E` established, `C` closed, `S` SYN-ACK again, `R` RST; answered by an ACK: `o` outside the window, `d` duplicate,
/// `r` challenged RST, `s` challenged SYN, `p` PAWS; dropped: `i` invalid RST, `n` no ACK, `t` no timestamp, `l` limited.
fn letter(world: &mut World, record: &mut HalfOpen, segment: &SegmentIn) -> char {
    let disposition = handle(world, record, segment);
    let seen = world.seen();
    assert!(matches!(seen[0], Seen::In(S::SynReceived, ..)), "{seen:?}");
    let (letter, last) = match disposition {
        HalfOpenDisposition::Established => ('E', seen[0].clone()),
        HalfOpenDisposition::Closed => (
            'C',
            Seen::State(S::SynReceived, S::Closed, Cause::ReceiveRst),
        ),
        HalfOpenDisposition::Reset(rst) => {
            // <SEQ=SEG.ACK><CTL=RST>
            assert_eq!(
                (rst.header.seq, rst.header.flags),
                (segment.header.ack, RST)
            );
            ('R', Seen::Drop(DropReason::UnacceptableAck))
        }
        HalfOpenDisposition::Reply(reply, reason) if reply.header.flags.syn() => {
            assert_eq!((reply.header.seq, reply.header.ack), (ISS, NXT));
            assert_eq!(reason, DropReason::Duplicate);
            ('S', Seen::Drop(reason))
        }
        HalfOpenDisposition::Reply(reply, reason) => {
            // <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>
            assert_eq!((reply.header.seq, reply.header.ack), (ISS + 1, NXT));
            assert_eq!(reply.header.flags, ACK);
            assert!(matches!(seen[1], Seen::Out(S::SynReceived, _, _)));
            let letter = match reason {
                DropReason::OutsideWindow => 'o',
                DropReason::Duplicate => 'd',
                DropReason::ChallengedRst => 'r',
                DropReason::ChallengedSyn => 's',
                DropReason::Paws => 'p',
                _ => panic!("{reason:?}"),
            };
            (letter, Seen::Drop(reason))
        }
        HalfOpenDisposition::Drop(reason) => {
            let letter = match reason {
                DropReason::InvalidRst => 'i',
                DropReason::NoAck => 'n',
                DropReason::NoTimestamp => 't',
                DropReason::RateLimited => 'l',
                _ => panic!("{reason:?}"),
            };
            (letter, Seen::Drop(reason))
        }
    };
    assert_eq!(seen.last(), Some(&last));
    letter
}

/// RFC 9293 3.10.7.4 in SYN-RECEIVED after a passive open, with RFC 5961's checks of RST and SYN.
#[test]
fn every_kind_of_segment_at_every_place() {
    // Left, SYN's place, straddling, RCV.NXT, inside, last, beyond, far right.
    let rows = [
        ("ACK", ACK, 0, "oooEEEoo"),
        ("text, ACK", ACK, 10, "dEEEEEoo"),
        ("FIN, ACK", FIN | ACK, 0, "dddEEEoo"),
        ("RST", RST, 0, "iiiCrrii"),
        ("RST, ACK", RST | ACK, 0, "iiiCrrii"),
        ("text, RST", RST, 10, "irrCrrii"),
        ("SYN", SYN, 0, "dSdsssoo"),
        ("text, SYN", SYN, 10, "dSssssoo"),
        ("SYN, ACK", SYN | ACK, 0, "dddsssoo"),
        ("SYN, RST", SYN | RST, 0, "iiiCrrii"),
        ("FIN", FIN, 0, "dddnnnoo"),
        ("text", NONE, 10, "dnnnnnoo"),
        ("nothing", NONE, 0, "ooonnnoo"),
    ];
    for (name, flags, text, expected) in rows {
        for (column, expected) in expected.chars().enumerate() {
            let mut world = World::new();
            let mut record = plain_record(&mut world);
            let segment = world.segment(flags, COLUMNS[column], ISS + 1);
            let segment = with_text(segment, text);
            let found = letter(&mut world, &mut record, &segment);
            assert_eq!(found, expected, "{name} in column {column}");
        }
    }
}

/// RFC 9293 3.10.7.4, fifth: SND.UNA < SEG.ACK =< SND.NXT, any other ACK in the window is answered by a RST.
#[test]
fn an_ack_of_anything_but_our_syn_is_reset() {
    let acks = [
        (ISS - 1, 'R'),
        (ISS, 'R'),
        (ISS + 1, 'E'),
        (ISS + 2, 'R'),
        (ISS + 0x8000_0000, 'R'),
    ];
    for (flags, text) in [(ACK, 0), (ACK, 10), (FIN | ACK, 0)] {
        for (ack, expected) in acks {
            for seq in [NXT, NXT + 100] {
                let mut world = World::new();
                let mut record = plain_record(&mut world);
                let segment = with_text(world.segment(flags, seq, ack), text);
                assert_eq!(letter(&mut world, &mut record, &segment), expected);
            }
            let mut world = World::new();
            let mut record = plain_record(&mut world);
            let outside = world.segment(flags, NXT + WINDOW, ack);
            assert_eq!(
                letter(&mut world, &mut record, &outside),
                'o',
                "first step first"
            );
        }
    }
}

/// RFC 5961: a SYN in the window does not send a passive record back to LISTEN, it is challenged.
#[test]
fn a_syn_in_the_window_is_challenged() {
    let mut world = World::new();
    let mut record = plain_record(&mut world);
    let syn = world.segment(SYN, NXT + 100, SeqNum(0));
    assert_eq!(letter(&mut world, &mut record, &syn), 's');
    let ack = world.segment(ACK, NXT, ISS + 1);
    assert_eq!(letter(&mut world, &mut record, &ack), 'E', "still there");
}

/// The table's cases at a window of zero.
#[test]
fn a_window_of_zero_takes_only_what_is_empty() {
    for (flags, text, seq, expected) in [
        (ACK, 0, NXT, 'E'),
        (ACK, 0, NXT + 1, 'o'),
        (ACK, 1, NXT, 'o'),
        (RST, 0, NXT, 'C'),
        (RST, 0, NXT + 1, 'i'),
    ] {
        let mut world = World::new();
        let options = SocketOptions {
            receive_buffer: Some(0),
            ..SocketOptions::default()
        };
        let syn = world.segment(SYN, IRS, SeqNum(0));
        let mut record = record(&mut world, &syn, &options);
        world.seen();
        let segment = with_text(world.segment(flags, seq, ISS + 1), text);
        assert_eq!(letter(&mut world, &mut record, &segment), expected);
    }
}

/// RFC 7323: once agreed, timestamps stand in each segment but RST, and do not go back.
#[test]
fn timestamps_are_checked_before_all_else() {
    // TS.Recent is 900.
    let cases = [
        (ACK, Some(900), 'E'),
        (ACK, Some(901), 'E'),
        (ACK, Some(899), 'p'),
        (ACK, Some(900 + 0x8000_0000), 'p'),
        (ACK, None, 't'),
        (RST, None, 'C'),
        (RST, Some(899), 'C'),
        (SYN | ACK, Some(899), 'p'),
    ];
    for (flags, value, expected) in cases {
        let mut world = World::new();
        let syn = syn(&world);
        let mut record = record(&mut world, &syn, &options());
        world.seen();
        let mut segment = world.segment(flags, NXT, ISS + 1);
        if let Some(value) = value {
            segment = with_timestamp(segment, value);
        }
        assert_eq!(letter(&mut world, &mut record, &segment), expected);
    }
}

#[test]
fn challenges_carry_timestamps() {
    let mut world = World::new();
    let syn = syn(&world);
    let mut record = record(&mut world, &syn, &options());
    let late = with_timestamp(world.segment(ACK, NXT, ISS + 1), 899);
    let HalfOpenDisposition::Reply(reply, _) = handle(&mut world, &mut record, &late) else {
        panic!("an ACK");
    };
    let expected = Timestamps {
        value: 1000 + 5_000_000,
        echo: 900,
    };
    assert_eq!(reply.header.options.timestamps(), Some(expected));
}

/// Answers to what is invalid are limited, and what is valid is not held up by that.
#[test]
fn invalid_segments_are_answered_at_a_limited_rate() {
    let mut world = World::new();
    let mut record = plain_record(&mut world);
    let outside = world.segment(ACK, NXT + WINDOW, ISS + 1);
    let rst = world.segment(RST, NXT + 1, ISS + 1);
    let repeated = world.segment(SYN, IRS, SeqNum(0));
    let mut letters = alloc::string::String::new();
    for ms in [0, 100, 399, 1, 499, 1] {
        world.wait(ms);
        letters.push(letter(&mut world, &mut record, &outside));
        letters.push(letter(&mut world, &mut record, &rst));
        letters.push(letter(&mut world, &mut record, &repeated));
    }
    assert_eq!(letters, "olSllSllSolSllSolS");
    let ack = world.segment(ACK, NXT, ISS + 1);
    assert_eq!(letter(&mut world, &mut record, &ack), 'E');
}

/// Only a SYN's window is unscaled; what was offered is not taken back by rounding.
#[test]
fn the_window_of_a_challenge_is_scaled_and_does_not_shrink() {
    let mut world = World::new();
    let syn = syn(&world);
    let mut record = record(&mut world, &syn, &SocketOptions::default());
    world.seen();
    let late = with_timestamp(world.segment(ACK, NXT, ISS + 1), 899);
    let HalfOpenDisposition::Reply(reply, _) = handle(&mut world, &mut record, &late) else {
        panic!("an ACK");
    };
    assert_eq!(reply.header.window, UnscaledWindow(32), "64 KiB >> 11");
    assert_eq!(
        syn_ack(&mut world, &record, &options()).header.window.0,
        0xffff
    );
    assert_eq!(record.into_parts().announced_window, 0x1_0000);
}

/// The connection that follows takes what came with the ACK, and the events tell one story.
#[test]
fn the_connection_takes_over() {
    let mut world = World::new();
    let first = syn(&world);
    let mut record = record(&mut world, &first, &options());
    syn_ack(&mut world, &record, &options());
    world.wait(30);
    world.seen();
    let ack = with_text(with_timestamp(world.segment(ACK, NXT, ISS + 1), 930), 10);
    assert_eq!(letter(&mut world, &mut record, &ack), 'E');
    let mut connection = world
        .run(|cx, tuple| Connection::from_half_open(cx, *tuple, record, options(), ack.clone()));
    assert_eq!(connection.state(), State::Established);
    let seen = world.seen();
    let states = seen.iter().filter(|seen| matches!(seen, Seen::State(..)));
    let expected = Seen::State(S::SynReceived, S::Established, Cause::ReceiveAckOfSyn);
    assert!(states.eq([&expected]), "{seen:?}");
    assert!(
        !seen.iter().any(|seen| matches!(seen, Seen::In(..))),
        "reported once"
    );
    let info = connection.info(&world.settings);
    assert_eq!(info.srtt, Duration::from_millis(30));
    let mut buffer = [0; 20];
    let received = world.run(|cx, _| connection.receive(cx, &mut buffer));
    assert_eq!(received, Ok(10));
}

#[test]
fn the_connection_of_a_cookie_comes_from_listen() {
    let mut world = World::new();
    let ack = with_text(world.segment(ACK, NXT, ISS + 1), 10);
    let peer = CookieOptions {
        mss: 536,
        window_scale: None,
        sack: false,
        timestamps: false,
    };
    let record = world.run(|cx, _| HalfOpen::from_cookie(cx, &ack, opening(), peer, &options()));
    let connection =
        world.run(|cx, tuple| Connection::from_half_open(cx, *tuple, record, options(), ack));
    assert_eq!(connection.state(), State::Established);
    assert_eq!(connection.buffered(), 10);
    let seen = world.seen();
    assert!(matches!(seen[0], Seen::In(S::Listen, ACK, _)), "{seen:?}");
    let states = seen.iter().filter(|seen| matches!(seen, Seen::State(..)));
    let expected = Seen::State(S::Listen, S::Established, Cause::ReceiveCookie);
    assert!(states.eq([&expected]), "{seen:?}");
}
