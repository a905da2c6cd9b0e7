//! A device of one's own: IP packets in UDP datagrams, a tunnel through the kernel's network without privileges.
//!
//! ```text
//! cargo run --example own_device -p estab
//! ```

use bytes::Bytes;
use estab::{Host, TcpListener, TcpStream};
use estab_device::{Capabilities, Device, RxBatch, TxBatch, Wait};
use estab_stack::Medium;
use estab_tcp::Instant;
use std::io::{self, ErrorKind, Read, Write};
use std::net::UdpSocket;
use std::os::fd::AsFd;

/// One end of the tunnel: a UDP socket of the kernel's that is connected to the other end's.
struct Tunnel(UdpSocket);

impl Device for Tunnel {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            medium: Medium::Ip,
            mtu: 1400,
            hardware_address: [0; 6],
            // The stack computes checksums, and hands out no super-segments.
            checksum_offload: false,
            segmentation_offload: 0,
        }
    }

    fn receive(&mut self, _now: Instant, batch: &mut RxBatch) -> io::Result<usize> {
        let (mut buffer, mut count) = ([0; 1400], 0);
        while batch.room() > 0 {
            match self.0.recv(&mut buffer) {
                Ok(len) => batch.push(Bytes::copy_from_slice(&buffer[..len]).into()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
            count += 1;
        }
        Ok(count)
    }

    fn transmit(&mut self, _now: Instant, batch: &mut TxBatch) -> io::Result<usize> {
        let mut count = 0;
        while let Some(packet) = batch.front() {
            match self.0.send(&packet.to_bytes()) {
                // What the link cannot take now stays in the batch.
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                sent => sent?,
            };
            batch.pop();
            count += 1;
        }
        Ok(count)
    }

    fn wait_on(&self) -> Wait<'_> {
        Wait {
            descriptor: Some(self.0.as_fd()),
            deadline: None,
        }
    }
}

fn main() -> io::Result<()> {
    let (left, right) = (
        UdpSocket::bind("127.0.0.1:0")?,
        UdpSocket::bind("127.0.0.1:0")?,
    );
    left.connect(right.local_addr()?)?;
    right.connect(left.local_addr()?)?;
    let host = |socket: UdpSocket, last: u8| {
        socket.set_nonblocking(true)?;
        let builder = Host::builder().device("tunnel", Tunnel(socket));
        builder.address([10, 0, 0, last].into(), 24).build()
    };
    let (server, client) = (host(left, 1)?, host(right, 2)?);

    let listener = TcpListener::bind(&server, "10.0.0.1:80")?;
    let mut sending = TcpStream::connect(&client, "10.0.0.1:80")?;
    sending.write_all(b"through the tunnel")?;
    sending.close()?;
    let mut text = String::new();
    listener.accept()?.0.read_to_string(&mut text)?;
    println!("received: {text}");
    Ok(())
}
