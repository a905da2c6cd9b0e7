use alloc::collections::BTreeMap;
use bytes::{Buf, Bytes, BytesMut};
use core::ops::Bound::{Excluded, Unbounded};
use estab_wire::tcp::{SackBlock, SackBlocks, SeqNum};
use smallvec::SmallVec;

#[cfg(test)]
mod tests;

/// Text shorter than this is copied, so that it does not hold a device's buffer.
const SHARE_MIN: usize = 8 << 10;
/// Copied text that continues a piece joins it up to this size.
const GATHER_MAX: usize = 16 << 10;
/// What a piece costs beside its bytes: its place in two half-empty trees, and the allocator's.
const PIECE_OVERHEAD: usize = 192;
/// How many runs are remembered by the time they changed; more than fit in an option, since runs join.
const RECENT: usize = 8;

/// Text that came before the text in front of it: a sorted set of pieces that do not overlap.
///
/// Bytes that are held win over bytes that come later for the same place. Every operation takes logarithmic time in
/// the number of pieces, plus what it adds or joins; the caller's limit bounds the memory, in which each piece counts
/// with an overhead, so that a flood of single bytes is bounded too.
#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    /// By position; positions do not wrap. They never overlap.
    pieces: BTreeMap<u64, Piece>,
    /// Start and end of each run of pieces without a hole. They never touch.
    runs: BTreeMap<u64, u64>,
    /// A position in each of the runs that changed last, the latest first.
    recent: SmallVec<[u64; RECENT]>,
    /// This sequence number is at that position.
    base: (SeqNum, u64),
    len: usize,
    memory: usize,
}

#[derive(Debug)]
enum Piece {
    /// A slice of the buffer that it came in.
    Shared(Bytes),
    /// A copy, to which what follows is added.
    Gathered(BytesMut),
}

/// What `insert` did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inserted {
    /// Bytes that are held now and were not before.
    pub(crate) added: usize,
    /// The first part of the text that was held already, for a D-SACK (RFC 2883). Text before RCV.NXT is not looked at.
    pub(crate) duplicate: Option<SackBlock>,
    /// The limit was reached: some of the text is not kept.
    pub(crate) refused: bool,
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Self::Shared(bytes) => bytes.len(),
            Self::Gathered(bytes) => bytes.len(),
        }
    }

    fn memory(&self) -> usize {
        PIECE_OVERHEAD
            + match self {
                Self::Shared(bytes) => bytes.len(),
                Self::Gathered(bytes) => bytes.capacity(),
            }
    }
}

impl Reassembly {
    /// Nothing held, no memory.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Bytes held.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Nothing held?
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Bytes of memory, with what the pieces cost beside their text.
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }

    /// Keeps the text that begins at `seq`, as far as it is after RCV.NXT, not held, and within `limit` bytes of
    /// [`memory`](Self::memory).
    pub(crate) fn insert(
        &mut self,
        seq: SeqNum,
        mut data: Bytes,
        rcv_nxt: SeqNum,
        limit: usize,
    ) -> Inserted {
        let floor = self.rebase(rcv_nxt);
        let end = floor as i64 + i64::from(seq.since(rcv_nxt) as i32) + data.len() as i64;
        let mut inserted = Inserted::default();
        if end <= floor as i64 {
            return inserted;
        }
        let end = end as u64;
        let length = data.len().min((end - floor) as usize);
        data.advance(data.len() - length);
        let start = end - length as u64;
        if length == 0 {
            return inserted;
        }

        // The run that begins at or before the text and reaches it, then each run that begins inside.
        let mut at = start;
        let mut run = (start, start);
        if let Some((&left, &right)) = self.runs.range(..=start).next_back()
            && right >= start
        {
            run = (left, right);
            self.pass(&mut inserted, &mut at, start, right.min(end));
        }
        while at < end {
            let next = self
                .runs
                .range((Excluded(at), Unbounded))
                .next()
                .map(|(&left, &right)| (left, right))
                .filter(|&(left, _)| left <= end);
            let gap_end = next.map_or(end, |(left, _)| left);
            if gap_end > at {
                let gap = data.slice((at - start) as usize..(gap_end - start) as usize);
                let length = gap.len();
                if !self.keep(at, gap, limit) {
                    inserted.refused = true;
                    break;
                }
                inserted.added += length;
                at = gap_end;
                run.1 = gap_end;
            }
            if let Some((left, right)) = next {
                self.runs.remove(&left);
                run.1 = right;
                self.pass(&mut inserted, &mut at, left, right.min(end));
            }
        }
        if run.1 > run.0 {
            self.runs.insert(run.0, run.1);
            self.touch(run);
        }
        inserted
    }

    /// Takes the next piece out, when it begins at or before RCV.NXT; what is before RCV.NXT is cut off. Call until
    /// `None`, RCV.NXT moved past each piece.
    pub(crate) fn pop(&mut self, rcv_nxt: SeqNum) -> Option<Bytes> {
        let floor = self.rebase(rcv_nxt);
        while let Some(entry) = self.pieces.first_entry() {
            let start = *entry.key();
            if start > floor {
                break;
            }
            let piece = entry.remove();
            let end = start + piece.len() as u64;
            self.len -= piece.len();
            self.memory -= piece.memory();
            if let Some((_, right)) = self.runs.pop_first()
                && right > end
            {
                self.runs.insert(end, right);
            }
            if end > floor {
                let mut bytes = match piece {
                    Piece::Shared(bytes) => bytes,
                    Piece::Gathered(bytes) => bytes.freeze(),
                };
                bytes.advance((floor - start) as usize);
                return Some(bytes);
            }
        }
        None
    }

    /// The runs held, at most `max`, the one that changed last first, then those reported before, then the lowest.
    ///
    /// RFC 2018 section 4: the first block holds the segment that caused this acknowledgement.
    pub(crate) fn sack_blocks(&self, max: usize) -> SackBlocks {
        let mut blocks = SackBlocks::new();
        let max = max.min(blocks.capacity());
        let recent = self.recent.iter().filter_map(|&position| {
            let (&left, &right) = self.runs.range(..=position).next_back()?;
            (right > position).then_some((left, right))
        });
        // At most `max` of the lowest runs can stand among the blocks already.
        let lowest = self
            .runs
            .iter()
            .take(2 * max)
            .map(|(&left, &right)| (left, right));
        for (left, right) in recent.chain(lowest) {
            if blocks.len() == max {
                break;
            }
            let block = SackBlock {
                left: self.seq(left),
                right: self.seq(right),
            };
            if !blocks.contains(&block) {
                blocks.push(block);
            }
        }
        blocks
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Moves over a part that is held already, and notes the first such part.
    fn pass(&self, inserted: &mut Inserted, at: &mut u64, left: u64, right: u64) {
        if right > left && inserted.duplicate.is_none() {
            inserted.duplicate = Some(SackBlock {
                left: self.seq(left),
                right: self.seq(right),
            });
        }
        *at = (*at).max(right);
    }

    /// Stores text that overlaps nothing; `false` when the limit does not allow it.
    fn keep(&mut self, start: u64, data: Bytes, limit: usize) -> bool {
        let length = data.len();
        if length < SHARE_MIN
            && let Some((&left, Piece::Gathered(gathered))) =
                self.pieces.range_mut(..start).next_back()
            && left + gathered.len() as u64 == start
            && gathered.len() + length <= GATHER_MAX
        {
            let needed = gathered.len() + length;
            if needed > gathered.capacity() {
                let capacity = needed.next_power_of_two().max(16);
                let growth = capacity - gathered.capacity();
                if self.memory + growth > limit {
                    return false;
                }
                let mut larger = BytesMut::with_capacity(capacity);
                larger.extend_from_slice(gathered);
                self.memory += larger.capacity() - gathered.capacity();
                *gathered = larger;
            }
            gathered.extend_from_slice(&data);
            self.len += length;
            return true;
        }
        if self.memory + PIECE_OVERHEAD + length > limit {
            return false;
        }
        let piece = if length < SHARE_MIN {
            Piece::Gathered(BytesMut::from(&data[..]))
        } else {
            Piece::Shared(data)
        };
        self.memory += piece.memory();
        self.len += length;
        self.pieces.insert(start, piece);
        true
    }

    /// Puts a run in front of the recently changed ones.
    fn touch(&mut self, (left, right): (u64, u64)) {
        self.recent
            .retain(|position| *position < left || *position >= right);
        self.recent.truncate(RECENT - 1);
        // The last byte: runs lose only their front.
        self.recent.insert(0, right - 1);
    }

    /// Lets positions follow RCV.NXT, whose position is returned: sequence numbers are then compared only with it.
    fn rebase(&mut self, rcv_nxt: SeqNum) -> u64 {
        let (seq, position) = self.base;
        let position = if self.pieces.is_empty() {
            self.recent.clear();
            0
        } else {
            position + u64::from(rcv_nxt.since(seq))
        };
        self.base = (rcv_nxt, position);
        position
    }

    fn seq(&self, position: u64) -> SeqNum {
        let (seq, base) = self.base;
        seq + position.wrapping_sub(base) as u32
    }
}
