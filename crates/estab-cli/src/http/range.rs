//! The `Range` header of a request (RFC 9110).

/// Ranges that a request may ask for; with more of them it gets the whole file.
const RANGES_MAX: usize = 16;

/// A piece of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Its first byte.
    pub(crate) start: u64,
    /// Its length, at least 1.
    pub(crate) len: u64,
}

impl Span {
    /// As in `Content-Range`, of a file of `size` bytes.
    pub(crate) fn content_range(self, size: u64) -> String {
        format!("bytes {}-{}/{size}", self.start, self.start + self.len - 1)
    }
}

/// What a `Range` header comes to for a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ranges {
    /// The whole file: the header is not understood, or not worth obeying.
    Whole,
    /// These pieces, at least one, in the order asked for.
    Pieces(Vec<Span>),
    /// No byte of the file is in what was asked for.
    Unsatisfiable,
}

/// Reads the header's value for a file of `size` bytes.
pub(crate) fn parse(value: &str, size: u64) -> Ranges {
    let Some((unit, set)) = value.split_once('=') else {
        return Ranges::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.split(',').count() > RANGES_MAX {
        return Ranges::Whole;
    }
    let mut pieces = Vec::new();
    for spec in set.split(',').map(str::trim) {
        match parse_one(spec, size) {
            None => return Ranges::Whole,
            Some(span) => pieces.extend(span),
        }
    }
    let asked: u64 = pieces
        .iter()
        .fold(0, |sum, piece| sum.saturating_add(piece.len));
    if pieces.is_empty() {
        Ranges::Unsatisfiable
    } else if pieces.len() > 1 && asked > size {
        // Overlapping pieces must not multiply what one small request can cost.
        Ranges::Whole
    } else {
        Ranges::Pieces(pieces)
    }
}

/// `None`: no valid range. `Some(None)`: valid, but outside the file.
fn parse_one(spec: &str, size: u64) -> Option<Option<Span>> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        let suffix = number(last)?.min(size);
        return Some((suffix > 0).then(|| Span {
            start: size - suffix,
            len: suffix,
        }));
    }
    let start = number(first)?;
    let end = if last.is_empty() {
        u64::MAX
    } else {
        number(last)?
    };
    if end < start {
        return None;
    }
    Some((start < size).then(|| Span {
        start,
        len: end.min(size - 1) - start + 1,
    }))
}

/// Digits only; more than fit mean the largest number there is.
fn number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::{Ranges, Span, parse};

    fn one(start: u64, len: u64) -> Ranges {
        Ranges::Pieces(vec![Span { start, len }])
    }

    #[test]
    fn each_form_of_a_range() {
        assert_eq!(parse("bytes=0-0", 10), one(0, 1));
        assert_eq!(parse("bytes=2-5", 10), one(2, 4));
        assert_eq!(parse("bytes=2-", 10), one(2, 8));
        assert_eq!(parse("bytes=-3", 10), one(7, 3));
        assert_eq!(parse("bytes=-30", 10), one(0, 10));
        assert_eq!(parse("Bytes = 9-99999999999999999999999", 10), one(9, 1));
        let two = vec![Span { start: 0, len: 1 }, Span { start: 8, len: 2 }];
        assert_eq!(parse("bytes=0-0, -2", 10), Ranges::Pieces(two));
    }

    #[test]
    fn ranges_outside_the_file() {
        assert_eq!(parse("bytes=10-", 10), Ranges::Unsatisfiable);
        assert_eq!(parse("bytes=-0", 10), Ranges::Unsatisfiable);
        assert_eq!(parse("bytes=0-", 0), Ranges::Unsatisfiable);
        assert_eq!(parse("bytes=3-4,99-", 10), one(3, 2));
    }

    #[test]
    fn what_is_no_range_is_ignored() {
        for value in [
            "",
            "bytes",
            "lines=0-1",
            "bytes=5-2",
            "bytes=a-",
            "bytes=+1-2",
            "bytes=-",
            "bytes=1-2,",
        ] {
            assert_eq!(parse(value, 10), Ranges::Whole, "{value}");
        }
    }

    #[test]
    fn many_or_overlapping_ranges_give_the_whole_file() {
        assert_eq!(parse("bytes=0-,0-", 10), Ranges::Whole);
        let many = format!("bytes={}0-0", "0-0,".repeat(20));
        assert_eq!(parse(&many, 1000), Ranges::Whole);
    }

    #[test]
    fn content_range_names_the_last_byte() {
        assert_eq!(Span { start: 2, len: 4 }.content_range(10), "bytes 2-5/10");
    }
}
