//! Our sockets against the kernel's, over a TUN device in a namespace of the test's own.

mod common;

use common::{eventually, pattern};
use estab::{Host, TcpListener, TcpStream};
use estab_device::namespace::testing::privileged_test;
use estab_device::netlink;
use estab_device::tuntap::{TunTap, TunTapConfig};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr};
use std::thread;
use std::time::Duration;

const KERNEL: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 1));
const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 2));

fn host(offload: bool) -> Host {
    let mut config = TunTapConfig::tun("estab0");
    config.offload = offload;
    let device = TunTap::open(&config).unwrap();
    netlink::add_address(device.index(), KERNEL, 24).unwrap();
    netlink::set_up(device.index()).unwrap();
    common::builder()
        .device("estab0", device)
        .address(OURS, 24)
        .build()
        .unwrap()
}

/// Ends the host in order, and waits until its device is gone.
fn finish(host: Host) {
    let report = host.shutdown(Duration::from_secs(5));
    assert!(report.is_complete(), "{report:?}");
    drop(host);
    eventually("the device is gone", || netlink::link("estab0").is_err());
}

fn ours(port: u16) -> SocketAddr {
    SocketAddr::new(OURS, port)
}

/// Both ends send and read at once, half-close, and compare every byte.
fn exchange<A, B>(left: A, right: B)
where
    A: Read + Write + Send + Sync + 'static,
    B: Read + Write + Send + Sync + 'static,
    for<'a> &'a A: Read + Write,
    for<'a> &'a B: Read + Write,
    A: HalfClose,
    B: HalfClose,
{
    const LEN: usize = 16 << 20;
    fn one_end<S>(stream: &S)
    where
        S: HalfClose + Sync,
        for<'a> &'a S: Read + Write,
    {
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut writing = stream;
                writing.write_all(&pattern(LEN)).unwrap();
                stream.end_sending();
            });
            let mut data = Vec::new();
            let mut reading = stream;
            reading.read_to_end(&mut data).unwrap();
            assert!(data == pattern(LEN), "the bytes differ");
        });
    }
    thread::scope(|scope| {
        scope.spawn(|| one_end(&left));
        scope.spawn(|| one_end(&right));
    });
}

trait HalfClose {
    fn end_sending(&self);
}

impl HalfClose for TcpStream {
    fn end_sending(&self) {
        self.shutdown(Shutdown::Write).unwrap();
    }
}

impl HalfClose for std::net::TcpStream {
    fn end_sending(&self) {
        self.shutdown(Shutdown::Write).unwrap();
    }
}

#[test]
fn the_kernel_connects_to_us() {
    privileged_test("the_kernel_connects_to_us", || {
        for offload in [false, true] {
            let host = host(offload);
            let listener = TcpListener::bind(&host, ours(80)).unwrap();
            let kernels = std::net::TcpStream::connect(ours(80)).unwrap();
            let (accepted, peer) = listener.accept().unwrap();
            assert_eq!(peer, kernels.local_addr().unwrap());
            exchange(accepted, kernels);
            drop(listener);
            finish(host);
        }
    });
}

#[test]
fn we_connect_to_the_kernel() {
    privileged_test("we_connect_to_the_kernel", || {
        for offload in [false, true] {
            let host = host(offload);
            let address = SocketAddr::new(KERNEL, 80);
            let listener = std::net::TcpListener::bind(address).unwrap();
            let connecting = TcpStream::connect(&host, address).unwrap();
            let (accepted, _) = listener.accept().unwrap();
            exchange(connecting, accepted);
            drop(listener);
            let error = TcpStream::connect(&host, address).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            finish(host);
        }
    });
}

#[test]
fn the_kernel_is_refused_reset_and_given_end_of_file() {
    privileged_test("the_kernel_is_refused_reset_and_given_end_of_file", || {
        let host = host(false);
        let error = std::net::TcpStream::connect(ours(9)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let listener = TcpListener::bind(&host, ours(80)).unwrap();
        let mut kernels = std::net::TcpStream::connect(ours(80)).unwrap();
        listener.accept().unwrap().0.close().unwrap();
        assert_eq!(kernels.read(&mut [0; 8]).unwrap(), 0);
        let mut kernels = std::net::TcpStream::connect(ours(80)).unwrap();
        listener.accept().unwrap().0.abort().unwrap();
        let error = kernels.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn async_sockets_serve_the_kernel() {
    use tokio::io::AsyncWriteExt;
    privileged_test("async_sockets_serve_the_kernel", || {
        let host = host(true);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = estab::tokio::TcpListener::bind(&host, ours(7))
                .await
                .unwrap();
            tokio::spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    tokio::spawn(async move {
                        let (mut reading, mut writing) = stream.split();
                        tokio::io::copy(&mut reading, &mut writing).await.unwrap();
                        writing.shutdown().await.unwrap();
                    });
                }
            });
            let clients: Vec<_> = (0..8)
                .map(|_| {
                    tokio::task::spawn_blocking(|| {
                        let stream = std::net::TcpStream::connect(ours(7)).unwrap();
                        let mut writing = stream.try_clone().unwrap();
                        let writer = thread::spawn(move || {
                            writing.write_all(&pattern(1 << 20)).unwrap();
                            writing.shutdown(Shutdown::Write).unwrap();
                        });
                        let mut data = Vec::new();
                        (&stream).read_to_end(&mut data).unwrap();
                        writer.join().unwrap();
                        assert!(data == pattern(1 << 20), "the bytes differ");
                    })
                })
                .collect();
            for client in clients {
                client.await.unwrap();
            }
        });
        eventually("all is closed", || host.counters().connections == 0);
    });
}

#[test]
fn datagrams_go_both_ways() {
    privileged_test("datagrams_go_both_ways", || {
        let host = host(false);
        let ours_socket = estab::UdpSocket::bind(&host, ours(53)).unwrap();
        let kernels = std::net::UdpSocket::bind((KERNEL, 0)).unwrap();
        kernels.send_to(b"query", ours(53)).unwrap();
        let mut buffer = [0; 16];
        let (len, from) = ours_socket.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..len], b"query");
        ours_socket.send_to(b"answer", from).unwrap();
        assert_eq!(kernels.recv(&mut buffer).unwrap(), 6);
        // A closed port of ours: the kernel hears it by ICMP.
        kernels.connect(ours(54)).unwrap();
        kernels.send(b"anybody?").unwrap();
        kernels
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        let error = kernels.recv(&mut buffer).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn the_kernel_is_intercepted_at_many_addresses() {
    privileged_test("the_kernel_is_intercepted_at_many_addresses", || {
        let device = TunTap::open(&TunTapConfig::tun("estab0")).unwrap();
        let index = device.index();
        netlink::add_address(index, KERNEL, 24).unwrap();
        netlink::set_up(index).unwrap();
        netlink::add_route(Ipv4Addr::UNSPECIFIED.into(), 0, None, index).unwrap();
        let host = common::builder()
            .device("estab0", device)
            .address(OURS, 24)
            .any_address(true)
            .build()
            .unwrap();
        let interceptor = host.intercept(64).unwrap();
        thread::spawn(move || {
            while let Ok(request) = interceptor.next() {
                let local = request.local_addr();
                if local.port() % 2 == 1 {
                    request.refuse();
                    continue;
                }
                let mut stream = request.accept().unwrap();
                write!(stream, "{local}").unwrap();
            }
        });
        for number in 0..200_u16 {
            let [high, low] = number.to_be_bytes();
            let target = SocketAddr::from(([198, 18, high, low], 2000 + number));
            match std::net::TcpStream::connect(target) {
                Ok(mut stream) => {
                    assert_eq!(number % 2, 0);
                    let mut text = String::new();
                    stream.read_to_string(&mut text).unwrap();
                    assert_eq!(text, target.to_string());
                }
                Err(error) => {
                    assert_eq!(number % 2, 1, "{error}");
                    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
                }
            }
        }
    });
}
