//! Names that stand for something else.

use estab_packetdrill::{Defines, Source, parse_with};

use crate::support::{messages, read};

#[test]
fn a_name_stands_for_one_token() {
    let script = read(
        "--define=SIZE=1000 -DCC=\"reno\" --define=SYN=S --define=MINUS=-1 --define=SET=`true`
-DERR=EAGAIN -DTIME=.5 -D A=B -DB=7
SET
+0 setsockopt(3, SOL_TCP, TCP_CONGESTION, CC, 4) = MINUS ERR
+TIME < SYN 0:0(0) win SIZE <mss A>
+0 SET
+0 f(SIZES, \"SIZE\", {a=SIZE}) = 0 (SIZE)
",
    );
    let events = "\
+0 setsockopt(3, SOL_TCP, TCP_CONGESTION, \"reno\", 4) = -1 EAGAIN
+0.5 < S 0:0(0) win 1000 <mss 7>
+0 `true`
+0 f(SIZES, \"SIZE\", {a=1000}) = 0 (SIZE)
";
    assert_eq!(script.init.as_ref().unwrap().text, "true");
    assert!(script.to_string().ends_with(events), "{script}");
}

/// What stands for a name must fit where the name stands.
#[test]
fn what_a_name_stands_for_must_fit() {
    assert_eq!(
        messages("-DN=x\n+0 > . 1:1(0) win N"),
        ["expected a window, a number, found `x`"]
    );
    assert_eq!(
        messages("-DN=-1\n+0 > . 1:1(0) win N"),
        ["`-1` is not a number"]
    );
    assert_eq!(
        messages("-DN=8\n+0 f({N=1}) = 0"),
        ["this is not the name of a field"]
    );
    assert_eq!(messages("-DF=5.\n+0 > F 1:1(0)").len(), 1);
    assert_eq!(
        messages("-DN\n+0 f() = 0"),
        ["`N` is not of the form NAME=VALUE"]
    );
    assert_eq!(
        messages("-DA=B -DB=A\n+0 f() = 0"),
        ["`B` would stand for itself"]
    );
}

#[test]
fn the_command_line_wins() {
    let mut defines = Defines::new();
    defines.add("N=2").unwrap();
    let source = Source::new("test.pkt", "-DN=1\n+0 f(N) = 0\n");
    let script = parse_with(&source, &defines).unwrap();
    assert_eq!(script.events[0].to_string(), "+0 f(2) = 0");
}
