use super::*;
use crate::record::support::*;
use crate::{Settings, State as S};
use alloc::string::String;
use estab_wire::tcp::UnscaledWindow;

const ISS: SeqNum = SeqNum(100);
const IRS: SeqNum = SeqNum(200);
const SND_NXT: SeqNum = SeqNum(0x8000_0005);
/// So that the window wraps.
const NXT: SeqNum = SeqNum(0xffff_fff1);
const WINDOW: u32 = 1000;

/// Where a segment begins, as the columns of the tables below.
const COLUMNS: [SeqNum; 8] = [
    SeqNum(NXT.0.wrapping_sub(2000)), // far left
    SeqNum(NXT.0.wrapping_sub(1)),    // the FIN's place
    SeqNum(NXT.0.wrapping_sub(5)),    // text of 10 straddles the left edge
    NXT,
    SeqNum(NXT.0.wrapping_add(100)),         // inside
    SeqNum(NXT.0.wrapping_add(WINDOW - 1)),  // the last byte
    SeqNum(NXT.0.wrapping_add(WINDOW)),      // beyond
    SeqNum(NXT.0.wrapping_add(0x4000_0000)), // far right
];

fn parts(timestamps: Option<(u32, u32)>) -> TimeWaitParts {
    TimeWaitParts {
        iss: ISS,
        irs: IRS,
        snd_nxt: SND_NXT,
        rcv_nxt: NXT,
        rcv_wnd: (WINDOW >> 3) as u16,
        rcv_wscale: 3,
        timestamps,
        tos: 8,
        hop_limit: 9,
    }
}

/// A world half a second after the wait began, and the record.
fn begin(settings: Settings, timestamps: Option<(u32, u32)>) -> (World, TimeWait) {
    let mut world = World::new();
    world.settings = settings;
    let record = world.run(|cx, tuple| TimeWait::new(cx, tuple, parts(timestamps)));
    assert_eq!(world.seen(), [Seen::Armed(Timer::TimeWait, at(61_000))]);
    world.wait(500);
    (world, record)
}

/// One letter for what became of a segment, which is checked on the way.
///
/// `N` new incarnation, `C` closed, `F` FIN acknowledged again; answered by an ACK: `o` outside the window, `d` duplicate,
/// `r` challenged RST, `s` challenged SYN, `a` invalid ACK, `p` PAWS; dropped: `t` late, `T` RST ignored, `i` invalid RST,
/// `n` no ACK, `x` no timestamp, `l` limited.
fn letter(world: &mut World, record: &mut TimeWait, segment: &SegmentIn) -> char {
    let before = record.deadline();
    let disposition = world.run(|cx, tuple| record.handle_segment(cx, tuple, segment));
    let restarted = record.deadline() != before;
    let seen = world.seen();
    if let TimeWaitDisposition::NewIncarnation { snd_nxt } = disposition {
        assert_eq!(snd_nxt, SND_NXT);
        assert_eq!(seen, [], "left to the listener");
        return 'N';
    }
    assert!(matches!(seen[0], Seen::In(S::TimeWait, ..)), "{seen:?}");
    let (letter, last) = match disposition {
        TimeWaitDisposition::NewIncarnation { .. } => unreachable!("handled"),
        TimeWaitDisposition::Closed => {
            ('C', Seen::State(S::TimeWait, S::Closed, Cause::ReceiveRst))
        }
        TimeWaitDisposition::Reply(reply, reason) => {
            // <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>
            let header = &reply.header;
            assert_eq!((header.seq, header.ack), (SND_NXT, NXT));
            assert_eq!((header.flags, header.window), (ACK, UnscaledWindow(125)));
            assert_eq!((header.src_port, header.dst_port), (80, 1234));
            assert_eq!((reply.ip.tos, reply.ip.hop_limit), (8, 9));
            assert!(reply.ip.dont_fragment);
            let letter = match reason {
                DropReason::Duplicate if restarted => {
                    assert_eq!(record.deadline(), world.now + Duration::from_secs(60));
                    'F'
                }
                DropReason::Duplicate => 'd',
                DropReason::OutsideWindow => 'o',
                DropReason::ChallengedRst => 'r',
                DropReason::ChallengedSyn => 's',
                DropReason::InvalidAck => 'a',
                DropReason::Paws => 'p',
                _ => panic!("{reason:?}"),
            };
            (letter, Seen::Drop(reason))
        }
        TimeWaitDisposition::Drop(reason) => {
            let letter = match reason {
                DropReason::TimeWait => 't',
                DropReason::TimeWaitRst => 'T',
                DropReason::InvalidRst => 'i',
                DropReason::NoAck => 'n',
                DropReason::NoTimestamp => 'x',
                DropReason::RateLimited => 'l',
                _ => panic!("{reason:?}"),
            };
            (letter, Seen::Drop(reason))
        }
    };
    assert_eq!(restarted, letter == 'F', "only a FIN restarts the wait");
    assert_eq!(seen.last(), Some(&last));
    letter
}

fn row(settings: &Settings, flags: Flags, text: usize, ack: SeqNum) -> String {
    COLUMNS
        .iter()
        .map(|&seq| {
            let (mut world, mut record) = begin(settings.clone(), None);
            let segment = with_text(world.segment(flags, seq, ack), text);
            letter(&mut world, &mut record, &segment)
        })
        .collect()
}

#[test]
fn a_record_is_small() {
    assert!(size_of::<TimeWait>() <= 64, "{}", size_of::<TimeWait>());
}

/// RFC 9293 3.10.7.4 in TIME-WAIT, with RFC 1337's and RFC 5961's checks of RST and RFC 6191's of SYN.
#[test]
fn every_kind_of_segment_at_every_place() {
    // Left, FIN's place, straddling, RCV.NXT, inside, last, beyond, far right.
    let rows = [
        ("ACK", ACK, 0, "oootttoo"),
        ("text, ACK", ACK, 10, "dtttttoo"),
        ("FIN, ACK", FIN | ACK, 0, "dFdtttoo"),
        ("text, FIN, ACK", FIN | ACK, 4, "dtFtttoo"),
        ("RST", RST, 0, "iiiTTTii"),
        ("RST, ACK", RST | ACK, 0, "iiiTTTii"),
        ("text, RST", RST, 10, "iTTTTTii"),
        ("SYN", SYN, 0, "sssNNNNN"),
        ("text, SYN", SYN, 10, "sssNNNNN"),
        ("SYN, ACK", SYN | ACK, 0, "ssssssss"),
        ("SYN, FIN", SYN | FIN, 0, "ssssssss"),
        ("SYN, RST", SYN | RST, 0, "iiiTTTii"),
        ("FIN", FIN, 0, "dddnnnoo"),
        ("text", NONE, 10, "dnnnnnoo"),
        ("nothing", NONE, 0, "ooonnnoo"),
    ];
    for (name, flags, text, expected) in rows {
        let found = row(&Settings::default(), flags, text, SND_NXT);
        assert_eq!(found, expected, "{name}");
    }
}

/// RFC 5961: SEG.ACK must not be beyond SND.NXT, nor behind it by more than any window.
#[test]
fn an_invalid_ack_is_answered() {
    let cases = [
        (SND_NXT, "oootttoo"),
        (SND_NXT - 10, "oootttoo"),
        (SND_NXT - MAX_SND_WND, "oootttoo"),
        (SND_NXT - MAX_SND_WND - 1, "oooaaaoo"),
        (SND_NXT + 1, "oooaaaoo"),
        (SND_NXT + 0x8000_0000, "oooaaaoo"),
    ];
    for (ack, expected) in cases {
        assert_eq!(row(&Settings::default(), ACK, 0, ack), expected, "{ack}");
    }
}

/// RFC 9293 3.10.7.4, second, when RFC 1337 is not followed: a RST at RCV.NXT ends the wait.
#[test]
fn a_reset_ends_the_wait_only_when_the_setting_allows() {
    let settings = Settings {
        tcp_rfc1337: false,
        ..Settings::default()
    };
    assert_eq!(row(&settings, RST, 0, SND_NXT), "iiiCrrii");
    assert_eq!(row(&settings, RST | ACK, 0, SND_NXT), "iiiCrrii");
}

/// RFC 9293 3.6.1 MUST-13: 2 MSL, again after each resent FIN, each of which is acknowledged.
#[test]
fn each_resent_fin_restarts_the_wait() {
    let (mut world, mut record) = begin(Settings::default(), None);
    assert_eq!(record.deadline(), at(61_000));
    for _ in 0..5 {
        world.wait(200);
        let fin = world.segment(FIN | ACK, NXT - 1, SND_NXT);
        assert_eq!(letter(&mut world, &mut record, &fin), 'F');
    }
    assert_eq!(record.deadline(), at(62_500));
    world.run(|cx, tuple| record.over(cx, tuple, Cause::TimeWaitOver));
    assert_eq!(
        world.seen(),
        [
            Seen::Fired(Timer::TimeWait),
            Seen::State(S::TimeWait, S::Closed, Cause::TimeWaitOver),
        ]
    );
}

/// Only the FIN that we know can be resent; another one is no reason to wait longer.
#[test]
fn a_fin_beyond_the_known_one_does_not_restart_the_wait() {
    let (mut world, mut record) = begin(Settings::default(), None);
    let fin = world.segment(FIN | ACK, NXT, SND_NXT);
    assert_eq!(letter(&mut world, &mut record, &fin), 't');
    assert_eq!(record.deadline(), at(61_000));
}

/// A SYN that may not take over: the ACK lets a peer that forgot the connection end it, and the next one waits its time.
#[test]
fn a_syn_that_may_not_take_over_is_answered_at_a_limited_rate() {
    let (mut world, mut record) = begin(Settings::default(), None);
    let syn = world.segment(SYN, NXT - 100, SND_NXT);
    for (ms, expected) in [(0, 's'), (100, 'l'), (399, 'l'), (1, 's')] {
        world.wait(ms);
        assert_eq!(letter(&mut world, &mut record, &syn), expected);
    }
    assert_eq!(record.deadline(), at(61_000));
}

#[test]
fn the_length_of_the_wait_is_a_setting() {
    let mut world = World::new();
    world.settings.tcp_time_wait = Duration::from_millis(20);
    let record = world.run(|cx, tuple| TimeWait::new(cx, tuple, parts(None)));
    assert_eq!(record.deadline(), at(1020));
}

#[test]
fn the_owner_ends_a_record() {
    for cause in [Cause::NewIncarnation, Cause::Evicted] {
        let (mut world, record) = begin(Settings::default(), None);
        world.run(|cx, tuple| record.over(cx, tuple, cause));
        assert_eq!(world.seen(), [Seen::State(S::TimeWait, S::Closed, cause)]);
    }
}

#[test]
fn invalid_segments_are_answered_at_a_limited_rate() {
    let (mut world, mut record) = begin(Settings::default(), None);
    let late = with_text(world.segment(ACK, NXT - 100, SND_NXT), 10);
    let syn = world.segment(SYN, NXT - 100, SND_NXT);
    let fin = world.segment(FIN | ACK, NXT - 1, SND_NXT);
    let mut letters = String::new();
    for ms in [0, 100, 399, 1, 499, 1] {
        world.wait(ms);
        for segment in [&late, &syn] {
            letters.push(letter(&mut world, &mut record, segment));
        }
    }
    assert_eq!(letters, "dllllldllldl");
    assert_eq!(letter(&mut world, &mut record, &fin), 'F', "never limited");
}

/// RFC 7323 in TIME-WAIT.
#[test]
fn timestamps_are_checked() {
    let cases = [
        (ACK, NXT, Some(900), 't'),
        (ACK, NXT, Some(899), 'p'),
        (ACK, NXT, None, 'x'),
        (FIN | ACK, NXT - 1, Some(899), 'p'),
        (FIN | ACK, NXT - 1, Some(900), 'F'),
        (RST, NXT, None, 'T'),
    ];
    for (flags, seq, value, expected) in cases {
        let (mut world, mut record) = begin(Settings::default(), Some((7, 900)));
        let mut segment = world.segment(flags, seq, SND_NXT);
        if let Some(value) = value {
            segment = with_timestamp(segment, value);
        }
        assert_eq!(letter(&mut world, &mut record, &segment), expected);
    }
}

#[test]
fn answers_carry_timestamps_and_the_latest_echo() {
    let (mut world, mut record) = begin(Settings::default(), Some((7, 900)));
    let fin = with_timestamp(world.segment(FIN | ACK, NXT - 1, SND_NXT), 950);
    let reply = world.run(|cx, tuple| record.handle_segment(cx, tuple, &fin));
    let TimeWaitDisposition::Reply(reply, _) = reply else {
        panic!("an ACK");
    };
    let timestamps = reply.header.options.timestamps().expect("agreed");
    assert_eq!((timestamps.value, timestamps.echo), (1507, 950));
    world.seen();
    let late = with_timestamp(world.segment(ACK, NXT, SND_NXT), 949);
    assert_eq!(letter(&mut world, &mut record, &late), 'p');
}

/// RFC 9293 3.6.1 MAY-2, SHLD-4: RFC 6191's rules for a SYN, by its timestamp first.
#[test]
fn a_syn_takes_over_when_it_is_surely_new() {
    // TS.Recent, TSval of the SYN; for a sequence number before RCV.NXT, and at it or later.
    let cases = [
        (Some(900), Some(901), 'N', 'N'),
        (Some(900), Some(900 + 0x7fff_ffff), 'N', 'N'),
        (Some(u32::MAX), Some(3), 'N', 'N'),
        (Some(900), Some(900), 's', 'N'),
        (Some(900), Some(899), 's', 's'),
        (Some(900), None, 's', 'N'),
        (None, Some(1), 'N', 'N'),
        (None, None, 's', 'N'),
    ];
    for (recent, value, left, right) in cases {
        let places = [
            (NXT - 2000, left),
            (NXT - 1, left),
            (NXT, right),
            (NXT + 5_000_000, right),
        ];
        for (seq, expected) in places {
            let timestamps = recent.map(|recent| (7, recent));
            let (mut world, mut record) = begin(Settings::default(), timestamps);
            let mut syn = world.segment(SYN, seq, SeqNum(0));
            if let Some(value) = value {
                syn = with_timestamp(syn, value);
            }
            let found = letter(&mut world, &mut record, &syn);
            assert_eq!(found, expected, "{recent:?} {value:?} {seq}");
        }
    }
}

/// A host that does not use timestamps any more cannot go by them: the new connection would have none.
#[test]
fn a_syns_timestamp_counts_only_when_it_would_be_agreed() {
    let settings = Settings {
        tcp_timestamps: false,
        ..Settings::default()
    };
    for (seq, expected) in [(NXT - 1, 's'), (NXT, 'N')] {
        let (mut world, mut record) = begin(settings.clone(), Some((7, 900)));
        let syn = with_timestamp(world.segment(SYN, seq, SeqNum(0)), 950);
        assert_eq!(letter(&mut world, &mut record, &syn), expected);
    }
}

#[test]
fn connect_may_take_the_ports_a_second_later_with_timestamps() {
    let on = Settings::default();
    let off = Settings {
        tcp_tw_reuse: false,
        ..Settings::default()
    };
    let without = Settings {
        tcp_timestamps: false,
        ..Settings::default()
    };
    for (settings, timestamps, ms, expected) in [
        (&on, Some((7, 900)), 499, None),
        (&on, Some((7, 900)), 500, Some(SND_NXT)),
        (&on, None, 500, None),
        (&off, Some((7, 900)), 500, None),
        (&without, Some((7, 900)), 500, None),
    ] {
        let (mut world, record) = begin(settings.clone(), timestamps);
        world.wait(ms);
        assert_eq!(world.run(|cx, _| record.reusable(cx)), expected);
    }
    let (mut world, mut record) = begin(on, Some((7, 900)));
    let fin = with_timestamp(world.segment(FIN | ACK, NXT - 1, SND_NXT), 950);
    letter(&mut world, &mut record, &fin);
    world.wait(999);
    assert_eq!(
        world.run(|cx, _| record.reusable(cx)),
        None,
        "from the last FIN"
    );
    world.wait(1);
    assert_eq!(world.run(|cx, _| record.reusable(cx)), Some(SND_NXT));
}

#[test]
fn events_have_the_records_variables() {
    let (mut world, mut record) = begin(Settings::default(), None);
    let variables = Variables {
        iss: ISS,
        snd_una: SND_NXT,
        snd_nxt: SND_NXT,
        irs: IRS,
        rcv_nxt: NXT,
        rcv_wnd: WINDOW,
        ..Variables::default()
    };
    let fin = world.segment(FIN | ACK, NXT - 1, SND_NXT);
    world.run(|cx, tuple| record.handle_segment(cx, tuple, &fin));
    let seen = world.seen();
    assert_eq!(
        seen.first(),
        Some(&Seen::In(S::TimeWait, FIN | ACK, variables))
    );
    assert!(
        seen.contains(&Seen::Out(S::TimeWait, ACK, variables)),
        "{seen:?}"
    );
}
