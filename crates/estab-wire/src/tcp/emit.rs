use super::{
    HEADER_LEN, HEADER_LEN_MAX, Header, Layout, Options, SegmentOptions, SynOptions, Timestamps,
    kind,
};

const TIMESTAMPS_LEN: usize = 12;
const SACK_BLOCK_LEN: usize = 8;

impl Header {
    /// Length of the header with its options, in bytes: 20 to 60, a multiple of 4.
    pub fn header_len(&self) -> usize {
        HEADER_LEN
            + match &self.options {
                Options::Syn(options) => options.len(),
                Options::Segment(options) => options.len(),
            }
    }

    /// Writes the header with its options into the beginning of `out` and gives its length. The checksum field is
    /// 0, to be replaced at [`CHECKSUM_OFFSET`](super::CHECKSUM_OFFSET).
    ///
    /// Options are laid out as Linux does: `mss, sackOK, TS, nop, wscale` in a SYN, `nop, nop, TS, nop, nop, sack`
    /// elsewhere. Of the SACK blocks as many are written as fit: three beside timestamps, else four.
    ///
    /// Writes nothing and gives 0 when `out` is shorter than [`header_len`](Self::header_len).
    pub fn emit(&self, out: &mut [u8]) -> usize {
        let len = self.header_len();
        debug_assert!(len <= HEADER_LEN_MAX && out.len() >= len);
        let Some((fixed, options)) = out
            .get_mut(..len)
            .and_then(|out| out.split_first_chunk_mut::<HEADER_LEN>())
        else {
            return 0;
        };
        *fixed = zerocopy::transmute!(Layout {
            src_port: self.src_port.into(),
            dst_port: self.dst_port.into(),
            seq: self.seq.0.into(),
            ack: self.ack.0.into(),
            // The reserved bits are those of `flags` that its maker had a reason to set.
            offset_flags: ((len as u16 / 4) << 12 | self.flags.bits()).into(),
            window: self.window.0.into(),
            checksum: 0.into(),
            urgent: self.urgent.into(),
        });
        let mut writer = Writer(options);
        match &self.options {
            Options::Syn(options) => options.emit(&mut writer),
            Options::Segment(options) => options.emit(&mut writer),
        }
        len
    }
}

/// Puts options one behind the other.
struct Writer<'a>(&'a mut [u8]);

impl Writer<'_> {
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        // The length was computed from the same options, so there is room.
        if let Some(out) = self.0.split_off_mut(..N) {
            out.copy_from_slice(&bytes);
        }
    }

    /// The two bytes before the option align its numbers to 4 bytes.
    fn timestamps(&mut self, before: [u8; 2], timestamps: Timestamps) {
        self.put(before);
        self.put([kind::TIMESTAMPS, 10]);
        self.put(timestamps.value.to_be_bytes());
        self.put(timestamps.echo.to_be_bytes());
    }
}

impl SynOptions {
    // RFC 9293 3.1 MUST-69: every option is padded in front to 4 bytes, so that nothing follows the last.
    fn len(&self) -> usize {
        let Self {
            mss,
            window_scale,
            sack_permitted,
            timestamps,
        } = self;
        let mut len = 0;
        if mss.is_some() {
            len += 4;
        }
        if timestamps.is_some() {
            len += TIMESTAMPS_LEN;
        } else if *sack_permitted {
            len += 4;
        }
        if window_scale.is_some() {
            len += 4;
        }
        len
    }

    fn emit(&self, writer: &mut Writer<'_>) {
        const SACK_PERMITTED: [u8; 2] = [kind::SACK_PERMITTED, 2];
        const NOPS: [u8; 2] = [kind::NOP, kind::NOP];
        let Self {
            mss,
            window_scale,
            sack_permitted,
            timestamps,
        } = self;
        if let Some(mss) = mss {
            writer.put([kind::MSS, 4]);
            writer.put(mss.to_be_bytes());
        }
        match (timestamps, sack_permitted) {
            // Permission takes the place of the two nops.
            (Some(timestamps), true) => writer.timestamps(SACK_PERMITTED, *timestamps),
            (Some(timestamps), false) => writer.timestamps(NOPS, *timestamps),
            (None, true) => {
                writer.put(NOPS);
                writer.put(SACK_PERMITTED);
            }
            (None, false) => {}
        }
        if let Some(shift) = window_scale {
            writer.put([kind::NOP, kind::WINDOW_SCALE, 3, *shift]);
        }
    }
}

impl SegmentOptions {
    fn len(&self) -> usize {
        let mut len = 0;
        if self.timestamps.is_some() {
            len += TIMESTAMPS_LEN;
        }
        match self.sack_blocks_that_fit() {
            0 => {}
            blocks => len += 4 + blocks * SACK_BLOCK_LEN,
        }
        len
    }

    fn sack_blocks_that_fit(&self) -> usize {
        let room = match self.timestamps {
            Some(_) => 3,
            None => 4,
        };
        self.sack.len().min(room)
    }

    fn emit(&self, writer: &mut Writer<'_>) {
        let Self { timestamps, sack } = self;
        if let Some(timestamps) = timestamps {
            writer.timestamps([kind::NOP, kind::NOP], *timestamps);
        }
        let blocks = self.sack_blocks_that_fit();
        if blocks > 0 {
            let len = 2 + blocks * SACK_BLOCK_LEN;
            writer.put([kind::NOP, kind::NOP, kind::SACK, len as u8]);
            for block in sack.iter().take(blocks) {
                writer.put(block.left.0.to_be_bytes());
                writer.put(block.right.0.to_be_bytes());
            }
        }
    }
}
