//! The virtio header before each packet (`linux/virtio_net.h`): what the other side need not do any more.

use crate::packet::{copy_prefix, link_header_len, segment_count};
use bytes::Bytes;
use estab_stack::{Checksum, Medium, PacketIn, PacketOut};
use rustix::ioctl::{IntegerSetter, Opcode, Setter, ioctl, opcode};
use std::io;
use std::os::fd::BorrowedFd;

/// Length of the header.
pub(super) const HEADER_LEN: usize = 10;

/// Flag: the checksum is partial, and to be completed from `csum_start` on.
const NEEDS_CSUM: u8 = 1;
/// Flag: the checksum was verified.
const DATA_VALID: u8 = 2;
const GSO_NONE: u8 = 0;
const GSO_TCPV4: u8 = 1;
const GSO_TCPV6: u8 = 4;
/// With the others: CWR is set, in the first segment only.
const GSO_ECN: u8 = 0x80;

const TUNSETOFFLOAD: Opcode = opcode::write::<libc::c_uint>(b'T', 208);
const TUNSETVNETHDRSZ: Opcode = opcode::write::<libc::c_int>(b'T', 216);
/// `TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN`: not UDP, whose large datagrams we do not take.
const OFFLOADS: usize = 0x0f;

/// Agrees with the kernel on what the header says. These settings are the device's, so an earlier user may have left
/// others.
pub(super) fn set_up(descriptor: BorrowedFd<'_>, offload: bool) -> io::Result<()> {
    let offloads = if offload { OFFLOADS } else { 0 };
    // SAFETY: TUNSETOFFLOAD takes an integer in place of a pointer.
    unsafe {
        let setter = IntegerSetter::<TUNSETOFFLOAD>::new_usize(offloads);
        ioctl(descriptor, setter)?;
    }
    if offload {
        // SAFETY: TUNSETVNETHDRSZ reads an int.
        unsafe {
            let setter = Setter::<TUNSETVNETHDRSZ, libc::c_int>::new(HEADER_LEN as i32);
            ioctl(descriptor, setter)?;
        }
    }
    Ok(())
}

/// The packet behind a header that the kernel wrote. `None`: they contradict each other.
pub(super) fn parse(header: &[u8; HEADER_LEN], data: Bytes) -> Option<PacketIn> {
    let [flags, gso_type, _, _, size_0, size_1, start_0, start_1, ..] = *header;
    let segment_size = u16::from_ne_bytes([size_0, size_1]);
    let checksum_start = usize::from(u16::from_ne_bytes([start_0, start_1]));
    let checksum = match flags & (NEEDS_CSUM | DATA_VALID) {
        0 => Checksum::Unverified,
        _ => Checksum::Valid,
    };
    let mut packet = PacketIn {
        data,
        checksum,
        segments: 1,
        segment_size: 0,
    };
    match gso_type & !GSO_ECN {
        GSO_NONE => {}
        GSO_TCPV4 | GSO_TCPV6 if flags & NEEDS_CSUM != 0 && segment_size != 0 => {
            let data_offset = packet.data.get(checksum_start + 12)? >> 4;
            let headers = checksum_start + usize::from(data_offset) * 4;
            let payload = packet.data.len().checked_sub(headers)?;
            packet.segments = segment_count(payload, segment_size);
            if packet.segments > 1 {
                packet.segment_size = segment_size;
            }
        }
        _ => return None,
    }
    Some(packet)
}

/// The header for a packet that we send.
pub(super) fn emit(medium: Medium, packet: &PacketOut) -> [u8; HEADER_LEN] {
    let Some(checksum) = packet.checksum else {
        return [0; HEADER_LEN];
    };
    let mut gso_type = GSO_NONE;
    let mut segment_size = 0;
    if packet.segment_size != 0 && packet.payload.len() > usize::from(packet.segment_size) {
        let mut prefix = [0; 160];
        copy_prefix(packet, &mut prefix);
        let version = prefix[link_header_len(medium)] >> 4;
        gso_type = if version == 6 { GSO_TCPV6 } else { GSO_TCPV4 };
        let tcp_flags = prefix.get(usize::from(checksum.start) + 13);
        if tcp_flags.is_some_and(|flags| flags & 0x80 != 0) {
            gso_type |= GSO_ECN;
        }
        segment_size = packet.segment_size;
    }
    let [len_0, len_1] = (packet.header.len() as u16).to_ne_bytes();
    let [size_0, size_1] = segment_size.to_ne_bytes();
    let [start_0, start_1] = checksum.start.to_ne_bytes();
    let [offset_0, offset_1] = checksum.offset.to_ne_bytes();
    [
        NEEDS_CSUM, gso_type, len_0, len_1, size_0, size_1, start_0, start_1, offset_0, offset_1,
    ]
}

#[cfg(test)]
mod tests {
    use super::{HEADER_LEN, emit, parse};
    use bytes::Bytes;
    use estab_stack::{Checksum, ChecksumOffload, HeaderBuffer, Medium, PacketIn, PacketOut};
    use estab_tcp::Chunks;

    /// Fields of a header: flags, type, header length, segment size, checksum start, checksum offset.
    type Fields = (u8, u8, [u16; 4]);

    fn bytes((flags, gso_type, words): Fields) -> [u8; HEADER_LEN] {
        let mut out = [flags, gso_type, 0, 0, 0, 0, 0, 0, 0, 0];
        for (to, word) in out[2..].chunks_mut(2).zip(words) {
            to.copy_from_slice(&word.to_ne_bytes());
        }
        out
    }

    /// A TCP packet whose header begins at `start`, with 20 bytes of it.
    fn packet(medium: Medium, v6: bool, tcp_flags: u8, text: usize, size: u16) -> PacketOut {
        let link = if medium == Medium::Ip { 0 } else { 14 };
        let start = link + if v6 { 40 } else { 20 };
        let mut header: HeaderBuffer = std::iter::repeat_n(0, start + 20).collect();
        header[link] = if v6 { 0x60 } else { 0x45 };
        header[start + 12] = 0x50;
        header[start + 13] = tcp_flags;
        PacketOut {
            header,
            payload: Chunks::from(Bytes::from(vec![0; text])),
            checksum: Some(ChecksumOffload {
                start: start as u16,
                offset: 16,
            }),
            segment_size: size,
        }
    }

    #[test]
    fn what_is_left_to_the_kernel_is_said() {
        let (ip, ethernet) = (Medium::Ip, Medium::Ethernet);
        for (medium, packet, expected) in [
            (ip, packet(ip, false, 0x10, 9, 0), (1, 0, [40, 0, 20, 16])),
            (
                ip,
                packet(ip, false, 0x10, 100, 100),
                (1, 0, [40, 0, 20, 16]),
            ),
            (
                ip,
                packet(ip, false, 0x10, 101, 100),
                (1, 1, [40, 100, 20, 16]),
            ),
            (
                ip,
                packet(ip, true, 0x10, 101, 100),
                (1, 4, [60, 100, 40, 16]),
            ),
            (
                ip,
                packet(ip, true, 0x90, 101, 100),
                (1, 0x84, [60, 100, 40, 16]),
            ),
            (
                ethernet,
                packet(ethernet, false, 0x90, 101, 100),
                (1, 0x81, [54, 100, 34, 16]),
            ),
        ] {
            assert_eq!(emit(medium, &packet), bytes(expected), "{expected:?}");
        }
        let mut whole = packet(ip, false, 0x10, 9, 0);
        whole.checksum = None;
        assert_eq!(emit(ip, &whole), [0; HEADER_LEN]);
    }

    #[test]
    fn what_the_kernel_says_is_understood() {
        let data = packet(Medium::Ip, false, 0x10, 250, 0).to_bytes();
        let parse = |fields| parse(&bytes(fields), data.clone());
        let facts = |packet: PacketIn| (packet.checksum, packet.segments, packet.segment_size);
        for (fields, expected) in [
            ((0, 0, [0; 4]), (Checksum::Unverified, 1, 0)),
            ((1, 0, [0, 0, 20, 16]), (Checksum::Valid, 1, 0)),
            ((2, 0, [0; 4]), (Checksum::Valid, 1, 0)),
            ((1, 1, [40, 100, 20, 16]), (Checksum::Valid, 3, 100)),
            ((1, 0x84, [40, 125, 20, 16]), (Checksum::Valid, 2, 125)),
            ((1, 1, [40, 250, 20, 16]), (Checksum::Valid, 1, 0)),
        ] {
            assert_eq!(parse(fields).map(facts), Some(expected), "{fields:?}");
        }
        for nonsense in [
            (1, 3, [40, 100, 20, 16]),
            (0, 1, [40, 100, 20, 16]),
            (1, 1, [40, 0, 20, 16]),
            (1, 1, [40, 100, 400, 16]),
            (1, 1, [40, 100, 0xffff, 16]),
        ] {
            assert!(parse(nonsense).is_none(), "{nonsense:?}");
        }
    }
}
