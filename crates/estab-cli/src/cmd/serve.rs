//! `estab serve`.

use crate::exit::Failure;
use crate::network::{Network, NetworkArgs};
use crate::services::{Service, Spec};
use anyhow::{Context, Result};
use estab::tokio::TcpListener;
use estab_stack::SocketOption;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinSet, spawn_blocking};

/// Serve echo, discard, chargen, daytime and files by HTTP, over estab's TCP
///
/// Runs until Ctrl-C or SIGTERM, which ends it in order: no new connections, answers under way are finished, and every
/// connection is closed. A second Ctrl-C ends it at once.
///
/// http serves the files below a folder, with ranges, conditional requests and a page for folders without index.html. Names
/// are resolved by the kernel below that folder: neither .. nor a symbolic link leads out of it; links that stay inside are
/// followed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo estab serve http:80=. echo:7          (then: curl http://10.217.0.2/)
  sudo estab serve --device tun:estab0 --address 10.9.0.2/24 --address fd09::2/64 http:8080=/srv
  sudo estab serve --trace --impair loss=2%,delay=20ms http:80=. --pcapng serve.pcapng")]
pub(crate) struct Args {
    /// What to serve: echo:PORT, discard:PORT, chargen:PORT, daytime:PORT, http:PORT=DIR
    #[arg(required = true, value_name = "SERVICE")]
    services: Vec<Spec>,

    /// Connections of all services that are served at once; more wait
    #[arg(long, value_name = "NUMBER", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..))]
    connections_max: u32,

    /// Seconds that a client may take nothing of what is sent to it; then its connection is reset
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    send_timeout: u32,

    /// Seconds that connections have for ending in order
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    grace: u64,

    /// Say on standard error who connects, and how each connection ended
    #[arg(short, long)]
    verbose: bool,

    #[command(flatten)]
    network: NetworkArgs,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let services = args.services.iter().map(|spec| {
        let service = Service::open(&spec.kind);
        Ok((
            spec.clone(),
            service.with_context(|| format!("cannot serve {spec}"))?,
        ))
    });
    let services = services.collect::<Result<Vec<_>>>()?;
    let runtime = super::runtime()?;
    let network = args.network.open()?;
    let code = runtime.block_on(serve(args, services, &network));
    runtime.shutdown_background();
    code
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    room: Arc<Semaphore>,
    send_timeout: Duration,
    stop: watch::Sender<bool>,
    verbose: bool,
}

impl Shared {
    /// Completes when the program is to end.
    async fn stopped(&self) {
        // The sender is in `self`: it cannot be gone.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }
}

async fn serve(args: &Args, services: Vec<(Spec, Service)>, network: &Network) -> Result<ExitCode> {
    let shared = Arc::new(Shared {
        room: Arc::new(Semaphore::new(args.connections_max as usize)),
        send_timeout: Duration::from_secs(args.send_timeout.into()),
        stop: watch::Sender::new(false),
        verbose: args.verbose,
    });
    let mut signals = EndSignals::new()?;
    let mut listeners = JoinSet::new();
    for (spec, service) in services {
        let listener = TcpListener::bind(&network.host, network.any(spec.port)).await;
        let listener = listener.with_context(|| format!("cannot listen for {spec}"));
        let listener = listener.context(Failure::Network)?;
        for address in network.addresses() {
            eprintln!(
                "estab: {spec} at {}",
                std::net::SocketAddr::new(address, spec.port)
            );
        }
        listeners.spawn(accept(listener, spec, service, Arc::clone(&shared)));
    }
    eprintln!("estab: {}; Ctrl-C ends", network.describe());
    signals.next().await;
    let grace = Duration::from_secs(args.grace);
    eprintln!(
        "estab: ending, at most {} s; Ctrl-C again ends at once",
        args.grace
    );
    tokio::select! {
        code = end(shared, listeners, network, grace) => code,
        () = signals.next() => Ok(ExitCode::FAILURE),
    }
}

/// Ctrl-C and SIGTERM, from when this is made: none is lost between two waits, and none ends the program by itself.
struct EndSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl EndSignals {
    fn new() -> Result<Self> {
        let listen = |kind| signal(kind).context("cannot wait for signals");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Lets the connections end, then the host.
async fn end(
    shared: Arc<Shared>,
    mut listeners: JoinSet<()>,
    network: &Network,
    grace: Duration,
) -> Result<ExitCode> {
    shared.stop.send_replace(true);
    let all_ended = async { while listeners.join_next().await.is_some() {} };
    // Those that are still open are closed by the host.
    let _ = tokio::time::timeout(grace / 2, all_ended).await;
    let host = network.host.clone();
    let report = spawn_blocking(move || host.shutdown(grace / 2)).await?;
    for cut in &report.undelivered {
        eprintln!(
            "estab: {} to {} was cut with {} bytes undelivered",
            cut.local, cut.remote, cut.bytes
        );
    }
    match (report.undelivered.len(), report.connections) {
        (0, 0) => eprintln!("estab: every connection was closed in order"),
        // What we had to say has arrived.
        (0, left) if report.bytes == 0 => {
            eprintln!("estab: {left} connections were left whose peers have not closed");
        }
        (_, left) => {
            let bytes = report.bytes;
            eprintln!("estab: {left} connections were left, with {bytes} bytes in their queues");
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes the connections of one service until the program is to end, and then waits for them.
async fn accept(listener: TcpListener, spec: Spec, service: Service, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let (stream, peer) = listener.accept().await.ok()?;
            let room = Arc::clone(&shared.room).acquire_owned().await.ok()?;
            Some((stream, peer, room))
        };
        let accepted = tokio::select! {
            accepted = next => accepted,
            () = shared.stopped() => break,
        };
        let Some((stream, peer, room)) = accepted else {
            // The host is down.
            break;
        };
        // It must not keep its room for ever. That fails for a connection that has ended already, which the service sees.
        let _ = stream.set_option(SocketOption::UserTimeout(shared.send_timeout));
        let (service, spec, shared) = (service.clone(), spec.clone(), Arc::clone(&shared));
        connections.spawn(async move {
            if shared.verbose {
                eprintln!("estab: {spec}: {peer} connects");
            }
            let result = service.serve(stream, shared.stopped()).await;
            drop(room);
            if shared.verbose {
                match result {
                    Ok(()) => eprintln!("estab: {spec}: {peer} has ended"),
                    Err(error) => eprintln!("estab: {spec}: {peer} has ended: {error:#}"),
                }
            }
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}
