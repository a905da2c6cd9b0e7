use super::*;
use crate::record::support::*;
use crate::{Connection, State as S};
use alloc::vec;
use estab_wire::tcp::UnscaledWindow;

mod arrivals;
mod negotiation;

const ISS: SeqNum = SeqNum(0x7fff_fff0);
/// So that the window wraps.
const IRS: SeqNum = SeqNum(0xffff_fff0);
const WINDOW: u32 = 1000;

fn opening() -> Opening {
    Opening {
        iss: ISS,
        timestamp_offset: 5_000_000,
        mss: 1460,
    }
}

fn options() -> SocketOptions {
    SocketOptions {
        receive_buffer: Some(WINDOW),
        ..SocketOptions::default()
    }
}

/// A SYN with what Linux offers.
fn syn(world: &World) -> SegmentIn {
    let mut syn = world.segment(SYN, IRS, SeqNum(0));
    syn.header.options = Options::Syn(SynOptions {
        mss: Some(1400),
        window_scale: Some(7),
        sack_permitted: true,
        timestamps: Some(Timestamps {
            value: 900,
            echo: 0,
        }),
    });
    syn
}

fn record(world: &mut World, syn: &SegmentIn, options: &SocketOptions) -> HalfOpen {
    world.run(|cx, tuple| HalfOpen::new(cx, tuple, syn, opening(), options))
}

fn handle(world: &mut World, record: &mut HalfOpen, segment: &SegmentIn) -> HalfOpenDisposition {
    world.run(|cx, tuple| record.handle_segment(cx, tuple, segment, &options()))
}

fn syn_ack(world: &mut World, record: &HalfOpen, options: &SocketOptions) -> SegmentOut {
    world.run(|cx, tuple| record.syn_ack(cx, tuple, options))
}

#[test]
fn a_record_is_small() {
    assert!(size_of::<HalfOpen>() <= 96, "{}", size_of::<HalfOpen>());
}

#[test]
fn a_syn_makes_a_record_and_says_so() {
    let mut world = World::new();
    let syn = syn(&world);
    let record = record(&mut world, &syn, &options());
    let syn_ack = syn_ack(&mut world, &record, &options());
    let variables = Variables {
        iss: ISS,
        snd_una: ISS,
        snd_nxt: ISS + 1,
        snd_wnd: 500,
        irs: IRS,
        rcv_nxt: IRS + 1,
        rcv_wnd: WINDOW,
        cwnd: 0,
    };
    assert_eq!(
        world.seen(),
        [
            Seen::In(S::Listen, SYN, Variables::default()),
            Seen::State(S::Listen, S::SynReceived, Cause::ReceiveSyn),
            Seen::Armed(Timer::Retransmit, at(2000)),
            Seen::Out(S::SynReceived, SYN | ACK, variables),
        ]
    );
    let header = &syn_ack.header;
    assert_eq!((header.src_port, header.dst_port), (80, 1234));
    assert_eq!((header.seq, header.ack), (ISS, IRS + 1));
    assert_eq!(header.flags, SYN | ACK);
    assert_eq!(header.window, UnscaledWindow(WINDOW as u16));
    assert!(syn_ack.payload.is_empty());
}

/// The SYN-ACK after 1, 2, 4, 8, 16 s; forgotten 32 s after the last.
#[test]
fn the_syn_ack_is_resent_with_doubled_intervals() {
    let mut world = World::new();
    let syn = syn(&world);
    let mut record = record(&mut world, &syn, &options());
    let mut times = vec![];
    loop {
        world.now = record.deadline();
        world.seen();
        let resent = world.run(|cx, tuple| record.handle_timeout(cx, tuple, &options()));
        times.push((
            record.deadline().since(at(1000)).as_secs(),
            resent.is_some(),
        ));
        let seen = world.seen();
        assert_eq!(seen[0], Seen::Fired(Timer::Retransmit));
        let Some(resent) = resent else {
            let expected = Seen::State(S::SynReceived, S::Closed, Cause::Timeout);
            assert_eq!(seen[1..], [expected]);
            break;
        };
        assert_eq!(resent.header.flags, SYN | ACK);
        assert_eq!((resent.header.seq, resent.header.ack), (ISS, IRS + 1));
        assert_eq!(seen[1], Seen::Retransmit(ISS, RetransmitReason::Timeout));
    }
    let expected = [
        (3, true),
        (7, true),
        (15, true),
        (31, true),
        (63, true),
        (63, false),
    ];
    assert_eq!(times, expected);
}

#[test]
fn the_number_of_retries_is_a_setting() {
    for retries in [0, 1, 3] {
        let mut world = World::new();
        world.settings.tcp_synack_retries = retries;
        world.settings.tcp_rto_max = Duration::from_secs(3);
        let syn = syn(&world);
        let mut record = record(&mut world, &syn, &options());
        let mut resent = 0;
        loop {
            world.now = record.deadline();
            if world
                .run(|cx, tuple| record.handle_timeout(cx, tuple, &options()))
                .is_none()
            {
                break;
            }
            resent += 1;
        }
        assert_eq!(resent, retries);
        let life = world.now.since(at(1000)).as_secs();
        assert_eq!(life, [1, 3, 6, 9][usize::from(retries)], "1, 2, 3, 3 s");
    }
}

/// A repeated SYN is always answered, and the wait for the ACK begins again, but no peer keeps a record for ever.
#[test]
fn a_repeated_syn_is_answered_and_bounded() {
    let mut world = World::new();
    let first = syn(&world);
    let mut record = record(&mut world, &first, &options());
    world.wait(700);
    let again = with_timestamp(syn(&world), 901);
    world.seen();
    let HalfOpenDisposition::Reply(reply, DropReason::Duplicate) =
        handle(&mut world, &mut record, &again)
    else {
        panic!("a SYN-ACK");
    };
    assert_eq!((reply.header.seq, reply.header.flags), (ISS, SYN | ACK));
    let echo = reply.header.options.timestamps().expect("agreed").echo;
    assert_eq!(echo, 901, "of the SYN that is answered");
    assert_eq!(record.deadline(), at(2700));
    let seen = world.seen();
    assert_eq!(
        seen[1],
        Seen::Retransmit(ISS, RetransmitReason::RepeatedSyn)
    );
    assert_eq!(seen[4], Seen::Drop(DropReason::Duplicate));

    let old = with_timestamp(syn(&world), 899);
    let HalfOpenDisposition::Reply(reply, _) = handle(&mut world, &mut record, &old) else {
        panic!("answered although it is late");
    };
    let echo = reply.header.options.timestamps().expect("agreed").echo;
    assert_eq!(echo, 901);

    for _ in 0..1000 {
        if world.now >= record.deadline() {
            break;
        }
        handle(&mut world, &mut record, &again);
        world.wait(900.min(record.deadline().since(world.now).as_millis() as u64));
    }
    assert_eq!(world.now, at(64_000), "63 s, as without the repetitions");
    let resent = world.run(|cx, tuple| record.handle_timeout(cx, tuple, &options()));
    assert!(resent.is_none());
}

/// Karn: which of two SYN-ACKs an ACK answers is not known.
#[test]
fn the_round_trip_is_not_measured_after_a_resend() {
    let mut world = World::new();
    let syn = syn(&world);
    let once = record(&mut world, &syn, &options());
    let mut by_timer = once.clone();
    world.now = by_timer.deadline();
    world.run(|cx, tuple| by_timer.handle_timeout(cx, tuple, &options()));
    let mut by_peer = once.clone();
    handle(&mut world, &mut by_peer, &syn);
    let found = [once, by_timer, by_peer].map(|record| {
        let parts = record.into_parts();
        (parts.resent, parts.sent_at)
    });
    let expected = [(false, Some(at(1000))), (true, None), (true, None)];
    assert_eq!(found, expected);
}

#[test]
fn the_owner_ends_a_record() {
    for cause in [Cause::Abort, Cause::Evicted, Cause::ReceiveIcmp] {
        let mut world = World::new();
        let syn = syn(&world);
        let record = record(&mut world, &syn, &options());
        world.seen();
        world.run(|cx, tuple| record.over(cx, tuple, cause));
        assert_eq!(
            world.seen(),
            [Seen::State(S::SynReceived, S::Closed, cause)]
        );
    }
}
