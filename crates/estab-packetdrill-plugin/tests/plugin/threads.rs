//! Calls that wait, on a second thread as the tool makes them, while the script goes on.

use crate::tool::Tool;
use crate::wire::Wire;
use crate::world::{Form, V4, V6, pause, tid, until_asleep};
use etherparse::TcpOptionElement::MaximumSegmentSize;
use std::sync::mpsc;
use std::thread::scope;
use std::time::Duration;

/// Makes the call on another thread; once that sleeps, goes on with the script. What the call gave.
fn while_it_waits<T: Send>(call: impl FnOnce() -> T + Send, script: impl FnOnce()) -> T {
    let (sender, receiver) = mpsc::channel();
    scope(|scope| {
        let caller = scope.spawn(move || {
            sender.send(tid()).unwrap();
            call()
        });
        until_asleep(receiver.recv().unwrap());
        script();
        caller.join().unwrap()
    })
}

fn accept_waits(form: &Form) {
    let tool = form.tool();
    let (listener, wire) = form.listener(&tool);
    let accept = || tool.accept(listener).unwrap();
    let ((fd, peer), done) = {
        let mut acked = Duration::ZERO;
        let accepted = while_it_waits(accept, || {
            tool.wait_until(tool.gettimeofday() + Duration::from_millis(20));
            wire.inject("S", 0, 0, 0, &[MaximumSegmentSize(1000)]);
            wire.expect_line("S. 0:0(0) ack 1");
            acked = tool.gettimeofday();
            wire.inject(".", 1, 0, 1, &[]);
        });
        (accepted, acked)
    };
    assert!(tool.gettimeofday() >= done);
    assert_eq!(peer, form.sockaddr(wire.remote));
    assert_eq!(tool.write(fd, &[0; 5]), Ok(5));
    wire.expect_line("P. 1:6(5) ack 1");
}

#[test]
fn accept_waits_for_a_connection_over_ipv4() {
    accept_waits(&V4);
}

#[test]
fn accept_waits_for_a_connection_over_ipv6() {
    accept_waits(&V6);
}

#[test]
fn connect_waits_for_the_handshake() {
    let tool = V4.tool();
    let fd = V4.tcp(&tool);
    let wire = Wire::new(&tool, V4.local(), V4.remote());
    let remote = V4.sockaddr(V4.remote());
    let connected = while_it_waits(
        || tool.connect(fd, &remote),
        || {
            wire.expect_line("S 0:0(0)");
            wire.inject("S.", 0, 0, 1, &[MaximumSegmentSize(1000)]);
            wire.expect_line(". 1:1(0) ack 1");
        },
    );
    assert_eq!(connected, Ok(0));
}

#[test]
fn connect_waits_for_a_refusal() {
    let tool = V6.tool();
    let fd = V6.tcp(&tool);
    let wire = Wire::new(&tool, V6.local(), V6.remote());
    let remote = V6.sockaddr(V6.remote());
    let connected = while_it_waits(
        || tool.connect(fd, &remote),
        || {
            wire.expect_line("S 0:0(0)");
            wire.inject("R.", 0, 0, 1, &[]);
        },
    );
    assert_eq!(connected, Err(libc::ECONNREFUSED));
}

#[test]
fn read_waits_for_data_and_write_for_room() {
    let tool = V4.tool();
    let (fd, wire) = V4.accepted(&tool);
    let size = 4096_i32.to_ne_bytes();
    let set = tool.setsockopt(fd, libc::SOL_SOCKET, libc::SO_SNDBUF, &size);
    assert_eq!(set, Ok(0));
    let mut buffer = [0; 10];
    let read = while_it_waits(
        || tool.read(fd, &mut buffer),
        || wire.inject("P.", 1, 4, 1, &[]),
    );
    assert_eq!(read, Ok(4));
    wire.expect_line(". 1:1(0) ack 5");

    let total = 100_000;
    let written = while_it_waits(
        || tool.write(fd, &vec![0; total]),
        || {
            let mut seen = 1;
            while seen <= total {
                let segment = wire.expect();
                let last: usize = last_of(&segment.line);
                assert!(last > seen, "{segment:?}");
                seen = last;
                wire.inject(".", 5, 0, seen as u32, &[]);
            }
        },
    );
    assert_eq!(written, Ok(total as isize));
}

/// The second number of `. 1:1001(1000) ack 1`.
fn last_of(line: &str) -> usize {
    let (_, rest) = line.split_once(':').unwrap();
    rest.split_once('(').unwrap().0.parse().unwrap()
}

#[test]
fn read_waits_no_longer_than_its_time_out() {
    let tool = V4.tool();
    let (fd, _wire) = V4.accepted(&tool);
    let mut time = 0_i64.to_ne_bytes().to_vec();
    time.extend(50_000_i64.to_ne_bytes());
    let set = tool.setsockopt(fd, libc::SOL_SOCKET, libc::SO_RCVTIMEO, &time);
    assert_eq!(set, Ok(0));
    let start = tool.gettimeofday();
    assert_eq!(tool.read(fd, &mut [0; 10]), Err(libc::EAGAIN));
    let waited = tool.gettimeofday() - start;
    assert!((50..2000).contains(&waited.as_millis()), "{waited:?}");
}

#[test]
fn netdev_receive_waits_for_a_packet() {
    let tool = V4.tool();
    let fd = V4.udp(&tool);
    let remote = V4.sockaddr(V4.remote());
    let (packet, _) = while_it_waits(
        || tool.netdev_receive(),
        || assert_eq!(tool.sendto(fd, &[1; 9], 0, &remote), Ok(9)),
    );
    assert_eq!(packet.len(), 20 + 8 + 9);
}

#[test]
fn a_call_that_waits_ends_with_the_stack() {
    let tool = V4.tool();
    let (listener, _wire) = V4.listener(&tool);
    let accepted = while_it_waits(|| tool.accept(listener), || tool.free());
    assert_eq!(accepted, Err(libc::EINTR));
}

#[test]
fn calls_on_a_connection_go_on_while_another_waits() {
    let tool = V4.tool();
    let (fd, wire) = V4.accepted(&tool);
    let read = while_it_waits(
        || tool.read(fd, &mut [0; 10]),
        || {
            for n in 0..20 {
                assert_eq!(tool.write(fd, &[0; 10]), Ok(10));
                let (from, to) = (1 + n * 10, 11 + n * 10);
                wire.expect_line(&format!("P. {from}:{to}(10) ack 1"));
                wire.inject(".", 1, 0, to, &[]);
            }
            wire.inject("F.", 1, 0, 201, &[]);
        },
    );
    assert_eq!(read, Ok(0));
    wire.expect_line(". 201:201(0) ack 2");
}

#[test]
fn several_stacks_run_beside_one_another() {
    let tools: Vec<Tool> = (0..4).map(|_| V4.tool()).collect();
    scope(|scope| {
        for tool in &tools {
            scope.spawn(|| {
                let (fd, wire) = V4.accepted(tool);
                pause(Duration::from_millis(5));
                assert_eq!(tool.write(fd, &[0; 5]), Ok(5));
                wire.expect_line("P. 1:6(5) ack 1");
            });
        }
    });
}

#[test]
fn connect_to_a_listener_of_this_host_does_not_wait_for_anybody() {
    let tool = V4.tool();
    let (listener, _) = V4.listener(&tool);
    let fd = V4.tcp(&tool);
    let loopback = V4.sockaddr(V4.local());
    assert_eq!(tool.connect(fd, &loopback), Ok(0));
    assert!(tool.accept(listener).is_ok());
}

#[test]
fn reader_and_writer_of_a_pipe_wake_each_other() {
    let tool = V4.tool();
    let [reader, writer] = tool.pipe();
    let total = 512 << 10;
    scope(|scope| {
        let written = scope.spawn(|| tool.write(writer, &vec![0; total]));
        let mut buffer = vec![0; 64 << 10];
        let mut read = 0;
        while read < total {
            read += usize::try_from(tool.read(reader, &mut buffer).unwrap()).unwrap();
        }
        assert_eq!(written.join().unwrap(), Ok(total.try_into().unwrap()));
    });
}
