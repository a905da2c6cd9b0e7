//! Programs that are run for a script, with an end.

use core::time::Duration;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

/// How long a program may run.
const TIME_MAX: Duration = Duration::from_secs(30);
/// How long its output may take after its end: a process that it left behind may hold it open.
const OUTPUT_TIME: Duration = Duration::from_secs(1);
/// Most bytes of what it prints that are kept.
const OUTPUT_MAX: u64 = 256 << 10;

/// What a program did.
pub(super) struct Output {
    pub(super) success: bool,
    pub(super) text: String,
    pub(super) errors: String,
}

/// Why a program did nothing.
pub(super) enum Broken {
    NotThere,
    Other(String),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotThere,
            _ => Self::Other(error.to_string()),
        }
    }
}

/// Runs a command of the script in a shell.
pub(super) fn shell(text: &str, folder: Option<&Path>) -> Result<(), String> {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(text);
    if let Some(folder) = folder.filter(|folder| folder.is_dir()) {
        command.current_dir(folder);
    }
    match output(command) {
        Ok(output) if output.success => Ok(()),
        Ok(output) => {
            let last = output.errors.trim().lines().next_back();
            Err(format!("the command failed: {}", last.unwrap_or_default()))
        }
        Err(Broken::NotThere) => Err("there is no /bin/sh".to_owned()),
        Err(Broken::Other(message)) => Err(message),
    }
}

/// Runs a program without input; it is ended when it takes too long.
fn output(mut command: Command) -> Result<Output, Broken> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let text = reader(child.stdout.take());
    let errors = reader(child.stderr.take());
    let in_time = ends(&child).recv_timeout(TIME_MAX).is_ok();
    if !in_time {
        // With all that it started. It may have ended this very moment.
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let _ = group.map(|group| kill_process_group(group, Signal::KILL));
    }
    let status = child.wait()?;
    if !in_time {
        let seconds = TIME_MAX.as_secs();
        return Err(Broken::Other(format!("it took more than {seconds} s")));
    }
    Ok(Output {
        success: status.success(),
        text: text.recv_timeout(OUTPUT_TIME).unwrap_or_default(),
        errors: errors.recv_timeout(OUTPUT_TIME).unwrap_or_default(),
    })
}

/// Is told when a child has ended. It is still to be waited for.
fn ends(child: &Child) -> Receiver<()> {
    let (sender, receiver) = mpsc::channel();
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        thread::spawn(move || {
            let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            // That it is no more is an end too. The receiver may have given up.
            let _ = waitid(WaitId::Pid(pid), look);
            let _ = sender.send(());
        });
    }
    receiver
}

/// Reads all of a pipe in a thread of its own, so that neither side waits for the other.
fn reader(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    if let Some(mut pipe) = pipe {
        thread::spawn(move || {
            let mut kept = Vec::new();
            let read = (&mut pipe).take(OUTPUT_MAX).read_to_end(&mut kept);
            // What nobody keeps is read too, so that the program is not stopped by it.
            let _ = read.and_then(|_| io::copy(&mut pipe, &mut io::sink()));
            // The receiver may have given up.
            let _ = sender.send(String::from_utf8_lossy(&kept).into_owned());
        });
    }
    receiver
}
