//! Options and settings: one table each, readable back, honest.

mod support;
use estab_stack::options::TABLE;
use estab_stack::settings_table::{self, SettingError};
use estab_stack::*;
use estab_tcp::{CongestionControl, Settings};
use std::collections::BTreeSet;
use std::time::Duration;
use support::*;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// One value for each option that differs from its default.
fn values() -> Vec<SocketOption> {
    use SocketOption as O;
    vec![
        O::ReuseAddress(true),
        O::ReusePort(true),
        O::Keepalive(true),
        O::Linger(Linger::Wait(secs(3))),
        O::Broadcast(true),
        O::OobInline(true),
        O::SendBuffer(10_000),
        O::ReceiveBuffer(20_000),
        O::ReceiveLowWater(7),
        O::NoDelay(true),
        O::Cork(true),
        O::QuickAck(true),
        O::MaxSegment(900),
        O::KeepaliveIdle(secs(11)),
        O::KeepaliveInterval(secs(12)),
        O::KeepaliveCount(3),
        O::SynRetries(2),
        O::Linger2(secs(13)),
        O::UserTimeout(secs(14)),
        O::WindowClamp(30_000),
        O::NotSentLowWater(40_000),
        O::DeferAccept(secs(15)),
        O::Congestion(CongestionControl::Reno),
        O::Tos(0x48),
        O::HopLimit(9),
        O::V6Only(true),
    ]
}

#[test]
fn each_is_set_and_read_back_or_an_error_as_the_table_says() {
    assert_eq!(values().len(), TABLE.len());
    let mut net = pair();
    let sockets = [
        (net.hosts[A].tcp_socket(true).unwrap(), true),
        (net.hosts[A].udp_socket(true).unwrap(), false),
    ];
    for value in values() {
        let info = options::info(value.name()).expect("in the table");
        for (socket, tcp) in sockets {
            let result = net.hosts[A].set_option(net.now, socket, value.clone());
            let read = net.hosts[A].option(socket, value.name());
            if if tcp { info.tcp } else { info.udp } {
                assert_eq!(result, Ok(()), "{value:?}");
                assert_eq!(read, Ok(value.clone()));
            } else {
                assert_eq!(result, Err(Error::NotSupported), "{value:?}");
                assert_eq!(read, Err(Error::NotSupported));
            }
        }
    }
}

#[test]
fn they_are_read_back_from_connections_too_and_were_inherited() {
    let mut net = pair();
    let (_, client, _) = net.connected();
    for value in values() {
        let info = options::info(value.name()).expect("in the table");
        let result = net.hosts[A].set_option(net.now, client, value.clone());
        match value.name() {
            OptionName::DeferAccept => assert_eq!(result, Err(Error::NotSupported)),
            OptionName::V6Only => assert_eq!(result, Err(Error::NoSuchOption)),
            name if info.tcp => {
                assert_eq!(result, Ok(()), "{value:?}");
                assert_eq!(net.hosts[A].option(client, name), Ok(value));
            }
            _ => assert_eq!(result, Err(Error::NotSupported)),
        }
    }
}

#[test]
fn the_table_has_each_option_once() {
    let names: BTreeSet<_> = TABLE.iter().map(|info| info.posix_name).collect();
    assert_eq!(names.len(), TABLE.len());
    for info in TABLE {
        assert!(info.tcp || info.udp);
        assert!(!info.effect.is_empty() && !info.default.is_empty());
    }
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    use SocketOption as O;
    let mut net = pair();
    let socket = net.tcp(A);
    let wrong = [
        O::KeepaliveIdle(Duration::ZERO),
        O::KeepaliveIdle(secs(40_000)),
        O::KeepaliveInterval(Duration::ZERO),
        O::KeepaliveCount(0),
        O::KeepaliveCount(128),
        O::SynRetries(0),
        O::MaxSegment(87),
        O::MaxSegment(40_000),
        O::SendBuffer(0),
        O::ReceiveBuffer(0),
        O::HopLimit(0),
    ];
    for value in wrong {
        let before = net.hosts[A].option(socket, value.name());
        let result = net.hosts[A].set_option(net.now, socket, value.clone());
        assert_eq!(result, Err(Error::Invalid), "{value:?}");
        assert_eq!(net.hosts[A].option(socket, value.name()), before);
    }
    net.set(A, socket, O::Tos(0xff));
    let tos = net.hosts[A].option(socket, OptionName::Tos);
    assert_eq!(
        tos,
        Ok(O::Tos(0xfc)),
        "the ECN bits are not the application's"
    );
}

#[test]
fn tos_ttl_and_mss_are_seen_on_the_wire() {
    let mut net = pair();
    net.listen(B, 80, 8);
    let client = net.tcp(A);
    net.set(A, client, SocketOption::Tos(0x48));
    net.set(A, client, SocketOption::HopLimit(9));
    net.set(A, client, SocketOption::MaxSegment(700));
    let _ = net.hosts[A].connect(net.now, client, at(B, 80), None);
    net.settle();
    for (from, packet) in &net.seen {
        if *from == A {
            assert_eq!((packet[1], packet[8]), (0x48, 9));
        }
    }
    let (syn, _) = &net.sent(A)[0];
    let estab_wire::tcp::Options::Syn(options) = &syn.options else {
        panic!("a SYN");
    };
    assert_eq!(options.mss, Some(700));
    // Changed in flight.
    net.set(A, client, SocketOption::HopLimit(5));
    net.send(A, client, &[0; 2000]).unwrap();
    net.settle();
    assert!(net.sent(A).iter().all(|(_, len)| *len <= 700));
    assert_eq!(
        net.seen
            .iter()
            .rev()
            .find(|(from, _)| *from == A)
            .unwrap()
            .1[8],
        5
    );
}

#[test]
fn syn_retries_of_one_socket() {
    let mut net = pair();
    net.filter(|_, _| false);
    let client = net.tcp(A);
    net.set(A, client, SocketOption::SynRetries(1));
    let _ = net.hosts[A].connect(net.now, client, at(B, 80), None);
    net.run_secs(4);
    assert_eq!(
        net.error(A, client),
        Some(estab_tcp::ConnectionError::TimedOut)
    );
}

#[test]
fn every_setting_is_read_back_and_refuses_nonsense() {
    let names: BTreeSet<_> = settings_table::TABLE.iter().map(|s| s.name).collect();
    assert_eq!(names.len(), settings_table::TABLE.len());
    for setting in settings_table::TABLE {
        let mut settings = Settings::default();
        let default = setting.default();
        setting
            .set(&mut settings, &default)
            .expect("its own default");
        assert_eq!(setting.get(&settings), default, "{}", setting.name);
        assert_eq!(settings, Settings::default(), "{}", setting.name);
        for nonsense in [
            "",
            "x",
            "-1",
            "1e99",
            "NaN",
            "99999999999999999999",
            "1 2 3",
        ] {
            let result = setting.set(&mut settings, nonsense);
            assert!(
                matches!(result, Err(SettingError::Value { .. })),
                "{}={nonsense}",
                setting.name
            );
        }
        assert_eq!(settings, Settings::default(), "{}", setting.name);
        assert!(!setting.expected().is_empty() && setting.effect.ends_with('.'));
    }
}

/// A field without a line in the table would be a setting that nobody can set.
#[test]
fn every_field_of_the_settings_is_in_the_table() {
    let debug = format!("{:?}", Settings::default());
    let fields = debug.matches(": ").count();
    assert_eq!(settings_table::TABLE.len(), fields, "{debug}");
}

#[test]
fn settings_are_found_by_long_and_short_names_and_take_effect() {
    let mut net = pair();
    let host = &mut net.hosts[A];
    assert_eq!(host.set_setting("net.ipv4.tcp_syn_retries", "1"), Ok(()));
    assert_eq!(host.setting("tcp_syn_retries"), Ok("1".into()));
    assert_eq!(host.set_setting("tcp_rto_min", "250.5"), Ok(()));
    assert_eq!(host.settings().tcp_rto_min, Duration::from_micros(250_500));
    assert_eq!(host.setting("tcp_rto_min"), Ok("250.5".into()));
    assert_eq!(host.set_setting("ip_local_port_range", "100\t200"), Ok(()));
    assert_eq!(host.settings().ip_local_port_range, (100, 200));
    assert_eq!(
        host.set_setting("tcp_nonsense", "1"),
        Err(SettingError::Unknown)
    );
    net.filter(|_, _| false);
    let client = net.connect(A, at(B, 80));
    assert!((100..=200).contains(&net.hosts[A].local_address(client).unwrap().port()));
    net.run_secs(4);
    assert_eq!(
        net.error(A, client),
        Some(estab_tcp::ConnectionError::TimedOut)
    );
}
