//! Serves four ports on a TUN device, to be measured from the kernel's side of it: 5001 reads to the end of the stream,
//! 5002 reads a length and sends that many bytes, 5003 echoes, 5004 exchanges one byte and closes.
//!
//! ```text
//! cargo run --release --example peer -p estab -- --tun tun0 --addr 10.77.0.2 --peer-addr 10.77.0.1 --mtu 1500
//! ```
//!
//! It opens the device by name, or makes it, and runs until SIGTERM or SIGINT.

use anyhow::{Context, Result};
use clap::Parser;
use estab::{Host, TcpListener, TcpStream};
use estab_device::netlink;
use estab_device::tuntap::{TunTap, TunTapConfig};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of the buffers for bulk data.
const BULK: usize = 256 << 10;
/// Threads that serve the port for short connections.
const CHURN_THREADS: usize = 4;

#[derive(Parser)]
struct Options {
    /// Name of the TUN device; it is made when it is not there.
    #[arg(long)]
    tun: String,
    /// The address to serve at.
    #[arg(long)]
    addr: IpAddr,
    /// The kernel's address on the device.
    #[arg(long)]
    peer_addr: IpAddr,
    /// MTU of a device that is made.
    #[arg(long, default_value_t = 1500)]
    mtu: u16,
    /// Serve with tokio's sockets.
    #[arg(long)]
    tokio: bool,
    /// Use the device's checksum and segmentation offload.
    #[arg(long)]
    vnet: bool,
    /// Serve only sink, source, echo or churn.
    #[arg(long)]
    test: Option<String>,
}

#[derive(Clone, Copy)]
enum Service {
    Sink,
    Source,
    Echo,
    Churn,
}

const SERVICES: [(&str, u16, Service); 4] = [
    ("sink", 5001, Service::Sink),
    ("source", 5002, Service::Source),
    ("echo", 5003, Service::Echo),
    ("churn", 5004, Service::Churn),
];

fn main() -> Result<()> {
    let options = Options::parse();
    let host = host(&options)?;
    let only = options.test.as_deref().filter(|test| {
        // A name of no service serves them all.
        SERVICES.iter().any(|(name, ..)| name == test)
    });
    let services = SERVICES
        .into_iter()
        .filter(|(name, ..)| only.is_none_or(|only| only == *name))
        .map(|(_, port, service)| (SocketAddr::new(options.addr, port), service));
    if options.tokio {
        with_tokio::serve(&host, services.collect())?;
    } else {
        for (address, service) in services {
            let listener = TcpListener::bind(&host, address)?;
            serve(listener, service);
        }
        wait_for_signal()?;
    }
    host.shutdown(Duration::from_millis(500));
    Ok(())
}

fn host(options: &Options) -> Result<Host> {
    let mut config = TunTapConfig::tun(&options.tun);
    config.offload = options.vnet;
    config.mtu = Some(options.mtu);
    let device = TunTap::open(&config)?;
    let prefix_len = if options.addr.is_ipv4() { 24 } else { 64 };
    if device.was_created() {
        netlink::add_address(device.index(), options.peer_addr, prefix_len)?;
        netlink::set_up(device.index())?;
    }
    Host::builder()
        .device(&options.tun, device)
        .address(options.addr, prefix_len)
        .build()
        .context("cannot start the host")
}

fn wait_for_signal() -> Result<()> {
    signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?
        .forever()
        .next();
    Ok(())
}

/// One thread accepts and starts one for each connection; short connections are served by a few threads.
fn serve(listener: TcpListener, service: Service) {
    if matches!(service, Service::Churn) {
        let listener = Arc::new(listener);
        for _ in 0..CHURN_THREADS {
            let listener = Arc::clone(&listener);
            std::thread::spawn(move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    let _ = churn(stream);
                }
            });
        }
        return;
    }
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || match service {
                Service::Sink => sink(stream),
                Service::Source => source(stream),
                Service::Echo | Service::Churn => echo(stream),
            });
        }
    });
}

fn sink(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; BULK];
    while stream.read(&mut buffer)? > 0 {}
    Ok(())
}

fn source(mut stream: TcpStream) -> io::Result<()> {
    let mut length = [0; 8];
    stream.read_exact(&mut length)?;
    let mut left = u64::from_be_bytes(length);
    let data = vec![0x5a; BULK];
    while left > 0 {
        let len = usize::try_from(left).unwrap_or(BULK).min(BULK);
        left -= stream.write(&data[..len])? as u64;
    }
    Ok(())
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            count => stream.write_all(&buffer[..count])?,
        }
    }
}

fn churn(mut stream: TcpStream) -> io::Result<()> {
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    stream.write_all(&byte)
}

/// The same with async sockets, in one thread.
mod with_tokio {
    use super::{BULK, Service};
    use anyhow::Result;
    use estab::Host;
    use estab::tokio::{TcpListener, TcpStream};
    use std::io;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    pub(super) fn serve(host: &Host, services: Vec<(SocketAddr, Service)>) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            for (address, service) in services {
                let listener = TcpListener::bind(host, address).await?;
                tokio::spawn(accept(listener, service));
            }
            tokio::task::spawn_blocking(super::wait_for_signal).await?
        })
    }

    async fn accept(listener: TcpListener, service: Service) {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                match service {
                    Service::Sink => sink(stream).await,
                    Service::Source => source(stream).await,
                    Service::Echo => echo(stream).await,
                    Service::Churn => churn(stream).await,
                }
            });
        }
    }

    async fn sink(mut stream: TcpStream) -> io::Result<()> {
        let mut buffer = vec![0; BULK];
        while stream.read(&mut buffer).await? > 0 {}
        Ok(())
    }

    async fn source(mut stream: TcpStream) -> io::Result<()> {
        let mut left = stream.read_u64().await?;
        let data = vec![0x5a; BULK];
        while left > 0 {
            let len = usize::try_from(left).unwrap_or(BULK).min(BULK);
            left -= stream.write(&data[..len]).await? as u64;
        }
        Ok(())
    }

    async fn echo(mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut buffer = [0; 4096];
        loop {
            match stream.read(&mut buffer).await? {
                0 => return Ok(()),
                count => stream.write_all(&buffer[..count]).await?,
            }
        }
    }

    async fn churn(mut stream: TcpStream) -> io::Result<()> {
        let byte = stream.read_u8().await?;
        stream.write_u8(byte).await
    }
}
