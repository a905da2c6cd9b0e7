//! A device of one's own: IP packets in UDP datagrams, a tunnel through the kernel's network without privileges.
//! `cargo run --example own_device -p estab`

use bytes::Bytes;
use estab::{Host, TcpListener, TcpStream};
use estab_device::{Capabilities, Device, RxBatch, TxBatch, Wait};
use estab_stack::Medium;
use estab_tcp::Instant;
use std::io::{self, ErrorKind, Write};
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
                Ok(_) => batch.pop(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            };
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
    let host = |socket: UdpSocket, last| {
        socket.set_nonblocking(true)?;
        let host = Host::builder().device("tunnel", Tunnel(socket));
        host.address([10, 0, 0, last].into(), 24).build()
    };
    let (server, client) = (host(left, 1)?, host(right, 2)?);
    let listener = TcpListener::bind(&server, "10.0.0.1:80")?;
    TcpStream::connect(&client, "10.0.0.1:80")?.write_all(b"through the tunnel")?;
    println!("{}", io::read_to_string(listener.accept()?.0)?);
    Ok(())
}
