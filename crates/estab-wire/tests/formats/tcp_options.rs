use crate::support::{emitted, hex};
use estab_wire::tcp::{
    Flags, Header, Options, SackBlock, SegmentOptions, SeqNum, SynOptions, Timestamps,
    UnscaledWindow,
};

const TIMESTAMPS: Timestamps = Timestamps {
    value: 0x0a0b_0c0d,
    echo: 0x1a1b_1c1d,
};

fn header(options: Options) -> Header {
    Header {
        src_port: 1,
        dst_port: 2,
        seq: SeqNum(3),
        ack: SeqNum(4),
        flags: match options {
            Options::Syn(_) => Flags::SYN,
            Options::Segment(_) => Flags::ACK,
        },
        window: UnscaledWindow(5),
        urgent: 0,
        options,
    }
}

fn blocks(n: u32) -> impl Iterator<Item = SackBlock> {
    (1..=n).map(|n| SackBlock {
        left: SeqNum(n << 4),
        right: SeqNum(n << 4 | 8),
    })
}

/// What parse makes of these bytes in a segment with these flags, padded with EOL to whole words.
fn parsed(flags: Flags, options: &str) -> Options {
    let mut options = hex(options);
    options.resize(options.len().next_multiple_of(4), 0);
    let mut segment = emitted(&Header {
        flags,
        ..header(Options::NONE)
    });
    segment[12] = ((20 + options.len()) as u8 / 4) << 4;
    segment.extend(&options);
    let (header, payload_offset) = Header::parse(&segment).unwrap();
    assert_eq!(payload_offset, segment.len());
    header.options
}

fn syn(options: &str) -> SynOptions {
    match parsed(Flags::SYN, options) {
        Options::Syn(options) => options,
        Options::Segment(_) => panic!("options of a SYN"),
    }
}

fn segment(options: &str) -> SegmentOptions {
    match parsed(Flags::ACK, options) {
        Options::Segment(options) => options,
        Options::Syn(_) => panic!("options of a segment without SYN"),
    }
}

/// RFC 9293 3.1 MUST-4: MSS and no-operation, read and written.
#[test]
fn layouts_of_a_syn() {
    let all = SynOptions {
        mss: Some(1460),
        window_scale: Some(7),
        sack_permitted: true,
        timestamps: Some(TIMESTAMPS),
    };
    let none = SynOptions::default();
    let cases = [
        (all.clone(), "020405b4 0402 080a 0a0b0c0d 1a1b1c1d 01030307"),
        (
            SynOptions {
                timestamps: None,
                ..all.clone()
            },
            "020405b4 01010402 01030307",
        ),
        (
            SynOptions {
                sack_permitted: false,
                ..all
            },
            "020405b4 0101080a 0a0b0c0d 1a1b1c1d 01030307",
        ),
        (
            SynOptions {
                mss: Some(536),
                ..none.clone()
            },
            "02040218",
        ),
        (
            SynOptions {
                window_scale: Some(14),
                ..none.clone()
            },
            "0103030e",
        ),
        (
            SynOptions {
                sack_permitted: true,
                ..none.clone()
            },
            "01010402",
        ),
        (none, ""),
    ];
    for (options, bytes) in cases {
        assert_eq!(syn(bytes), options);
        let header = header(Options::Syn(options));
        assert_eq!(emitted(&header)[20..], hex(bytes));
    }
}

#[test]
fn layouts_of_other_segments() {
    let timestamps = "0101080a 0a0b0c0d 1a1b1c1d";
    let with = |timestamps, n| SegmentOptions {
        timestamps,
        sack: blocks(n).collect(),
    };
    let cases = [
        (with(None, 0), String::new()),
        (with(Some(TIMESTAMPS), 0), timestamps.to_owned()),
        (with(None, 1), "0101050a 00000010 00000018".to_owned()),
        (
            with(Some(TIMESTAMPS), 2),
            format!("{timestamps} 01010512 00000010 00000018 00000020 00000028"),
        ),
        (
            with(None, 4),
            "01010522 00000010 00000018 00000020 00000028 00000030 00000038 00000040 00000048"
                .to_owned(),
        ),
    ];
    for (options, bytes) in cases {
        assert_eq!(segment(&bytes), options);
        let header = header(Options::Segment(options));
        assert_eq!(emitted(&header)[20..], hex(&bytes));
    }
}

/// RFC 2018: beside timestamps there is room for three.
#[test]
fn the_fourth_block_gives_way_to_timestamps() {
    let full = header(Options::Segment(SegmentOptions {
        timestamps: Some(TIMESTAMPS),
        sack: blocks(4).collect(),
    }));
    assert_eq!(full.header_len(), 60);
    let (parsed, _) = Header::parse(&emitted(&full)).unwrap();
    assert_eq!(
        parsed.options,
        Options::Segment(SegmentOptions {
            timestamps: Some(TIMESTAMPS),
            sack: blocks(3).collect(),
        })
    );
}

/// RFC 9293 3.1 MUST-69: headers end with their last option, so that there is nothing to pad.
#[test]
fn nothing_follows_the_last_option() {
    for bits in 0..16 {
        let header = header(Options::Syn(SynOptions {
            mss: (bits & 1 != 0).then_some(1460),
            window_scale: (bits & 2 != 0).then_some(7),
            sack_permitted: bits & 4 != 0,
            timestamps: (bits & 8 != 0).then_some(TIMESTAMPS),
        }));
        let bytes = emitted(&header);
        assert_eq!(usize::from(bytes[12] >> 4) * 4, bytes.len());
        let (parsed, _) = Header::parse(&bytes).unwrap();
        assert_eq!(parsed, header);
    }
}

/// RFC 9293 3.1 MUST-6, MUST-68: what is not known is skipped by its length.
#[test]
fn unknown_options() {
    assert_eq!(syn("fe04f989 020405b4").mss, Some(1460));
    assert_eq!(
        syn("1302 1e0c 00000000000000000000 020405b4").mss,
        Some(1460)
    );
    assert_eq!(
        segment("2202 0101 080a 0a0b0c0d 1a1b1c1d").timestamps,
        Some(TIMESTAMPS)
    );
}

/// RFC 9293 3.2 MUST-64: anywhere.
#[test]
fn options_that_are_not_aligned() {
    assert_eq!(syn("01 020405b4").mss, Some(1460));
    assert_eq!(syn("030307 020405b4").mss, Some(1460));
    assert_eq!(
        segment("080a 0a0b0c0d 1a1b1c1d").timestamps,
        Some(TIMESTAMPS)
    );
    assert_eq!(
        segment("01 080a 0a0b0c0d 1a1b1c1d").timestamps,
        Some(TIMESTAMPS)
    );
    let both = segment("01 050a 00000010 00000018 080a 0a0b0c0d 1a1b1c1d");
    assert_eq!(both.timestamps, Some(TIMESTAMPS));
    assert_eq!(both.sack[..], blocks(1).collect::<Vec<_>>());
}

/// RFC 9293 3.1 MUST-5: in any segment, whatever other bits it has.
#[test]
fn in_any_segment() {
    for bits in 0..0x1000 {
        let flags = Flags::from_bits(bits);
        let options = parsed(flags, "0101080a 0a0b0c0d 1a1b1c1d");
        assert_eq!(options.timestamps(), Some(TIMESTAMPS), "{flags}");
        assert_eq!(matches!(options, Options::Syn(_)), flags.syn());
    }
}

/// RFC 9293 3.1 MUST-7: an illegal length ends the list, and what came before it counts.
#[test]
fn illegal_lengths() {
    for bad in [
        "0200 05b4",
        "0201 05b4",
        "02 28 05b4",
        "fe00 0000",
        "fe01 0000",
        "fe ff 0000",
    ] {
        let options = syn(&format!("030307 01 {bad} 0402 0101"));
        let expected = SynOptions {
            window_scale: Some(7),
            ..SynOptions::default()
        };
        assert_eq!(options, expected, "{bad}");
    }
    // The kind alone, in the last byte of the header.
    assert_eq!(syn("030307 02").window_scale, Some(7));
    assert_eq!(syn("030307 08").timestamps, None);
}

/// Known options with a length of something else are skipped like unknown ones.
#[test]
fn lengths_of_something_else() {
    for (bad, name) in [
        ("0203 05", "MSS"),
        ("0205 05b400", "MSS"),
        ("0302", "window scale"),
        ("0304 0707", "window scale"),
        ("0403 00", "SACK permitted"),
        ("0809 00000000000000", "timestamps"),
    ] {
        let options = syn(&format!("{bad} 020405b4 030309"));
        let expected = SynOptions {
            mss: Some(1460),
            window_scale: Some(9),
            ..SynOptions::default()
        };
        assert_eq!(options, expected, "{name}: {bad}");
    }
    for bad in ["0502", "0509 00000000000000", "050b 000000000000000000"] {
        let options = segment(&format!("{bad} 080a 0a0b0c0d 1a1b1c1d"));
        assert!(options.sack.is_empty(), "{bad}");
        assert_eq!(options.timestamps, Some(TIMESTAMPS), "{bad}");
    }
}

/// RFC 9293 3.1 MUST-4: the end of the list.
#[test]
fn nothing_counts_behind_the_end() {
    assert_eq!(syn("00 020405b4 000000"), SynOptions::default());
    assert_eq!(syn("01 00 0101 020405b4"), SynOptions::default());
}

/// RFC 9293 3.2 MUST-65: an MSS is nothing in a segment without SYN; neither are the others of their kind.
#[test]
fn options_of_the_other_kind() {
    assert_eq!(
        segment("020405b4 01030307 01010402"),
        SegmentOptions::default()
    );
    assert_eq!(syn("0101050a 00000010 00000018"), SynOptions::default());
}

#[test]
fn of_two_the_last_counts() {
    assert_eq!(syn("02040218 020405b4").mss, Some(1460));
    assert_eq!(
        segment("0101080a 00000000 00000000 080a 0a0b0c0d 1a1b1c1d").timestamps,
        Some(TIMESTAMPS)
    );
    let options = segment("050a 00000090 00000098 050a 00000010 00000018");
    assert_eq!(options.sack[..], blocks(1).collect::<Vec<_>>());
}

/// As it came: who uses it limits it (RFC 7323).
#[test]
fn values_out_of_range_come_through() {
    assert_eq!(syn("0303ff").window_scale, Some(255));
    assert_eq!(syn("02040000").mss, Some(0));
    let options = segment("050a 00000018 00000010");
    assert_eq!(options.sack[0].left, SeqNum(0x18));
}
