//! A subject that does what a stack must not: the runner sees it.

use super::play_with;
use core::time::Duration;
use estab_packetdrill::report::{FailureKind, Verdict};
use estab_packetdrill::subject::{
    Emitted, Outcome, SettingError, Started, Subject, SystemCall, estab,
};
use estab_packetdrill::{Network, Report, RunOptions, SubjectError};
use std::sync::{Arc, Mutex, PoisonError};

/// Changes a packet before the runner sees it.
type Spoil = fn(&mut Vec<u8>);

/// Packets that passed: was it emitted, and its bytes.
type Seen = Arc<Mutex<Vec<(bool, Vec<u8>)>>>;

/// estab, but for what its packets become on their way.
struct Spoiled {
    inner: Box<dyn Subject>,
    spoil: Spoil,
    seen: Seen,
}

impl Spoiled {
    fn see(&self, emitted: bool, packet: &[u8]) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push((emitted, packet.to_vec()));
    }
}

impl Subject for Spoiled {
    fn name(&self) -> &'static str {
        "spoiled"
    }

    fn is_virtual(&self) -> bool {
        true
    }

    fn now(&self) -> Duration {
        self.inner.now()
    }

    fn wait(&mut self, until: Duration) -> Result<(), SubjectError> {
        self.inner.wait(until)
    }

    fn start(&mut self, call: SystemCall) -> Result<Started, SubjectError> {
        self.inner.start(call)
    }

    fn finished(&mut self) -> Option<(Outcome, Duration)> {
        self.inner.finished()
    }

    fn inject(&mut self, packet: &[u8]) -> Result<(), SubjectError> {
        self.see(false, packet);
        self.inner.inject(packet)
    }

    fn emitted(&mut self) -> Option<Emitted> {
        let mut emitted = self.inner.emitted()?;
        let mut packet = emitted.packet.to_vec();
        (self.spoil)(&mut packet);
        self.see(true, &packet);
        emitted.packet = packet.into();
        Some(emitted)
    }

    fn set_setting(&mut self, name: &str, value: &str) -> Result<(), SettingError> {
        self.inner.set_setting(name, value)
    }

    fn tcp_info(&mut self, fd: i32) -> Result<Vec<u8>, i32> {
        self.inner.tcp_info(fd)
    }

    fn finish(&mut self) {
        self.inner.finish();
    }
}

const SYN: &str = "
0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3
+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > S 0:0(0) <...>
";

fn spoiled(text: &str, spoil: Spoil) -> (Report, Vec<(bool, Vec<u8>)>) {
    let seen = Seen::default();
    let made = Arc::clone(&seen);
    let options = RunOptions {
        subject: Some(Arc::new(move |network: &Network| {
            let (inner, seen) = (estab(network)?, Arc::clone(&made));
            Ok(Box::new(Spoiled { inner, spoil, seen }) as Box<dyn Subject>)
        })),
        ..RunOptions::default()
    };
    let report = play_with(text, &options);
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    (report, seen)
}

#[track_caller]
fn malformed(spoil: Spoil, reason: &str) {
    let (report, _) = spoiled(SYN, spoil);
    let failure = report.failure().expect("it must fail");
    assert_eq!(failure.kind, FailureKind::MalformedPacket);
    assert!(failure.message.contains(reason), "{}", failure.message);
}

#[test]
fn what_is_not_spoiled_passes() {
    assert_eq!(spoiled(SYN, |_| {}).0.verdict, Verdict::Passed);
}

#[test]
fn wrong_checksums() {
    // The IPv4 header is 20 bytes long; the TCP checksum stands at 16 of its own.
    malformed(|packet| packet[20 + 16] ^= 1, "wrong TCP checksum");
    malformed(|packet| packet[20 + 13] ^= 8, "wrong TCP checksum");
    malformed(|packet| packet[10] ^= 1, "IPv4 header: wrong checksum");
}

#[test]
fn wrong_lengths() {
    malformed(
        |packet| packet.push(0),
        "61 bytes, but the IPv4 header tells 60",
    );
    malformed(|packet| packet.truncate(59), "IPv4 header: truncated");
    malformed(|packet| packet.truncate(0), "an empty packet");
    malformed(|packet| packet[0] = 0x75, "IP version 7");
}

#[test]
fn wrong_options() {
    // The length of the MSS option.
    malformed(
        |packet| {
            packet[20 + 21] = 5;
            mend(packet);
        },
        "TCP option 2 of 5 bytes",
    );
    malformed(
        |packet| {
            packet[20 + 20] = 99;
            mend(packet);
        },
        "TCP option 99",
    );
}

#[test]
fn reserved_bits() {
    malformed(
        |packet| {
            packet[20 + 12] |= 2;
            mend(packet);
        },
        "reserved bits",
    );
}

/// Puts the right TCP checksum in.
fn mend(packet: &mut [u8]) {
    packet[36] = 0;
    packet[37] = 0;
    let len = packet.len() - 20;
    let words = packet[12..].chunks(2).map(|pair| {
        u32::from(u16::from_be_bytes([
            pair[0],
            pair.get(1).copied().unwrap_or(0),
        ]))
    });
    let mut sum = words.sum::<u32>() + 6 + len as u32;
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    packet[36..38].copy_from_slice(&(!(sum as u16)).to_be_bytes());
}

/// A subject whose time stands still and whose calls never return.
struct Stuck;

impl Subject for Stuck {
    fn name(&self) -> &'static str {
        "stuck"
    }

    fn is_virtual(&self) -> bool {
        true
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn wait(&mut self, _until: Duration) -> Result<(), SubjectError> {
        Err(SubjectError::Broken("it does not move".to_owned()))
    }

    fn start(&mut self, _call: SystemCall) -> Result<Started, SubjectError> {
        Ok(Started::Pending)
    }

    fn finished(&mut self) -> Option<(Outcome, Duration)> {
        None
    }

    fn inject(&mut self, _packet: &[u8]) -> Result<(), SubjectError> {
        Ok(())
    }

    fn emitted(&mut self) -> Option<Emitted> {
        None
    }

    fn set_setting(&mut self, _name: &str, _value: &str) -> Result<(), SettingError> {
        Err(SettingError::Unknown)
    }

    fn tcp_info(&mut self, _fd: i32) -> Result<Vec<u8>, i32> {
        Err(1)
    }

    fn finish(&mut self) {}
}

#[test]
fn a_subject_that_breaks_fails_the_script() {
    let options = RunOptions {
        subject: Some(Arc::new(|_: &Network| {
            Ok(Box::new(Stuck) as Box<dyn Subject>)
        })),
        ..RunOptions::default()
    };
    let report = play_with("0 close(3) = 0", &options);
    assert_eq!(report.failure().map(|f| f.kind), Some(FailureKind::Subject));
}

#[test]
fn a_subject_that_cannot_be_made_skips_the_script() {
    let options = RunOptions {
        subject: Some(Arc::new(|_: &Network| {
            Err(SubjectError::Unsupported("not today".to_owned()))
        })),
        ..RunOptions::default()
    };
    let report = play_with("0 close(3) = 0", &options);
    assert_eq!(report.verdict, Verdict::Skipped("not today".to_owned()));
}

/// Value and echo of a segment's timestamps, behind `nop, nop` or `mss, sackOK`.
fn timestamps(packet: &[u8]) -> Option<(u32, u32)> {
    let at = packet
        .windows(2)
        .skip(40)
        .position(|pair| pair == [8, 10])?
        + 42;
    let word = |at: usize| {
        packet
            .get(at..at + 4)
            .map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    };
    Some((word(at)?, word(at + 4)?))
}

#[test]
fn injected_echoes_are_the_values_that_were_sent() {
    let text = "0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3\n\
         +0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n\
         +0 > S 0:0(0) <mss 1460,sackOK,TS val 700 ecr 0,nop,wscale 8>\n\
         +.1 < S. 0:0(0) ack 1 win 5792 <mss 1460,sackOK,TS val 100 ecr 700,nop,wscale 7>\n\
         +0 > . 1:1(0) ack 1 <nop,nop,TS val 5 ecr 100>\n\
         +.1 < . 1:1(0) ack 1 win 100 <nop,nop,TS val 200 ecr 5>\n\
         +.1 < . 1:1(0) ack 1 win 100 <nop,nop,TS val 300 ecr 700>\n\
         +.1 < . 1:1(0) ack 1 win 100 <nop,nop,TS val 400 ecr 8>";
    let (report, seen) = spoiled(text, |_| {});
    assert_eq!(report.failure(), None);
    let values = seen.iter().filter_map(|(_, packet)| timestamps(packet));
    let values: Vec<_> = values.collect();
    let [syn, syn_ack, ack, first, second, third] = values[..] else {
        panic!("{values:?}");
    };
    // The peer's own stay as the script has them.
    assert_eq!([syn_ack.0, ack.1, first.0], [100, 100, 200]);
    assert_eq!(syn_ack.1, syn.0);
    assert_eq!(first.1, ack.0);
    assert_eq!(second.1, syn.0);
    // One that stands for nothing that was sent is as far from the last one as in the script.
    assert_eq!(third.1, ack.0 + 3);
}

#[test]
fn injected_packets_are_well_formed() {
    let text = "0 < [ect1, ttl 7] S 0:0(0) win 1000 <mss 1000,FO 00112233,nop,nop>\n+0 > R. 0:0(0) ack 1\n\
         0 < udp (3)\n+0 > icmp unreachable port_unreachable [udp (3)]";
    let (report, seen) = spoiled(text, |_| {});
    assert_eq!(report.failure(), None);
    let (_, syn) = &seen[0];
    assert_eq!((syn[1], syn[8]), (1, 7), "TOS, TTL");
    assert_eq!(syn[40..], [2, 4, 3, 232, 34, 6, 0, 0x11, 0x22, 0x33, 1, 1]);
}
