//! What holds of all scripts: they are read as they were written.

use estab_packetdrill::arbitrary::{Choices, connection, script};
use estab_packetdrill::{check, parse, print};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_script_is_read_back(bytes in prop::collection::vec(any::<u8>(), 0..2048)) {
        check::any_choices(&bytes);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        check::any_bytes(&bytes);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        check::any_bytes(text.as_bytes());
    }

    /// Text that looks like a script, but for a few characters.
    #[test]
    fn any_slip_is_read_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..512),
        slips in prop::collection::vec((any::<prop::sample::Index>(), slip()), 0..4),
    ) {
        let mut text = print(&script(&mut Choices::from_bytes(&bytes)));
        for (place, slip) in slips {
            let at = text.floor_char_boundary(place.index(text.len() + 1));
            text.insert_str(at, &slip);
        }
        check::any_bytes(text.as_bytes());
    }

    /// Tokens in any order.
    #[test]
    fn any_words_are_read_or_refused(words in prop::collection::vec(slip(), 0..60)) {
        check::any_bytes(words.concat().as_bytes());
    }
}

/// Pieces of scripts.
fn slip() -> impl Strategy<Value = String> {
    let words = [
        " ",
        "\n",
        "+0 ",
        "0.1 ",
        "*",
        "~",
        "...",
        "<",
        ">",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "=",
        "|",
        "-",
        "--",
        "--define=A=B\n",
        "-DA=\"b\"\n",
        "A",
        "//",
        "/*",
        "*/",
        "#",
        "\"",
        "`",
        "%{",
        "}%",
        "S. ",
        "0:0(0) ",
        "ack 1 ",
        "win 5 ",
        "mss 4",
        "sack 1:2 ",
        "TS val 1 ecr 2",
        "icmp ",
        "udp (1)",
        "ipv4 1.2.3.4 > 1.2.3.4:",
        "gre ",
        "mpls ",
        "close(3) = 0",
        "é",
        "\r",
        "\t",
        "\\",
        "0x",
        "099",
        "{a=1}",
        "f(1)=2",
    ];
    prop::sample::select(words.to_vec()).prop_map(str::to_owned)
}

/// A seed makes the same script everywhere.
#[test]
fn seeds_make_scripts() {
    for seed in 0..100 {
        let made = [
            script(&mut Choices::from_seed(seed)),
            connection(&mut Choices::from_seed(seed)),
        ];
        made.iter().for_each(check::round_trip);
    }
    insta::assert_snapshot!(print(&connection(&mut Choices::from_seed(1))));
}

#[test]
fn a_script_may_be_large() {
    let line = "+0 < . 1:1(0) ack 1 win 1 // a comment\n";
    let text = line.repeat(2_000);
    assert_eq!(parse("large", &text).unwrap().events.len(), 2_000);
    check::any_bytes(text.as_bytes());
    let too_large = " ".repeat(estab_packetdrill::parser::MAX_LEN + 1);
    insta::assert_snapshot!(parse("large", &too_large).unwrap_err());
}

/// What takes long or deep is bounded.
#[test]
fn nothing_is_too_deep() {
    for open in [
        "(",
        "[",
        "{",
        "f(",
        "{a=",
        "{a(",
        "|",
        "/*",
        "\"",
        "`",
        "%{",
        "<",
        "--",
        "-D",
        "1|",
        "1|[",
        "{a=1|",
        "{a(1|{",
        "f(1|f(",
        "x,",
        "&",
        "\"\n",
        "`\n",
        "+0 \"\n",
        "--\n",
        "--a b\n",
        "\u{301}",
        "\t",
        "é",
        "+0 f(N, N) = \"\n",
    ] {
        for head in ["", "+0 f(", "+0 f() = ", "+0 > ", "+0 > . 1:1(0) <"] {
            let text = format!("{head}{}", open.repeat(4_000));
            let errors = parse("deep", &text).expect_err(open);
            assert!(!errors.to_string().is_empty());
        }
    }
}

/// A short script does not stand for a long one.
#[test]
fn definitions_do_not_explode() {
    let names: String = (0..1000).map(|n| format!("-DA{}=A{n}\n", n + 1)).collect();
    let errors = parse("names", &format!("{names}+0 f(A1000) = 0\n")).unwrap_err();
    assert_eq!(
        errors.list()[0].message,
        "more than 256 names stand for something else"
    );
    let errors = parse(
        "names",
        &format!("-DA=\"{}\"\n+0 f(A, A) = 0\n", "x".repeat(300)),
    )
    .unwrap_err();
    assert_eq!(
        errors.list()[0].message,
        "`A` stands for more than 256 bytes"
    );
}
