//! Whole scripts are read as they are meant.

use core::time::Duration;

use estab_packetdrill::script::{Action, Time};

use crate::support::read;

#[test]
fn a_whole_script() {
    let script = read(
        r#"
// A connection is accepted, and data comes.
--tolerance_usecs=10000
--define=CWND=10

`sysctl -q net.ipv4.tcp_timestamps=0
sysctl -q net.ipv4.tcp_sack=1`

    0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0   setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
   +0   bind(3, ..., ...) = 0
   +0   listen(3, 1) = 0

   +.1  < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>
   +0   > S. 0:0(0) ack 1 <...>
  0.2   < . 1:1(0) ack 1 win 257 /* ends here */
   +0...0.300 accept(3, ..., ...) = 4
   +0   %{ assert tcpi_snd_cwnd == 10, {"a": {1: 2}} }%
   +0   `sysctl -q net.ipv4.tcp_sack=0`
   *    > [ect0] P. 1:1001(1000) ack 1 <nop,nop,sack 2001:3001 4001:5001> # any time
   0.4~0.5 > . 4294967295:999(1000) ack 4294967295 win 65535 urg 7
   +0   read(4, ..., 1000) = -1 EAGAIN (Resource temporarily unavailable)
`rm -f /tmp/nothing`
"#,
    );
    assert_eq!(script.options.len(), 2);
    assert_eq!(script.events.len(), 13);
    assert!(script.init.is_some() && script.cleanup.is_some());
    assert_eq!(
        script.events[4].time,
        Time::Relative(Duration::from_millis(100))
    );
    let Action::Code(code) = &script.events[8].action else {
        panic!()
    };
    assert_eq!(
        code.text.trim(),
        r#"assert tcpi_snd_cwnd == 10, {"a": {1: 2}}"#
    );
}
