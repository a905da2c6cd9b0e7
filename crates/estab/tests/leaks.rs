//! What a host opens it gives back: one test in its own process, since it counts threads and descriptors.

mod common;

use common::{at, eventually, hosts, within_limit};
use estab::{TcpListener, TcpStream};
use std::io::{Read, Write};

fn count(directory: &str) -> usize {
    std::fs::read_dir(directory).unwrap().count()
}

#[test]
fn threads_and_descriptors_are_given_back() {
    // Whatever the runtime opens once is open before it is counted.
    round(false);
    round(true);
    eventually("the first hosts are gone", || count("/proc/self/task") <= 2);
    let descriptors = count("/proc/self/fd");
    let threads = count("/proc/self/task");
    for number in 0..20 {
        round(number % 2 == 0);
    }
    eventually("all threads end", || count("/proc/self/task") <= threads);
    eventually("all descriptors are closed", || {
        count("/proc/self/fd") <= descriptors
    });
}

fn round(with_tokio: bool) {
    within_limit(move || {
        let (server, client) = hosts();
        if with_tokio {
            tokio_round(&server, &client);
        }
        let listener = TcpListener::bind(&server, at(7)).unwrap();
        let mut stream = TcpStream::connect(&client, at(7)).unwrap();
        let (mut accepted, _) = listener.accept().unwrap();
        stream.write_all(b"x").unwrap();
        accepted.read_exact(&mut [0]).unwrap();
    });
}

fn tokio_round(server: &estab::Host, client: &estab::Host) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = estab::tokio::TcpListener::bind(server, at(8))
            .await
            .unwrap();
        let connecting = estab::tokio::TcpStream::connect(client, at(8));
        let (accepted, connected) = tokio::join!(listener.accept(), connecting);
        let (mut accepted, _) = accepted.unwrap();
        connected.unwrap().write_all(b"x").await.unwrap();
        accepted.read_u8().await.unwrap();
    });
}
