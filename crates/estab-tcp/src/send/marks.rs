//! Where the application's writes and records end in the sequence space that is not acknowledged.

use alloc::collections::VecDeque;
use estab_wire::tcp::SeqNum;

/// Ends of writes that are remembered: a sender of many tiny segments shall not take memory for them without end.
const WRITES_MAX: usize = 64;

/// Ends of writes, at which segments have PSH, when they are sent again too; and of records (`MSG_EOR`), beyond which no segment
/// reaches.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// In order; true: of a record.
    ends: VecDeque<(SeqNum, bool)>,
    records: usize,
}

impl Marks {
    /// A write, and with `record` a record, ends at `end`, SND.NXT being `nxt`. The write melts with the one before when nothing of that
    /// one's end was sent yet: they are pushed once.
    pub(super) fn set(&mut self, end: SeqNum, record: bool, nxt: SeqNum) {
        if let Some((last, ended)) = self.ends.back().copied()
            && (last == end || (!ended && last.after(nxt)))
        {
            self.ends.pop_back();
            self.records -= usize::from(ended);
            return self.push(end, record || ended);
        }
        if record || self.ends.len() < WRITES_MAX {
            self.push(end, record);
        }
    }

    fn push(&mut self, end: SeqNum, record: bool) {
        self.ends.push_back((end, record));
        self.records += usize::from(record);
    }

    /// Everything before `una` is acknowledged.
    pub(super) fn forget(&mut self, una: SeqNum) {
        while let Some((_, record)) = self.ends.pop_front_if(|(end, _)| end.at_or_before(una)) {
            self.records -= usize::from(record);
        }
    }

    /// Records whose ends are held.
    pub(super) fn records(&self) -> usize {
        self.records
    }

    /// Does a write or a record end among the bytes from `from` up to `to`?
    pub(crate) fn is_pushed(&self, from: SeqNum, to: SeqNum) -> bool {
        let next = self.ends.partition_point(|(end, _)| !end.after(from));
        self.ends.get(next).is_some_and(|(end, _)| !end.after(to))
    }

    /// Of `len` bytes from `seq`, those before the next end of a record.
    pub(crate) fn within_record(&self, seq: SeqNum, len: u32) -> u32 {
        if self.records == 0 {
            return len;
        }
        let next = self.ends.partition_point(|(end, _)| !end.after(seq));
        let mut rest = self.ends.range(next..);
        let record = rest.find(|(_, record)| *record);
        record.map_or(len, |(end, _)| len.min(end.since(seq)))
    }

    /// Of `len` bytes from `seq` that are sent again, those up to the first end of a write that fills at least a segment of `mss`
    /// bytes: what was sent as several segments, each pushed, is so again.
    pub(crate) fn within_write(&self, seq: SeqNum, len: u32, mss: u32) -> u32 {
        let next = self.ends.partition_point(|(end, _)| end.before(seq + mss));
        let rest = self.ends.get(next);
        rest.map_or(len, |(end, _)| len.min(end.since(seq)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsent_writes_melt_and_sent_ones_stay() {
        let mut marks = Marks::default();
        marks.set(SeqNum(100), false, SeqNum(0));
        marks.set(SeqNum(200), false, SeqNum(0));
        assert!(!marks.is_pushed(SeqNum(0), SeqNum(199)));
        assert!(marks.is_pushed(SeqNum(0), SeqNum(200)));
        marks.set(SeqNum(300), false, SeqNum(200));
        assert!(marks.is_pushed(SeqNum(0), SeqNum(200)));
        assert!(marks.is_pushed(SeqNum(200), SeqNum(300)));
        marks.forget(SeqNum(250));
        assert!(!marks.is_pushed(SeqNum(0), SeqNum(200)));
    }

    #[test]
    fn records_stay_though_nothing_was_sent() {
        let mut marks = Marks::default();
        marks.set(SeqNum(100), true, SeqNum(0));
        marks.set(SeqNum(200), false, SeqNum(0));
        assert_eq!(marks.records(), 1);
        assert_eq!(marks.within_record(SeqNum(0), 500), 100);
        assert_eq!(marks.within_record(SeqNum(100), 500), 500);
        marks.forget(SeqNum(100));
        assert_eq!(marks.records(), 0);
    }

    #[test]
    fn tiny_writes_take_bounded_memory() {
        let mut marks = Marks::default();
        for n in 1..10_000 {
            marks.set(SeqNum(n), false, SeqNum(n));
        }
        assert_eq!(marks.ends.len(), WRITES_MAX);
    }

    #[test]
    fn retransmissions_end_where_full_writes_did() {
        let mut marks = Marks::default();
        for n in 1..=4 {
            marks.set(SeqNum(n * 1000), false, SeqNum(n * 1000));
        }
        assert_eq!(marks.within_write(SeqNum(0), 3000, 1000), 1000);
        assert_eq!(marks.within_write(SeqNum(0), 3000, 1500), 2000);
        assert_eq!(marks.within_write(SeqNum(3500), 300, 1000), 300);
    }
}
