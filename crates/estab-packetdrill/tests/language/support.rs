//! Scripts of one event.

use estab_packetdrill::parse;
use estab_packetdrill::script::{Action, Call, Event, Options, Packet, Script, Segment, TcpOption};
use estab_packetdrill::script::{Body, Expression};

/// Reads a script that is right.
pub(crate) fn read(text: &str) -> Script {
    parse("test.pkt", text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The only event of a script.
pub(crate) fn event(text: &str) -> Event {
    let mut events = read(text).events;
    assert_eq!(events.len(), 1, "{text}");
    events.remove(0)
}

pub(crate) fn packet(text: &str) -> Packet {
    match event(&format!("+0 {text}")).action {
        Action::Packet(packet) => packet,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn segment(text: &str) -> Segment {
    match packet(text).body {
        Body::Tcp(segment) => segment,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn tcp_options(text: &str) -> Vec<TcpOption> {
    match segment(&format!("> . 1:1(0) {text}")).options {
        Options::These(list) => list,
        Options::Any => panic!("any"),
    }
}

pub(crate) fn call(text: &str) -> Call {
    match event(&format!("+0 {text}")).action {
        Action::Call(call) => call,
        other => panic!("{other:?}"),
    }
}

/// A call's only argument.
pub(crate) fn argument(text: &str) -> Expression {
    call(&format!("f({text}) = 0")).arguments.remove(0)
}

/// Reads an event and writes it again.
pub(crate) fn canonical(text: &str) -> String {
    event(text).to_string()
}

/// The messages about a script that is wrong, without their places.
pub(crate) fn messages(text: &str) -> Vec<String> {
    let errors = parse("test.pkt", text).expect_err(text);
    errors
        .list()
        .iter()
        .map(|error| error.message.clone())
        .collect()
}

/// The only message about a script that is wrong.
pub(crate) fn message(text: &str) -> String {
    let mut messages = messages(text);
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages.remove(0)
}
