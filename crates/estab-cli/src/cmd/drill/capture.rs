//! The packets of a run as a capture.

use crate::capture_file;
use anyhow::{Context, Result};
use estab_packetdrill::Report;
use estab_stack::Medium;
use estab_trace::pcapng::{Direction, PcapngWriter};
use std::io::BufWriter;
use std::path::Path;

/// Writes the packets that the subject sent and received, with what was noted of each. The script's time begins in 1970.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write(path: &Path, report: &Report) -> Result<()> {
    let context = || format!("cannot write {}", path.display());
    let file = capture_file::create_named(path)?;
    let mut capture = PcapngWriter::new(BufWriter::new(file)).with_context(context)?;
    let interface = capture
        .add_interface("tun0", Medium::Ip)
        .with_context(context)?;
    for packet in &report.packets {
        let direction = if packet.outbound {
            Direction::Out
        } else {
            Direction::In
        };
        let written = capture.write_packet(
            interface,
            packet.time,
            direction,
            &packet.data,
            &packet.comments,
        );
        written.with_context(context)?;
    }
    capture.flush().with_context(context)
}
