//! Async sockets: the same as tokio's own, cancellation, runtimes that come and go.

mod common;

use common::{at, eventually, hosts, pattern, within_limit};
use estab::tokio::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use std::future::Future;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest};
use tokio::runtime::{Builder, Runtime};

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn many_threads() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// Runs a test on both kinds of runtime.
fn on_runtimes<F: Future<Output = ()>>(test: impl Fn() -> F + Copy + Send + 'static) {
    within_limit(move || one_thread().block_on(test()));
    within_limit(move || many_threads().block_on(test()));
}

async fn connected() -> (TcpStream, TcpStream) {
    let (server, client) = hosts();
    let listener = TcpListener::bind(&server, at(7)).await.unwrap();
    let connecting = TcpStream::connect(&client, at(7));
    let (accepted, connected) = tokio::join!(listener.accept(), connecting);
    let (accepted, peer) = accepted.unwrap();
    let connected = connected.unwrap();
    assert_eq!(peer, connected.local_addr().unwrap());
    (accepted, connected)
}

/// Knows only tokio's traits: half-close, order, end of file, large transfers both ways at once.
async fn generic<S>(mut left: S, mut right: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    const LEN: usize = 1 << 20;
    left.write_all(b"ping").await.unwrap();
    let mut buffer = [0; 4];
    right.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"ping");

    let transfer = |stream: S| async move {
        let (mut reading, mut writing) = tokio::io::split(stream);
        let writer = tokio::spawn(async move {
            writing.write_all(&pattern(LEN)).await.unwrap();
            writing.shutdown().await.unwrap();
        });
        let mut data = Vec::new();
        reading.read_to_end(&mut data).await.unwrap();
        writer.await.unwrap();
        assert!(data == pattern(LEN), "the bytes differ");
    };
    tokio::join!(transfer(left), transfer(right));
}

#[test]
fn generic_code_runs_on_our_sockets() {
    on_runtimes(|| async {
        let (left, right) = connected().await;
        generic(left, right).await;
    });
}

#[test]
fn generic_code_runs_on_the_kernels_sockets() {
    on_runtimes(|| async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connecting = tokio::net::TcpStream::connect(address);
        let (accepted, connected) = tokio::join!(listener.accept(), connecting);
        generic(accepted.unwrap().0, connected.unwrap()).await;
    });
}

#[test]
fn readiness_and_attempts() {
    on_runtimes(|| async {
        let (server, mut client) = connected().await;
        let error = server.try_read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        let ready = client
            .ready(Interest::READABLE | Interest::WRITABLE)
            .await
            .unwrap();
        assert!(ready.is_writable() && !ready.is_readable());
        client.write_all(b"x").await.unwrap();
        server.readable().await.unwrap();
        assert_eq!(server.try_read(&mut [0; 8]).unwrap(), 1);
        client.shutdown().await.unwrap();
        let ready = server.ready(Interest::READABLE).await.unwrap();
        assert!(ready.is_read_closed());
        assert_eq!(server.try_read(&mut [0; 8]).unwrap(), 0);
        // Fill it up: there is an end to what is taken, and room again once the peer has read.
        let chunk = vec![0; 64 << 10];
        let mut filled = 0;
        while let Ok(count) = server.try_write(&chunk) {
            filled += count;
        }
        let mut sink = vec![0; filled];
        let (writable, read) = tokio::join!(server.writable(), client.read_exact(&mut sink));
        writable.unwrap();
        read.unwrap();
        server.try_write(b"more").unwrap();
    });
}

#[test]
fn split_halves() {
    on_runtimes(|| async {
        let (mut server, client) = connected().await;
        let (mut reading, mut writing) = client.into_split();
        writing.write_all(b"a").await.unwrap();
        {
            let (mut server_reading, mut server_writing) = server.split();
            assert_eq!(server_reading.read_u8().await.unwrap(), b'a');
            server_writing.write_all(b"b").await.unwrap();
        }
        assert_eq!(reading.read_u8().await.unwrap(), b'b');
        let client = reading.reunite(writing).unwrap();
        let (mut reading, writing) = client.into_split();
        drop(writing);
        assert_eq!(
            server.read(&mut [0; 8]).await.unwrap(),
            0,
            "the half was dropped"
        );
        server.write_all(b"c").await.unwrap();
        assert_eq!(reading.read_u8().await.unwrap(), b'c');
        let (other, _) = connected().await;
        let (_, foreign) = other.into_split();
        assert!(reading.reunite(foreign).is_err());
    });
}

#[test]
fn cancelled_calls_lose_nothing() {
    on_runtimes(|| async {
        let (mut server, mut client) = connected().await;
        for round in 0..50_u8 {
            let mut buffer = [0; 1];
            let moment = Duration::from_micros(u64::from(round) * 20);
            let early = tokio::time::timeout(moment, client.read(&mut buffer)).await;
            assert!(early.is_err(), "nothing was sent");
            server.write_all(&[round]).await.unwrap();
            let mut got = None;
            while got.is_none() {
                let attempt = tokio::time::timeout(moment, client.read(&mut buffer)).await;
                got = attempt.ok().map(|count| (count.unwrap(), buffer[0]));
            }
            assert_eq!(got, Some((1, round)));
        }
    });
}

#[test]
fn a_cancelled_connect_and_accept_leave_nothing_behind() {
    on_runtimes(|| async {
        let (server, client) = hosts();
        let listener = TcpListener::bind(&server, at(7)).await.unwrap();
        let soon = Duration::from_millis(5);
        assert!(tokio::time::timeout(soon, listener.accept()).await.is_err());
        let nobody = TcpStream::connect(&client, "10.0.0.99:7");
        assert!(tokio::time::timeout(soon, nobody).await.is_err());
        assert_eq!(client.counters().sockets, 0);
        let (accepted, connected) =
            tokio::join!(listener.accept(), TcpStream::connect(&client, at(7)));
        accepted.unwrap();
        connected.unwrap();
    });
}

#[test]
fn errors_are_tokios() {
    on_runtimes(|| async {
        let (server, client) = hosts();
        let error = TcpStream::connect(&client, at(9)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let _listener = TcpListener::bind(&server, at(7)).await.unwrap();
        let error = TcpListener::bind(&server, at(7)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        let socket = TcpSocket::new_v4(&client).unwrap();
        socket.bind("10.0.0.2:4000".parse().unwrap()).unwrap();
        let stream = socket.connect(at(7)).await.unwrap();
        assert_eq!(stream.local_addr().unwrap().port(), 4000);
    });
}

#[test]
fn closing_tells_what_linger_found() {
    on_runtimes(|| async {
        let (mut server, mut client) = connected().await;
        client.set_linger(Some(Duration::from_secs(5))).unwrap();
        client.write_all(&[1; 10_000]).await.unwrap();
        let mut data = Vec::new();
        let (closed, read) = tokio::join!(client.close(), server.read_to_end(&mut data));
        closed.unwrap();
        assert_eq!(read.unwrap(), 10_000);
    });
}

#[test]
fn many_connections_at_once() {
    on_runtimes(|| async {
        let (server, client) = hosts();
        let listener = TcpListener::bind(&server, at(7)).await.unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut reading, mut writing) = stream.split();
                    tokio::io::copy(&mut reading, &mut writing).await
                });
            }
        });
        let mut talks = tokio::task::JoinSet::new();
        for number in 0..100_u32 {
            let client = client.clone();
            talks.spawn(async move {
                let mut stream = TcpStream::connect(&client, at(7)).await?;
                for _ in 0..5 {
                    stream.write_u32(number).await?;
                    assert_eq!(stream.read_u32().await?, number);
                }
                io::Result::Ok(())
            });
        }
        while let Some(talk) = talks.join_next().await {
            talk.unwrap().unwrap();
        }
    });
}

#[test]
fn datagrams() {
    on_runtimes(|| async {
        let (server, client) = hosts();
        let server = Arc::new(UdpSocket::bind(&server, at(53)).await.unwrap());
        let client = UdpSocket::bind(&client, "10.0.0.2:0").await.unwrap();
        client.connect(at(53)).await.unwrap();
        let answering = Arc::clone(&server);
        let answer = tokio::spawn(async move {
            let mut buffer = [0; 16];
            let (len, from) = answering.recv_from(&mut buffer).await.unwrap();
            answering.send_to(&buffer[..len], from).await.unwrap();
        });
        client.send(b"query").await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(client.recv(&mut buffer).await.unwrap(), 5);
        answer.await.unwrap();
        assert!(server.try_recv(&mut buffer).is_err());
    });
}

#[test]
fn the_background_thread_takes_over_from_a_runtime_that_ends() {
    within_limit(|| {
        let runtime = one_thread();
        let (mut server, client) = runtime.block_on(async {
            let (server, client) = connected().await;
            (server.into_blocking(), client)
        });
        drop(runtime);
        let client = client.into_blocking();
        client.set_nonblocking(true).unwrap();
        io::Write::write_all(&mut &client, b"x").unwrap();
        server.set_nonblocking(true).unwrap();
        eventually("the byte arrives", || {
            io::Read::read(&mut server, &mut [0; 8]).is_ok()
        });
        // And a second runtime drives the same hosts again.
        let runtime = one_thread();
        runtime.block_on(async {
            let mut client = TcpStream::from_blocking(client);
            let mut server = TcpStream::from_blocking(server);
            client.write_all(b"y").await.unwrap();
            assert_eq!(server.read_u8().await.unwrap(), b'y');
        });
    });
}

#[test]
fn a_blocking_call_drives_a_host_whose_runtime_stands_still() {
    within_limit(|| {
        let runtime = one_thread();
        let (server, client) = runtime.block_on(connected());
        // Nobody runs the runtime now; the threads in the calls drive both hosts.
        let mut server = server.into_blocking();
        let mut client = client.into_blocking();
        let echo = std::thread::spawn(move || {
            let mut byte = [0];
            io::Read::read_exact(&mut server, &mut byte).unwrap();
            io::Write::write_all(&mut server, &byte).unwrap();
        });
        io::Write::write_all(&mut client, b"z").unwrap();
        io::Read::read_exact(&mut client, &mut [0]).unwrap();
        echo.join().unwrap();
        drop(runtime);
    });
}

#[test]
fn sockets_work_outside_a_runtime() {
    // Without a runtime there is no task, and the background thread drives the hosts.
    within_limit(|| {
        let (server, client) = hosts();
        let listener = estab::TcpListener::bind(&server, at(7)).unwrap();
        let client = estab::TcpStream::connect(&client, at(7)).unwrap();
        let server = TcpStream::from_blocking(listener.accept().unwrap().0);
        let client = TcpStream::from_blocking(client);
        client.try_write(b"x").unwrap();
        block_on(server.readable()).unwrap();
        assert_eq!(server.try_read(&mut [0; 8]).unwrap(), 1);
    });
}

/// The smallest executor.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut cx = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(done) = future.as_mut().poll(&mut cx) {
            return done;
        }
        std::thread::park();
    }
}

#[test]
fn a_host_that_is_shut_down_fails_its_async_sockets() {
    on_runtimes(|| async {
        let (server, client) = hosts();
        let listener = TcpListener::bind(&server, at(7)).await.unwrap();
        let connecting = TcpStream::connect(&client, at(7));
        let (accepted, connected) = tokio::join!(listener.accept(), connecting);
        let (_accepted, mut connected) = (accepted.unwrap(), connected.unwrap());
        let reading = tokio::spawn(async move { connected.read(&mut [0; 8]).await });
        tokio::task::yield_now().await;
        let down = tokio::task::spawn_blocking(move || client.shutdown(Duration::from_millis(50)));
        down.await.unwrap();
        let error = reading.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NetworkDown);
    });
}
