use super::{
    Flags, HEADER_LEN, Header, Layout, Options, SackBlock, SackBlocks, SegmentOptions, SeqNum,
    SynOptions, Timestamps, UnscaledWindow, kind,
};
use crate::Error;
use zerocopy::FromBytes;

impl Header {
    /// Reads the header of a segment and gives the offset of its payload. The checksum is not looked at: see
    /// [`verify`](super::verify).
    ///
    /// Only lengths can make a header bad. Unknown options are skipped, and so are known ones with a length that is
    /// not theirs; an option that runs out of the header, or has a length less than 2, ends the list. Of an option
    /// that comes twice the last counts. Options of the other kind of segment are skipped like unknown ones.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`]; [`Error::Malformed`] when the data offset is less than 5.
    #[inline]
    pub fn parse(segment: &[u8]) -> Result<(Self, usize), Error> {
        let Ok((layout, _)) = Layout::ref_from_prefix(segment) else {
            return Err(Error::Truncated);
        };
        let payload_offset = usize::from(layout.offset_flags.get() >> 12) * 4;
        if payload_offset < HEADER_LEN {
            return Err(Error::Malformed);
        }
        let Some(options) = segment.get(HEADER_LEN..payload_offset) else {
            return Err(Error::Truncated);
        };
        let mut header = layout.header();
        match &mut header.options {
            Options::Syn(out) => syn_options(options, out),
            Options::Segment(out) => segment_options(options, out),
        }
        Ok((header, payload_offset))
    }

    /// Reads a header that an ICMP message quotes, of which no more than 8 bytes need be there: source port,
    /// destination port and sequence number.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`].
    pub fn parse_quoted(segment: &[u8]) -> Result<(u16, u16, SeqNum), Error> {
        let Some(&[a, b, c, d, e, f, g, h]) = segment.first_chunk() else {
            return Err(Error::Truncated);
        };
        Ok((
            u16::from_be_bytes([a, b]),
            u16::from_be_bytes([c, d]),
            SeqNum(u32::from_be_bytes([e, f, g, h])),
        ))
    }
}

impl Layout {
    /// Without what its options say.
    fn header(&self) -> Header {
        let flags = Flags::from_bits(self.offset_flags.get());
        Header {
            src_port: self.src_port.get(),
            dst_port: self.dst_port.get(),
            seq: SeqNum(self.seq.get()),
            ack: SeqNum(self.ack.get()),
            flags,
            window: UnscaledWindow(self.window.get()),
            urgent: self.urgent.get(),
            options: if flags.syn() {
                Options::Syn(SynOptions::default())
            } else {
                Options::NONE
            },
        }
    }
}

/// Calls `option` with kind and data of each option.
//
// RFC 9293 3.1 MUST-4: no-operation and end of list here, MSS in `syn_options`.
// RFC 9293 3.1 MUST-5, MUST-6, MUST-68: options are looked for in every segment; all but two have a length, by
// which the unknown ones are skipped.
// RFC 9293 3.1 MUST-7: an illegal length ends the list, and nothing worse: the segment counts without the rest.
// RFC 9293 3.2 MUST-64: nothing is assumed about alignment.
fn for_each(mut options: &[u8], mut option: impl FnMut(u8, &[u8])) {
    loop {
        match *options {
            [kind::NOP, ref rest @ ..] => options = rest,
            [] | [kind::END, ..] => return,
            [kind, len, ref rest @ ..] => {
                let Some((data, rest)) = usize::from(len)
                    .checked_sub(2)
                    .and_then(|len| rest.split_at_checked(len))
                else {
                    return;
                };
                option(kind, data);
                options = rest;
            }
            [_] => return,
        }
    }
}

fn syn_options(options: &[u8], out: &mut SynOptions) {
    for_each(options, |kind, data| match (kind, data) {
        (kind::MSS, &[a, b]) => out.mss = Some(u16::from_be_bytes([a, b])),
        (kind::WINDOW_SCALE, &[shift]) => out.window_scale = Some(shift),
        (kind::SACK_PERMITTED, []) => out.sack_permitted = true,
        (kind::TIMESTAMPS, data) => {
            if let Ok(data) = data.try_into() {
                out.timestamps = Some(timestamps(data));
            }
        }
        _ => {}
    });
}

fn segment_options(mut options: &[u8], out: &mut SegmentOptions) {
    // The layout that RFC 7323 recommends, and that nearly every segment has.
    if let Some((&[kind::NOP, kind::NOP, kind::TIMESTAMPS, 10, ref data @ ..], rest)) =
        options.split_first_chunk::<12>()
    {
        out.timestamps = Some(timestamps(data));
        options = rest;
    }
    for_each(options, |kind, data| match kind {
        kind::TIMESTAMPS => {
            if let Ok(data) = data.try_into() {
                out.timestamps = Some(timestamps(data));
            }
        }
        kind::SACK => {
            let (blocks, rest) = data.as_chunks::<8>();
            if !blocks.is_empty() && rest.is_empty() {
                out.sack = sack(blocks);
            }
        }
        _ => {}
    });
}

fn timestamps(&[a, b, c, d, e, f, g, h]: &[u8; 8]) -> Timestamps {
    Timestamps {
        value: u32::from_be_bytes([a, b, c, d]),
        echo: u32::from_be_bytes([e, f, g, h]),
    }
}

/// 40 bytes of options have room for no more than 4 blocks.
fn sack(blocks: &[[u8; 8]]) -> SackBlocks {
    blocks
        .iter()
        .take(SackBlocks::new_const().capacity())
        .map(|&[a, b, c, d, e, f, g, h]| SackBlock {
            left: SeqNum(u32::from_be_bytes([a, b, c, d])),
            right: SeqNum(u32::from_be_bytes([e, f, g, h])),
        })
        .collect()
}
