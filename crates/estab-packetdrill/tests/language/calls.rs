//! Calls: arguments, results, errors.

use estab_packetdrill::script::{Notation, Value};

use crate::support::{argument, call, canonical, message};

fn int(value: i64, notation: Notation) -> Value {
    Value::Integer { value, notation }
}

#[test]
fn integers() {
    use Notation::{Decimal, Hexadecimal, Octal};
    for (text, value, notation) in [
        ("0", 0, Decimal),
        ("-1", -1, Decimal),
        ("- 1", -1, Decimal),
        ("9223372036854775807", i64::MAX, Decimal),
        ("-9223372036854775808", i64::MIN, Decimal),
        ("0x1f", 31, Hexadecimal),
        ("0XFF", 255, Hexadecimal),
        ("0xffffffffffffffff", -1, Hexadecimal),
        ("0644", 0o644, Octal),
    ] {
        assert_eq!(argument(text).value, int(value, notation), "{text}");
    }
    for (text, expected) in [
        (
            "9223372036854775808",
            "the number does not fit into 64 bits",
        ),
        (
            "99999999999999999999999",
            "the number does not fit into 64 bits",
        ),
        (
            "0x1ffffffffffffffff",
            "the number does not fit into 64 bits",
        ),
        ("089", "`089` is not a number"),
        ("12ab", "`12ab` is not a number"),
        ("-x", "expected a number, found `x`"),
        ("1.5", "expected a value, found `1.5`"),
    ] {
        assert_eq!(message(&format!("+0 f({text}) = 0")), expected, "{text}");
    }
}

#[test]
fn strings() {
    for (text, expected) in [
        (r#""""#, &b""[..]),
        (r#""a b""#, b"a b"),
        (
            r#""\n\t\r\a\b\f\v\\\"\'\0""#,
            b"\n\t\r\x07\x08\x0c\x0b\\\"'\0",
        ),
        (r#""\x4z\1018""#, b"\x04zA8"),
        (r#""// no # comment /*""#, b"// no # comment /*"),
        (r#""Grüße""#, "Grüße".as_bytes()),
        (r#""abc"..."#, b"abc"),
    ] {
        assert_eq!(
            argument(text).value,
            Value::Text(expected.to_vec()),
            "{text}"
        );
    }
    assert_eq!(message(r#"+0 f("\x41\8") = 0"#), r"`\8` is not an escape");
    assert_eq!(message(r#"+0 f("\777") = 0"#), r"`\7` is not an escape");
    assert_eq!(message("+0 f(\"abc) = 0\n"), "unterminated string");
}

/// The forms that scripts have, in the one way in which they are written.
#[test]
fn every_form_of_argument() {
    for text in [
        "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
        "+0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, 0) = 3",
        "+0 f() = 0",
        "+0 f([]) = 0",
        "+0 f({}) = 0",
        "+0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0",
        "+0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0",
        "+0 setsockopt(3, SOL_TCP, TCP_CONGESTION, \"reno\", 4) = 0",
        "+0 bind(3, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr(\"192.0.2.1\")}, 16) = 0",
        "+0 bind(3, {sa_family=AF_INET6, sin6_port=htons(8080), sin6_addr=inet_pton(\"::1\")}, 28) = 0",
        "+0 bind(3, {sa_family=AF_INET6, inet_pton(AF_INET6, \"::1\", &sin6_addr)}, 28) = 0",
        "+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 0) = 1",
        "+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN|EPOLLET, fd=4}) = 0",
        "+0 readv(4, [{..., 1000}, {..., 500}], 2) = 1500",
        "+0 sendmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 1000}], msg_flags=0}, MSG_ZEROCOPY) = 1000",
        "+0 recvmsg(4, {msg_control=[{cmsg_level=SOL_IP, cmsg_type=IP_RECVERR, cmsg_data={ee_errno=0, ee_origin=5}}]}, 0) = 0",
        "+0 recvmsg(4, {cmsg_data={scm_sec=0, scm_nsec=10000000}}, 0) = 0",
        "+0 ioctl(4, SIOCINQ, [1000]) = 0",
        "+0 fcntl(4, F_GETFL) = 0x2 (flags O_RDWR)",
        "+0 fcntl(4, F_GETFL) = O_RDWR|O_NONBLOCK (flags)",
        "+0 open(\"/tmp/x\", O_RDWR|O_CREAT, 0644) = 5",
        "+0 read(4, ..., 10) = -1 EAGAIN (Resource temporarily unavailable)",
        "+0 accept(3, ..., ...) = ...",
        "+0 f() = -1 EBADF",
        "+0 f() = -1 EBADF (a (b) c)",
        "+0...0.2 accept(3, ..., ...) = 4",
    ] {
        assert_eq!(canonical(text), text);
    }
}

#[test]
fn spaces_and_lines_do_not_matter() {
    let text =
        "+0 poll ( [ { fd = 4 , events = POLLIN | POLLOUT } ] ,\n // the count\n 1 , 0 )\n= 1";
    assert_eq!(
        canonical(text),
        "+0 poll([{fd=4, events=POLLIN|POLLOUT}], 1, 0) = 1"
    );
}

#[test]
fn results() {
    let call = call("read(4, ..., 10) = -1 EAGAIN (Resource temporarily unavailable)");
    assert_eq!(call.errno.unwrap().0, "EAGAIN");
    assert_eq!(call.note.unwrap(), "Resource temporarily unavailable");
    assert_eq!(call.result.value, int(-1, Notation::Decimal));
}

/// Spans are the places of the text.
#[test]
fn places() {
    let text = "+0  f(a, {b=[1, 22]}) = -1 EBADF";
    let call = match crate::support::event(text).action {
        estab_packetdrill::script::Action::Call(call) => call,
        other => panic!("{other:?}"),
    };
    let slice = |span: estab_packetdrill::script::Span| &text[span.start..span.end];
    assert_eq!(slice(call.span), &text[4..]);
    assert_eq!(slice(call.name_span), "f");
    assert_eq!(slice(call.arguments[1].span), "{b=[1, 22]}");
    let Value::Struct(fields) = &call.arguments[1].value else {
        panic!()
    };
    assert_eq!(slice(fields[0].span), "b=[1, 22]");
    assert_eq!(slice(fields[0].value.span), "[1, 22]");
    assert_eq!(slice(call.result.span), "-1");
    assert_eq!(slice(call.errno.unwrap().1), "EBADF");
}

#[test]
fn wrong_calls() {
    for (text, expected) in [
        ("f(1", "expected `,` or `)`, found the end of the script"),
        ("f(1,) = 0", "expected a value, found `)`"),
        ("f([1) = 0", "expected `,` or `]`, found `)`"),
        ("f({a=1, b) = 0", "expected `,` or `}`, found `)`"),
        ("f({1=2}) = 0", "this is not the name of a field"),
        ("f({f(1, 2)=2}) = 0", "this is not the name of a field"),
        ("f()", "expected `=`, found the end of the script"),
        ("f() =", "expected a value, found the end of the script"),
        ("f = 1", "expected `(`, found `=`"),
        ("f(1 << 3) = 1", "expected `,` or `)`, found `<`"),
        ("f(a||b) = 1", "expected a value, found `|`"),
        ("f() = 1 (note", "unterminated note"),
        (
            "f() = 1 EAGAIN EAGAIN",
            "expected an event, which begins with a time (`0.1`, `+0.1` or `*`), found `EAGAIN`",
        ),
    ] {
        assert_eq!(message(&format!("+0 {text}")), expected, "{text}");
    }
}
