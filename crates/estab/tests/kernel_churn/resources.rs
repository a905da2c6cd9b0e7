//! What the process holds, and what the kernel counts in this network namespace.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::Duration;

/// Counts the bytes that are allocated.
struct Counting;

static BYTES: AtomicIsize = AtomicIsize::new(0);

fn count(size: usize, sign: isize) {
    BYTES.fetch_add(sign * size.cast_signed(), Ordering::Relaxed);
}

// SAFETY: every call goes on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller's promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: the caller's promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What there is of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resources {
    pub(crate) bytes: isize,
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
}

impl Resources {
    fn now() -> Self {
        Self {
            descriptors: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
            // Last, when the others have freed what they needed.
            bytes: BYTES.load(Ordering::Relaxed),
        }
    }

    /// The same when nothing has changed for 100 ms: threads take a moment to end.
    pub(crate) fn settled() -> Self {
        let mut last = Self::now();
        let mut same = 0;
        for _ in 0..200 {
            std::thread::park_timeout(Duration::from_millis(20));
            let next = Self::now();
            same = if next == last { same + 1 } else { 0 };
            if same == 5 {
                break;
            }
            last = next;
        }
        last
    }
}

fn entries(directory: &str) -> usize {
    fs::read_dir(directory).unwrap().count()
}

/// What the kernel's TCP counts, by name.
pub(crate) struct KernelCounters(BTreeMap<String, u64>);

/// Those that count what is not orderly.
const NOT_ORDERLY: [&str; 15] = [
    "AttemptFails",
    "EstabResets",
    "InErrs",
    "OutRsts",
    "InCsumErrors",
    "ListenOverflows",
    "ListenDrops",
    "TCPAbortOnData",
    "TCPAbortOnClose",
    "TCPAbortOnMemory",
    "TCPAbortOnTimeout",
    "TCPAbortOnLinger",
    "TCPAbortFailed",
    "TCPRcvQDrop",
    "PAWSEstab",
];

impl KernelCounters {
    /// Both files have pairs of lines: names, then values.
    pub(crate) fn read() -> Self {
        let mut all = BTreeMap::new();
        for (file, group) in [("snmp", "Tcp:"), ("netstat", "TcpExt:")] {
            let text = fs::read_to_string(format!("/proc/self/net/{file}")).unwrap();
            let mut lines = text.lines().filter(|line| line.starts_with(group));
            let names = lines.next().unwrap().split_whitespace().skip(1);
            let values = lines.next().unwrap().split_whitespace().skip(1);
            // One of them may be -1: no limit.
            let values = values.map(|value| value.parse().unwrap_or_default());
            all.extend(names.map(str::to_owned).zip(values));
        }
        Self(all)
    }

    pub(crate) fn assert_orderly(&self, before: &Self) {
        for name in NOT_ORDERLY {
            let (now, then) = (self.0.get(name), before.0.get(name));
            assert!(now.is_some(), "the kernel counts no {name}");
            assert_eq!(now, then, "the kernel's {name}");
        }
    }
}
