//! `TCP_INFO`, and `SO_MEMINFO`.

mod common;

use common::{Process, TCP};
use core::time::Duration;

/// Fields by their place in Linux's structure.
struct Info(Vec<u8>);

impl Info {
    fn of(p: &mut Process, fd: i32) -> Self {
        p.run();
        let info = p
            .posix
            .getsockopt(p.now, fd, libc::SOL_TCP, libc::TCP_INFO, 1000);
        Self(info.expect("information"))
    }

    fn u8(&self, at: usize) -> u8 {
        self.0[at]
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_ne_bytes(self.0[at..at + 4].try_into().expect("four bytes"))
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from_ne_bytes(self.0[at..at + 8].try_into().expect("eight bytes"))
    }
}

#[test]
fn a_connection_that_has_moved_data() {
    let mut p = Process::new();
    let (a, b) = p.pair();
    p.write(a, &[0; 5000]).expect("written");
    p.read(b, &mut [0; 5000]).expect("read");
    p.pass(Duration::from_millis(500));
    p.write(b, &[0; 10]).expect("written");
    let info = Info::of(&mut p, a);
    assert_eq!(info.u8(0), 1, "ESTABLISHED");
    assert_eq!(info.u8(1), 0, "Open");
    assert_eq!(info.u8(5), 7, "timestamps, SACK, window scale");
    assert_eq!(info.u8(6), 11 | 11 << 4, "both shifts");
    assert!(info.u32(8) >= 200_000, "rto in microseconds");
    let mss = info.u32(16);
    assert!(mss > 1000);
    assert_eq!(info.u32(24), 0, "all is acknowledged");
    assert_eq!(info.u32(44), 500, "last_data_sent in milliseconds");
    assert_eq!(info.u32(52), 0, "last_data_recv");
    assert!(info.u32(60) > mss, "pmtu");
    assert_eq!(info.u32(76), 0x7fff_ffff, "snd_ssthresh");
    assert_eq!(info.u32(80), 10, "snd_cwnd");
    assert_eq!(info.u32(88), 3, "reordering");
    assert_eq!(info.u64(120), 5000, "bytes_acked");
    assert_eq!(info.u64(128), 10, "bytes_received");
    assert_eq!(info.u32(152), 1, "data_segs_in");
    assert_eq!(info.u64(200), 5000, "bytes_sent");
    assert!(info.u32(228) > 0 && info.u32(232) > 0, "windows");
}

#[test]
fn a_connection_that_has_lost_data() {
    let mut p = Process::new();
    let link = p
        .posix
        .stack_mut()
        .add_interface(estab_stack::InterfaceConfig {
            name: "silent".into(),
            medium: estab_stack::Medium::Ip,
            hardware_address: [0; 6],
            mtu: 1500,
            checksum_offload: false,
            segmentation_offload: 0,
        });
    let cidr = estab_stack::Cidr {
        address: [192, 0, 2, 1].into(),
        prefix_len: 24,
    };
    p.posix
        .stack_mut()
        .add_address(link, cidr)
        .expect("an address");
    let fd = p.socket_nonblock(TCP);
    let to = common::v4("192.0.2.9:80");
    let _ = p.connect(fd, &to);
    p.pass(Duration::from_millis(3500));
    let info = Info::of(&mut p, fd);
    assert_eq!(info.u8(0), 2, "SYN-SENT");
    assert_eq!(info.u8(2), 2, "retransmits");
    assert_eq!(info.u8(4), 2, "backoff");
    assert_eq!(info.u32(8), 4_000_000, "rto");
    assert_eq!(info.u32(148), u32::MAX, "min_rtt is not known");
}

#[test]
fn states_by_linux_numbers() {
    let mut p = Process::new();
    let state = |p: &mut Process, fd: i32| Info::of(p, fd).u8(0);
    let fresh = p.socket(TCP);
    assert_eq!(state(&mut p, fresh), 7, "CLOSE");
    let (listener, address) = p.listener();
    assert_eq!(state(&mut p, listener), 10, "LISTEN");
    p.connect(fresh, address.as_bytes()).expect("connected");
    let info = Info::of(&mut p, listener);
    assert_eq!((info.u32(24), info.u32(28)), (1, 8), "queue and backlog");
    let (a, b) = p.pair();
    p.shutdown(a, libc::SHUT_WR).expect("shut down");
    p.pass(Duration::from_millis(300));
    assert_eq!(state(&mut p, a), 5, "FIN-WAIT-2");
    assert_eq!(state(&mut p, b), 8, "CLOSE-WAIT");
    p.shutdown(b, libc::SHUT_WR).expect("shut down");
    assert_eq!(
        state(&mut p, a),
        7,
        "the socket of a connection in TIME-WAIT"
    );
    assert_eq!(state(&mut p, b), 7);
    assert_eq!(p.posix.stack().counters().time_wait, 1);
}

#[test]
fn it_is_cut_to_the_room() {
    let mut p = Process::new();
    let (a, _) = p.pair();
    let whole = Info::of(&mut p, a).0;
    assert_eq!(whole.len(), 280);
    for room in [0, 1, 104, 280, 300] {
        let info = p
            .posix
            .getsockopt(p.now, a, libc::SOL_TCP, libc::TCP_INFO, room);
        assert_eq!(info.expect("information"), whole[..room.min(280)]);
    }
}

#[test]
fn memory() {
    let mut p = Process::new();
    let (a, b) = p.pair();
    p.set_int(b, libc::SOL_SOCKET, libc::SO_RCVBUF, 50_000)
        .expect("set");
    p.write(a, &[0; 500]).expect("written");
    p.run();
    let memory = p.posix.getsockopt(p.now, b, libc::SOL_SOCKET, 55, 100);
    let memory = Info(memory.expect("memory"));
    assert_eq!(memory.0.len(), 36);
    assert_eq!((memory.u32(0), memory.u32(4)), (500, 100_000));
}
