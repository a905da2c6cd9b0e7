//! How much one connection carries by loss and delay. In virtual time the figures are the same on any machine: a change
//! shows in the snapshot and must be meant.

use core::fmt::Write;
use core::time::Duration;
use estab_device::impair::{Loss, Probability};
use estab_sim::{LinkConfig, Listener, Network, Pattern, Peer, PeerConfig, checkers};
use estab_tcp::Settings;

const BYTES: u64 = 2 << 20;

/// Kilobytes a second of a transfer from a to b.
fn throughput(loss_ppm: u32, delay: Duration) -> u64 {
    let mut net = Network::new(1);
    let a = net.add_host("a", Settings::default());
    let b = net.add_host("b", Settings::default());
    let mut link = LinkConfig::default().delay(delay);
    link.ways[0].loss = Loss::Random(Probability::from_ppm(loss_ppm));
    link.ways[0].rate = Some(100_000_000);
    net.join(a, "10.0.0.1/24", b, "10.0.0.2/24", link);
    let at = "10.0.0.2:80".parse().expect("an address");
    let data = Pattern::new(5);
    let (listener, servers) = Listener::new(
        at,
        1,
        1,
        PeerConfig {
            gets: data,
            ..PeerConfig::default()
        },
    );
    net.add_app(b, listener);
    let (peer, client) = Peer::connect(
        at,
        PeerConfig {
            send: BYTES,
            sends: data,
            ..PeerConfig::default()
        },
    );
    net.add_app(a, peer);
    assert!(
        net.run_until(Duration::from_secs(3600), |net| net.apps_done()),
        "{:?}",
        client.now()
    );
    let server = servers.all()[0].now();
    checkers::streams_are_equal(&client.now(), &server).expect("equal streams");
    let took = server.last_received_at.as_nanos();
    BYTES * 1_000_000 / took
}

#[test]
fn throughput_by_loss_and_delay() {
    let delays = [1, 10, 50, 100].map(Duration::from_millis);
    let mut table =
        String::from("kilobytes per second, 2 MiB over 100 Mbit/s with a queue of 100 packets\n\n");
    let _ = write!(table, "loss \\ RTT");
    for delay in delays {
        let _ = write!(table, "{:>9}", format!("{} ms", 2 * delay.as_millis()));
    }
    for loss in [0, 1000, 5000, 10_000, 20_000, 50_000] {
        let _ = write!(table, "\n{:>9}%", f64::from(loss) / 10_000.0);
        for delay in delays {
            let _ = write!(table, "{:>9}", throughput(loss, delay));
        }
    }
    insta::assert_snapshot!(table);
}
