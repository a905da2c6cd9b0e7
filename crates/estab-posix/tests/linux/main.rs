//! The same calls, once over estab's 127.0.0.1 and once over Linux's: results, errors and bits must be the same. What differs on
//! purpose stands in the list of differences, with its reason; what stands there and does not differ fails too.

#[path = "../common/mod.rs"]
mod common;

mod differences;
mod errors;
mod kernel;
mod on_estab;
mod options;
mod ranges;
mod readiness;
mod streams;
mod transfer;
mod world;

use differences::DIFFERENCES;
use kernel::Kernel;
use on_estab::OnEstab;
use std::collections::BTreeMap;
use world::{Log, World};

/// Plays a scenario in both worlds.
fn compare(name: &str, scenario: fn(&mut dyn World, &mut Log)) {
    let play = |world: &mut dyn World| {
        let mut log = Log::new();
        scenario(world, &mut log);
        log.lines()
    };
    let ours = play(&mut OnEstab::new());
    let linux = play(&mut Kernel::new());
    let listed: BTreeMap<&str, (&str, &str)> = DIFFERENCES
        .iter()
        .filter(|difference| difference.scenario == name)
        .map(|difference| (difference.step, (difference.estab, difference.linux)))
        .collect();
    let mut wrong = Vec::new();
    for ((step, ours), (same, linux)) in ours.iter().zip(&linux) {
        assert_eq!(step, same, "both worlds take the same steps");
        match listed.get(step.as_str()) {
            Some((estab, kernel)) if (ours.as_str(), linux.as_str()) == (*estab, *kernel) => {}
            None if ours == linux => {}
            Some(_) => wrong.push(format!(
                "{name}: {step}: not as listed: estab {ours}, Linux {linux}"
            )),
            None => wrong.push(format!("{name}: {step}: estab {ours}, Linux {linux}")),
        }
    }
    for step in listed.keys() {
        if !ours.iter().any(|(known, _)| known == step) {
            wrong.push(format!("{name}: {step}: listed, but no such step"));
        }
    }
    assert_eq!(ours.len(), linux.len(), "both worlds take as many steps");
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

macro_rules! scenarios {
    ($($module:ident::$name:ident;)*) => {
        $(#[test]
        fn $name() {
            compare(stringify!($name), $module::$name);
        })*
    };
}

scenarios! {
    errors::making_sockets;
    errors::descriptors;
    errors::addresses;
    streams::fresh_stream;
    streams::listening;
    streams::connecting;
    streams::connected;
    streams::refused;
    streams::reset;
    streams::disconnecting;
    errors::datagrams;
    errors::epolls;
    errors::pipes;
    options::defaults_of_a_stream;
    options::defaults_of_a_datagram_socket;
    options::sizes;
    ranges::ranges_of_socket_options;
    ranges::ranges_of_tcp_options;
    ranges::ranges_of_ip_options;
    options::lingering_and_times;
    options::listeners_and_connections;
    options::information;
    readiness::poll_through_a_life;
    readiness::poll_of_urgent_data;
    readiness::poll_of_datagrams;
    readiness::poll_of_pipes;
    readiness::epoll_levels_and_edges;
    transfer::flags_of_receiving;
    transfer::urgent_data;
    transfer::queue_lengths;
    transfer::datagrams_cut;
    transfer::splicing;
    transfer::time_outs;
}
