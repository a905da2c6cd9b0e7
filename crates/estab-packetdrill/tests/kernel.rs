//! The kernel as a subject, driven by hand. `ESTAB_PRIVILEGED=require` makes these fail where the system does not allow them.

use estab_device::namespace::testing::privileged_test;
use estab_packetdrill::report::Verdict;
use estab_packetdrill::subject::{Outcome, Output, SettingError, Started, SystemCall, kernel};
use estab_packetdrill::{IpVersion, Network, RunOptions, Subject, parse, run};
use estab_wire::tcp::{self, Flags, Header, Options, SegmentOptions, SeqNum, UnscaledWindow};
use estab_wire::{ipv4, protocol};
use std::net::Ipv4Addr;
use std::time::Duration;

const LOCAL: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 1);
const REMOTE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const SECOND: Duration = Duration::from_secs(1);

fn subject() -> Box<dyn Subject> {
    let network = Network {
        ip_version: IpVersion::V4,
        local_ip: LOCAL.into(),
        prefix_len: 16,
        remote_ip: REMOTE.into(),
        gateway_ip: [192, 168, 0, 254].into(),
        mtu: 1500,
    };
    let mut subject = kernel()(&network).expect("a namespace");
    subject.begin();
    subject
}

fn address(ip: Ipv4Addr, port: u16) -> Vec<u8> {
    let [a, b] = port.to_be_bytes();
    let family = (libc::AF_INET as u16).to_ne_bytes();
    [&family[..], &[a, b], &ip.octets(), &[0; 8]].concat()
}

fn done(subject: &mut dyn Subject, call: SystemCall) -> Outcome {
    match subject.start(call.clone()) {
        Ok(Started::Done(outcome)) => outcome,
        other => panic!("{call:?}: {other:?}"),
    }
}

fn socket(subject: &mut dyn Subject) -> i32 {
    let call = SystemCall::Socket {
        domain: libc::AF_INET,
        kind: libc::SOCK_STREAM,
        protocol: libc::IPPROTO_TCP,
    };
    i32::try_from(done(subject, call).result).expect("a descriptor")
}

fn listener(subject: &mut dyn Subject) -> i32 {
    let fd = socket(subject);
    let bound = done(
        subject,
        SystemCall::Bind {
            fd,
            address: address(LOCAL, 8080),
        },
    );
    assert_eq!(bound, Outcome::success(0));
    assert_eq!(
        done(subject, SystemCall::Listen { fd, backlog: 1 }),
        Outcome::success(0)
    );
    fd
}

fn segment(flags: Flags, seq: u32, ack: u32, payload: &[u8]) -> Vec<u8> {
    let header = Header {
        src_port: 40000,
        dst_port: 8080,
        seq: SeqNum(seq),
        ack: SeqNum(ack),
        flags,
        window: UnscaledWindow(1000),
        urgent: 0,
        options: Options::Segment(SegmentOptions::default()),
    };
    let mut bytes = [0; tcp::HEADER_LEN_MAX];
    let len = header.emit(&mut bytes);
    let mut body = [&bytes[..len], payload].concat();
    let sum = tcp::checksum(REMOTE.into(), LOCAL.into(), std::iter::once(&*body));
    body[tcp::CHECKSUM_OFFSET..][..2].copy_from_slice(&sum.to_be_bytes());
    let mut header = ipv4::Header::new(REMOTE, LOCAL, protocol::TCP);
    header.total_len = (ipv4::HEADER_LEN + body.len()) as u16;
    let mut bytes = [0; ipv4::HEADER_LEN];
    header.emit(&mut bytes);
    [&bytes[..], &body].concat()
}

/// The next segment from the kernel, within a second.
fn next(subject: &mut dyn Subject) -> (Header, Duration) {
    let limit = subject.now() + SECOND;
    loop {
        if let Some(emitted) = subject.emitted() {
            let ip = ipv4::Header::parse(&emitted.packet);
            if let Some(ip) = ip.ok().filter(|ip| ip.protocol == protocol::TCP) {
                let (header, _) = Header::parse(ip.payload(&emitted.packet)).expect("a segment");
                return (header, emitted.time);
            }
        } else {
            assert!(subject.now() < limit, "no segment");
            subject.wait(limit).expect("a device");
        }
    }
}

#[test]
fn a_connection_is_accepted_read_and_reset() {
    privileged_test("a_connection_is_accepted_read_and_reset", || {
        let subject = &mut *subject();
        let fd = listener(subject);
        let waits = subject.start(SystemCall::Accept {
            fd,
            room: Some(16),
            flags: None,
        });
        assert_eq!(waits, Ok(Started::Pending));
        assert_eq!(subject.finished(), None);

        subject.inject(&segment(Flags::SYN, 0, 0, b"")).unwrap();
        let sent = subject.now();
        let (answer, time) = next(subject);
        assert!(answer.flags.syn() && answer.flags.ack());
        assert!(time <= sent, "it was there when inject returned");
        let ack = answer.seq.0.wrapping_add(1);
        subject.inject(&segment(Flags::ACK, 1, ack, b"")).unwrap();
        subject.wait(subject.now() + SECOND).unwrap();
        let (accepted, _) = subject.finished().expect("the call returned");
        assert_eq!(accepted.output, Output::Address(address(REMOTE, 40000)));

        let fd = i32::try_from(accepted.result).expect("a descriptor");
        subject
            .inject(&segment(Flags::ACK | Flags::PSH, 1, ack, b"hello"))
            .unwrap();
        assert_eq!(done(subject, SystemCall::Read { fd, len: 100 }).result, 5);
        assert!(subject.tcp_info(fd).unwrap().len() > 100);
        assert_eq!(next(subject).0.ack, SeqNum(6));
        subject.finish();
        assert!(next(subject).0.flags.rst());
        assert_eq!(subject.tcp_info(fd), Err(libc::EBADF));
    });
}

#[test]
fn a_call_that_never_returns_ends_with_the_script() {
    privileged_test("a_call_that_never_returns_ends_with_the_script", || {
        let subject = &mut *subject();
        let fd = listener(subject);
        let accept = SystemCall::Accept {
            fd,
            room: None,
            flags: None,
        };
        assert_eq!(subject.start(accept.clone()), Ok(Started::Pending));
        let before = subject.now();
        subject.wait(before + Duration::from_millis(20)).unwrap();
        let late = subject.now() - before - Duration::from_millis(20);
        assert!(late < Duration::from_millis(10), "{late:?}");
        assert!(
            subject.start(accept).is_err(),
            "one call at a time may wait"
        );
        subject.finish();
        let (outcome, _) = subject.finished().expect("it was woken");
        assert_eq!(outcome.errno, libc::EINVAL);
    });
}

#[test]
fn what_is_not_the_script_s_own_is_out_of_reach() {
    privileged_test("what_is_not_the_script_s_own_is_out_of_reach", || {
        let subject = &mut *subject();
        assert_eq!(
            done(subject, SystemCall::Close { fd: 1 }),
            Outcome::error(libc::EBADF)
        );
        println!("standard output is still there");
        assert_eq!(subject.set_setting("net.ipv4.tcp_sack", "0"), Ok(()));
        assert_eq!(
            subject.set_setting("net.ipv4.tcp_sock", "0"),
            Err(SettingError::Unknown)
        );
        assert_eq!(
            subject.set_setting("kernel.hostname", "x"),
            Err(SettingError::Unknown)
        );
        let refused = subject.set_setting("net.ipv4.tcp_sack", "much");
        assert!(
            matches!(refused, Err(SettingError::Other(_))),
            "{refused:?}"
        );
    });
}

#[test]
fn nobody_waits_for_days() {
    privileged_test("nobody_waits_for_days", || {
        let options = RunOptions {
            subject: Some(kernel()),
            ..RunOptions::default()
        };
        let text = "0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n+300~+400 > udp (1)\n+300...301 close(3) = 0\n";
        let script = parse("days", text).expect("a script");
        let report = run("days", text, &script, &options, &mut |_| {});
        let reason = "it takes 10 minutes, which are too long in real time";
        assert_eq!(report.verdict, Verdict::Skipped(reason.to_owned()));
    });
}
