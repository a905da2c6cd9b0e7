//! Progress of long work, on a terminal only.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_millis(200);

/// A line on standard error that is written anew a few times a second; nothing when that is no terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    visible: bool,
    start: Instant,
    shown: Option<Instant>,
}

impl Progress {
    #[allow(clippy::disallowed_methods, reason = "it shows a rate to a person")]
    pub(crate) fn new() -> Self {
        Self {
            visible: stderr().is_terminal(),
            start: Instant::now(),
            shown: None,
        }
    }

    /// So many bytes of so many are done.
    #[allow(clippy::disallowed_methods, reason = "it shows a rate to a person")]
    pub(crate) fn show(&mut self, done: u64, total: Option<u64>) {
        let now = Instant::now();
        let soon = self.shown.is_some_and(|shown| now - shown < INTERVAL);
        if !self.visible || (soon && total != Some(done)) {
            return;
        }
        self.shown = Some(now);
        let line = line(done, total, now - self.start);
        // A terminal that is gone is no reason to stop.
        let _ = write!(stderr(), "\r{line}\x1b[K");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            eprintln!();
        }
    }
}

fn line(done: u64, total: Option<u64>, elapsed: Duration) -> String {
    let rate = done as f64 / elapsed.as_secs_f64().max(1e-3);
    let rate = size(rate);
    match total.filter(|&total| total > 0) {
        Some(total) => {
            let percent = u128::from(done) * 100 / u128::from(total);
            let (done, total) = (size(done as f64), size(total as f64));
            format!("{done} of {total}, {percent} %, {rate}/s")
        }
        None => format!("{}, {rate}/s", size(done as f64)),
    }
}

/// Bytes with a unit that gives a short number.
pub(crate) fn size(bytes: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (bytes, 0);
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{value:.0} B"),
        _ => format!("{value:.1} {}", units[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::{line, size};
    use std::time::Duration;

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(0.0), "0 B");
        assert_eq!(size(999.0), "999 B");
        assert_eq!(size(1000.0), "1.0 KiB");
        assert_eq!(size(5e6), "4.8 MiB");
        assert_eq!(size(1e30), "909494701772928256.0 TiB");
    }

    #[test]
    fn a_line_tells_how_far_and_how_fast() {
        let second = Duration::from_secs(1);
        assert_eq!(
            line(512, Some(2048), second),
            "512 B of 2.0 KiB, 25 %, 512 B/s"
        );
        assert_eq!(line(512, None, second), "512 B, 512 B/s");
        assert_eq!(line(0, Some(0), Duration::ZERO), "0 B, 0 B/s");
    }
}
