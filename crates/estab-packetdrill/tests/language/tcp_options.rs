//! Options of segments.

use estab_packetdrill::script::{AccEcnField, Options, TcpOption};

use crate::support::{canonical, message, segment, tcp_options};

#[test]
fn every_option() {
    use AccEcnField::{Ceb, E0b, E1b};
    for (text, expected) in [
        (
            "nop,nop,nop,eol",
            vec![
                TcpOption::Nop,
                TcpOption::Nop,
                TcpOption::Nop,
                TcpOption::Eol,
            ],
        ),
        ("mss 65535", vec![TcpOption::Mss(65535)]),
        (
            "sackOK,nop , nop",
            vec![TcpOption::SackOk, TcpOption::Nop, TcpOption::Nop],
        ),
        (
            "wscale 255,nop",
            vec![TcpOption::WindowScale(255), TcpOption::Nop],
        ),
        (
            "sack 1:2 4294967295:3,nop,nop",
            vec![
                TcpOption::Sack(vec![(1, 2), (u32::MAX, 3)]),
                TcpOption::Nop,
                TcpOption::Nop,
            ],
        ),
        (
            "TS val 4294967295 ecr 0,nop,nop",
            vec![
                TcpOption::Timestamp {
                    value: u32::MAX,
                    echo: 0,
                },
                TcpOption::Nop,
                TcpOption::Nop,
            ],
        ),
        (
            "FO,nop,nop",
            vec![TcpOption::FastOpen(vec![]), TcpOption::Nop, TcpOption::Nop],
        ),
        (
            "FO 01abCD,nop,nop,nop",
            vec![
                TcpOption::FastOpen(vec![1, 0xab, 0xcd]),
                TcpOption::Nop,
                TcpOption::Nop,
                TcpOption::Nop,
            ],
        ),
        ("FOEXP", vec![TcpOption::FastOpenExperimental(vec![])]),
        (
            "FOEXP abcd1234",
            vec![TcpOption::FastOpenExperimental(vec![
                0xab, 0xcd, 0x12, 0x34,
            ])],
        ),
        (
            "md5 00112233445566778899aabbccddeeff,nop,nop",
            vec![
                TcpOption::Md5((0..16).map(|n| n * 0x11).collect()),
                TcpOption::Nop,
                TcpOption::Nop,
            ],
        ),
        (
            "md5,nop,nop",
            vec![TcpOption::Md5(vec![]), TcpOption::Nop, TcpOption::Nop],
        ),
        (
            "ECN e1b 1 ceb 2 e0b 16777215,nop",
            vec![
                TcpOption::AccEcn {
                    experimental: false,
                    fields: vec![(E1b, 1), (Ceb, 2), (E0b, 0xff_ffff)],
                },
                TcpOption::Nop,
            ],
        ),
        (
            "ECN e0b 1 ceb 2",
            vec![TcpOption::AccEcn {
                experimental: false,
                fields: vec![(E0b, 1), (Ceb, 2)],
            }],
        ),
        (
            "ACCECN",
            vec![TcpOption::AccEcn {
                experimental: true,
                fields: vec![],
            }],
        ),
    ] {
        assert_eq!(tcp_options(&format!("<{text}>")), expected, "{text}");
    }
}

#[test]
fn no_options_and_any() {
    assert_eq!(tcp_options(""), []);
    assert_eq!(tcp_options("<>"), []);
    assert_eq!(segment("> . 1:1(0) <...>").options, Options::Any);
    assert_eq!(segment("> . 1:1(0) < ... >").options, Options::Any);
    assert_eq!(
        message("+0 < . 1:1(0) win 1 <...>"),
        "`<...>` is for outbound segments"
    );
}

#[test]
fn the_canonical_spelling() {
    let text = "+0 > S 0:0(0) < mss 0x100 ,sackOK , TS val 1 ecr  2, nop,wscale 7,FO ABCD >";
    assert_eq!(
        canonical(text),
        "+0 > S 0:0(0) <mss 256,sackOK,TS val 1 ecr 2,nop,wscale 7,FO abcd>"
    );
}

#[test]
fn wrong_options() {
    let option = "an option: `mss`, `nop`, `eol`, `wscale`, `sackOK`, `sack`, `TS`, `FO`, `FOEXP`, `md5`, `ECN` or `ACCECN`";
    for (text, expected) in [
        ("mss 65536", "an MSS is at most 65535".to_owned()),
        ("mss", "expected an MSS, a number, found `>`".to_owned()),
        ("wscale 256,nop", "a window scale is at most 255".to_owned()),
        (
            "sack,nop,nop",
            "expected a block's first sequence number, a number, found `,`".to_owned(),
        ),
        ("sack 1:2 3", "expected `:`, found `>`".to_owned()),
        ("TS 1 ecr 2", "expected `val`, found `1`".to_owned()),
        ("FO abc", "this is not a cookie".to_owned()),
        ("FO 0x01", "this is not a cookie".to_owned()),
        ("FO xyz0", "this is not a cookie".to_owned()),
        ("md5 0", "this is not a digest".to_owned()),
        (
            "ECN ceb 1 e0b 1",
            "an option with these counters cannot be written".to_owned(),
        ),
        (
            "ECN e0b 16777216,nop,nop,nop",
            "a counter of 24 bits is at most 16777215".to_owned(),
        ),
        ("foo", format!("expected {option}, found `foo`")),
        ("nop,", format!("expected {option}, found `>`")),
        ("nop nop", "expected `,` or `>`, found `nop`".to_owned()),
        (
            "mss 1,wscale 1",
            "the options are 7 bytes long, which is not a multiple of 4".to_owned(),
        ),
        (
            "sack 1:2 3:4 5:6 7:8 9:10,nop,nop",
            "the options are 44 bytes long, a header has room for 40".to_owned(),
        ),
    ] {
        assert_eq!(
            message(&format!("+0 > . 1:1(0) <{text}>")),
            expected,
            "{text}"
        );
    }
}
