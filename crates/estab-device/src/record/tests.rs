use super::Recorder;
use bytes::Bytes;
use estab_stack::{
    Checksum, ChecksumOffload, HeaderBuffer, HostEvent, HostSink, InterfaceId, Medium, PacketIn,
    PacketOut,
};
use estab_tcp::event::{DropReason, RetransmitReason, Timer};
use estab_tcp::{Cause, Chunks, Event, Flags, FourTuple, Instant, SeqNum, State};
use estab_wire::checksum::pseudo_header;
use estab_wire::tcp::{Options, SegmentOptions, UnscaledWindow};
use estab_wire::{ethernet, ipv4, protocol, tcp};
use pcap_file::DataLink;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketOption;
use pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionOption;
use pcap_file::pcapng::{Block, PcapNgReader};
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const A: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const B: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const EPOCH: Duration = Duration::from_secs(1_700_000_000);
const FIRST: InterfaceId = InterfaceId(0);

/// A file in memory that can be looked at while it is written, and that can be full.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<Vec<u8>>>, Option<usize>);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self.0.lock().expect("no panic");
        if self.1.is_some_and(|room| file.len() + bytes.len() > room) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        file.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Disk {
    fn contents(&self) -> Vec<u8> {
        self.0.lock().expect("no panic").clone()
    }
}

#[derive(Debug, PartialEq)]
struct Packet {
    interface: u32,
    at: Duration,
    flags: u32,
    data: Vec<u8>,
    comments: Vec<String>,
}

/// Interfaces (name, link type) and packets of a file.
fn read(file: &[u8]) -> (Vec<(String, DataLink)>, Vec<Packet>) {
    let mut reader = PcapNgReader::new(file).expect("a capture");
    let (mut interfaces, mut packets) = (Vec::new(), Vec::new());
    while let Some(block) = reader.next_block() {
        match block.expect("a whole block") {
            Block::InterfaceDescription(block) => {
                let name = block.options.iter().find_map(|option| match option {
                    InterfaceDescriptionOption::IfName(name) => Some(name.to_string()),
                    _ => None,
                });
                let nanoseconds = InterfaceDescriptionOption::IfTsResol(9);
                assert!(block.options.contains(&nanoseconds));
                interfaces.push((name.expect("a name"), block.linktype));
            }
            Block::EnhancedPacket(block) => {
                let (mut flags, mut comments) = (0, Vec::new());
                for option in &block.options {
                    match option {
                        EnhancedPacketOption::Flags(value) => flags = *value,
                        EnhancedPacketOption::Comment(text) => comments.push(text.to_string()),
                        _ => {}
                    }
                }
                packets.push(Packet {
                    interface: block.interface_id,
                    at: block.timestamp,
                    flags,
                    data: block.data.to_vec(),
                    comments,
                });
            }
            _ => {}
        }
    }
    (interfaces, packets)
}

/// A segment from A to B whose checksum is partial.
fn segment(flags: Flags, seq: u32, text: &'static [u8]) -> PacketOut {
    let mut header = HeaderBuffer::new();
    let mut segment = [0; tcp::HEADER_LEN_MAX];
    let len = tcp::Header {
        src_port: 40_000,
        dst_port: 9000,
        seq: SeqNum(seq),
        ack: SeqNum(0),
        flags,
        window: UnscaledWindow(1000),
        urgent: 0,
        options: Options::Segment(SegmentOptions::default()),
    }
    .emit(&mut segment);
    let total = (len + text.len()) as u32;
    let sum = pseudo_header(A.into(), B.into(), protocol::TCP, total);
    segment[tcp::CHECKSUM_OFFSET..][..2].copy_from_slice(&sum.folded().to_be_bytes());
    let mut ip = [0; ipv4::HEADER_LEN];
    ipv4::Header {
        total_len: (ip.len() + len + text.len()) as u16,
        ..ipv4::Header::new(A, B, protocol::TCP)
    }
    .emit(&mut ip);
    header.extend(ip);
    header.extend(segment[..len].iter().copied());
    PacketOut {
        header,
        payload: Chunks::from(Bytes::from_static(text)),
        checksum: Some(ChecksumOffload {
            start: 20,
            offset: tcp::CHECKSUM_OFFSET as u16,
        }),
        segment_size: 0,
    }
}

/// The same as it arrives over a link with offloads.
fn arrived(packet: &PacketOut) -> PacketIn {
    PacketIn {
        checksum: Checksum::Valid,
        ..PacketIn::from(packet.to_bytes())
    }
}

const fn ms(ms: u64) -> Instant {
    Instant::from_nanos(ms * 1_000_000)
}

/// A host's sink with shorter calls.
struct Host(Box<dyn HostSink>);

impl Host {
    fn sent(&mut self, at: u64, packet: &PacketOut) {
        let interface = FIRST;
        let event = HostEvent::PacketOut { interface, packet };
        self.0.event(ms(at), &event);
    }

    fn received(&mut self, at: u64, packet: &PacketIn) {
        let interface = FIRST;
        let event = HostEvent::PacketIn { interface, packet };
        self.0.event(ms(at), &event);
    }

    fn tcp(&mut self, at: u64, event: Event<'_>) {
        let connection = FourTuple {
            local: (A, 40_000).into(),
            remote: (B, 9000).into(),
        };
        let event = HostEvent::Tcp { connection, event };
        assert!(self.0.interest().contains(event.kind()));
        self.0.event(ms(at), &event);
    }

    fn state(&mut self, at: u64, from: State, cause: Cause) {
        let to = from.next(cause).expect("an edge");
        self.tcp(at, Event::State { from, to, cause });
    }
}

fn record() -> (Disk, Recorder) {
    let disk = Disk::default();
    let recorder = Recorder::new(disk.clone(), EPOCH).expect("memory");
    (disk, recorder)
}

#[test]
fn comments_stand_on_what_caused_them_or_what_they_caused() {
    let (disk, recorder) = record();
    let mut a = Host(recorder.sink("a", &[("a", Medium::Ip)]));
    a.state(0, State::Closed, Cause::ActiveOpen);
    a.sent(0, &segment(Flags::SYN, 0, b""));
    a.tcp(
        1000,
        Event::TimerFired {
            timer: Timer::Retransmit,
        },
    );
    let again = Event::Retransmit {
        seq: SeqNum(0),
        len: 1,
        reason: RetransmitReason::Timeout,
    };
    a.tcp(1000, again.clone());
    a.sent(1000, &segment(Flags::SYN, 0, b""));
    a.received(1010, &arrived(&segment(Flags::SYN | Flags::ACK, 9, b"")));
    a.state(1010, State::SynSent, Cause::ReceiveSynAck);
    // What a packet brings about is not what it causes.
    a.tcp(1010, again);
    a.sent(1010, &segment(Flags::ACK, 1, b""));
    // Happened after that packet, and brought none about: it stays there.
    a.state(1020, State::Established, Cause::Close);
    a.received(1030, &arrived(&segment(Flags::ACK, 500, b"late")));
    let reason = DropReason::OutsideWindow;
    a.0.event(ms(1030), &HostEvent::Drop { reason });
    // At another time: not caused by that packet.
    a.state(2000, State::FinWait1, Cause::Timeout);
    a.sent(2000, &segment(Flags::RST, 1, b""));
    // Nothing follows: it stays on the last one.
    a.state(3000, State::Closed, Cause::ActiveOpen);
    recorder.flush().expect("written");

    let (interfaces, packets) = read(&disk.contents());
    assert_eq!(interfaces, [("a".to_owned(), DataLink::RAW)]);
    let comments: Vec<_> = packets
        .iter()
        .map(|packet| packet.comments.join("; "))
        .collect();
    assert_eq!(
        comments,
        [
            "a: CLOSED -> SYN-SENT (active OPEN)",
            "a: timer retransmit fired; a: retransmit (timeout)",
            "a: SYN-SENT -> ESTABLISHED (rcv SYN,ACK)",
            "a: retransmit (timeout); a: ESTABLISHED -> FIN-WAIT-1 (CLOSE)",
            "a: drop outside-window (RFC 9293 3.10.7.4)",
            "a: FIN-WAIT-1 -> CLOSED (timeout); a: CLOSED -> SYN-SENT (active OPEN)",
        ]
    );
    let flags: Vec<_> = packets.iter().map(|packet| packet.flags).collect();
    assert_eq!(flags, [2, 2, 1, 2, 1, 2], "in and out");
    assert_eq!(packets[2].at, EPOCH + Duration::from_millis(1010));
}

#[test]
fn checksums_are_completed_and_wrong_ones_are_shown_as_they_came() {
    let (disk, recorder) = record();
    let mut a = Host(recorder.sink("a", &[]));
    let packet = segment(Flags::ACK, 1, b"hello");
    a.sent(0, &packet);
    a.received(1, &arrived(&packet));
    let wrong = PacketIn::from(packet.to_bytes());
    a.received(2, &wrong);
    drop((a, recorder));
    let (interfaces, packets) = read(&disk.contents());
    assert_eq!(interfaces, [("a/0".to_owned(), DataLink::RAW)]);
    let verifies = |packet: &Packet| tcp::verify(A.into(), B.into(), &packet.data[20..]);
    let right: Vec<_> = packets.iter().map(verifies).collect();
    assert_eq!(right, [true, true, false]);
    assert_eq!(packets[2].data, wrong.data);
}

#[test]
fn hosts_and_their_media_are_interfaces_and_packets_stay_in_order() {
    let (disk, recorder) = record();
    let mut a = Host(recorder.sink("a", &[("a", Medium::Ip)]));
    let mut b = Host(recorder.sink("b", &[("b-eth", Medium::Ethernet)]));
    let ip = segment(Flags::ACK, 1, b"over Ethernet");
    let mut frame = [0; ethernet::HEADER_LEN];
    ethernet::Header {
        dst: ethernet::Address([2; 6]),
        src: ethernet::Address([4; 6]),
        ethertype: ethernet::EtherType::IPV4,
    }
    .emit(&mut frame);
    let framed = PacketOut {
        header: frame.into_iter().chain(ip.header.iter().copied()).collect(),
        ..ip.clone()
    };
    a.sent(0, &ip);
    b.received(1, &arrived(&framed));
    b.state(1, State::Listen, Cause::ReceiveSyn);
    a.sent(2, &ip);
    a.sent(3, &ip);
    // Only what can get no more comments is written yet.
    assert_eq!(read(&disk.contents()).1.len(), 0);
    drop((a, b, recorder));
    let (interfaces, packets) = read(&disk.contents());
    let named = |name: &str, link| (name.to_owned(), link);
    assert_eq!(
        interfaces,
        [
            named("a", DataLink::RAW),
            named("b-eth", DataLink::ETHERNET)
        ]
    );
    assert!(packets.iter().map(|packet| packet.at).is_sorted());
    let from: Vec<_> = packets.iter().map(|packet| packet.interface).collect();
    assert_eq!(from, [0, 1, 0, 0]);
    assert!(tcp::verify(A.into(), B.into(), &packets[1].data[34..]));
    assert_eq!(packets[1].comments, ["b: LISTEN -> SYN-RECEIVED (rcv SYN)"]);
}

#[test]
fn a_full_disk_is_reported_once_and_stops_nothing() {
    for with_callback in [false, true] {
        let disk = Disk(Arc::default(), Some(2000));
        let recorder = Recorder::new(disk.clone(), EPOCH).expect("room for the header");
        let reports = Arc::new(AtomicU32::new(0));
        if with_callback {
            let (reports, again) = (reports.clone(), recorder.clone());
            recorder.on_error(move |error| {
                assert_eq!(error.kind(), io::ErrorKind::StorageFull);
                assert_eq!(again.lost(), 0, "the recorder may be used in it");
                reports.fetch_add(1, Ordering::SeqCst);
            });
        }
        let mut a = Host(recorder.sink("a", &[]));
        for n in 0..1000 {
            // Flushed each time: more than a second passes.
            a.sent(n * 1001, &segment(Flags::ACK, 1, b"text"));
        }
        let flushed = recorder.flush().map_err(|error| error.kind());
        let expected = if with_callback {
            Ok(())
        } else {
            Err(io::ErrorKind::StorageFull)
        };
        assert_eq!(flushed, expected);
        recorder.flush().expect("reported once");
        assert_eq!(reports.load(Ordering::SeqCst), u32::from(with_callback));
        let (_, packets) = read(&disk.contents());
        let written = packets.len() as u64;
        assert!(written > 5 && recorder.lost() > 900);
    }
}

#[test]
fn what_waits_is_bounded() {
    let (disk, recorder) = record();
    let mut silent = Host(recorder.sink("silent", &[]));
    let mut busy = Host(recorder.sink("busy", &[]));
    silent.sent(0, &segment(Flags::ACK, 0, b""));
    for n in 0..1000 {
        silent.state(5, State::Closed, Cause::PassiveOpen);
        busy.sent(n, &segment(Flags::ACK, 1, b""));
    }
    assert!(recorder.lock().held.len() <= super::HELD_MAX);
    silent.sent(1000, &segment(Flags::ACK, 2, b""));
    recorder.flush().expect("written");
    let (_, packets) = read(&disk.contents());
    assert_eq!(packets.len(), 1002);
    let last = &packets[1001].comments;
    assert_eq!(last.len(), super::COMMENTS_MAX + 1);
    assert_eq!(last.last().map(String::as_str), Some("and 936 more"));
}

#[test]
fn comments_after_a_flush_go_to_the_next_packet() {
    let (disk, recorder) = record();
    let mut a = Host(recorder.sink("a", &[]));
    a.received(0, &arrived(&segment(Flags::SYN, 0, b"")));
    recorder.flush().expect("written");
    a.state(0, State::Listen, Cause::ReceiveSyn);
    a.received(1, &arrived(&segment(Flags::ACK, 1, b"")));
    recorder.flush().expect("written");
    let (_, packets) = read(&disk.contents());
    assert!(packets[0].comments.is_empty());
    assert_eq!(packets[1].comments, ["a: LISTEN -> SYN-RECEIVED (rcv SYN)"]);
}

#[test]
fn tshark_shows_the_comments_and_finds_nothing_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcapng");
    let recorder = Recorder::create(&path, EPOCH).expect("a file");
    let mut a = Host(recorder.sink("a", &[("a", Medium::Ip)]));
    a.state(0, State::Closed, Cause::ActiveOpen);
    a.sent(0, &segment(Flags::SYN, 0, b""));
    a.sent(1, &segment(Flags::ACK, 1, b"hello"));
    drop((a, recorder));
    let output = Command::new("tshark")
        .args([
            "-o",
            "tcp.check_checksum:TRUE",
            "-o",
            "ip.check_checksum:TRUE",
        ])
        .args(["-T", "fields", "-E", "separator=|"])
        .args(["-e", "frame.comment", "-e", "frame.interface_name"])
        .args(["-e", "frame.time_epoch", "-e", "tcp.checksum.status"])
        .args(["-e", "_ws.malformed", "-r"])
        .arg(&path)
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => {
            println!("nothing was tested: tshark: {error}");
            return;
        }
    };
    let lines = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<_> = lines.lines().collect();
    assert_eq!(
        lines,
        [
            "a: CLOSED -> SYN-SENT (active OPEN)|a|1700000000.000000000|1|",
            "|a|1700000000.001000000|1|"
        ],
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
