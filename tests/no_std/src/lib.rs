//! Links the core into a static library that has its own panic handler and allocator.
//!
//! It is built, never run: were `std` anywhere below, there would be two panic handlers, and no library.
//!
//!     cargo build --manifest-path tests/no_std/Cargo.toml
#![no_std]

extern crate alloc;

use alloc::boxed::Box;
use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;
use estab_stack::{Stack, StackConfig};
use estab_tcp::Settings;

struct NoMemory;

// SAFETY: null says that there is no memory, which an allocator may say at any time; so nothing is ever given back.
unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: NoMemory = NoMemory;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// A host, so that what all three crates do is in the library.
#[unsafe(no_mangle)]
pub extern "C" fn estab_stack_new(seed: &[u8; 32]) -> Box<Stack> {
    Box::new(Stack::new(StackConfig {
        seed: *seed,
        settings: Settings::default(),
    }))
}

/// Whether bytes are a segment.
#[unsafe(no_mangle)]
pub extern "C" fn estab_tcp_parse(bytes: &[u8; 60]) -> bool {
    estab_wire::tcp::Header::parse(bytes).is_ok()
}
