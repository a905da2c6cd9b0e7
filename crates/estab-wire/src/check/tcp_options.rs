use crate::tcp::{Header, Options, SackBlock, SegmentOptions, SeqNum, SynOptions, Timestamps};
use alloc::vec;
use alloc::vec::Vec;

/// Takes the first byte for the control bits and up to 40 more for options, and compares what parse makes of them
/// with what a reader makes that goes byte by byte and takes no short cut.
pub fn tcp_options(bytes: &[u8]) {
    let (&flags, options) = bytes.split_first().unwrap_or((&0, &[]));
    let mut options = options[..options.len().min(40)].to_vec();
    options.resize(options.len().next_multiple_of(4), 0);
    let mut segment = vec![0; 20];
    segment[12] = (5 + options.len() as u8 / 4) << 4;
    segment[13] = flags;
    segment.extend_from_slice(&options);

    let (header, payload_offset) =
        Header::parse(&segment).unwrap_or_else(|error| panic!("options are never fatal: {error}"));
    assert_eq!(payload_offset, segment.len());
    assert_eq!(header.flags.bits(), flags.into());
    let expected = if flags & 2 != 0 {
        Options::Syn(syn(&list(&options)))
    } else {
        Options::Segment(other(&list(&options)))
    };
    assert_eq!(header.options, expected);
}

/// Kind and data of each option, up to the first that is malformed.
fn list(options: &[u8]) -> Vec<(u8, &[u8])> {
    let mut list = Vec::new();
    let mut at = 0;
    while at < options.len() {
        let kind = options[at];
        if kind == 0 {
            break;
        }
        if kind == 1 {
            at += 1;
            continue;
        }
        let len = options.get(at + 1).map_or(0, |len| usize::from(*len));
        if len < 2 || at + len > options.len() {
            break;
        }
        list.push((kind, &options[at + 2..at + len]));
        at += len;
    }
    list
}

fn word(data: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]])
}

fn timestamps(list: &[(u8, &[u8])]) -> Option<Timestamps> {
    let (_, data) = list
        .iter()
        .rfind(|(kind, data)| *kind == 8 && data.len() == 8)?;
    Some(Timestamps {
        value: word(data, 0),
        echo: word(data, 4),
    })
}

fn syn(list: &[(u8, &[u8])]) -> SynOptions {
    let last = |wanted: u8, len: usize| {
        list.iter()
            .rfind(|(kind, data)| *kind == wanted && data.len() == len)
            .map(|(_, data)| *data)
    };
    SynOptions {
        mss: last(2, 2).map(|data| u16::from(data[0]) << 8 | u16::from(data[1])),
        window_scale: last(3, 1).map(|data| data[0]),
        sack_permitted: last(4, 0).is_some(),
        timestamps: timestamps(list),
    }
}

fn other(list: &[(u8, &[u8])]) -> SegmentOptions {
    let mut sack = arrayvec::ArrayVec::new();
    let last = list
        .iter()
        .rfind(|(kind, data)| *kind == 5 && !data.is_empty() && data.len() % 8 == 0);
    if let Some((_, data)) = last {
        for at in (0..data.len()).step_by(8) {
            sack.push(SackBlock {
                left: SeqNum(word(data, at)),
                right: SeqNum(word(data, at + 4)),
            });
        }
    }
    SegmentOptions {
        timestamps: timestamps(list),
        sack,
    }
}
