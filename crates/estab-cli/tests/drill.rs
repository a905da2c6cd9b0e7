//! `estab drill`: finding scripts, playing them, telling what became of them.

mod support;

use estab_device::namespace::testing::privileged_test;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use support::{Ran, estab};
use tempfile::TempDir;

const PASSES: &str = "\
// A passive open.
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+.1 < S 0:0(0) win 1000 <mss 1000>
+0 > S. 0:0(0) ack 1 <...>
+.1 < . 1:1(0) ack 1 win 1000
+0 accept(3, ..., ...) = 4
";

/// What differs stands in the sixth line.
const FAILS: &str = "\
// It expects the wrong acknowledgement.
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+.1 < S 0:0(0) win 1000 <mss 1000>
+0 > S. 0:0(0) ack 2 <...>
";

const SKIPPED: &str = "\
// Encapsulated.
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+.1 < gre: S 0:0(0) win 1000 <mss 1000>
";

struct Suite(TempDir);

impl Suite {
    fn new(files: &[(&str, &str)]) -> Self {
        let suite = Self(tempfile::tempdir().expect("a folder"));
        for (name, text) in files {
            suite.write(name, text);
        }
        suite
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("write");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn drill(&self, args: &[&str]) -> Ran {
        let folder = self.0.path().to_str().expect("text");
        estab(&[&["drill", folder], args].concat())
    }
}

fn code(ran: Ran, code: i32) -> Ran {
    assert_eq!(ran.code, Some(code), "{}{}", ran.out, ran.err);
    ran
}

#[test]
fn folders_are_counted_and_the_status_says_whether_all_passed() {
    let suite = Suite::new(&[
        ("a/1.pkt", PASSES),
        ("a/2.pkt", PASSES),
        ("b/deep/3.pkt", PASSES),
        ("b/notes.txt", ""),
    ]);
    let ran = code(suite.drill(&[]), 0);
    let folder = |name: &str| suite.path(name).display().to_string();
    let wanted = format!(
        "{}: 2 passed, 0 failed, 0 skipped\n{}: 1 passed, 0 failed, 0 skipped\n\nall: 3 passed, 0 failed, 0 skipped\n",
        folder("a"),
        folder("b/deep")
    );
    assert_eq!(ran.out, wanted);
}

#[test]
fn a_failure_is_shown_where_it_happened_and_a_skip_with_its_reason() {
    let suite = Suite::new(&[("1.pkt", PASSES), ("2.pkt", FAILS), ("3.pkt", SKIPPED)]);
    let ran = code(suite.drill(&[]), 1);
    let failed = suite.path("2.pkt").display().to_string();
    assert!(
        ran.out.contains(&format!("FAILED   {failed}:6:")),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("+0 > S. 0:0(0) ack 2 <...>"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("1 passed, 1 failed, 1 skipped"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("1 skipped: "), "{}", ran.out);
}

#[test]
fn json_has_a_line_for_each_script_and_one_for_all() {
    let suite = Suite::new(&[("1.pkt", PASSES), ("2.pkt", FAILS), ("3.pkt", SKIPPED)]);
    let ran = code(suite.drill(&["--json"]), 1);
    let lines: Vec<Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let outcomes: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["outcome"].as_str())
        .collect();
    assert_eq!(outcomes, ["passed", "failed", "skipped"]);
    let failure = &lines[1]["failure"];
    assert_eq!(
        (&failure["kind"], &failure["line"]),
        (&"packet".into(), &6.into())
    );
    assert_eq!(failure["differences"][0]["field"], "ack");
    assert!(lines[2]["reason"].is_string());
    assert_eq!(lines[3]["failed"], 1);
}

#[test]
fn junit_has_a_suite_for_each_folder() {
    let suite = Suite::new(&[
        ("a/1.pkt", PASSES),
        ("a/2.pkt", FAILS),
        ("b/3.pkt", SKIPPED),
    ]);
    let file = suite.path("results.xml");
    code(suite.drill(&["--junit", file.to_str().expect("text")]), 1);
    let xml = fs::read_to_string(file).expect("results");
    for part in [
        "tests=\"3\"",
        "failures=\"1\"",
        "skipped=\"1\"",
        "<failure",
        "type=\"packet\"",
        "1.pkt (ipv4)",
    ] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
    assert_eq!(xml.matches("<testsuite ").count(), 2, "{xml}");
}

#[test]
fn all_ip_versions_are_played_but_of_scripts_that_name_one() {
    let named = format!("--ip_version=ipv6\n{PASSES}");
    let suite = Suite::new(&[("1.pkt", PASSES), ("2.pkt", &named)]);
    let versions = |args: &[&str]| -> Vec<String> {
        let ran = code(suite.drill(&[args, &["--json"]].concat()), 0);
        let lines = ran
            .out
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        lines
            .filter_map(|line| Some(line["ip_version"].as_str()?.to_owned()))
            .collect()
    };
    assert_eq!(versions(&[]), ["ipv4", "ipv6"]);
    assert_eq!(
        versions(&["--ip-version", "ipv4-mapped-ipv6"]),
        ["ipv4-mapped-ipv6"; 2]
    );
    assert_eq!(
        versions(&["--ip-version", "all"]),
        ["ipv4", "ipv6", "ipv4-mapped-ipv6", "ipv6"]
    );
}

#[test]
fn a_script_with_mistakes_is_shown_and_nothing_is_played() {
    let suite = Suite::new(&[
        ("1.pkt", PASSES),
        ("2.pkt", "0 socket(\n"),
        ("3.pkt", "0 > Q 0:0(0)\n"),
    ]);
    let ran = code(suite.drill(&[]), 2);
    assert_eq!(ran.out, "");
    assert!(
        ran.err.contains("2.pkt:") && ran.err.contains("3.pkt:1"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("2 scripts have mistakes"), "{}", ran.err);
}

#[test]
fn mistakes_that_are_found_when_it_is_played_are_mistakes_of_the_script() {
    let suite = Suite::new(&[("1.pkt", PASSES), ("2.pkt", "0 sokcet(1) = 3\n")]);
    let ran = code(suite.drill(&[]), 2);
    assert!(
        ran.out.contains("unknown system call `sokcet`"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("1 passed, 1 failed"), "{}", ran.out);
}

#[test]
fn wrong_command_lines_say_what_is_wrong() {
    let suite = Suite::new(&[("1.pkt", PASSES), ("2.pkt", PASSES)]);
    for (args, part) in [
        (&["--pcapng", "/nowhere/x"][..], "one script"),
        (&["--jobs", "0"], "--jobs"),
        (&["--sysctl", "tcp_sack"], "NAME=VALUE"),
        (&["-D", "1=2"], "--define"),
        (&["-o", "ip_version=ipv6"], "--ip-version"),
        (&["-o", "nonsense=1"], "nonsense"),
        (&["--exact", "--peer", "kernel"], "--exact"),
        (&["--retries", "1"], "--retries"),
        (&["--expect-failures", "/nowhere"], "/nowhere"),
        (&["/nowhere.pkt"], "/nowhere.pkt"),
        (&["--check"], "--fmt"),
    ] {
        let ran = code(suite.drill(args), 2);
        assert!(ran.err.contains(part), "{args:?}: {}", ran.err);
    }
}

#[test]
fn options_and_settings_of_the_command_line_win() {
    let late = PASSES.replace("+0 > S. 0:0(0) ack 1 <...>", "+.02 > S. 0:0(0) ack 1 <...>");
    let suite = Suite::new(&[("1.pkt", &late)]);
    code(suite.drill(&[]), 1);
    code(suite.drill(&["-o", "tolerance_usecs=30000"]), 0);
    code(suite.drill(&["-o", "tolerance_usecs=30000", "--exact"]), 1);

    let sack = PASSES
        .replace("<mss 1000>", "<mss 1000,sackOK,nop,nop>")
        .replace("<...>", "<mss 1460,nop,nop,sackOK>");
    let suite = Suite::new(&[("1.pkt", &sack)]);
    code(suite.drill(&[]), 0);
    code(suite.drill(&["--sysctl", "net.ipv4.tcp_sack=0"]), 1);
}

#[test]
fn scripts_that_are_expected_to_fail_must_fail() {
    let suite = Suite::new(&[
        ("a/1.pkt", PASSES),
        ("a/2.pkt", FAILS),
        ("list", "a/2.pkt # why\n"),
    ]);
    let list = suite.path("list");
    let drill = || suite.drill(&["--expect-failures", list.to_str().expect("text")]);
    let ran = code(drill(), 0);
    assert!(
        ran.out
            .contains("2 passed, 0 failed, 0 skipped (1 passed by failing as expected)"),
        "{}",
        ran.out
    );
    suite.write("list", "a/*.pkt\n");
    let ran = code(drill(), 1);
    assert!(
        ran.out
            .contains("1.pkt (ipv4): it passed, but is expected to fail by"),
        "{}",
        ran.out
    );
    suite.write("list", "a/3.pkt\n");
    let ran = code(drill(), 2);
    assert!(
        ran.err.contains("list:1: there is no script a/3.pkt"),
        "{}",
        ran.err
    );
}

#[test]
fn verbose_prints_each_event() {
    let suite = Suite::new(&[("1.pkt", PASSES)]);
    let ran = code(suite.drill(&["--verbose"]), 0);
    for part in [
        "1.pkt\n",
        "listen(3, 1) = 0",
        "< S 0:0(0)",
        "> S. 0:0(0) ack 1",
        "passed   ",
    ] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
}

#[test]
fn a_capture_has_the_packets_of_the_run() {
    let suite = Suite::new(&[("1.pkt", PASSES)]);
    let file = suite.path("x.pcapng");
    code(suite.drill(&["--pcapng", file.to_str().expect("text")]), 0);
    let capture = fs::read(&file).expect("a capture");
    assert!(capture.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]));
    assert!(packets(&file) >= 3);
}

fn packets(path: &Path) -> usize {
    let capture = fs::read(path).expect("a capture");
    // Enhanced packet blocks.
    capture
        .chunks_exact(4)
        .filter(|word| *word == 6_u32.to_ne_bytes())
        .count()
}

#[test]
fn scripts_are_listed_with_their_first_words() {
    let suite = Suite::new(&[("1.pkt", PASSES), ("2.pkt", FAILS)]);
    let ran = code(suite.drill(&["--list"]), 0);
    let wanted = format!(
        "{}  A passive open.\n{}  It expects the wrong acknowledgement.\n",
        suite.path("1.pkt").display(),
        suite.path("2.pkt").display()
    );
    assert_eq!(ran.out, wanted);
}

#[test]
fn scripts_are_formatted_in_place_once() {
    let ugly = PASSES.replace("+.1 <", "  +0.1   <");
    let suite = Suite::new(&[("1.pkt", &ugly)]);
    let path = suite.path("1.pkt");
    code(suite.drill(&["--fmt", "--check"]), 1);
    assert_eq!(
        fs::read_to_string(&path).expect("text"),
        ugly,
        "--check changes nothing"
    );
    let ran = code(suite.drill(&["--fmt"]), 0);
    assert_eq!(ran.out, format!("{}\n", path.display()));
    assert_ne!(fs::read_to_string(&path).expect("text"), ugly);
    assert_eq!(code(suite.drill(&["--fmt", "--check"]), 0).out, "");
    code(suite.drill(&[]), 0);
}

/// Forms of opening and closing on which estab and Linux agree.
const AGREED: [&str; 6] = [
    "\
// A passive open; data both ways; the peer closes first.
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0...0.2 accept(3, ..., ...) = 4
+.1 < S 0:0(0) win 65535 <mss 1460,sackOK,nop,nop,nop,wscale 7>
+0 > S. 0:0(0) ack 1 win 64240 <mss 1460,nop,nop,sackOK,nop,wscale 8>
+.1 < . 1:1(0) ack 1 win 512
+.1 < P. 1:101(100) ack 1 win 512
+0 > . 1:1(0) ack 101
+0 read(4, ..., 1000) = 100
+.1 write(4, ..., 2000) = 2000
+0 > P. 1:2001(2000) ack 101
+.1 < . 101:101(0) ack 2001 win 512
+.1 < F. 101:101(0) ack 2001 win 512
* > . 2001:2001(0) ack 102
+0 read(4, ..., 1000) = 0
+.1 close(4) = 0
+0 > F. 2001:2001(0) ack 102
+.1 < . 102:102(0) ack 2002 win 512
",
    "\
// An active open that does not wait; it closes first, and waits in TIME-WAIT.
0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3
+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > S 0:0(0) win 64240 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 8>
+.1 < S. 0:0(0) ack 1 win 65535 <mss 1460>
+0 > . 1:1(0) ack 1
+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0
+.1 close(3) = 0
+0 > F. 1:1(0) ack 1
+.1 < F. 1:1(0) ack 2 win 65535
+0 > . 2:2(0) ack 2
",
    "\
// Nobody listens.
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+.1 < S 0:0(0) win 65535 <mss 1460>
+0 > R. 0:0(0) ack 1 win 0
",
    "\
// The peer refuses a connect that waits.
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0...0.1 connect(3, ..., ...) = -1 ECONNREFUSED (Connection refused)
+0 > S 0:0(0) win 64240 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 8>
+.1 < R. 0:0(0) ack 1 win 0
",
    "\
// Lingering for no time is a reset.
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+.1 < S 0:0(0) win 65535 <mss 1460>
+0 > S. 0:0(0) ack 1 win 64240 <mss 1460>
+.1 < . 1:1(0) ack 1 win 65535
+0 accept(3, ..., ...) = 4
+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0
+.1 close(4) = 0
+0 > R. 1:1(0) ack 1
",
    "\
// Half-closed: data still comes.
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+.1 < S 0:0(0) win 65535 <mss 1460>
+0 > S. 0:0(0) ack 1 win 64240 <mss 1460>
+.1 < . 1:1(0) ack 1 win 65535
+0 accept(3, ..., ...) = 4
+.1 shutdown(4, SHUT_WR) = 0
+0 > F. 1:1(0) ack 1
+.1 < . 1:1(0) ack 2 win 65535
+.1 < P. 1:11(10) ack 2 win 65535
+0 > . 2:2(0) ack 11
+0 read(4, ..., 1000) = 10
+0 write(4, ..., 1) = -1 EPIPE (Broken pipe)
",
];

#[test]
fn estab_and_the_kernel_play_the_same_scripts() {
    let files: Vec<(String, &str)> = AGREED
        .iter()
        .enumerate()
        .map(|(number, text)| (format!("{number}.pkt"), *text))
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), *text))
        .collect();
    let suite = Suite::new(&files);
    let ran = code(suite.drill(&["--ip-version", "all"]), 0);
    assert!(
        ran.out.contains(": 18 passed, 0 failed, 0 skipped"),
        "{}",
        ran.out
    );
    privileged_test("estab_and_the_kernel_play_the_same_scripts", || {
        // Other tests run beside this one: a system that is busy is late.
        let args = [
            "--ip-version",
            "all",
            "--peer",
            "kernel",
            "-o",
            "tolerance_usecs=50000",
        ];
        let ran = code(suite.drill(&args), 0);
        assert!(
            ran.out.contains(": 18 passed, 0 failed, 0 skipped"),
            "{}",
            ran.out
        );
    });
}

#[test]
fn the_kernel_has_settings_of_its_own_and_calls_that_never_return_end() {
    privileged_test(
        "the_kernel_has_settings_of_its_own_and_calls_that_never_return_end",
        || {
            let waits = PASSES.replace("+.1 < .", "+0...1 accept(3, ..., ...) = 4\n+.1 > .");
            let sack =
                "0 `sysctl -q net.ipv4.tcp_sack=0`\n+0 `sysctl -q net.ipv4.no_such_thing=1`\n";
            let suite = Suite::new(&[("1.pkt", &waits), ("2.pkt", sack)]);
            let ran = code(suite.drill(&["--peer", "kernel"]), 1);
            assert!(ran.out.contains("1 failed, 1 skipped"), "{}", ran.out);
            assert!(ran.out.contains("net.ipv4.no_such_thing"), "{}", ran.out);
        },
    );
}
