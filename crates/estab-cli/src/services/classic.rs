//! The classic services.

use std::io;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, sink, split};
use tokio::time::timeout;

/// What is read or written at once.
const CHUNK: usize = 64 << 10;
/// How long a peer that has been answered may take to close.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Echo (RFC 862): sends back what comes, and ends when the peer has ended.
///
/// # Errors
/// The connection failed.
pub(crate) async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let len = stream.read(&mut buffer).await?;
        if len == 0 {
            return stream.shutdown().await;
        }
        stream.write_all(&buffer[..len]).await?;
        stream.flush().await?;
    }
}

/// Discard (RFC 863): throws away what comes, and ends when the peer has ended.
///
/// # Errors
/// The connection failed.
pub(crate) async fn discard<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    while stream.read(&mut buffer).await? != 0 {}
    stream.shutdown().await
}

/// Chargen (RFC 864): sends lines of printable characters for as long as the peer takes them.
///
/// # Errors
/// The connection failed; how this service ends.
pub(crate) async fn chargen<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> io::Result<()> {
    let (mut reader, mut writer) = split(stream);
    let lines = chargen_lines();
    let send = async {
        loop {
            writer.write_all(&lines).await?;
        }
    };
    let drop_input = async {
        copy(&mut reader, &mut sink()).await?;
        // The peer may still read after its FIN.
        std::future::pending::<io::Result<()>>().await
    };
    tokio::select! {
        result = send => result,
        result = drop_input => result,
    }
}

/// Lines of 72 printable characters, each beginning one character later, until the pattern repeats.
fn chargen_lines() -> Vec<u8> {
    let ring: Vec<u8> = (b' '..=b'~').collect();
    let line = |start: usize| ring.iter().cycle().skip(start).take(72).chain(b"\r\n");
    (0..ring.len()).flat_map(line).copied().collect()
}

/// Daytime (RFC 867): sends the time as a line of text, and ends.
///
/// # Errors
/// The connection failed.
pub(crate) async fn daytime<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    now: SystemTime,
) -> io::Result<()> {
    let line = format!("{}\r\n", httpdate::fmt_http_date(now));
    stream.write_all(line.as_bytes()).await?;
    stream.shutdown().await?;
    // Unread input at close would turn into a reset that may overtake the line.
    let mut rest = stream.take(1 << 20);
    match timeout(DRAIN_TIMEOUT, copy(&mut rest, &mut sink())).await {
        Ok(result) => result.map(drop),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{chargen, daytime, discard, echo};
    use std::time::{Duration, SystemTime};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn echo_sends_back_everything_and_then_ends() {
        let (mut client, server) = duplex(1000);
        let server = tokio::spawn(echo(server));
        let sent: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
        let (mut reader, mut writer) = tokio::io::split(client);
        let copy = sent.clone();
        let writing = tokio::spawn(async move {
            writer.write_all(&copy).await.unwrap();
            writer.shutdown().await.unwrap();
            writer
        });
        let mut received = Vec::new();
        reader.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, sent);
        client = reader.unsplit(writing.await.unwrap());
        drop(client);
        server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn discard_answers_nothing() {
        let (mut client, server) = duplex(1000);
        let server = tokio::spawn(discard(server));
        client.write_all(&[7; 5000]).await.unwrap();
        client.shutdown().await.unwrap();
        let mut received = Vec::new();
        assert_eq!(client.read_to_end(&mut received).await.unwrap(), 0);
        server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn chargen_goes_on_after_a_half_close_and_ends_with_the_connection() {
        let (mut client, server) = duplex(1000);
        let server = tokio::spawn(chargen(server));
        client.shutdown().await.unwrap();
        let mut lines = vec![0; 74 * 200];
        client.read_exact(&mut lines).await.unwrap();
        assert!(lines.starts_with(b" !\"#$%&'()"));
        assert_eq!(&lines[72..76], b"\r\n!\"");
        assert_eq!(&lines[74 * 95..74 * 95 + 3], b" !\"");
        drop(client);
        server.await.unwrap().unwrap_err();
    }

    #[tokio::test]
    async fn daytime_is_one_line() {
        let (mut client, server) = duplex(1000);
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let server = tokio::spawn(daytime(server, at));
        let mut line = String::new();
        client.read_to_string(&mut line).await.unwrap();
        assert_eq!(line, "Sun, 06 Nov 1994 08:49:37 GMT\r\n");
        drop(client);
        server.await.unwrap().unwrap();
    }
}
