use super::*;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

fn pattern(from: usize, len: usize) -> Vec<u8> {
    (from..from + len)
        .map(|i| (i * 7 + i / 251) as u8)
        .collect()
}

fn all(queue: &ReceiveQueue) -> Vec<u8> {
    let mut bytes = vec![0; queue.len() + 10];
    let n = queue.peek(&mut bytes);
    bytes.truncate(n);
    bytes
}

#[test]
fn long_segments_are_kept_and_short_ones_copied() {
    let mut queue = ReceiveQueue::new();
    let buffer = Bytes::from(pattern(0, 65_536));
    queue.push(buffer.slice(..100));
    queue.push(buffer.slice(100..60_100));
    assert_ne!(queue.take(100).as_ptr(), buffer.as_ptr(), "copied");
    assert_eq!(
        queue.take(usize::MAX).as_ptr(),
        buffer[100..].as_ptr(),
        "shared"
    );
    assert!(queue.is_empty());
    queue.push(buffer.slice(..1));
    assert!(buffer.is_unique(), "one byte does not hold 64 KiB");
}

#[test]
fn an_empty_queue_holds_no_memory() {
    for n in [1usize, 700, 100_000] {
        for how in 0..4 {
            let mut queue = ReceiveQueue::new();
            for _ in 0..n.min(1000) {
                queue.push(pattern(0, n.div_ceil(1000)).into());
            }
            match how {
                0 => while !queue.take(usize::MAX).is_empty() {},
                1 => queue.discard(queue.len()),
                2 => drop(queue.read(&mut vec![0; n.max(1000)])),
                _ => while queue.remove_byte(0).is_some() {},
            }
            assert!(queue.is_empty());
            assert_eq!((queue.tail.capacity(), queue.pieces.capacity()), (0, 0));
        }
    }
}

#[test]
fn single_bytes_gather() {
    let mut queue = ReceiveQueue::new();
    for i in 0..200_000 {
        queue.push(pattern(i, 1).into());
    }
    assert!(queue.pieces.len() <= 12, "{} pieces", queue.pieces.len());
    assert_eq!(all(&queue), pattern(0, 200_000));
}

#[test]
fn a_byte_is_taken_out_of_any_place() {
    // Pieces of 1, 1 and 3000 bytes, and a tail.
    for at in 0..3006 {
        let mut queue = ReceiveQueue::new();
        let mut model = pattern(0, 3005);
        queue.push(Bytes::copy_from_slice(&model[..2]));
        queue.push(Bytes::copy_from_slice(&model[2..3002]));
        queue.push(Bytes::copy_from_slice(&model[3002..]));
        if at < 3005 {
            assert_eq!(queue.remove_byte(at), Some(model.remove(at)));
        } else {
            assert_eq!(queue.remove_byte(at), None);
        }
        assert_eq!(all(&queue), model, "without byte {at}");
        assert_eq!(queue.len(), model.len());
    }
}

#[derive(Clone, Debug)]
enum Op {
    Push(usize),
    Read(usize),
    Take(usize),
    Discard(f64),
    Remove(f64),
    Clear,
}

fn op() -> impl Strategy<Value = Op> {
    let size = prop_oneof![0..20usize, 0..3000usize, 0..65_536usize];
    prop_oneof![
        8 => size.clone().prop_map(Op::Push),
        2 => size.clone().prop_map(Op::Read),
        2 => size.prop_map(Op::Take),
        2 => (0.0..=1.0).prop_map(Op::Discard),
        2 => (0.0..=1.0).prop_map(Op::Remove),
        1 => Just(Op::Clear),
    ]
}

proptest! {
    #[test]
    fn behaves_as_a_vector(ops in prop::collection::vec(op(), 1..60)) {
        let mut queue = ReceiveQueue::new();
        let mut model: Vec<u8> = vec![];
        let mut came = 0;
        let mut kept = vec![];
        for op in ops {
            match op {
                Op::Push(n) => {
                    queue.push(pattern(came, n).into());
                    model.extend(pattern(came, n));
                    came += n;
                }
                Op::Read(n) => {
                    let mut buffer = vec![0; n];
                    let got = queue.read(&mut buffer);
                    prop_assert_eq!(got, n.min(model.len()));
                    let expected: Vec<u8> = model.drain(..got).collect();
                    prop_assert_eq!(&buffer[..got], &expected[..]);
                }
                Op::Take(n) => {
                    let bytes = queue.take(n);
                    prop_assert_eq!(bytes.is_empty(), n == 0 || model.is_empty());
                    let expected: Vec<u8> = model.drain(..bytes.len()).collect();
                    kept.push((bytes, expected));
                }
                Op::Discard(part) => {
                    let n = (part * model.len() as f64) as usize;
                    queue.discard(n);
                    model.drain(..n);
                }
                Op::Remove(part) => {
                    let at = (part * model.len() as f64) as usize;
                    let expected = (at < model.len()).then(|| model.remove(at));
                    prop_assert_eq!(queue.remove_byte(at), expected);
                }
                Op::Clear => {
                    queue.clear();
                    model.clear();
                }
            }
            prop_assert_eq!(queue.len(), model.len());
            prop_assert_eq!(queue.is_empty(), model.is_empty());
        }
        prop_assert_eq!(all(&queue), model);
        for (bytes, expected) in kept {
            prop_assert_eq!(&bytes[..], &expected[..]);
        }
    }
}
