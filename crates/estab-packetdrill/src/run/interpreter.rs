//! Python that waits for the next script: starting it takes longer than most scripts.

use super::process::{Broken, Output};
use core::time::Duration;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// How long a script's code may run.
const TIME_MAX: Duration = Duration::from_secs(10);
/// Interpreters that are kept for later scripts.
const IDLE_MAX: usize = 16;

/// Reads programs, each with its length in a line before it, runs each in a namespace of its own, and answers whether it ended well, with
/// what it printed and what it said of errors, each with its length. Prints beyond a limit are not kept. One that
/// has no end is ended by an alarm, also when nobody is left to end it.
const DRIVER: &str = r#"
import io, os, signal, sys, traceback
source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), 'wb')
os.dup2(2, 1)
class Kept(io.StringIO):
    def write(self, text):
        return super().write(text) if self.tell() < 262144 else len(text)
while True:
    line = source.readline()
    if not line:
        break
    program = source.read(int(line)).decode()
    sys.stdout, sys.stderr = printed, errors = Kept(), Kept()
    good = 1
    signal.alarm(15)
    try:
        exec(compile(program, '<script>', 'exec'), {'__name__': '__main__'})
    except SystemExit as e:
        good = int(not e.code)
    except BaseException:
        good = 0
        errors.write(traceback.format_exc())
    signal.alarm(0)
    texts = [stream.getvalue().encode('utf-8', 'replace') for stream in (printed, errors)]
    sink.write(b'%d %d %d\n' % (good, len(texts[0]), len(texts[1])))
    sink.write(texts[0] + texts[1])
    sink.flush()
"#;

/// Those that wait, with the command that started them. They end with this process, whose end closes their input.
static IDLE: Mutex<Vec<Interpreter>> = Mutex::new(Vec::new());

/// A process that runs one program after the other.
struct Interpreter {
    command: String,
    child: Child,
    stdin: ChildStdin,
    answers: Receiver<io::Result<Output>>,
}

/// Runs a program by an interpreter; one that takes too long is ended.
pub(super) fn run(command: &str, program: &str) -> Result<Output, Broken> {
    let mut interpreter = match take(command) {
        Some(idle) => idle,
        None => Interpreter::start(command)?,
    };
    let output = interpreter.run(program)?;
    keep(interpreter);
    Ok(output)
}

fn take(command: &str) -> Option<Interpreter> {
    let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    let at = idle.iter().position(|one| one.command == command)?;
    Some(idle.swap_remove(at))
}

fn keep(interpreter: Interpreter) {
    let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    if idle.len() < IDLE_MAX {
        idle.push(interpreter);
    }
}

impl Interpreter {
    fn start(command: &str) -> Result<Self, Broken> {
        let mut child = Command::new(command)
            .args(["-c", DRIVER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Broken::Other("its pipes are not there".to_owned()));
        };
        let (sender, answers) = mpsc::channel();
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            // Ends with the interpreter, or when nobody listens any more.
            while sender.send(answer(&mut stdout)).is_ok() {
                if matches!(stdout.fill_buf(), Ok([]) | Err(_)) {
                    break;
                }
            }
        });
        Ok(Self {
            command: command.to_owned(),
            child,
            stdin,
            answers,
        })
    }

    fn run(&mut self, program: &str) -> Result<Output, Broken> {
        let sent = write!(self.stdin, "{}\n{program}", program.len());
        sent.and_then(|()| self.stdin.flush())
            .map_err(|_| self.broken())?;
        match self.answers.recv_timeout(TIME_MAX) {
            Ok(Ok(output)) => Ok(output),
            Err(RecvTimeoutError::Timeout) => {
                let seconds = TIME_MAX.as_secs();
                Err(Broken::Other(format!("it took more than {seconds} s")))
            }
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => Err(self.broken()),
        }
    }

    fn broken(&self) -> Broken {
        Broken::Other(format!("`{}` ended without an answer", self.command))
    }
}

/// One that is not kept, or did not answer, is ended.
impl Drop for Interpreter {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer of the driver.
fn answer(stdout: &mut impl BufRead) -> io::Result<Output> {
    let mut line = String::new();
    stdout.by_ref().take(64).read_line(&mut line)?;
    let numbers: Option<Vec<u64>> = line.split_whitespace().map(|n| n.parse().ok()).collect();
    let Some([good, printed, errors]) = numbers.as_deref() else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let mut text = |len: u64| -> io::Result<String> {
        let mut bytes = Vec::new();
        stdout.by_ref().take(len).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok(Output {
        success: *good == 1,
        text: text(*printed)?,
        errors: text(*errors)?,
    })
}
