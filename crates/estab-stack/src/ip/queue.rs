//! The queues: of packets towards the devices, and of those to ourselves.

use super::fragments::Fragments;
use super::output::{Packet, push_ip_header};
use super::path::LOOPBACK_MTU;
use super::{IpCx, IpLayer};
use crate::segmentation::{Cuts, cut};
use crate::{Checksum, Error, HeaderBuffer, HostEvent, InterfaceId, Medium, PacketIn, PacketOut};
use estab_tcp::Interest;
use estab_tcp::event::DropReason;

/// Packets that may wait for `poll_transmit`. The driver empties the queue after each batch of input.
pub(super) const OUTPUT_MAX: usize = 4096;
/// Packets that may wait for `poll_loopback`.
const LOOPBACK_MAX: usize = 1024;
/// What is still to be done to a packet in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Nothing.
    Whole,
    /// It is a super-segment, and its device does not cut it.
    Segments,
    /// It is too long for its path.
    Fragments { mtu: usize, identification: u32 },
}

/// A packet that is handed out piece by piece.
#[derive(Debug)]
pub(super) enum Cutting {
    Segments(Cuts),
    Fragments(Fragments),
}

impl Iterator for Cutting {
    type Item = PacketOut;

    fn next(&mut self) -> Option<PacketOut> {
        match self {
            Self::Segments(cuts) => cuts.next(),
            Self::Fragments(fragments) => fragments.next(),
        }
    }
}

/// A packet on its way to a device, or several that are not cut yet.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) interface: InterfaceId,
    pub(super) packet: PacketOut,
    pub(super) work: Work,
}

impl IpLayer {
    /// Queues what needs nothing any more.
    pub(super) fn push_output(&mut self, queued: Queued) {
        if self.output.len() < OUTPUT_MAX {
            self.output.push_back(queued);
        } else {
            self.counters.output_overflows += 1;
        }
    }

    /// To ourselves: one copy into a packet as it would come from a device.
    pub(super) fn loop_back(&mut self, cx: &mut IpCx<'_>, packet: Packet<'_>) -> Result<(), Error> {
        let super_segment = packet.is_super_segment();
        let too_long = packet.len() > usize::from(LOOPBACK_MTU);
        if too_long && !super_segment {
            self.counters.too_long += 1;
            return Err(Error::MessageTooLong);
        }
        let mut header = HeaderBuffer::new();
        let len = packet.len().min(LOOPBACK_MTU.into()) as u16;
        push_ip_header(&mut header, cx, &packet, len, 0);
        header
            .try_extend_from_slice(packet.header)
            .map_err(|_| Error::Invalid)?;
        let segment_size = if super_segment {
            packet.segment_size
        } else {
            0
        };
        let whole = PacketOut {
            header,
            payload: packet.payload,
            checksum: None,
            segment_size,
        };
        if too_long && let Some(cuts) = cut(Medium::Ip, &whole) {
            for wire in cuts {
                self.push_looped(cx, &wire)?;
            }
            return Ok(());
        }
        self.push_looped(cx, &whole)
    }

    fn push_looped(&mut self, cx: &mut IpCx<'_>, packet: &PacketOut) -> Result<(), Error> {
        if self.looped.len() >= LOOPBACK_MAX {
            self.counters.loopback_overflows += 1;
            cx.drop(DropReason::NoRoom);
            return Err(Error::NoBuffers);
        }
        let size = usize::from(packet.segment_size);
        let segments = if size == 0 {
            1
        } else {
            packet.payload.len().div_ceil(size)
        };
        self.looped.push_back(PacketIn {
            data: packet.to_bytes(),
            checksum: Checksum::Valid,
            segments: segments as u16,
            segment_size: packet.segment_size,
        });
        self.counters.looped += 1;
        Ok(())
    }

    /// The next packet for a device.
    pub(crate) fn poll_transmit(&mut self, cx: &mut IpCx<'_>) -> Option<(InterfaceId, PacketOut)> {
        let (interface, packet) = self.next_packet()?;
        self.counters.packets_out += 1;
        cx.report(Interest::PACKET, || HostEvent::PacketOut {
            interface,
            packet: &packet,
        });
        Some((interface, packet))
    }

    fn next_packet(&mut self) -> Option<(InterfaceId, PacketOut)> {
        loop {
            if let Some((interface, cutting)) = &mut self.cutting {
                if let Some(packet) = cutting.next() {
                    return Some((*interface, packet));
                }
                self.cutting = None;
            }
            let Queued {
                interface,
                packet,
                work,
            } = self.output.pop_front()?;
            let entry = self.interface(interface)?;
            let cutting = match work {
                Work::Whole => return Some((interface, packet)),
                Work::Segments => match cut(entry.config.medium, &packet) {
                    Some(cuts) => Cutting::Segments(cuts),
                    None => return Some((interface, packet)),
                },
                Work::Fragments {
                    mtu,
                    identification,
                } => {
                    let link = entry.link_header_len();
                    Cutting::Fragments(Fragments::new(packet, link, mtu, identification))
                }
            };
            self.cutting = Some((interface, cutting));
        }
    }
}
