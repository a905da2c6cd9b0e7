//! The program against the kernel's TCP and its programs, each test in a network namespace of its own.
//!
//! `ESTAB_PRIVILEGED=require` makes these fail where the system does not allow them; otherwise they say so and do nothing.

mod support;

use estab_device::namespace::testing::privileged_test;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;
use support::{command, estab};

/// `estab serve`, until it is ended.
struct Served {
    child: Child,
    errors: BufReader<std::process::ChildStderr>,
}

impl Served {
    /// Waits until it serves.
    fn start(args: &[&str]) -> Self {
        let mut child = command(&[&["serve"], args].concat())
            .stderr(Stdio::piped())
            .spawn()
            .expect("start estab");
        let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut said = String::new();
        while !said.contains("Ctrl-C ends") {
            let len = errors.read_line(&mut said).expect("text");
            assert!(len > 0, "it ended: {said}");
        }
        Self { child, errors }
    }

    fn interrupt(&self) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::INT).expect("send a signal");
    }

    /// Ctrl-C; its last words.
    fn end(mut self) -> String {
        self.interrupt();
        self.last_words()
    }

    fn last_words(&mut self) -> String {
        let mut said = String::new();
        self.errors.read_to_string(&mut said).expect("text");
        let status = self.child.wait().expect("an end");
        assert!(status.success(), "{status}: {said}");
        said
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // After its end there is nobody to kill; in a test that failed there is.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn output(program: &str, args: &[&str]) -> Output {
    let output = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output();
    output.unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"))
}

/// curl's output; it must succeed.
fn curl(args: &[&str]) -> Vec<u8> {
    let output = output("curl", &[&["-sS", "-g", "--max-time", "60"], args].concat());
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Bytes that do not repeat.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..len).map(|_| next()).collect()
}

struct Site {
    dir: tempfile::TempDir,
    big: Vec<u8>,
}

impl Site {
    fn new(len: usize) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let big = noise(len);
        fs::write(dir.path().join("big"), &big).expect("write");
        fs::write(dir.path().join("hello.txt"), "hello\n").expect("write");
        Self { dir, big }
    }

    fn service(&self) -> String {
        format!("http:80={}", self.dir.path().display())
    }
}

#[test]
fn curl_fetches_over_both_families() {
    privileged_test("curl_fetches_over_both_families", || {
        let site = Site::new(20 << 20);
        let address = ["--address", "10.217.0.2/24", "--address", "fd17::2/64"];
        let served = Served::start(&[&[site.service().as_str()], &address[..]].concat());
        for host in ["10.217.0.2", "[fd17::2]"] {
            assert!(curl(&[&format!("http://{host}/big")]) == site.big, "{host}");
        }
        let range = curl(&["-r", "1000-1999", "http://10.217.0.2/big"]);
        assert!(range == site.big[1000..2000]);
        let both = curl(&["http://10.217.0.2/hello.txt", "http://10.217.0.2/hello.txt"]);
        assert_eq!(both, b"hello\nhello\n");
        let head = String::from_utf8(curl(&["-I", "http://10.217.0.2/big"])).expect("text");
        assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("content-length: 20971520"));
        let climb = curl(&["--path-as-is", "http://10.217.0.2/../../etc/passwd"]);
        assert_eq!(climb, b"400 Bad Request\n");
        let said = served.end();
        assert!(
            said.contains("every connection was closed in order"),
            "{said}"
        );
    });
}

#[test]
fn curl_fetches_over_a_bad_link_and_the_capture_tells_of_it() {
    privileged_test(
        "curl_fetches_over_a_bad_link_and_the_capture_tells_of_it",
        || {
            let site = Site::new(1 << 20);
            let capture = site.dir.path().join("capture.pcapng");
            let served = Served::start(&[
                &site.service(),
                "--impair",
                "loss=2%,reorder=2%,duplicate=1%,corrupt=1%,delay=5ms,seed=3",
                "--pcapng",
                capture.to_str().expect("text"),
            ]);
            assert!(curl(&["http://10.217.0.2/big"]) == site.big);
            served.end();
            let capture = fs::read(capture).expect("a capture");
            let has = |text: &str| {
                capture
                    .windows(text.len())
                    .any(|window| window == text.as_bytes())
            };
            for comment in ["LISTEN -> SYN-RECEIVED", "retransmit ("] {
                assert!(has(comment), "{comment}");
            }
        },
    );
}

#[test]
fn get_fetches_from_another_server() {
    privileged_test("get_fetches_from_another_server", || {
        let site = Site::new(5 << 20);
        let _server = python_server(site.dir.path());
        let got = site.dir.path().join("got");
        let name = got.to_str().expect("text");
        let url = "http://10.217.0.1:8000/big";
        estab(&["get", url, "-o", name]).ok();
        assert!(fs::read(&got).expect("a file") == site.big);
        let piped = command(&["get", "http://10.217.0.1:8000/hello.txt"])
            .output()
            .expect("estab");
        assert_eq!(piped.stdout, b"hello\n");
        let none = estab(&["get", "http://10.217.0.1:8000/none"]);
        assert_eq!(none.code, Some(5), "{}", none.err);
        assert!(none.err.contains("404"), "{}", none.err);
        let refused = estab(&["get", "http://10.217.0.1:8001/"]);
        assert_eq!(refused.code, Some(4), "{}", refused.err);
        assert!(refused.err.contains("refused"), "{}", refused.err);
    });
}

/// Python's server of files, at port 8000 of every address.
fn python_server(folder: &Path) -> impl Drop + use<> {
    struct Server(Child);
    impl Drop for Server {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
    let child = Command::new("python3")
        .args(["-u", "-m", "http.server", "8000"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("python3 is needed for this test");
    let mut server = Server(child);
    // It says when it listens.
    let mut line = String::new();
    let stdout = server.0.stdout.take().expect("a pipe");
    BufReader::new(stdout).read_line(&mut line).expect("text");
    assert!(line.contains("Serving"), "{line}");
    server
}

#[test]
fn get_goes_on_where_a_file_ends() {
    privileged_test("get_goes_on_where_a_file_ends", || {
        let site = Site::new(100_000);
        let listener = TcpListener::bind("0.0.0.0:8000").expect("a port");
        let rest = site.big[40_000..].to_vec();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut request = [0; 4096];
            let len = stream.read(&mut request).expect("a request");
            let head = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 40000-99999/100000\r\n\
                        Content-Length: 60000\r\n\r\n";
            stream.write_all(head.as_bytes()).expect("write");
            stream.write_all(&rest).expect("write");
            String::from_utf8_lossy(&request[..len]).into_owned()
        });
        let part = site.dir.path().join("part");
        fs::write(&part, &site.big[..40_000]).expect("write");
        estab(&[
            "get",
            "-c",
            "http://10.217.0.1:8000/x",
            "-o",
            part.to_str().expect("text"),
        ])
        .ok();
        assert!(fs::read(&part).expect("a file") == site.big);
        let request = server.join().expect("a server");
        assert!(request.contains("range: bytes=40000-"), "{request}");
    });
}

#[test]
fn get_says_when_a_body_is_cut_short() {
    privileged_test("get_says_when_a_body_is_cut_short", || {
        let listener = TcpListener::bind("0.0.0.0:8000").expect("a port");
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let _ = stream.read(&mut [0; 4096]).expect("a request");
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234")
                .expect("write");
        });
        let ran = estab(&["get", "http://10.217.0.1:8000/"]);
        server.join().expect("a server");
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (Some(5), "01234"),
            "{}",
            ran.err
        );
        assert!(ran.err.contains("after 5 of 10 bytes"), "{}", ran.err);
    });
}

/// `estab connect` to a server of the kernel: what the server got, and what estab printed.
fn connect_to(
    server: impl FnOnce(TcpStream) -> Vec<u8> + Send + 'static,
    input: &[u8],
) -> (Vec<u8>, Output) {
    let listener = TcpListener::bind("0.0.0.0:9000").expect("a port");
    let server = thread::spawn(move || server(listener.accept().expect("a connection").0));
    let mut child = command(&["connect", "10.217.0.1", "9000"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start estab");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    let writer = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("an end");
    writer.join().expect("a writer").expect("all is read");
    (server.join().expect("a server"), output)
}

#[test]
fn connect_half_closes_when_its_input_ends_and_still_reads() {
    privileged_test(
        "connect_half_closes_when_its_input_ends_and_still_reads",
        || {
            let (sent, answer) = (noise(3 << 20), noise(2 << 20));
            let expected = answer.clone();
            let server = move |mut stream: TcpStream| {
                let mut got = Vec::new();
                stream.read_to_end(&mut got).expect("an end of file");
                stream.write_all(&answer).expect("it still reads");
                got
            };
            let (got, output) = connect_to(server, &sent);
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            assert!(got == sent && output.stdout == expected);
        },
    );
}

#[test]
fn connect_goes_on_sending_when_the_other_side_has_half_closed() {
    privileged_test(
        "connect_goes_on_sending_when_the_other_side_has_half_closed",
        || {
            let sent = noise(3 << 20);
            let server = |mut stream: TcpStream| {
                stream.write_all(b"all I say").expect("write");
                stream.shutdown(Shutdown::Write).expect("half-close");
                let mut got = Vec::new();
                stream.read_to_end(&mut got).expect("an end of file");
                got
            };
            let (got, output) = connect_to(server, &sent);
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            assert!(got == sent);
            assert_eq!(output.stdout, b"all I say");
        },
    );
}

#[test]
fn nc_and_echo_half_close_in_both_directions() {
    privileged_test("nc_and_echo_half_close_in_both_directions", || {
        let served = Served::start(&["echo:7", "daytime:13", "discard:9", "chargen:19"]);
        let sent = noise(2 << 20);
        let mut nc = Command::new("nc")
            .args(["-N", "10.217.0.2", "7"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("nc is needed for this test");
        let mut stdin = nc.stdin.take().expect("a pipe");
        let input = sent.clone();
        let writer = thread::spawn(move || stdin.write_all(&input));
        let echoed = nc.wait_with_output().expect("an end");
        writer.join().expect("a writer").expect("all is read");
        assert!(echoed.stdout == sent, "{} bytes", echoed.stdout.len());
        let time = String::from_utf8(output("nc", &["10.217.0.2", "13"]).stdout).expect("text");
        assert!(time.ends_with(" GMT\r\n"), "{time}");
        let said = served.end();
        assert!(said.contains("closed in order"), "{said}");
    });
}

#[test]
fn ctrl_c_finishes_the_answer_that_is_under_way() {
    privileged_test("ctrl_c_finishes_the_answer_that_is_under_way", || {
        let site = Site::new(8 << 20);
        let mut served = Served::start(&[&site.service(), "--impair", "delay=5ms"]);
        let mut stream = TcpStream::connect("10.217.0.2:80").expect("a connection");
        stream
            .write_all(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            .expect("write");
        let mut got = vec![0; 1 << 20];
        stream.read_exact(&mut got).expect("a part");
        served.interrupt();
        stream
            .read_to_end(&mut got)
            .expect("the rest, and the end of file");
        drop(stream);
        assert!(got.ends_with(&site.big), "{} bytes", got.len());
        let said = served.last_words();
        assert!(
            said.contains("every connection was closed in order"),
            "{said}"
        );
    });
}

#[test]
fn trace_prints_the_ladder_as_it_happens() {
    privileged_test("trace_prints_the_ladder_as_it_happens", || {
        let mut served = Served::start(&["echo:7", "--trace"]);
        let stream = TcpStream::connect("10.217.0.2:7").expect("a connection");
        let mut said = String::new();
        while !said.contains("ESTABLISHED") {
            assert!(
                served.errors.read_line(&mut said).expect("text") > 0,
                "{said}"
            );
        }
        drop(stream);
        assert!(said.contains("SYN-RECEIVED"), "{said}");
        served.end();
    });
}

#[test]
fn ping_gets_replies_and_says_when_it_gets_none() {
    privileged_test("ping_gets_replies_and_says_when_it_gets_none", || {
        let address = ["--address", "10.217.0.2/24", "--address", "fd17::2/64"];
        for to in ["10.217.0.1", "fd17::1"] {
            let ran = estab(&[&["ping", "-c", "2", "-i", "0.05", to], &address[..]].concat()).ok();
            assert!(
                ran.out
                    .contains(&format!("64 bytes from {to}: icmp_seq=2 ttl=64")),
                "{}",
                ran.out
            );
            assert!(
                ran.out
                    .contains("2 packets transmitted, 2 received, 0% packet loss"),
                "{}",
                ran.out
            );
        }
        let none = estab(&["ping", "-c", "1", "-W", "0.2", "10.217.0.9"]);
        assert_eq!(none.code, Some(4), "{}{}", none.out, none.err);
        assert!(none.out.contains("100% packet loss"), "{}", none.out);
    });
}

#[test]
fn the_device_is_gone_afterwards_and_one_that_was_there_stays() {
    privileged_test(
        "the_device_is_gone_afterwards_and_one_that_was_there_stays",
        || {
            let exists = |name: &str| Path::new("/sys/class/net").join(name).exists();
            let mine = "tun:mine0?mtu=1400&offload=off";
            estab(&["ping", "-c", "1", "--device", mine, "10.217.0.1"]).ok();
            assert!(!exists("mine0"));
            let ip = |args: &[&str]| assert!(output("ip", args).status.success(), "{args:?}");
            ip(&["tuntap", "add", "kept0", "mode", "tun"]);
            ip(&["addr", "add", "10.99.0.1/24", "dev", "kept0"]);
            ip(&["link", "set", "kept0", "up"]);
            let args = [
                "ping",
                "-c",
                "1",
                "--device",
                "tun:kept0",
                "--address",
                "10.99.0.2/24",
                "10.99.0.1",
            ];
            estab(&args).ok();
            let shown = String::from_utf8(output("ip", &["-o", "addr", "show", "kept0"]).stdout);
            let shown = shown.expect("text");
            assert!(
                shown.contains("10.99.0.1/24") && !shown.contains("10.217"),
                "{shown}"
            );
        },
    );
}

#[test]
fn scenarios_hold_against_the_kernel() {
    privileged_test("scenarios_hold_against_the_kernel", || {
        // Those that take seconds; connect-timeout and time-wait take a minute each.
        let names = [
            "handshake",
            "close",
            "half-close",
            "lost-synack",
            "lost-ack",
            "mss",
            "refused",
            "udp-unreachable",
            "abort",
            "keepalive-half-open",
            "linger-zero",
            "simultaneous-open",
            "simultaneous-close",
            "zero-window",
        ];
        let ran = estab(&[&["lab", "run", "--peer", "kernel", "--quiet"], &names[..]].concat());
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        assert!(
            ran.out.contains("14 scenarios: all expectations held"),
            "{}",
            ran.out
        );
        let demo = estab(&["demo", "--peer", "kernel", "--no-pcapng"]).ok();
        assert!(
            demo.out.contains("TIME-WAIT") && !demo.out.contains("FAILED"),
            "{}",
            demo.out
        );
    });
}

#[test]
fn peers_that_do_not_close_do_not_keep_it_from_ending() {
    privileged_test("peers_that_do_not_close_do_not_keep_it_from_ending", || {
        let served = Served::start(&["echo:7", "--grace", "2"]);
        let mut stream = TcpStream::connect("10.217.0.2:7").expect("a connection");
        stream.write_all(b"x").expect("write");
        stream.read_exact(&mut [0]).expect("an echo");
        let said = served.end();
        assert!(
            said.contains("1 connections were left whose peers have not closed"),
            "{said}"
        );
        assert_eq!(stream.read(&mut [0]).expect("an end of file"), 0);
    });
}

#[test]
fn connections_beyond_the_limit_wait_for_room() {
    privileged_test("connections_beyond_the_limit_wait_for_room", || {
        let served = Served::start(&["echo:7", "daytime:13", "--connections-max", "1"]);
        let mut first = TcpStream::connect("10.217.0.2:7").expect("a connection");
        first.write_all(b"x").expect("write");
        first.read_exact(&mut [0]).expect("an echo");
        let mut second = TcpStream::connect("10.217.0.2:13").expect("a connection");
        second
            .set_read_timeout(Some(Duration::from_millis(300)))
            .expect("a time-out");
        let early = second.read(&mut [0; 64]).expect_err("there is no room yet");
        assert_eq!(early.kind(), std::io::ErrorKind::WouldBlock);
        drop(first);
        second
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a time-out");
        let mut time = String::new();
        second.read_to_string(&mut time).expect("the time");
        assert!(time.ends_with(" GMT\r\n"), "{time}");
        drop(second);
        served.end();
    });
}

#[test]
fn ctrl_c_closes_the_connection_of_connect() {
    privileged_test("ctrl_c_closes_the_connection_of_connect", || {
        let listener = TcpListener::bind("0.0.0.0:9000").expect("a port");
        let mut child = command(&["connect", "10.217.0.1", "9000"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("start estab");
        let (mut stream, _) = listener.accept().expect("a connection");
        // What was typed has arrived: the program is past connecting.
        child
            .stdin
            .as_mut()
            .expect("a pipe")
            .write_all(b"x")
            .expect("write");
        stream.read_exact(&mut [0]).expect("what was typed");
        kill_process(Pid::from_child(&child), Signal::INT).expect("send a signal");
        assert_eq!(stream.read(&mut [0]).expect("a FIN, no reset"), 0);
        drop(stream);
        let status = child.wait().expect("an end");
        assert_eq!(status.code(), Some(130));
    });
}

#[test]
fn ctrl_c_closes_the_connection_of_get() {
    privileged_test("ctrl_c_closes_the_connection_of_get", || {
        let listener = TcpListener::bind("0.0.0.0:9000").expect("a port");
        // Nobody reads its output: it is interrupted while it waits to write, once the pipe is full.
        let mut child = command(&["get", "http://10.217.0.1:9000/"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("start estab");
        let (mut stream, _) = listener.accept().expect("a connection");
        let _ = stream.read(&mut [0; 4096]).expect("a request");
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n";
        stream.write_all(head).expect("write");
        // As much as everything between here and the pipe holds; that may be less than this.
        let patience = Some(Duration::from_millis(500));
        stream.set_write_timeout(patience).expect("a limit");
        let stuck = stream.write_all(&noise(8 << 20));
        stuck.expect_err("more than fits");
        let pid = Pid::from_child(&child);
        kill_process(pid, Signal::INT).expect("send a signal");
        let status = child.wait().expect("an end");
        assert_eq!(status.code(), Some(130));
        let mut said = String::new();
        let mut errors = child.stderr.take().expect("a pipe");
        errors.read_to_string(&mut said).expect("text");
        assert_eq!(said, "");
        // A FIN, or a reset as not all was read; the kernel does not wait for ever.
        let ended = stream.read(&mut [0]);
        assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    });
}

#[test]
fn clients_that_take_nothing_are_reset() {
    privileged_test("clients_that_take_nothing_are_reset", || {
        let site = Site::new(32 << 20);
        let mut served = Served::start(&[&site.service(), "--send-timeout", "1", "--verbose"]);
        let mut stream = TcpStream::connect("10.217.0.2:80").expect("a connection");
        stream
            .write_all(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            .expect("write");
        let mut said = String::new();
        while !said.contains("has ended:") {
            let len = served.errors.read_line(&mut said).expect("text");
            assert!(len > 0, "{said}");
        }
        let ended = stream.read_to_end(&mut Vec::new()).expect_err("a reset");
        assert_eq!(ended.kind(), std::io::ErrorKind::ConnectionReset);
        served.end();
    });
}
