use arrayvec::ArrayVec;
use bytes::Bytes;
use estab_tcp::Chunks;

/// What a device carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// IP packets (TUN).
    Ip,
    /// Ethernet frames.
    Ethernet,
}

/// What is known of the transport checksum of a packet that came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checksum {
    /// Nothing: verify it.
    #[default]
    Unverified,
    /// The device vouches for it, or it never left this machine (`VIRTIO_NET_HDR_F_DATA_VALID`, `NEEDS_CSUM`).
    Valid,
}

/// A packet or frame that came in: one wire packet, or several that the device coalesced.
#[derive(Clone, Debug)]
pub struct PacketIn {
    /// From the first byte of the medium's header.
    pub data: Bytes,
    /// State of the transport checksum.
    pub checksum: Checksum,
    /// How many wire segments it was made of, at least 1.
    pub segments: u16,
    /// Transport payload of each of them but the last; 0 when `segments` is 1.
    pub segment_size: u16,
}

impl From<Bytes> for PacketIn {
    fn from(data: Bytes) -> Self {
        Self {
            data,
            checksum: Checksum::Unverified,
            segments: 1,
            segment_size: 0,
        }
    }
}

/// Room for link, network and transport headers.
pub type HeaderBuffer = ArrayVec<u8, 160>;

/// A partial transport checksum that the device must complete: it sums from `start` to the end of the packet and
/// stores the result at `start + offset`. The pseudo-header is already in the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChecksumOffload {
    /// Where the transport header begins, from the start of the packet.
    pub start: u16,
    /// Where in it the checksum field lies.
    pub offset: u16,
}

/// A packet or frame to send: headers, and the chunks behind them.
#[derive(Clone, Debug)]
pub struct PacketOut {
    /// Link, network and transport headers.
    pub header: HeaderBuffer,
    /// What follows them.
    pub payload: Chunks,
    /// The checksum that is left to the device; `None` when complete. Only to devices that said they can.
    pub checksum: Option<ChecksumOffload>,
    /// Where a device with segmentation offload cuts the TCP payload; 0: one wire packet.
    pub segment_size: u16,
}

impl PacketOut {
    /// Bytes of the packet.
    pub fn len(&self) -> usize {
        self.header.len() + self.payload.len()
    }

    /// No byte at all? Never true of a packet that the stack made.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies the packet into one piece.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = alloc::vec::Vec::with_capacity(self.len());
        out.extend_from_slice(&self.header);
        for piece in self.payload.pieces() {
            out.extend_from_slice(piece);
        }
        out.into()
    }
}
