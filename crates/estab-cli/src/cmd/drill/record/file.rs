//! Packets from a pcapng or pcap file.

use crate::exit::Failure;
use anyhow::{Context, Result, anyhow, bail};
use estab_packetdrill::record::Captured;
use pcap_file::DataLink;
use pcap_file::pcap::PcapReader;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::{Block, PcapNgReader};
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;
use std::time::Duration;

/// The first bytes of a pcapng file.
const PCAPNG: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// Most packets of a script.
const PACKETS_MAX: usize = 100_000;
/// Microseconds, where an interface says nothing else.
const RESOLUTION: u8 = 6;

/// The IP packets of a file.
///
/// # Errors
/// It cannot be read, or is no capture.
pub(super) fn read(path: &Path) -> Result<Vec<Captured>> {
    let context = || format!("cannot read {}", path.display());
    let mut file = File::open(path)
        .with_context(context)
        .context(Failure::Usage)?;
    let mut magic = [0; 4];
    let is_pcapng = file.read_exact(&mut magic).is_ok() && magic == PCAPNG;
    file.rewind().with_context(context)?;
    let file = BufReader::new(file);
    let packets = if is_pcapng { pcapng(file) } else { pcap(file) };
    packets.with_context(context)
}

fn pcap(file: impl Read) -> Result<Vec<Captured>> {
    let mut reader = PcapReader::new(file)?;
    let link = reader.header().datalink;
    let mut packets = Vec::new();
    while let Some(packet) = reader.next_packet() {
        let packet = packet?;
        whole(packet.orig_len, &packet.data)?;
        add(&mut packets, link, packet.timestamp, &packet.data, None)?;
    }
    Ok(packets)
}

fn pcapng(file: impl Read) -> Result<Vec<Captured>> {
    let mut reader = PcapNgReader::new(file)?;
    let mut packets = Vec::new();
    while let Some(block) = reader.next_block() {
        let Block::EnhancedPacket(packet) = block? else {
            continue;
        };
        let packet = packet.into_owned();
        let interface = reader.packet_interface(&packet);
        let interface =
            interface.ok_or_else(|| anyhow!("a packet of an interface that is not described"))?;
        whole(packet.original_len, &packet.data)?;
        let (time, outbound) = (time(&packet, interface), outbound(&packet));
        add(
            &mut packets,
            interface.linktype,
            time,
            &packet.data,
            outbound,
        )?;
    }
    Ok(packets)
}

/// The reader takes all times for nanoseconds.
fn time(packet: &EnhancedPacketBlock<'_>, interface: &InterfaceDescriptionBlock<'_>) -> Duration {
    let told = interface.options.iter().find_map(|option| match option {
        InterfaceDescriptionOption::IfTsResol(resolution) => Some(*resolution),
        _ => None,
    });
    let units = packet.timestamp.as_nanos();
    let resolution = told.unwrap_or(RESOLUTION);
    let second = if resolution & 0x80 == 0 {
        10_u128.checked_pow(resolution.into())
    } else {
        1_u128.checked_shl((resolution & 0x7f).into())
    };
    let second = second.filter(|second| *second > 0).unwrap_or(1_000_000_000);
    let nanos = units.saturating_mul(1_000_000_000) / second;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

fn outbound(packet: &EnhancedPacketBlock<'_>) -> Option<bool> {
    packet.options.iter().find_map(|option| match option {
        EnhancedPacketOption::Flags(flags) => match flags & 3 {
            1 => Some(false),
            2 => Some(true),
            _ => None,
        },
        _ => None,
    })
}

/// Lengths and checksums of a packet that was cut short tell nothing.
fn whole(original: u32, data: &[u8]) -> Result<()> {
    if usize::try_from(original).is_ok_and(|original| original > data.len()) {
        bail!("its packets were cut short: capture them whole (tcpdump -s 0)");
    }
    Ok(())
}

fn add(
    packets: &mut Vec<Captured>,
    link: DataLink,
    time: Duration,
    frame: &[u8],
    outbound: Option<bool>,
) -> Result<()> {
    if packets.len() >= PACKETS_MAX {
        bail!("there are more than {PACKETS_MAX} packets");
    }
    let Some(data) = ip(link, frame)? else {
        return Ok(());
    };
    packets.push(Captured {
        time,
        data: trimmed(data).to_vec(),
        outbound,
    });
    Ok(())
}

/// The IP packet of a frame, if it carries one.
fn ip(link: DataLink, frame: &[u8]) -> Result<Option<&[u8]>> {
    let (kind, len) = match link {
        DataLink::RAW | DataLink::IPV4 | DataLink::IPV6 => return Ok(Some(frame)),
        // The kind stands in the two bytes before the packet.
        DataLink::ETHERNET => (12, 14),
        DataLink::LINUX_SLL => (14, 16),
        // A family in the byte order of the host; the packet tells its own version.
        DataLink::NULL | DataLink::LOOP => return Ok(frame.get(4..)),
        other => bail!("a link of kind {other:?} is not understood"),
    };
    let is_ip = matches!(frame.get(kind..kind + 2), Some([0x08, 0x00] | [0x86, 0xdd]));
    Ok(frame.get(len..).filter(|_| is_ip))
}

/// Without what pads a short frame.
fn trimmed(packet: &[u8]) -> &[u8] {
    let len = match packet {
        [first, _, high, low, ..] if first >> 4 == 4 => u16::from_be_bytes([*high, *low]).into(),
        [first, _, _, _, high, low, ..] if first >> 4 == 6 => {
            40 + usize::from(u16::from_be_bytes([*high, *low]))
        }
        _ => packet.len(),
    };
    packet.get(..len).unwrap_or(packet)
}
