//! Formatting: comments and empty lines stay, all else has one spelling.

use estab_packetdrill::format;

/// Formats, twice.
fn formatted(text: &str) -> String {
    let once = format("test.pkt", text).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(format("test.pkt", &once).unwrap(), once);
    once
}

#[test]
fn a_whole_script() {
    insta::assert_snapshot!(formatted(
        r#"

// What it shows.
   # And why.
--ip_version=ipv4   --define=PORT=8080 // two on a line
--local_ip="192.0.2.2"
/* Nothing
   yet. */


`sysctl -q \
   net.ipv4.tcp_sack=1`
  +0.000   socket(..., SOCK_STREAM | SOCK_NONBLOCK,IPPROTO_TCP)=3   // a socket   



/* Where it listens. */ +0 bind(3, {sa_family = AF_INET, sin_port = htons(PORT)}, ...) = 0
   +.01   > (tos 0x10)   S 0:0(0)   < mss  1000 , nop,nop,eol,nop > /* one */ /* two */ // three
   // Before a long one.
+0 sendmsg(3, {msg_name(...)=..., msg_iov(2)=[{..., 1000}, {"a, b", 0x10}], msg_flags=0, msg_control=[{cmsg_level=SOL_SOCKET, cmsg_type=0, cmsg_data=1}]}, 0644) = -1 EAGAIN (why (not), or so)
+0 read(3,
   ..., /* inside */ 1) = 0 +0 close(3) = 0
   +0 %{
assert {"a": 1}
}%
+0 `true`
`false` // the end"#
    ));
}

#[test]
fn what_is_wrong_is_told() {
    let errors = format("test.pkt", "+0 close(3 = 0\n").unwrap_err();
    assert_eq!(errors.list().len(), 1);
}
