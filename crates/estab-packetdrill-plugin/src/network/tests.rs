use super::{DEFAULT_V4, DEFAULT_V6, Network, destination};
use crate::options::Options;
use estab_stack::{Stack, StackConfig};
use estab_tcp::Settings;
use std::net::IpAddr;

fn stack() -> Stack {
    Stack::new(StackConfig {
        seed: [1; 32],
        settings: Settings::default(),
    })
}

fn addresses(stack: &Stack) -> Vec<String> {
    let all = stack.addresses();
    all.map(|(_, cidr)| format!("{}/{}", cidr.address, cidr.prefix_len))
        .collect()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn the_address_that_was_told_is_the_only_one() {
    let mut stack = stack();
    let options = Options::parse("local_ip=10.0.0.1,netmask_ip=255.0.0.0").unwrap();
    let mut network = Network::new(&mut stack, options).unwrap();
    network.learn(&mut stack, ip("10.0.0.2"));
    network.prepare(&mut stack, ip("192.0.2.1"));
    assert_eq!(addresses(&stack), ["10.0.0.1/8"]);
}

#[test]
fn an_address_no_host_can_have_is_refused() {
    let options = Options::parse("local_ip=224.0.0.1").unwrap();
    let message = Network::new(&mut stack(), options).unwrap_err();
    assert_eq!(message, "local_ip=224.0.0.1: not the address of a host");
}

#[test]
fn the_first_of_each_family_is_learnt() {
    let mut stack = stack();
    let mut network = Network::new(&mut stack, Options::default()).unwrap();
    for nothing in ["0.0.0.0", "127.0.0.1", "224.0.0.1", "::", "::1", "ff02::1"] {
        network.learn(&mut stack, ip(nothing));
    }
    assert!(addresses(&stack).is_empty());
    for address in ["::ffff:192.168.3.4", "192.168.0.9", "fd00::7", "fd00::8"] {
        network.learn(&mut stack, ip(address));
    }
    assert_eq!(addresses(&stack), ["192.168.3.4/16", "fd00::7/64"]);
}

#[test]
fn what_opens_a_connection_first_sends_from_a_default() {
    let mut stack = stack();
    let mut network = Network::new(&mut stack, Options::default()).unwrap();
    network.prepare(&mut stack, ip("192.0.2.1"));
    network.prepare(&mut stack, ip("2001:db8::1"));
    let expected = [format!("{DEFAULT_V4}/16"), format!("{DEFAULT_V6}/64")];
    assert_eq!(addresses(&stack), expected);
}

#[test]
fn packets_of_any_form_are_looked_at() {
    let mut v4 = [0; 20];
    v4[0] = 0x45;
    v4[16..].copy_from_slice(&[10, 0, 0, 1]);
    assert_eq!(destination(&v4), Some(ip("10.0.0.1")));
    let mut v6 = [0; 40];
    v6[0] = 0x60;
    v6[39] = 1;
    assert_eq!(destination(&v6), Some(ip("::1")));
    for packet in [&v4[..19], &v6[..39], &[], &[0x55; 60]] {
        assert_eq!(destination(packet), None);
    }
}
