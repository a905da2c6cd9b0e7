//! `estab get`.

use crate::exit::Failure;
use crate::http::client::{self, Answer, Resume, Target};
use crate::network::{Network, NetworkArgs};
use crate::output;
use crate::progress::{Progress, size};
use anyhow::{Context, Result, bail, ensure};
use hyper::header::{ETAG, LAST_MODIFIED};
use std::fs::{File, OpenOptions};
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

    /// Go on where the file ends, when the server can
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
    let result = runtime.block_on(fetch(args, target, &network));
    network.close(CLOSE_TIMEOUT);
    runtime.shutdown_background();
    result.map(|()| ExitCode::SUCCESS)
}

async fn fetch(args: &Args, mut target: Target, network: &Network) -> Result<()> {
    let resume = match &args.output {
        Some(path) if args.r#continue => resume_from(path),
        _ => None,
    };
    let timeout = Duration::from_secs(args.connect_timeout);
    for _ in 0..=REDIRECTS_MAX {
        let stream = network.connect(target.host(), target.port(), timeout).await?;
        let answer = client::get(stream, &target, resume.as_ref()).await;
        match answer.context(Failure::Answer)? {
            Answer::Redirect(next) => target = next,
            Answer::Failed(status) => bail!(anyhow::anyhow!("the server says {status}").context(Failure::Answer)),
            Answer::Complete => {
                eprintln!("estab: the file is complete already");
                return Ok(());
            }
            Answer::Content { response, appends } => return save(args, response, appends).await,
        }
    }
    bail!(anyhow::anyhow!("more than {REDIRECTS_MAX} redirects").context(Failure::Answer))
}
