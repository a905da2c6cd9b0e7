use super::*;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

const NO_LIMIT: usize = usize::MAX;

/// Text whose bytes tell which segment brought them.
fn text(id: u8, len: usize) -> Bytes {
    vec![id; len].into()
}

/// The naive model: a cell for each byte after RCV.NXT.
struct Model {
    origin: SeqNum,
    rcv_nxt: usize,
    cells: Vec<Option<u8>>,
}

impl Model {
    fn new(origin: SeqNum, size: usize) -> Self {
        Self {
            origin,
            rcv_nxt: 0,
            cells: vec![None; size],
        }
    }

    fn seq(&self, at: usize) -> SeqNum {
        self.origin + at as u32
    }

    fn insert(&mut self, at: usize, id: u8, len: usize) -> Inserted {
        let mut inserted = Inserted::default();
        let (from, to) = (at.max(self.rcv_nxt), at + len);
        let mut duplicate: Option<(usize, usize)> = None;
        for i in from..to {
            if self.cells[i].is_none() {
                self.cells[i] = Some(id);
                inserted.added += 1;
            } else {
                match &mut duplicate {
                    None => duplicate = Some((i, i + 1)),
                    Some((_, end)) if *end == i => *end += 1,
                    Some(_) => {}
                }
            }
        }
        inserted.duplicate = duplicate.map(|(left, right)| SackBlock {
            left: self.seq(left),
            right: self.seq(right),
        });
        inserted
    }

    fn runs(&self) -> Vec<(SeqNum, SeqNum)> {
        let mut runs: Vec<(usize, usize)> = vec![];
        for i in (self.rcv_nxt..self.cells.len()).filter(|&i| self.cells[i].is_some()) {
            match runs.last_mut() {
                Some((_, end)) if *end == i => *end += 1,
                _ => runs.push((i, i + 1)),
            }
        }
        runs.iter()
            .map(|&(left, right)| (self.seq(left), self.seq(right)))
            .collect()
    }

    fn held(&self) -> usize {
        self.cells[self.rcv_nxt..].iter().flatten().count()
    }

    /// What becomes readable when RCV.NXT is `at`.
    fn drain(&mut self, at: usize) -> Vec<u8> {
        self.rcv_nxt = at;
        let ready: Vec<u8> = self.cells[at..].iter().map_while(|cell| *cell).collect();
        self.rcv_nxt += ready.len();
        ready
    }
}

fn drain(set: &mut Reassembly, mut rcv_nxt: SeqNum) -> Vec<u8> {
    let mut out = vec![];
    while let Some(bytes) = set.pop(rcv_nxt) {
        assert!(!bytes.is_empty());
        rcv_nxt += bytes.len() as u32;
        out.extend_from_slice(&bytes);
    }
    out
}

/// The sums that the structure keeps are those of its parts.
fn check(set: &Reassembly) {
    assert_eq!(set.len, set.pieces.values().map(Piece::len).sum::<usize>());
    assert_eq!(
        set.memory,
        set.pieces.values().map(Piece::memory).sum::<usize>()
    );
    let mut runs: Vec<(u64, u64)> = vec![];
    for (&start, piece) in &set.pieces {
        let end = start + piece.len() as u64;
        match runs.last_mut() {
            Some((_, right)) if *right == start => *right = end,
            Some((_, right)) => {
                assert!(*right < start, "pieces overlap");
                runs.push((start, end));
            }
            None => runs.push((start, end)),
        }
    }
    assert!(
        runs.iter()
            .copied()
            .eq(set.runs.iter().map(|(&l, &r)| (l, r)))
    );
}

fn compare(set: &Reassembly, model: &Model) {
    check(set);
    assert_eq!(set.len(), model.held());
    assert_eq!(set.is_empty(), model.held() == 0);
    let runs = model.runs();
    let blocks = set.sack_blocks(4);
    assert_eq!(blocks.len(), runs.len().min(4));
    for (i, block) in blocks.iter().enumerate() {
        assert!(runs.contains(&(block.left, block.right)));
        assert!(!blocks[..i].contains(block));
    }
}

/// Every order of five segments, for layouts with holes, touching, overlapping, nested and equal ones.
#[test]
fn five_segments_in_every_order_and_overlap() {
    const LAYOUTS: [[(usize, usize); 5]; 8] = [
        [(0, 4), (4, 4), (8, 4), (12, 4), (16, 4)],
        [(2, 3), (6, 3), (10, 3), (14, 3), (18, 3)],
        [(0, 6), (4, 6), (8, 6), (12, 6), (16, 6)],
        [(1, 20), (2, 3), (8, 3), (14, 3), (17, 3)],
        [(5, 5), (5, 5), (5, 5), (5, 10), (0, 5)],
        [(0, 1), (1, 19), (0, 20), (3, 1), (10, 14)],
        [(3, 4), (9, 4), (5, 6), (0, 24), (15, 5)],
        [(6, 0), (7, 1), (9, 1), (8, 1), (5, 7)],
    ];
    let mut orders = 0;
    for layout in LAYOUTS {
        for order in permutations([0, 1, 2, 3, 4]) {
            for origin in [0, u32::MAX - 10, 0x7fff_fff8] {
                run_layout(&layout, &order, SeqNum(origin));
                orders += 1;
            }
        }
    }
    assert_eq!(orders, 8 * 120 * 3);
}

fn run_layout(layout: &[(usize, usize); 5], order: &[usize; 5], origin: SeqNum) {
    let mut set = Reassembly::new();
    // RCV.NXT is at 1, so that some of the text is old.
    let mut model = Model::new(origin, 32);
    model.rcv_nxt = 1;
    for (id, &which) in order.iter().enumerate() {
        let (at, len) = layout[which];
        let seq = model.seq(at);
        let rcv_nxt = model.seq(1);
        assert_eq!(
            set.insert(seq, text(id as u8, len), rcv_nxt, NO_LIMIT),
            model.insert(at, id as u8, len),
            "{layout:?} {order:?}"
        );
        compare(&set, &model);
    }
    assert_eq!(drain(&mut set, model.seq(1)), model.drain(1));
    compare(&set, &model);
    // The hole is filled by something that went straight to the application.
    let rest = model.cells.iter().rposition(Option::is_some).unwrap_or(0);
    let rest = rest.max(model.rcv_nxt);
    assert_eq!(drain(&mut set, model.seq(rest)), model.drain(rest));
    compare(&set, &model);
}

fn permutations(items: [usize; 5]) -> Vec<[usize; 5]> {
    fn go(items: &mut [usize; 5], k: usize, out: &mut Vec<[usize; 5]>) {
        if k == items.len() {
            out.push(*items);
            return;
        }
        for i in k..items.len() {
            items.swap(k, i);
            go(items, k + 1, out);
            items.swap(k, i);
        }
    }
    let mut out = vec![];
    go(&mut { items }, 0, &mut out);
    out
}

/// RFC 2018 section 4: the block with the latest segment first, then the most recently reported ones.
#[test]
fn blocks_come_in_the_order_of_their_change() {
    let mut set = Reassembly::new();
    let left = |set: &Reassembly, max| -> Vec<u32> {
        set.sack_blocks(max).iter().map(|b| b.left.0).collect()
    };
    for at in [100, 300, 500, 700, 900] {
        set.insert(SeqNum(at), text(0, 100), SeqNum(0), NO_LIMIT);
    }
    assert_eq!(left(&set, 3), [900, 700, 500]);
    assert_eq!(left(&set, 9), [900, 700, 500, 300], "four fit");
    set.insert(SeqNum(600), text(0, 100), SeqNum(0), NO_LIMIT);
    assert_eq!(left(&set, 4), [500, 900, 300, 100], "two runs joined");
    set.insert(SeqNum(310), text(0, 10), SeqNum(0), NO_LIMIT);
    assert_eq!(left(&set, 2), [300, 500], "a duplicate counts too");
    assert_eq!(set.sack_blocks(1)[0].right, SeqNum(400));
    assert_eq!(left(&set, 0), [0u32; 0]);
}

/// A run that loses its front keeps its place among the reported ones.
#[test]
fn the_order_outlives_what_is_taken_out() {
    let mut set = Reassembly::new();
    for at in [50_000, 90_000, 1, 10_001] {
        set.insert(SeqNum(at), text(0, 10_000), SeqNum(0), NO_LIMIT);
    }
    assert!(set.pop(SeqNum(1)).is_some(), "one of two pieces");
    let lefts: Vec<u32> = set.sack_blocks(4).iter().map(|b| b.left.0).collect();
    assert_eq!(lefts, [10_001, 90_000, 50_000]);
}

#[test]
fn runs_never_reported_before_fill_the_room() {
    let mut set = Reassembly::new();
    for i in 0..40 {
        set.insert(SeqNum(10 + 10 * i), text(0, 5), SeqNum(0), NO_LIMIT);
    }
    // Joins all runs that are remembered but the last.
    for i in 30..39 {
        set.insert(SeqNum(15 + 10 * i), text(0, 5), SeqNum(0), NO_LIMIT);
    }
    let lefts: Vec<u32> = set.sack_blocks(4).iter().map(|b| b.left.0).collect();
    assert_eq!(lefts, [310, 10, 20, 30]);
}

#[test]
fn the_limit_counts_each_piece_and_says_so() {
    const LIMIT: usize = 1 << 20;
    let mut set = Reassembly::new();
    let mut refused = 0;
    for i in 0..100_000u32 {
        let inserted = set.insert(SeqNum(1 + 2 * i), text(1, 1), SeqNum(0), LIMIT);
        assert_eq!(inserted.refused, inserted.added == 0);
        refused += usize::from(inserted.refused);
        assert!(set.memory() <= LIMIT);
    }
    assert_eq!(set.len() + refused, 100_000);
    assert_eq!(set.len(), LIMIT / (PIECE_OVERHEAD + 1));
    let held = set.len();
    let inserted = set.insert(SeqNum(1), text(2, 10), SeqNum(0), LIMIT);
    assert!(inserted.refused && inserted.added == 0 && inserted.duplicate.is_some());
    check(&set);
    assert_eq!(drain(&mut set, SeqNum(1)), [1], "what is held is of use");
    assert_eq!(set.len(), held - 1);
    let inserted = set.insert(SeqNum(4), text(2, 1), SeqNum(2), LIMIT);
    assert!(!inserted.refused, "room again");
    set.clear();
    assert_eq!(set.memory(), 0);
}

#[test]
fn a_part_that_fits_is_kept() {
    let mut set = Reassembly::new();
    let limit = 2 * (PIECE_OVERHEAD + 10);
    set.insert(SeqNum(20), text(1, 10), SeqNum(0), limit);
    let inserted = set.insert(SeqNum(10), text(2, 30), SeqNum(0), limit);
    assert_eq!(inserted.added, 10);
    assert!(inserted.refused, "the part after 30 is not");
    assert_eq!(set.sack_blocks(4)[0].right, SeqNum(30));
    check(&set);
}

#[test]
fn single_bytes_that_follow_each_other_share_a_piece() {
    let mut set = Reassembly::new();
    for i in 0..100_000u32 {
        set.insert(SeqNum(1 + i), text(i as u8, 1), SeqNum(0), NO_LIMIT);
    }
    assert!(set.pieces.len() <= 100_000 / GATHER_MAX + 1);
    let largest = set.pieces.values().map(Piece::len).max();
    assert_eq!(largest, Some(GATHER_MAX), "what is moved as it grows");
    assert!(set.memory() < 2 * 100_000 + 8 * PIECE_OVERHEAD);
    check(&set);
}

#[test]
fn small_text_holds_no_large_buffer() {
    let mut set = Reassembly::new();
    let buffer = text(0, 65_536);
    set.insert(
        SeqNum(10),
        buffer.slice(..SHARE_MIN - 1),
        SeqNum(0),
        NO_LIMIT,
    );
    assert!(buffer.is_unique());
    set.insert(
        SeqNum(30_000),
        buffer.slice(..SHARE_MIN),
        SeqNum(0),
        NO_LIMIT,
    );
    assert!(!buffer.is_unique(), "long text is not copied");
}

/// Tens of thousands of pieces in the worst orders; quadratic work would take minutes.
#[test]
fn work_per_segment_does_not_grow_with_the_pieces() {
    const N: u32 = 30_000;
    let mut rng = crate::Rng::new(1);
    let mut orders: [Vec<u32>; 3] = core::array::from_fn(|_| (0..N).collect());
    orders[1].reverse();
    for i in (1..N as usize).rev() {
        orders[2].swap(i, rng.below(i as u32 + 1) as usize);
    }
    for order in orders {
        let mut set = Reassembly::new();
        for &i in &order {
            set.insert(SeqNum(1 + 2 * i), text(1, 1), SeqNum(0), NO_LIMIT);
            assert_eq!(set.sack_blocks(4)[0].left, SeqNum(1 + 2 * i));
        }
        for &i in &order {
            set.insert(SeqNum(2 + 2 * i), text(2, 1), SeqNum(0), NO_LIMIT);
        }
        assert_eq!(set.runs.len(), 1);
        assert_eq!(drain(&mut set, SeqNum(1)).len(), 2 * N as usize);
        assert_eq!(set.memory(), 0);
    }
}

#[derive(Clone, Debug)]
enum Op {
    Insert(usize, usize),
    Advance(usize),
}

/// Around RCV.NXT, old text included.
fn small() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (0..600usize, 0..80usize).prop_map(|(at, len)| Op::Insert(at, len)),
        2 => (0..200usize).prop_map(Op::Advance),
    ]
}

/// So long that text is shared, and gathered up to its bound.
fn large() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (0..9000usize, 0..3000usize).prop_map(|(at, len)| Op::Insert(at, len)),
        2 => (0..9000usize, 8000..20_000usize).prop_map(|(at, len)| Op::Insert(at, len)),
        1 => (0..9000usize).prop_map(Op::Advance),
    ]
}

/// Anywhere, and just before the wrap.
fn origin() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), u32::MAX - 2000..=u32::MAX]
}

fn run(origin: u32, ops: Vec<Op>, size: usize) -> Result<(), TestCaseError> {
    let mut set = Reassembly::new();
    let mut model = Model::new(SeqNum(origin), size);
    for (id, op) in ops.into_iter().enumerate() {
        let id = id as u8;
        match op {
            Op::Insert(at, len) => {
                let at = (model.rcv_nxt + at).saturating_sub(100).min(size);
                let len = len.min(size - at);
                let (seq, rcv_nxt) = (model.seq(at), model.seq(model.rcv_nxt));
                let inserted = set.insert(seq, text(id, len), rcv_nxt, NO_LIMIT);
                prop_assert_eq!(inserted, model.insert(at, id, len));
                if inserted.added > 0 || inserted.duplicate.is_some() {
                    let first = set.sack_blocks(1)[0];
                    let reported = model.seq(at + len - 1);
                    prop_assert!(reported.within(first.left, first.right.since(first.left)));
                }
            }
            Op::Advance(n) => {
                let at = (model.rcv_nxt + n).min(size);
                let ready = drain(&mut set, model.seq(at));
                prop_assert_eq!(ready, model.drain(at));
            }
        }
        compare(&set, &model);
    }
    Ok(())
}

proptest! {
    #[test]
    fn behaves_as_a_row_of_cells(
        origin in origin(),
        ops in prop::collection::vec(small(), 1..60),
    ) {
        run(origin, ops, 3000)?;
    }

    /// Whatever is refused, the limit holds and what comes out is what was sent there.
    #[test]
    fn a_limit_holds_and_harms_nothing(
        limit in 0..20_000usize,
        ops in prop::collection::vec(small(), 1..60),
    ) {
        let stream: Vec<u8> = (0..20_000usize).map(|i| (i * 7 + i / 251) as u8).collect();
        let mut set = Reassembly::new();
        let mut nxt = 0;
        for op in ops {
            match op {
                Op::Insert(at, len) => {
                    let at = (nxt + at).saturating_sub(100);
                    let data = Bytes::copy_from_slice(&stream[at..at + len]);
                    set.insert(SeqNum(at as u32), data, SeqNum(nxt as u32), limit);
                }
                Op::Advance(n) => {
                    nxt += n;
                    let ready = drain(&mut set, SeqNum(nxt as u32));
                    prop_assert_eq!(&ready[..], &stream[nxt..nxt + ready.len()]);
                    nxt += ready.len();
                }
            }
            prop_assert!(set.memory() <= limit);
            check(&set);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn behaves_as_a_row_of_cells_with_long_text(
        origin in origin(),
        ops in prop::collection::vec(large(), 1..30),
    ) {
        run(origin, ops, 45_000)?;
    }
}
