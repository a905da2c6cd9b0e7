//! Values of options as bytes.

use crate::Errno;
use core::time::Duration;

/// An `int` from the beginning of a value.
pub(super) fn int(value: &[u8]) -> Result<i32, Errno> {
    int_at(value, 0)
}

pub(super) fn int_at(value: &[u8], at: usize) -> Result<i32, Errno> {
    let bytes = value.get(at..at + 4).ok_or(Errno::EINVAL)?;
    bytes
        .try_into()
        .map(i32::from_ne_bytes)
        .map_err(|_| Errno::EINVAL)
}

/// IPv4's options may be a byte, or nothing, which is zero.
pub(super) fn int_or_byte(value: &[u8]) -> i32 {
    int(value).unwrap_or_else(|_| value.first().copied().map_or(0, i32::from))
}

/// A `struct timeval`. Outer `None`: a time before it began. Inner: no limit.
pub(super) fn timeval(value: &[u8]) -> Result<Option<Duration>, Errno> {
    let word = |at: usize| {
        let bytes = value.get(at..at + 8).ok_or(Errno::EINVAL)?;
        bytes
            .try_into()
            .map(i64::from_ne_bytes)
            .map_err(|_| Errno::EINVAL)
    };
    let (seconds, micros) = (word(0)?, word(8)?);
    if !(0..1_000_000).contains(&micros) {
        return Err(Errno::EDOM);
    }
    let Ok(seconds) = u64::try_from(seconds) else {
        // Linux does not wait then.
        return Ok(Some(Duration::ZERO));
    };
    let time = Duration::from_secs(seconds) + Duration::from_micros(micros.unsigned_abs());
    // What does not fit a clock of nanoseconds is for ever, as in Linux what does not fit its own.
    let endless = time.is_zero() || u64::try_from(time.as_nanos()).is_err();
    Ok((!endless).then_some(time))
}

/// The bytes of a `struct timeval`.
pub(super) fn timeval_bytes(time: Option<Duration>) -> Vec<u8> {
    let time = time.unwrap_or_default();
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let micros = i64::from(time.subsec_micros());
    [seconds.to_ne_bytes(), micros.to_ne_bytes()].concat()
}

/// `TCP_DEFER_ACCEPT` is kept as a number of resent SYN-ACKs, whose times double from one second up to this.
const RETRANSMISSION_MAX: u32 = 120;

/// So many SYN-ACKs are sent in so many seconds.
pub(super) fn seconds_to_retransmissions(seconds: i32) -> u8 {
    let wanted = u32::try_from(seconds).unwrap_or(0);
    let (mut count, mut period, mut timeout) = (u8::from(wanted > 0), 1, 1u32);
    while wanted > period && count < u8::MAX {
        count += 1;
        timeout = (timeout * 2).min(RETRANSMISSION_MAX);
        period += timeout;
    }
    count
}

/// The time of so many SYN-ACKs.
pub(super) fn retransmissions_to_seconds(count: u8) -> u32 {
    (0..u32::from(count))
        .map(|n| {
            1u32.checked_shl(n)
                .unwrap_or(u32::MAX)
                .min(RETRANSMISSION_MAX)
        })
        .sum()
}
