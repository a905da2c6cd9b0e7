//! Urgent data (RFC 9293 3.8.5, RFC 6093).

use super::support::*;
use crate::event::ConnectionEvent;
use crate::{ReceiveError, SocketOptions};

// MUST-30, MUST-62: the pointer names the byte after the urgent one.
#[test]
fn the_pointer_stands_behind_the_last_byte() {
    let mut t = Tester::established();
    t.cx(|connection, cx| connection.send_urgent(cx, b"abc"))
        .unwrap();
    assert_eq!(t.out(), ["P.U 1:4(3) ack 1 urg 3"]);
    t.inject(". 1:1(0) ack 4");
    t.write(10);
    assert_eq!(t.out(), ["P. 4:14(10) ack 1"]);
}

// MUST-31: urgent data of any length: earlier segments announce what comes later.
#[test]
fn the_pointer_is_announced_before_its_byte() {
    let mut t = Tester::established();
    t.cx(|connection, cx| connection.send_urgent(cx, &[0; 1500]))
        .unwrap();
    assert_eq!(
        t.out(),
        [
            ".U 1:1001(1000) ack 1 urg 1500",
            "P.U 1001:1501(500) ack 1 urg 500"
        ]
    );
}

// MUST-32: the application is told, and the byte is not in the stream.
#[test]
fn the_urgent_byte_is_taken_out() {
    let mut t = Tester::established();
    t.inject("P.U 1:6(5) ack 1 urg 3");
    assert!(t.events().contains(&ConnectionEvent::Urgent));
    assert_eq!(t.connection.receive_urgent(true), Ok(2));
    assert_eq!(t.connection.receive_urgent(false), Ok(2));
    assert_eq!(
        t.connection.receive_urgent(false),
        Err(ReceiveError::NoUrgent)
    );
    let mut buffer = [0; 10];
    let n = t
        .cx(|connection, cx| connection.receive(cx, &mut buffer))
        .unwrap();
    assert_eq!(buffer[..n], [0, 1], "reading stops at the mark");
    assert!(t.connection.is_at_mark());
    let n = t
        .cx(|connection, cx| connection.receive(cx, &mut buffer))
        .unwrap();
    assert_eq!(buffer[..n], [3, 4]);
}

#[test]
fn inline_it_stays() {
    let options = SocketOptions {
        oob_inline: true,
        ..SocketOptions::default()
    };
    let mut t = Tester::established_with(plain(), options);
    t.inject("P.U 1:6(5) ack 1 urg 3");
    assert_eq!(
        t.connection.receive_urgent(false),
        Err(ReceiveError::NoUrgent)
    );
    let mut buffer = [0; 10];
    let n = t
        .cx(|connection, cx| connection.receive(cx, &mut buffer))
        .unwrap();
    assert_eq!(buffer[..n], [0, 1]);
    let n = t
        .cx(|connection, cx| connection.receive(cx, &mut buffer))
        .unwrap();
    assert_eq!(buffer[..n], [2, 3, 4]);
}

// MUST-33.
#[test]
fn announced_before_it_comes() {
    let mut t = Tester::established();
    t.inject(".U 1:1(0) ack 1 urg 3");
    assert!(t.connection.has_urgent());
    assert_eq!(
        t.connection.receive_urgent(false),
        Err(ReceiveError::WouldBlock)
    );
    t.inject("P. 1:6(5) ack 1");
    assert_eq!(t.connection.receive_urgent(false), Ok(2));
}
