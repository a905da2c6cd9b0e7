//! Results, errors and what calls store are compared.

use super::{OPENED, fails, passes};
use estab_packetdrill::report::{Failure, FailureKind};

fn field(failure: &Failure) -> Vec<(&str, &str, &str)> {
    let differences = failure.differences.iter();
    differences
        .map(|d| (d.field, d.expected.as_str(), d.actual.as_str()))
        .collect()
}

#[test]
fn results() {
    let failure = fails(
        &format!("{OPENED}+0 getsockopt(4, SOL_SOCKET, SO_TYPE, ..., [4]) = 1"),
        FailureKind::Result,
    );
    assert_eq!(field(&failure), [("result", "1", "0")]);
    let failure = fails("0 close(3) = 0", FailureKind::Result);
    assert_eq!(
        field(&failure),
        [("result", "0", "-1"), ("errno", "none", "EBADF")]
    );
    passes("0 close(3) = ...");
    passes("0 close(3) = -1 EBADF (Bad file descriptor)");
}

#[test]
fn errors() {
    let failure = fails(
        "0 close(3) = -1 EINVAL (Invalid argument)",
        FailureKind::Errno,
    );
    assert_eq!(field(&failure), [("errno", "EINVAL", "EBADF")]);
    assert_eq!(
        failure.actual.as_deref(),
        Some("close(3) = -1 EBADF (Bad file descriptor)")
    );
}

#[test]
fn values_of_options() {
    passes(&format!(
        "{OPENED}+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [0], [4]) = 0\n\
         +0 setsockopt(4, SOL_SOCKET, SO_LINGER, {{onoff=1, linger=7}}, 8) = 0\n\
         +0 getsockopt(4, SOL_SOCKET, SO_LINGER, {{onoff=1, linger=7}}, [8]) = 0\n\
         +0 getsockopt(4, SOL_SOCKET, SO_LINGER, {{onoff=1, linger=...}}, [8]) = 0\n\
         +0 getsockopt(4, SOL_TCP, TCP_CONGESTION, \"reno\", [16]) = 0"
    ));
    let failure = fails(
        &format!("{OPENED}+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0"),
        FailureKind::Output,
    );
    assert_eq!(field(&failure), [("value", "[104]", "[0]")]);
    let failure = fails(
        &format!("{OPENED}+0 getsockopt(4, SOL_SOCKET, SO_LINGER, {{onoff=1, linger=7}}, [8]) = 0"),
        FailureKind::Output,
    );
    assert_eq!(field(&failure), [("value", "{1, 7}", "{0, 0}")]);
    let failure = fails(
        &format!("{OPENED}+0 getsockopt(4, SOL_SOCKET, SO_LINGER, ..., [16]) = 0"),
        FailureKind::Output,
    );
    assert_eq!(field(&failure), [("length", "16", "8")]);
}

#[test]
fn numbers_of_ioctl() {
    let data = format!(
        "{OPENED}+0 < P. 1:101(100) ack 1 win 257 <nop,nop,TS val 200 ecr 700>\n+0 > . 1:1(0) ack 101 <...>\n"
    );
    passes(&format!("{data}+0 ioctl(4, SIOCINQ, [100]) = 0"));
    let failure = fails(
        &format!("{data}+0 ioctl(4, SIOCINQ, [99]) = 0"),
        FailureKind::Output,
    );
    assert_eq!(field(&failure), [("value", "99", "100")]);
}

#[test]
fn events_of_poll() {
    passes(&format!(
        "{OPENED}+0 poll([{{fd=4, events=POLLIN|POLLOUT, revents=POLLOUT}}], 1, 0) = 1\n\
         +0 poll([{{fd=4, events=POLLIN, revents=0}}, {{fd=3, events=POLLIN, revents=0}}], 2, 0) = 0"
    ));
    let failure = fails(
        &format!("{OPENED}+0 poll([{{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}}], 1, 0) = 1"),
        FailureKind::Output,
    );
    assert_eq!(field(&failure), [("revents", "POLLIN", "POLLOUT")]);
}

#[test]
fn events_of_epoll() {
    let text = |event: &str| {
        format!(
            "{OPENED}+0 epoll_create1(0) = 5\n\
             +0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {{events=EPOLLIN|EPOLLOUT, fd=4}}) = 0\n\
             +0 epoll_wait(5, {event}, 1, 0) = 1"
        )
    };
    passes(&text("[{events=EPOLLOUT, fd=4}]"));
    passes(&text("{events=EPOLLOUT, fd=4}"));
    passes(&text("..."));
    let failure = fails(&text("[{events=EPOLLIN, fd=4}]"), FailureKind::Output);
    assert_eq!(
        field(&failure),
        [(
            "events",
            "{events=EPOLLIN, u64=4}",
            "{events=EPOLLOUT, u64=4}"
        )]
    );
    fails(&text("[{events=EPOLLOUT, fd=3}]"), FailureKind::Output);
}

#[test]
fn addresses() {
    let text = |port: u16| {
        format!(
            "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n\
             +0 getsockname(3, {{sa_family=AF_INET, sin_port=htons({port}), sin_addr=inet_addr(\"192.168.0.2\")}}, [16]) = 0"
        )
    };
    assert_eq!(super::play(&text(8080)).failure(), None);
    let failure = fails(&text(8081), FailureKind::Output);
    assert_eq!(failure.differences[0].field, "address");
}

#[test]
fn messages() {
    let text = |flags: &str| {
        format!(
            "0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n+0 bind(3, ..., ...) = 0\n+0 < udp (100)\n\
             +0 recvmsg(3, {{msg_name(...)=..., msg_iov(1)=[{{..., 10}}], msg_flags={flags}}}, 0) = 10"
        )
    };
    passes(&text("MSG_TRUNC"));
    let failure = fails(&text("0"), FailureKind::Output);
    assert_eq!(field(&failure), [("msg_flags", "0x0", "0x20")]);
}

#[test]
fn pipes_and_splice() {
    passes(&format!(
        "{OPENED}+0 pipe([5, 6]) = 0\n\
         +0 < P. 1:101(100) ack 1 win 257 <nop,nop,TS val 200 ecr 700>\n+0 > . 1:1(0) ack 101 <...>\n\
         +0 splice(4, 0, 6, 0, 1000, 0) = 100\n+0 read(5, ..., 1000) = 100"
    ));
}

#[test]
fn a_pipe_gives_no_descriptor_as_its_result() {
    fails("0 pipe([3, 4]) = 3", FailureKind::Result);
}

#[test]
fn descriptors_may_have_any_number() {
    passes(
        "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 30\n+0 bind(30, ..., ...) = 0\n+0 listen(30, 1) = 0\n\
         +0 < S 0:0(0) win 1000\n+0 > S. 0:0(0) ack 1 <mss 1460>\n+0 < . 1:1(0) ack 1 win 1000\n\
         +0 accept(30, ..., ...) = 7\n+0 close(7) = 0\n+0 > F. 1:1(0) ack 1\n+0 close(7) = -1 EBADF (Bad file descriptor)",
    );
    fails(
        "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
        FailureKind::Script,
    );
}

#[test]
fn a_call_that_estab_has_not_skips_the_script() {
    let report = super::play("0 open(\"/dev/null\", O_RDONLY) = 3");
    let reason = "estab has no open: it has no files".to_owned();
    assert_eq!(
        report.verdict,
        estab_packetdrill::report::Verdict::Skipped(reason)
    );
    let report = super::play("0 cap_set(CAP_EFFECTIVE, CAP_NET_ADMIN, CAP_CLEAR) = 0");
    let reason = "there is no `cap_set` here".to_owned();
    assert_eq!(
        report.verdict,
        estab_packetdrill::report::Verdict::Skipped(reason)
    );
}
