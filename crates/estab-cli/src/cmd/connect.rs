//! `estab connect`.

use crate::exit::Failure;
use crate::network::NetworkArgs;
use crate::output;
use crate::signals::Interrupt;
use anyhow::{Context, Result};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

/// What is copied at once.
const CHUNK: usize = 64 << 10;
/// Time for what is left to be acknowledged and closed at the end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Connect standard input and output to a TCP port, as nc -N does
///
/// End of input shuts the sending side down; what comes is printed until the other side has ended too.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  echo hello | sudo estab connect 10.217.0.1 7
  sudo estab connect --device tun:estab0 --address 10.9.0.2/24 10.9.0.1 25")]
pub(crate) struct Args {
    /// A name or an address
    host: String,

    /// The port
    port: u16,

    /// Seconds to wait for the connection
    #[arg(long, value_name = "SECONDS", default_value_t = 63)]
    connect_timeout: u64,

    #[command(flatten)]
    network: NetworkArgs,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let network = args.network.open()?;
    let timeout = Duration::from_secs(args.connect_timeout);
    let stream = {
        let runtime = super::runtime()?;
        runtime
            .block_on(network.connect(&args.host, args.port, timeout))?
            .into_blocking()
    };
    let interrupt = Interrupt::closes(&network.host)?;
    let sender = stream.try_clone()?;
    let sending = thread::spawn(move || send(&sender));
    let received = receive(&stream);
    interrupt.wait_if_it_came();
    received?;
    // The other side has ended, but may still read: standard input decides when this side does.
    let sent = sending
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    drop(stream);
    let report = network.host.shutdown(CLOSE_TIMEOUT);
    sent.context("sending").context(Failure::Connection)?;
    Ok(if report.undelivered.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Standard input to its end, and a FIN.
fn send(mut stream: &estab::TcpStream) -> Result<()> {
    let mut input = std::io::stdin().lock();
    let mut buffer = vec![0; CHUNK];
    loop {
        let len = match input.read(&mut buffer) {
            Ok(len) => len,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error).context("reading standard input"),
        };
        if len == 0 {
            stream.shutdown(Shutdown::Write)?;
            return Ok(());
        }
        stream.write_all(&buffer[..len])?;
    }
}

/// All that comes, to standard output.
fn receive(mut stream: &estab::TcpStream) -> Result<()> {
    let mut out = output::stdout();
    let mut buffer = vec![0; CHUNK];
    loop {
        let len = stream
            .read(&mut buffer)
            .context("receiving")
            .context(Failure::Connection)?;
        if len == 0 {
            return Ok(());
        }
        out.write_all(&buffer[..len])?;
        out.flush()?;
    }
}
