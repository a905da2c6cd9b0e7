//! `estab get`.

use crate::exit::Failure;
use crate::http::client::{self, Answer, Target};
use crate::network::{Network, NetworkArgs};
use crate::output;
use crate::progress::{Progress, size};
use crate::signals::Interrupt;
use anyhow::{Context, Result, anyhow};
use hyper::Response;
use hyper::body::Incoming;
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Addresses that a chain of redirects may lead to.
const REDIRECTS_MAX: u32 = 10;
/// Time for what is left to be acknowledged and closed at the end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Fetch a file by HTTP/1.1 over estab's TCP
///
/// The URL's host may be a name, which the system's resolver looks up. A body that ends before its length is an error.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo estab get http://10.217.0.1:8000/file -o file     (a server on this machine, over a TUN)
  sudo estab get --device tun:estab0 --address 10.9.0.2/24 http://10.9.0.1/ | head")]
pub(crate) struct Args {
    /// What to fetch; only http is spoken
    url: String,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Go on where the file ends, when the server can; whether its file has changed meanwhile is not known
    #[arg(short, long, requires = "output")]
    r#continue: bool,

    /// Seconds to wait for the connection
    #[arg(long, value_name = "SECONDS", default_value_t = 63)]
    connect_timeout: u64,

    #[command(flatten)]
    network: NetworkArgs,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let target = Target::parse(&args.url).context(Failure::Usage)?;
    let runtime = super::runtime()?;
    let network = args.network.open()?;
    let interrupt = Interrupt::closes(&network.host)?;
    let result = runtime.block_on(fetch(args, target, &network));
    interrupt.wait_if_it_came();
    network.host.shutdown(CLOSE_TIMEOUT);
    runtime.shutdown_background();
    result.map(|()| ExitCode::SUCCESS)
}

async fn fetch(args: &Args, mut target: Target, network: &Network) -> Result<()> {
    let have = match &args.output {
        Some(path) if args.r#continue => Some(len_of(path)).filter(|&len| len > 0),
        _ => None,
    };
    let timeout = Duration::from_secs(args.connect_timeout);
    for _ in 0..=REDIRECTS_MAX {
        let stream = network
            .connect(target.host(), target.port(), timeout)
            .await?;
        let answer = client::get(stream, &target, have).await;
        match answer.context(Failure::Answer)? {
            Answer::Redirect(next) => target = next,
            Answer::Failed(status) => {
                return Err(anyhow!("the server says {status}").context(Failure::Answer));
            }
            Answer::Complete => {
                eprintln!("estab: the file is complete already");
                return Ok(());
            }
            Answer::Content { response, appends } => return save(args, response, appends).await,
        }
    }
    Err(anyhow!("more than {REDIRECTS_MAX} redirects").context(Failure::Answer))
}

async fn save(args: &Args, response: Response<Incoming>, appends: bool) -> Result<()> {
    let Some(path) = &args.output else {
        let mut out = output::stdout();
        write_body(response, &mut out, 0).await?;
        return Ok(());
    };
    let have = if appends { len_of(path) } else { 0 };
    let mut open = OpenOptions::new();
    open.create(true)
        .write(true)
        .append(appends)
        .truncate(!appends);
    let file = open
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    let len = write_body(response, &mut BufWriter::with_capacity(1 << 20, file), have).await?;
    eprintln!("estab: {} written to {}", size(len as f64), path.display());
    Ok(())
}

/// Writes a body, which goes on after `have` bytes.
async fn write_body(response: Response<Incoming>, out: &mut dyn Write, have: u64) -> Result<u64> {
    let mut progress = Progress::new();
    let saved = client::save(response, out, |len, total| {
        progress.show(have + len, total.map(|total| have + total));
    });
    saved.await.context(Failure::Answer)
}

fn len_of(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}
