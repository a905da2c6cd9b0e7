//! What the flags do not say is learnt from the script, from calls, from packets; settings come from the kernel's.

use crate::tool::Tool;
use crate::wire::Wire;
use crate::world::{Form, V4, V6, assert_passed, in_child};
use estab_device::namespace::testing::privileged_test;
use etherparse::TcpOptionElement::MaximumSegmentSize;
use std::fs;
use std::net::SocketAddr;

/// A tool whose plug-in was told nothing.
fn untold() -> Tool {
    Tool::start(None)
}

fn nonblocking(form: &Form, tool: &Tool) -> i32 {
    let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK;
    tool.socket(form.domain, kind, libc::IPPROTO_TCP).unwrap()
}

/// The first segment of a connection that is opened to the form's remote address.
fn syn(form: &Form, tool: &Tool) -> crate::wire::Seen {
    let fd = nonblocking(form, tool);
    let remote = form.sockaddr(form.remote());
    assert_eq!(tool.connect(fd, &remote), Err(libc::EINPROGRESS));
    Wire::new(tool, form.local(), form.remote()).expect_line("S 0:0(0)")
}

#[test]
fn bind_tells_our_address() {
    for form in [&V4, &V6] {
        let tool = untold();
        form.accepted(&tool);
        assert_eq!(syn(form, &tool).local.ip(), form.local().ip());
    }
}

#[test]
fn a_packet_tells_our_address() {
    for form in [&V4, &V6] {
        let tool = untold();
        let listener = form.tcp(&tool);
        let mut any = form.sockaddr(form.local());
        any[4..].fill(0);
        assert_eq!(tool.bind(listener, &any), Ok(0));
        assert_eq!(tool.listen(listener, 1), Ok(0));
        let wire = Wire::new(&tool, form.local(), form.remote());
        wire.inject("S", 0, 0, 0, &[MaximumSegmentSize(1000)]);
        let syn_ack = wire.expect_line("S. 0:0(0) ack 1");
        assert_eq!(syn_ack.local, form.local());
    }
}

#[test]
fn connect_before_anything_has_an_address_in_the_tools_networks() {
    let tool = untold();
    assert_eq!(syn(&V4, &tool).local.ip().to_string(), "192.168.0.2");
    assert_eq!(syn(&V6, &tool).local.ip().to_string(), "fd3d:fa7b:d17d::2");
}

#[test]
fn the_tools_command_line_and_the_script_tell_too() {
    let name = "learning::the_tools_command_line_and_the_script_tell_too";
    let script = tempfile::NamedTempFile::new().unwrap();
    let text = "// A script.\n--mtu=1000\n--local_ip=192.168.7.7\n\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n";
    fs::write(&script, text).unwrap();
    assert_passed(in_child(name, script.path(), None, || {
        let seen = syn(&V4, &untold());
        assert_eq!(seen.local.ip().to_string(), "192.168.7.7");
        assert!(seen.options.starts_with("mss 960,"), "{seen:?}");
        // The flags win.
        let seen = syn(&V4, &Tool::new("mtu=1400"));
        assert_eq!(seen.local.ip().to_string(), "192.168.7.7");
        assert!(seen.options.starts_with("mss 1360,"), "{seen:?}");
    }));
}

fn set(name: &str, value: &str) {
    fs::write(format!("/proc/sys/net/ipv4/{name}"), value).unwrap();
}

#[test]
fn settings_are_those_of_the_network_namespace() {
    privileged_test(
        "learning::settings_are_those_of_the_network_namespace",
        || {
            set("tcp_rmem", "4096 131072 15728640");
            let tool = V4.tool();
            assert_eq!(syn(&V4, &tool).options, "mss 1460,sackOK,TS,nop,wscale 8");
            set("tcp_sack", "0");
            set("tcp_timestamps", "0");
            assert_eq!(syn(&V4, &tool).options, "mss 1460,nop,wscale 8");
            // Between the socket and the call that opens the connection.
            let fd = nonblocking(&V4, &tool);
            set("tcp_window_scaling", "0");
            let remote: SocketAddr = "192.0.2.1:9090".parse().unwrap();
            let connecting = tool.connect(fd, &V4.sockaddr(remote));
            assert_eq!(connecting, Err(libc::EINPROGRESS));
            let wire = Wire::new(&tool, V4.local(), remote);
            assert_eq!(wire.expect_line("S 0:0(0)").options, "mss 1460");
        },
    );
}
