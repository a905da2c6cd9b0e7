use super::*;
use alloc::vec::Vec;

fn chunks() -> Chunks {
    let mut chunks = Chunks::new();
    for piece in ["ab", "", "cde", "f", "ghij"] {
        chunks.push(Bytes::from_static(piece.as_bytes()));
    }
    chunks
}

fn flat(chunks: &Chunks) -> Vec<u8> {
    chunks.pieces().concat()
}

#[test]
fn every_range_of_the_payload() {
    let chunks = chunks();
    assert_eq!((chunks.len(), chunks.pieces().len()), (10, 4));
    for start in 0..=10 {
        for end in start..=10 {
            let slice = chunks.slice(start, end);
            assert_eq!(flat(&slice), b"abcdefghij"[start..end]);
            assert_eq!(slice.len(), end - start);
            assert_eq!(slice.is_empty(), start == end);
            assert!(slice.pieces().iter().all(|piece| !piece.is_empty()));
        }
    }
}

#[test]
fn slices_share_memory() {
    let whole = Chunks::from(Bytes::from_static(b"hello"));
    let part = whole.slice(1, 4);
    assert_eq!(part.pieces()[0].as_ptr(), whole.pieces()[0][1..].as_ptr());
}

#[test]
fn an_empty_piece_is_no_piece() {
    assert!(Chunks::from(Bytes::new()).pieces().is_empty());
    assert!(Chunks::new().is_empty());
}

#[test]
#[should_panic(expected = "inside the payload")]
fn a_range_outside_the_payload_is_the_callers_mistake() {
    chunks().slice(3, 11);
}
