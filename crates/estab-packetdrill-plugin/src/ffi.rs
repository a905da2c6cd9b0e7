//! The C interface, and with it all that is `unsafe`: pointers from the tool, `errno`, raw descriptors.

mod call;
pub(crate) mod descriptor;
mod interpose;
mod memory;
mod messages;
mod network;
mod sockets;
mod table;
mod waits;

use crate::options::{self, Options};
use crate::plugin::{self, Plugin};
use std::ffi::{CStr, c_char};
use std::fs::File;
use std::io::Read;
use std::panic::catch_unwind;
use std::path::Path;
use std::process::exit;
use table::Table;

/// More of a script is not looked at for options, bytes.
const SCRIPT_MAX: u64 = 64 << 10;

/// Fills the table. When it cannot, it says why and ends the process, since there is no other way to fail.
///
/// # Safety
/// `flags` is null or a string, and `out` points to memory for a table.
#[unsafe(no_mangle)]
unsafe extern "C" fn packetdrill_interface_init(flags: *const c_char, out: *mut Table) {
    if out.is_null() {
        fail("packetdrill_interface_init was given no table");
    }
    let flags = if flags.is_null() {
        Ok("")
    } else {
        // SAFETY: the caller says that it is a string, and it is not null.
        unsafe { CStr::from_ptr(flags) }.to_str()
    };
    let started = catch_unwind(|| start(flags.map_err(|_| "--so_flags is not UTF-8")?));
    match started {
        Ok(Ok(number)) => {
            // SAFETY: the caller says that there is room for a table, and it is not null.
            unsafe { out.write(Table::new(number)) };
        }
        Ok(Err(message)) => fail(&message),
        Err(_) => fail("the plug-in could not start"),
    }
}

fn fail(message: &str) -> ! {
    eprintln!("estab: packetdrill plug-in: {message}");
    exit(1)
}

/// A stack for this process' script; its number.
fn start(flags: &str) -> Result<usize, String> {
    let flags = Options::parse(flags).map_err(|message| format!("--so_flags: {message}"))?;
    let command_line = std::fs::read("/proc/self/cmdline").unwrap_or_default();
    let words = options::words(&command_line);
    let script = words.last().map(|path| beginning(Path::new(path)));
    let options = flags
        .or(options::of_command_line(&words))
        .or(options::of_script(&script.unwrap_or_default()));
    Ok(plugin::add(Plugin::start(options)?))
}

/// The beginning of a script; nothing when it cannot be read, since the tool says so itself.
fn beginning(path: &Path) -> String {
    let mut bytes = Vec::new();
    let regular = path.metadata().is_ok_and(|metadata| metadata.is_file());
    if let Some(file) = regular.then(|| File::open(path).ok()).flatten() {
        let _ = file.take(SCRIPT_MAX).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
