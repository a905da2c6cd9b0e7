//! Two hosts in one process, with a cable in memory between them: no privileges, no kernel.
//!
//! ```text
//! cargo run --example two_hosts -p estab
//! ```

use estab::{Host, TcpListener, TcpStream};
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::thread;
use std::time::Duration;

fn main() -> io::Result<()> {
    let (left, right) = estab_device::memory::pair(Default::default());
    let server = Host::builder()
        .device("left", left)
        .address([10, 0, 0, 1].into(), 24)
        .build()?;
    let client = Host::builder()
        .device("right", right)
        .address([10, 0, 0, 2].into(), 24)
        .build()?;

    let listener = TcpListener::bind(&server, "10.0.0.1:7")?;
    let echo = thread::spawn(move || -> io::Result<()> {
        let (mut stream, peer) = listener.accept()?;
        println!("accepted a connection from {peer}");
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        stream.write_all(text.to_uppercase().as_bytes())
    });

    let mut stream = TcpStream::connect(&client, "10.0.0.1:7")?;
    stream.write_all(b"hello from user space")?;
    // Half of the connection is closed; the other half still carries the answer.
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    println!(
        "{answer} (now {}, {:?} round trip)",
        stream.state()?,
        stream.info()?.srtt
    );
    stream.close()?;
    echo.join().expect("the echo thread does not panic")?;

    // Both ends at once: each waits until the other's FIN has come.
    let closing = thread::spawn(move || server.shutdown(Duration::from_secs(1)));
    println!("client: {:?}", client.shutdown(Duration::from_secs(1)));
    println!(
        "server: {:?}",
        closing.join().expect("a shutdown does not panic")
    );
    Ok(())
}
