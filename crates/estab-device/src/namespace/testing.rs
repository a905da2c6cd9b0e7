//! One policy for tests that need privileges, for all crates.

use super::set_loopback_up;
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{getegid, geteuid};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use std::ffi::{CStr, OsStr};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::{env, fs, io};

/// Set in the child, to the name of the test.
const INSIDE: &str = "ESTAB_PRIVILEGED_TEST";
/// What the child prints when the body has run.
const DONE: &str = "estab: the privileged test ran";
/// After so many seconds the child is ended by SIGALRM.
const TIME_MAX: u32 = 120;

/// Runs a test inside a network namespace of its own; `name` is the test's full path as libtest prints it.
///
/// The test binary is started again for this one test, so that the namespace (a user namespace too, without root) can
/// be made while the process has one thread; everything in it is gone when it ends. `ESTAB_PRIVILEGED` decides what
/// happens where the system does not allow that, or has no TUN: `require` fails, `auto` (the default) says that
/// nothing was tested.
///
/// # Panics
/// When the body does, when there is no test of that name, or by the policy.
pub fn privileged_test(name: &str, body: impl FnOnce()) {
    if env::var(INSIDE).as_deref() == Ok(name) {
        set_loopback_up().expect("set the loopback device up");
        body();
        // Not println!, which libtest captures.
        let _ = writeln!(io::stdout(), "{DONE}");
        return;
    }
    if let Err(reason) = possible() {
        match env::var("ESTAB_PRIVILEGED").as_deref() {
            Ok("require") => panic!("ESTAB_PRIVILEGED=require, but {reason}"),
            Ok("auto") | Err(env::VarError::NotPresent) => {
                let _ = writeln!(io::stderr(), "{name}: nothing was tested: {reason}");
                return;
            }
            other => panic!("ESTAB_PRIVILEGED is {other:?}: `auto` or `require`"),
        }
    }
    let output = inside(env::current_exe().expect("the test's own path"))
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(INSIDE, name)
        .output()
        .expect("start the test again");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(
        output.status.success() && text.contains(DONE),
        "in its namespace: {}\n{text}",
        output.status
    );
}

/// Can namespaces and TUN devices be made here?
fn possible() -> Result<(), String> {
    let mut options = fs::OpenOptions::new();
    if let Err(error) = options.read(true).write(true).open("/dev/net/tun") {
        return Err(format!("/dev/net/tun: {error}"));
    }
    let probe = inside("true")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match probe {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("unshare: {status}")),
        Err(error) => Err(format!("no network namespace can be made: {error}")),
    }
}

/// A command in new namespaces, with a limited time.
fn inside(program: impl AsRef<OsStr>) -> Command {
    let uid_map = format!("0 {} 1", geteuid().as_raw());
    let gid_map = format!("0 {} 1", getegid().as_raw());
    let prepare = move || {
        // SAFETY: alarm has no preconditions.
        unsafe { libc::alarm(TIME_MAX) };
        // SAFETY: this process has one thread, and will run another program.
        if unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.is_ok() {
            return Ok(());
        }
        // SAFETY: as above.
        unsafe { unshare_unsafe(UnshareFlags::NEWUSER | UnshareFlags::NEWNET) }?;
        write(c"/proc/self/setgroups", "deny")?;
        write(c"/proc/self/uid_map", &uid_map)?;
        write(c"/proc/self/gid_map", &gid_map)
    };
    let mut command = Command::new(program);
    // SAFETY: `prepare` only makes system calls: it allocates nothing and takes no lock.
    unsafe { command.pre_exec(prepare) };
    command
}

fn write(path: &CStr, text: &str) -> io::Result<()> {
    let file = open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(file, text.as_bytes())?;
    Ok(())
}
