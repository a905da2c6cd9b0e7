//! A datagram that is too long for its path, in fragments (RFC 791 section 3.2, RFC 8200 section 4.5).

use super::output::put_u16;
use crate::{HeaderBuffer, PacketOut};
use estab_wire::ipv6::FragmentHeader;
use estab_wire::{ipv4, ipv6, protocol};

/// The fragments of a packet, in order. Each is made when it is asked for, so that a packet in the queue costs one
/// header; the payload is shared.
#[derive(Debug)]
pub(super) struct Fragments {
    whole: PacketOut,
    /// Length of the link header.
    link: usize,
    mtu: usize,
    identification: u32,
    /// Bytes behind the IP header that were sent.
    at: usize,
}

impl Fragments {
    /// Of a packet with complete checksums, whose IP header has no options and no extension headers.
    pub(super) const fn new(
        whole: PacketOut,
        link: usize,
        mtu: usize,
        identification: u32,
    ) -> Self {
        Self {
            whole,
            link,
            mtu,
            identification,
            at: 0,
        }
    }

    fn is_v6(&self) -> bool {
        self.whole
            .header
            .get(self.link)
            .is_some_and(|byte| byte >> 4 == 6)
    }
}

impl Iterator for Fragments {
    type Item = PacketOut;

    fn next(&mut self) -> Option<PacketOut> {
        let v6 = self.is_v6();
        let (ip, overhead) = if v6 {
            (ipv6::HEADER_LEN, ipv6::HEADER_LEN + FragmentHeader::LEN)
        } else {
            (ipv4::HEADER_LEN, ipv4::HEADER_LEN)
        };
        let before = self.link + ip;
        let own = self.whole.header.get(before..)?;
        let total = own.len() + self.whole.payload.len();
        let start = self.at;
        if start >= total {
            return None;
        }
        // All but the last are multiples of 8 bytes. An MTU without room for so many cannot be kept.
        let unit = (self.mtu.saturating_sub(overhead) & !7).max(8);
        let end = total.min(start + unit);
        let more = end < total;

        let mut header = HeaderBuffer::new();
        header.extend(self.whole.header.get(..before)?.iter().copied());
        if v6 {
            self.ipv6_headers(&mut header, start, end, more);
        } else {
            self.ipv4_header(&mut header, start, end, more);
        }
        // With a tiny MTU the transport header may end in a later fragment than the first.
        let (from, to) = (start.min(own.len()), end.min(own.len()));
        header.extend(own.get(from..to)?.iter().copied());
        let payload = self.whole.payload.slice(
            start.max(own.len()) - own.len(),
            end.max(own.len()) - own.len(),
        );
        self.at = end;
        Some(PacketOut {
            header,
            payload,
            checksum: None,
            segment_size: 0,
        })
    }
}

impl Fragments {
    fn ipv4_header(&self, header: &mut HeaderBuffer, start: usize, end: usize, more: bool) {
        let Some(ip) = header.get_mut(self.link..) else {
            return;
        };
        if let Ok(mut parsed) = ipv4::Header::parse_quoted(ip)
            && let Some(out) = ip.first_chunk_mut()
        {
            parsed.identification = self.identification as u16;
            parsed.total_len = (ipv4::HEADER_LEN + end - start) as u16;
            parsed.fragment_offset = start as u16;
            parsed.more_fragments = more;
            parsed.emit(out);
        }
    }

    fn ipv6_headers(&self, header: &mut HeaderBuffer, start: usize, end: usize, more: bool) {
        let Some(announced) = header.get_mut(self.link + 6) else {
            return;
        };
        let next_header = core::mem::replace(announced, protocol::FRAGMENT);
        put_u16(
            header,
            self.link + 4,
            (FragmentHeader::LEN + end - start) as u16,
        );
        let mut extension = [0; FragmentHeader::LEN];
        FragmentHeader {
            next_header,
            fragment_offset: start as u16,
            more_fragments: more,
            identification: self.identification,
        }
        .emit(&mut extension);
        header.extend(extension);
    }
}
