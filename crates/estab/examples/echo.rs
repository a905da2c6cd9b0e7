//! An echo server on blocking sockets, for the programs of this machine: it makes a TUN device, so it needs
//! `CAP_NET_ADMIN` (or a namespace: `unshare -rn`).
//!
//! ```text
//! sudo cargo run --example echo -p estab        # and in another terminal: nc 10.99.0.2 7
//! ```

use estab::{Host, TcpListener, TcpStream};
use estab_device::netlink;
use estab_device::tuntap::{TunTap, TunTapConfig};
use std::io::{self, Read, Write};
use std::thread;

fn main() -> io::Result<()> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "estab0".into());
    let device = TunTap::open(&TunTapConfig::tun(name))?;
    // The kernel's side of the device.
    netlink::add_address(device.index(), [10, 99, 0, 1].into(), 24)?;
    netlink::set_up(device.index())?;
    let host = Host::builder()
        .device(device.name().to_owned(), device)
        .address([10, 99, 0, 2].into(), 24)
        .build()?;

    let listener = TcpListener::bind(&host, "10.99.0.2:7")?;
    println!("echoing at {}", listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || {
            let peer = stream.peer_addr();
            println!("{peer:?}: {:?}", echo(stream));
        });
    }
    Ok(())
}

/// Until the client closes its side; the number of bytes.
fn echo(mut stream: TcpStream) -> io::Result<u64> {
    let (mut buffer, mut total) = ([0; 16 << 10], 0);
    loop {
        match stream.read(&mut buffer)? {
            0 => break,
            count => {
                stream.write_all(&buffer[..count])?;
                total += count as u64;
            }
        }
    }
    stream.close()?;
    Ok(total)
}
