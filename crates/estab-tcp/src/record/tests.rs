//! Whatever a peer sends, the records answer as the RFC says, and little.

use super::support::*;
use crate::event::DropReason;
use crate::time_wait::TimeWaitParts;
use crate::{
    Flags, HalfOpen, HalfOpenDisposition, Opening, SegmentIn, SocketOptions, TimeWait,
    TimeWaitDisposition,
};
use alloc::vec::Vec;
use core::time::Duration;
use estab_wire::tcp::SeqNum;
use proptest::prelude::*;

const SND: SeqNum = SeqNum(77);
const RCV: SeqNum = SeqNum(u32::MAX - 3);

/// Near the numbers that count, or anywhere.
fn number(around: SeqNum) -> impl Strategy<Value = SeqNum> {
    prop_oneof![
        4 => (-3..4i32).prop_map(move |n| around + n as u32),
        1 => any::<u32>().prop_map(SeqNum),
    ]
}

fn segment() -> impl Strategy<Value = (u64, SegmentIn)> {
    let text = prop_oneof![4 => 0..3usize, 1 => 0..70_000usize];
    let stamp = prop_oneof![
        Just(None),
        (890..910u32).prop_map(Some),
        any::<Option<u32>>()
    ];
    let wait = prop_oneof![0..10u64, 0..2000u64];
    (wait, 0..0x200u16, number(RCV), number(SND), text, stamp).prop_map(
        |(ms, bits, seq, ack, text, stamp)| {
            let mut segment = World::new().segment(Flags::from_bits(bits), seq, ack);
            if let Some(value) = stamp {
                segment = with_timestamp(segment, value);
            }
            (ms, with_text(segment, text))
        },
    )
}

proptest! {
    #[test]
    fn half_open_records_answer_little(
        with_timestamps: bool,
        segments in prop::collection::vec(segment(), 1..40),
    ) {
        let mut world = World::new();
        let options = SocketOptions::default();
        let mut syn = world.segment(SYN, RCV - 1, SeqNum(0));
        if with_timestamps {
            syn = with_timestamp(syn, 900);
        }
        let opening = Opening { iss: SND - 1, timestamp_offset: 1, mss: 1460 };
        let mut record =
            world.run(|cx, tuple| HalfOpen::new(cx, tuple, &syn, opening, &options));
        let mut answered: Vec<crate::Instant> = Vec::new();
        for (ms, segment) in segments {
            world.wait(ms);
            let disposition =
                world.run(|cx, tuple| record.handle_segment(cx, tuple, &segment, &options));
            match disposition {
                HalfOpenDisposition::Reply(answer, _) => {
                    prop_assert!(answer.payload.is_empty());
                    prop_assert_eq!(answer.header.ack, RCV);
                    prop_assert!(answer.header.flags == ACK || answer.header.flags == SYN | ACK);
                    if answer.header.flags == ACK {
                        answered.push(world.now);
                    }
                }
                HalfOpenDisposition::Reset(rst) => {
                    prop_assert!(!segment.header.flags.rst(), "a RST is never reset");
                    prop_assert_eq!(rst.header.seq, segment.header.ack);
                }
                HalfOpenDisposition::Established => {
                    prop_assert_eq!(segment.header.ack, SND);
                    prop_assert!(!segment.header.flags.intersects(SYN | RST));
                }
                HalfOpenDisposition::Closed => {
                    prop_assert!(segment.header.flags.rst() && segment.header.seq == RCV);
                }
                HalfOpenDisposition::Drop(_) => {}
            }
        }
        for pair in answered.windows(2) {
            prop_assert!(pair[1].since(pair[0]) >= Duration::from_millis(500));
        }
    }

    #[test]
    fn time_wait_records_answer_little(
        timestamps in prop_oneof![Just(None), Just(Some((5, 900)))],
        segments in prop::collection::vec(segment(), 1..40),
    ) {
        let mut world = World::new();
        let parts = TimeWaitParts {
            iss: SeqNum(1),
            irs: SeqNum(2),
            snd_nxt: SND,
            rcv_nxt: RCV,
            rcv_wnd: 1000,
            rcv_wscale: 2,
            timestamps,
            tos: 0,
            hop_limit: 0,
        };
        let mut record = world.run(|cx, tuple| TimeWait::new(cx, tuple, parts));
        let mut answered: Vec<crate::Instant> = Vec::new();
        for (ms, segment) in segments {
            world.wait(ms);
            match world.run(|cx, tuple| record.handle_segment(cx, tuple, &segment)) {
                TimeWaitDisposition::Reply(answer, reason) => {
                    prop_assert_eq!((answer.header.seq, answer.header.ack), (SND, RCV));
                    prop_assert_eq!(answer.header.flags, ACK);
                    prop_assert!(!segment.header.flags.rst());
                    // A resent FIN is always acknowledged.
                    if !segment.header.flags.fin() {
                        answered.push(world.now);
                    }
                    prop_assert_ne!(reason, DropReason::RateLimited);
                }
                TimeWaitDisposition::NewIncarnation { snd_nxt } => {
                    prop_assert_eq!(snd_nxt, SND);
                    prop_assert!(segment.header.flags.syn() && !segment.header.flags.ack());
                }
                TimeWaitDisposition::Closed => prop_assert!(false, "RFC 1337"),
                TimeWaitDisposition::Drop(_) => {}
            }
        }
        for pair in answered.windows(2) {
            prop_assert!(pair[1].since(pair[0]) >= Duration::from_millis(500));
        }
    }
}
