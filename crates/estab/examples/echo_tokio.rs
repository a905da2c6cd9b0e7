//! An echo server and its clients on tokio, over a cable in memory. The functions know only tokio's traits: they serve a
//! `tokio::net::TcpStream` as well.
//!
//! ```text
//! cargo run --example echo_tokio -p estab
//! ```

use estab::Host;
use estab::tokio::{TcpListener, TcpStream};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Sends back what comes, until the other side closes.
async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return stream.shutdown().await,
            count => stream.write_all(&buffer[..count]).await?,
        }
    }
}

/// Says something, closes the sending side, and gives what came back.
async fn say(mut stream: impl AsyncRead + AsyncWrite + Unpin, text: &str) -> io::Result<String> {
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let (left, right) = estab_device::memory::pair(Default::default());
    let server = Host::builder()
        .device("left", left)
        .address([10, 0, 0, 1].into(), 24)
        .build()?;
    let client = Host::builder()
        .device("right", right)
        .address([10, 0, 0, 2].into(), 24)
        .build()?;

    let listener = TcpListener::bind(&server, "10.0.0.1:7").await?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(echo(stream));
        }
    });

    let mut talks = tokio::task::JoinSet::new();
    for number in 0..3 {
        let client = client.clone();
        talks.spawn(async move {
            let stream = TcpStream::connect(&client, "10.0.0.1:7").await?;
            say(stream, &format!("client {number}")).await
        });
    }
    while let Some(answer) = talks.join_next().await {
        println!("{}", answer??);
    }
    Ok(())
}
