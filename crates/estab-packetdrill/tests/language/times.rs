//! When events happen.

use core::time::Duration;

use estab_packetdrill::script::Time;

use crate::support::{canonical, event, message};

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn all_forms() {
    let packet = "> . 1:1(0)";
    let call = "close(3) = 0";
    for (text, action, time) in [
        ("0", packet, Time::Absolute(ms(0))),
        ("0.100", packet, Time::Absolute(ms(100))),
        (".1", packet, Time::Absolute(ms(100))),
        ("+0", packet, Time::Relative(ms(0))),
        ("+.01", packet, Time::Relative(ms(10))),
        ("+ 1.5", packet, Time::Relative(ms(1500))),
        ("*", packet, Time::Any),
        ("0.1~0.2", packet, Time::AbsoluteRange(ms(100), ms(200))),
        ("1 ~ 2", packet, Time::AbsoluteRange(ms(1000), ms(2000))),
        ("+0.1~+0.2", packet, Time::RelativeRange(ms(100), ms(200))),
        ("0...0.2", call, Time::AbsoluteBlocking(ms(0), ms(200))),
        (
            "0.100...0.200",
            call,
            Time::AbsoluteBlocking(ms(100), ms(200)),
        ),
        (".1 ... .2", call, Time::AbsoluteBlocking(ms(100), ms(200))),
        ("1...1.5", call, Time::AbsoluteBlocking(ms(1000), ms(1500))),
        ("+0...0.200", call, Time::RelativeBlocking(ms(0), ms(200))),
    ] {
        assert_eq!(event(&format!("{text} {action}")).time, time, "{text}");
    }
}

#[test]
fn times_are_exact_to_the_nanosecond() {
    let time = event("+0.0000000019 close(3) = 0").time;
    assert_eq!(time, Time::Relative(Duration::from_nanos(1)));
    assert_eq!(
        canonical("4294967295.999999999 close(3) = 0"),
        "4294967295.999999999 close(3) = 0"
    );
    assert_eq!(canonical("00.10 close(3) = 0"), "0.1 close(3) = 0");
}

#[test]
fn wrong_times() {
    assert_eq!(
        message("0.2~0.1 > . 1:1(0)"),
        "the time range ends before it begins"
    );
    assert_eq!(
        message("1....5 close(3) = 0"),
        "the time range ends before it begins"
    );
    assert_eq!(message("+0.2~0.3 > . 1:1(0)"), "expected `+`, found `0.3`");
    assert_eq!(
        message("* < . 1:1(0) win 1"),
        "only an outbound packet may come at any time"
    );
    assert_eq!(
        message("* close(3) = 0"),
        "only an outbound packet may come at any time"
    );
    assert_eq!(
        message("0~1 close(3) = 0"),
        "only an outbound packet may come within a range of time"
    );
    assert_eq!(
        message("0...1 > . 1:1(0)"),
        "only a call has a time at which it returns"
    );
    assert_eq!(
        message("4294967296 close(3) = 0"),
        "`4294967296` is not a time in seconds"
    );
    assert_eq!(
        message("0x1 close(3) = 0"),
        "`0x1` is not a time in seconds"
    );
    assert!(message("-1 close(3) = 0").starts_with("expected an event"));
    assert!(message("close(3) = 0").starts_with("expected an event"));
}
