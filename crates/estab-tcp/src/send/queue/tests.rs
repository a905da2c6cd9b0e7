use super::*;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

fn flat(chunks: &Chunks) -> Vec<u8> {
    chunks.pieces().concat()
}

fn pattern(from: usize, len: usize) -> Vec<u8> {
    (from..from + len)
        .map(|i| (i * 7 + i / 251) as u8)
        .collect()
}

#[test]
fn slices_outlive_their_acknowledgement_and_share_memory() {
    let mut queue = SendQueue::new();
    queue.push(&pattern(0, 10_000));
    let first = queue.slice(0, 6000);
    let again = queue.slice(1000, 5000);
    assert_eq!(
        first.pieces()[0][1000..].as_ptr(),
        again.pieces()[0].as_ptr(),
        "a retransmission shares the memory of the first transmission"
    );
    queue.advance(10_000);
    assert_eq!(flat(&first), pattern(0, 6000));
}

#[test]
fn owned_bytes_go_in_without_a_copy() {
    let mut queue = SendQueue::new();
    queue.push(b"head");
    let body = Bytes::from(pattern(0, 100_000));
    queue.push_bytes(body.clone());
    queue.push(b"end");
    assert_eq!(queue.len(), 100_007);
    assert_eq!(
        queue.slice(4, 50_000).pieces()[0].as_ptr(),
        body.as_ptr(),
        "the same memory"
    );
    assert_eq!(
        flat(&queue.slice(0, 5)),
        [&b"head"[..], &body[..1]].concat()
    );
    assert_eq!(flat(&queue.slice(100_004, 3)), b"end");
}

#[test]
fn an_empty_queue_holds_no_memory() {
    for n in [1, 700, 100_000] {
        let mut queue = SendQueue::new();
        queue.push(&pattern(0, n));
        queue.slice(0, n);
        queue.advance(n);
        assert!(queue.is_empty());
        assert_eq!((queue.tail.capacity(), queue.pieces.capacity()), (0, 0));
    }
}

#[test]
fn buffers_grow_with_what_is_queued() {
    let mut queue = SendQueue::new();
    queue.push(b"x");
    assert_eq!(queue.tail.capacity(), chunks::BUFFER_MIN);
    let mut largest = 0;
    for i in 0..200_000 {
        queue.push(&[i as u8]);
        largest = largest.max(queue.tail.capacity());
        assert!(queue.tail.capacity() <= (2 * queue.len()).max(chunks::BUFFER_MIN));
    }
    assert_eq!(largest, chunks::BUFFER_MAX);
    assert!(queue.pieces.len() <= 12, "{} pieces", queue.pieces.len());
}

/// One byte written, the queue transmitted from anywhere, and so on: the trap is a piece for each byte.
#[test]
fn single_bytes_between_transmissions_do_not_make_single_pieces() {
    let mut queue = SendQueue::new();
    for i in 0..100_000usize {
        queue.push(&[i as u8]);
        let from = queue.len().saturating_sub(1 + i % 3000);
        queue.slice(from, queue.len() - from);
        if i % 5 == 0 {
            queue.push_bytes(Bytes::copy_from_slice(&[0]));
        }
    }
    let bound = 2 * queue.len() / SHARE_MIN + 2 * queue.len() / chunks::BUFFER_MAX + 16;
    assert!(queue.pieces.len() <= bound, "{} pieces", queue.pieces.len());
}

#[derive(Clone, Debug)]
enum Op {
    Push(usize),
    PushBytes(usize),
    Slice(f64, f64),
    Advance(f64),
    Clear,
}

fn op() -> impl Strategy<Value = Op> {
    let size = prop_oneof![0..20usize, 0..3000usize, 0..150_000usize];
    prop_oneof![
        4 => size.clone().prop_map(Op::Push),
        2 => size.prop_map(Op::PushBytes),
        6 => (0.0..1.0, 0.0..=1.0).prop_map(|(from, len)| Op::Slice(from, len)),
        3 => (0.0..=1.0).prop_map(Op::Advance),
        1 => Just(Op::Clear),
    ]
}

proptest! {
    #[test]
    fn behaves_as_a_vector(ops in prop::collection::vec(op(), 1..40)) {
        let mut queue = SendQueue::new();
        let mut model = vec![];
        let mut written = 0;
        let mut kept = vec![];
        for op in ops {
            match op {
                Op::Push(n) => {
                    queue.push(&pattern(written, n));
                    model.extend(pattern(written, n));
                    written += n;
                }
                Op::PushBytes(n) => {
                    queue.push_bytes(pattern(written, n).into());
                    model.extend(pattern(written, n));
                    written += n;
                }
                Op::Slice(from, len) => {
                    let from = (from * model.len() as f64) as usize;
                    let len = (len * (model.len() - from) as f64) as usize;
                    let chunks = queue.slice(from, len);
                    prop_assert_eq!(chunks.len(), len);
                    kept.push((chunks, model[from..from + len].to_vec()));
                }
                Op::Advance(part) => {
                    let n = (part * model.len() as f64) as usize;
                    queue.advance(n);
                    model.drain(..n);
                }
                Op::Clear => {
                    queue.clear();
                    model.clear();
                }
            }
            prop_assert_eq!(queue.len(), model.len());
            prop_assert_eq!(queue.is_empty(), model.is_empty());
        }
        prop_assert_eq!(flat(&queue.slice(0, model.len())), model);
        for (chunks, bytes) in kept {
            prop_assert_eq!(flat(&chunks), bytes, "what was handed over never changes");
        }
    }
}
