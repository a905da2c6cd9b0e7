//! SYN cookies (RFC 4987).

mod support;

use estab_tcp::event::DropReason;
use estab_tcp::{Flags, State};
use estab_wire::tcp::Options;
use std::time::Duration;
use support::*;

fn flood(net: &mut Pair, count: u16) {
    for i in 0..count {
        let from = format!("10.0.{}.{}:4000", 1 + i / 200, 1 + i % 200)
            .parse()
            .unwrap();
        net.inject(
            B,
            packet(from, at(B, 80), &header(Flags::SYN, i.into(), 0), b""),
        );
    }
}

#[test]
fn a_flood_keeps_nobody_out_and_nothing_in() {
    let mut net = pair();
    let listener = net.listen(B, 80, 16);
    flood(&mut net, 5000);
    let counters = net.counters(B);
    assert_eq!(counters.half_open, 17);
    assert_eq!(counters.cookies_sent, 5000 - 17);
    assert_eq!(counters.timers, 17);
    let client = net.connect(A, at(B, 80));
    net.settle();
    assert_eq!(net.counters(B).cookies_accepted, 1);
    let server = net.accept(B, listener);
    // Timestamps brought the options back.
    let (ours, theirs) = (
        net.hosts[B].info(server).unwrap(),
        net.hosts[A].info(client).unwrap(),
    );
    assert!(ours.timestamps && ours.sack && theirs.timestamps && theirs.sack);
    assert_eq!(ours.snd_wscale, theirs.rcv_wscale);
    assert_eq!(ours.rcv_wscale, theirs.snd_wscale);
    assert!(ours.snd_wscale.is_some());
    let data = vec![7; 300_000];
    let mut got = Vec::new();
    let mut sent = 0;
    for _ in 0..2000 {
        sent += net.send(A, client, &data[sent..]).unwrap_or(0);
        net.run(Duration::from_millis(3));
        got.extend(net.receive(B, server).unwrap_or_default());
        if got.len() == data.len() {
            break;
        }
    }
    assert!(got == data);
}

#[test]
fn without_timestamps_only_the_mss_comes_back() {
    let mut net = pair_both(|s| s.tcp_syncookies = 2);
    net.hosts[A].settings_mut().tcp_timestamps = false;
    let listener = net.listen(B, 80, 16);
    let client = net.connect(A, at(B, 80));
    net.settle();
    let server = net.accept(B, listener);
    assert_eq!(net.state(A, client), State::Established);
    let info = net.hosts[B].info(server).unwrap();
    assert!(!info.timestamps && !info.sack);
    assert_eq!((info.snd_wscale, info.rcv_wscale), (None, None));
    assert_eq!(info.snd_mss, 1460);
    let (syn_ack, _) = net
        .sent(B)
        .into_iter()
        .find(|(h, _)| h.flags.syn())
        .unwrap();
    let Options::Syn(options) = syn_ack.options else {
        panic!("a SYN has a SYN's options");
    };
    assert_eq!(
        (options.window_scale, options.sack_permitted),
        (None, false)
    );
    assert_eq!(
        (net.counters(B).half_opens, net.counters(B).cookies_sent),
        (0, 1)
    );
    net.send(A, client, b"over").unwrap();
    net.settle();
    assert_eq!(net.receive(B, server).unwrap(), b"over");
}

#[test]
fn a_forged_ack_or_an_old_cookie_is_refused() {
    let mut net = pair_both(|s| s.tcp_syncookies = 2);
    net.listen(B, 80, 16);
    let from = "10.0.0.1:999".parse().unwrap();
    net.inject(B, packet(from, at(B, 80), &header(Flags::SYN, 100, 0), b""));
    let (syn_ack, _) = net.sent(B).pop().unwrap();
    for guess in 0..500u32 {
        let ack = header(Flags::ACK, 101, guess.wrapping_mul(8_589_935));
        net.inject(B, packet(from, at(B, 80), &ack, b""));
    }
    assert_eq!(net.dropped(B, DropReason::InvalidCookie), 500);
    assert_eq!(net.counters(B).connections, 0);
    let good = header(Flags::ACK, 101, syn_ack.seq.0.wrapping_add(1));
    net.run_secs(200);
    net.inject(B, packet(from, at(B, 80), &good, b""));
    assert_eq!(net.counters(B).connections, 0, "too late");
    let (answer, _) = net.sent(B).pop().unwrap();
    assert_eq!((answer.flags, answer.seq), (Flags::RST, good.ack));
}

#[test]
fn no_cookie_is_looked_for_where_none_was_sent() {
    let mut net = pair();
    net.listen(B, 80, 16);
    let from = "10.0.0.1:999".parse().unwrap();
    net.inject(B, packet(from, at(B, 80), &header(Flags::ACK, 101, 5), b""));
    assert_eq!(net.dropped(B, DropReason::InvalidCookie), 0);
    assert_eq!(net.dropped(B, DropReason::NotSyn), 1);
}

#[test]
fn data_with_the_cookie_is_delivered() {
    let mut net = pair_both(|s| s.tcp_syncookies = 2);
    let listener = net.listen(B, 80, 16);
    let from = "10.0.0.1:999".parse().unwrap();
    net.inject(B, packet(from, at(B, 80), &header(Flags::SYN, 100, 0), b""));
    let (syn_ack, _) = net.sent(B).pop().unwrap();
    let ack = header(Flags::ACK | Flags::PSH, 101, syn_ack.seq.0.wrapping_add(1));
    net.inject(B, packet(from, at(B, 80), &ack, b"GET"));
    let server = net.accept(B, listener);
    assert_eq!(net.receive(B, server).unwrap(), b"GET");
}
