use super::DeviceUrl;
use crate::memory::{MemoryLinkConfig, Overflow};
#[cfg(target_os = "linux")]
use crate::tuntap::TunTapConfig;
use crate::{Device, RxBatch, TxBatch};
use bytes::Bytes;
use estab_stack::{HeaderBuffer, Medium, PacketOut};
use estab_tcp::{Chunks, Instant};

fn parse(text: &str) -> DeviceUrl {
    text.parse().expect("a device")
}

fn memory(url: &str) -> MemoryLinkConfig {
    match parse(url) {
        DeviceUrl::Memory { config, .. } => config,
        other => panic!("{other:?}"),
    }
}

#[test]
#[cfg(target_os = "linux")]
fn tun_and_tap_with_their_options() {
    let tun = |config| DeviceUrl::TunTap(config);
    assert_eq!(parse("tun:estab0"), tun(TunTapConfig::tun("estab0")));
    let config = TunTapConfig {
        offload: false,
        mtu: Some(1400),
        hardware_address: Some([2, 0, 0, 0, 0, 0xab]),
        ..TunTapConfig::tap("t%d")
    };
    let text = "tap:t%d?offload=off&mtu=1400&address=02:00:00:00:00:aB";
    assert_eq!(parse(text), tun(config));
}

#[test]
fn memory_with_its_options() {
    assert_eq!(memory("mem:lan"), MemoryLinkConfig::default());
    assert_eq!(
        memory("mem:lan?medium=ethernet&mtu=9000&queue=5&offload=on&overflow=drop"),
        MemoryLinkConfig {
            medium: Medium::Ethernet,
            mtu: 9000,
            queue_len: 5,
            offloads: true,
            overflow: Overflow::Drop,
        }
    );
}

#[test]
fn errors_list_what_there_is() {
    for (text, wanted) in [
        (
            "xdp:eth0",
            "no device \"xdp:eth0\": there are tun:NAME (IP packets",
        ),
        ("eth0", "mem:NAME (a switch in this process"),
        ("", "no device \"\""),
        ("tun:", "\"tun:\" has no name: write tun:NAME"),
        ("tun", "write tun:NAME"),
        (
            "tun:a?speed=1",
            "tun: has no option \"speed\": there are offload=on|off, mtu=BYTES",
        ),
        ("tun:a?address=02:00:00:00:00:01", "no option \"address\""),
        ("tun:a?offload", "offload=: write offload=on|off"),
        ("tun:a?offload=yes", "offload=yes: write offload=on|off"),
        ("tun:a?mtu=67", "mtu=67: write mtu=BYTES"),
        ("tun:a?mtu=65536", "mtu=65536: write mtu=BYTES"),
        ("tun:a?mtu=1&mtu=2", "\"mtu\" is given twice"),
        (
            "tap:a?address=03:00:00:00:00:01",
            "address=XX:XX:XX:XX:XX:XX",
        ),
        ("tap:a?address=2:0:0:0:0:1", "address=XX:XX:XX:XX:XX:XX"),
        ("mem:a?queue=0", "queue=0: write queue=PACKETS"),
        ("mem:a?medium=wifi", "medium=wifi: write medium=ip|ethernet"),
    ] {
        let error = text.parse::<DeviceUrl>().expect_err(text).to_string();
        assert!(error.contains(wanted), "{text}: {error}");
    }
}

#[test]
fn the_same_name_is_the_same_switch_for_as_long_as_somebody_has_it() {
    let url = parse("mem:a-switch-of-this-test");
    let (mut a, mut b) = (url.open().expect("a port"), url.open().expect("a port"));
    assert_eq!(
        (&a.name[..], a.created_link),
        ("a-switch-of-this-test", None)
    );
    let mut batch = TxBatch::default();
    batch.push(PacketOut {
        header: HeaderBuffer::new(),
        payload: Chunks::from(Bytes::from_static(b"hello")),
        checksum: None,
        segment_size: 0,
    });
    a.device.transmit(Instant::ZERO, &mut batch).expect("sent");
    let mut batch = RxBatch::new(2);
    assert_eq!(
        b.device
            .receive(Instant::ZERO, &mut batch)
            .expect("received"),
        1
    );
    let other = parse("mem:a-switch-of-this-test?mtu=9000");
    let error = other.open().expect_err("it is not like that").to_string();
    assert!(error.contains("is there already"), "{error}");
    drop((a, b));
    let again = other.open().expect("a new switch");
    assert_eq!(again.device.capabilities().mtu, 9000);
}
