//! Errors' names and texts, addresses' bytes, and what IPv6 sockets make of IPv4.

mod common;

use common::{Process, TCP6, UDP6, address, v4, v6};
use core::ffi::CStr;
use estab_posix::{Address, Errno};
use estab_stack::Error;

#[test]
fn errors_have_the_c_librarys_texts() {
    let mut known = 0;
    for number in 1..=133 {
        let errno = Errno(number);
        let Some(name) = errno.name() else {
            assert!([41, 58].contains(&number), "{number} has a name");
            continue;
        };
        known += 1;
        assert_eq!(Errno::from_name(name), Some(errno));
        // SAFETY: the pointer is valid until the next call, in this thread.
        let text = unsafe { CStr::from_ptr(libc::strerror(number)) };
        assert_eq!(errno.text(), text.to_str().expect("text"));
    }
    assert_eq!(known, 131);
    assert_eq!(Errno::ECONNREFUSED.0, libc::ECONNREFUSED);
    assert_eq!(Errno::EHWPOISON.0, libc::EHWPOISON);
    assert_eq!(Errno(0).name(), None);
    assert_eq!(Errno(9999).to_string(), "9999 (Unknown error)");
    assert_eq!(Errno::from_name("EWOULDBLOCK"), Some(Errno::EAGAIN));
    assert_eq!(Errno::from_name("ENOTSUP"), Some(Errno::EOPNOTSUPP));
    assert_eq!(Errno::from_name("EWHATEVER"), None);
    let text = Errno::EAGAIN.to_string();
    assert_eq!(text, "EAGAIN (Resource temporarily unavailable)");
    assert_eq!(format!("{:?}", Errno::EAGAIN), "EAGAIN");
    assert_eq!(Errno::from(Error::NoSuchOption), Errno::ENOPROTOOPT);
}

#[test]
fn addresses_go_there_and_back() {
    for text in ["192.0.2.1:80", "0.0.0.0:0", "[2001:db8::1]:443", "[::]:0"] {
        let address = address(text);
        let bytes = Address::new(address, false);
        assert_eq!(Address::parse(bytes.as_bytes()), Ok(address));
    }
    let scoped = "[fe80::1%7]:9";
    let bytes = v6(scoped);
    assert_eq!(bytes.len(), 28);
    assert_eq!(bytes[24..], 7u32.to_ne_bytes());
    assert_eq!(Address::parse(&bytes), Ok(address(scoped)));
    let mapped = Address::parse(&v6("192.0.2.1:80"));
    assert_eq!(mapped, Ok(address("[::ffff:192.0.2.1]:80")));
    assert_eq!(Address::parse(&[]), Err(Errno::EINVAL));
    assert_eq!(
        Address::parse(&v4("192.0.2.1:80")[..15]),
        Err(Errno::EINVAL)
    );
    assert_eq!(Address::parse(&v6("[::1]:80")[..23]), Err(Errno::EINVAL));
    assert_eq!(Address::parse(&[1, 0, 0, 0]), Err(Errno::EAFNOSUPPORT));
}

#[test]
fn ipv6_sockets_speak_with_ipv4_by_mapped_addresses() {
    let mut p = Process::new();
    let listener = p.socket(TCP6);
    p.posix.bind(listener, &v6("[::]:80")).expect("bound");
    p.posix.listen(p.now, listener, 8).expect("listening");
    let a = p.socket(TCP6);
    p.connect(a, &v6("127.0.0.1:80")).expect("connected");
    let accepted = p.accept(listener).expect("accepted");
    let peer = Address::parse(accepted.address.as_bytes()).expect("parsed");
    assert_eq!(peer.ip(), address("[::ffff:127.0.0.1]:0").ip());
    assert_eq!(
        p.posix.getpeername(a).map(|a| a.as_bytes().to_vec()),
        Ok(v6("127.0.0.1:80"))
    );
    let name = p.posix.getsockname(accepted.fd);
    assert_eq!(name.map(|a| a.as_bytes().to_vec()), Ok(v6("127.0.0.1:80")));
    let b = p.socket(common::TCP);
    p.connect(b, &v4("127.0.0.1:80")).expect("connected");
    p.accept(listener).expect("accepted");
    let c = p.socket(TCP6);
    p.connect(c, &v6("[::1]:80")).expect("connected");
    let accepted = p.accept(listener).expect("accepted");
    let peer = Address::parse(accepted.address.as_bytes()).expect("parsed");
    assert_eq!(peer.ip(), address("[::1]:0").ip());
}

#[test]
fn ipv6_datagrams_to_ipv4() {
    let mut p = Process::new();
    let a = p.socket(UDP6);
    p.posix.bind(a, &v6("[::]:53")).expect("bound");
    let b = p.socket(UDP6);
    // Plain and mapped.
    for to in [v4("127.0.0.1:53"), v6("127.0.0.1:53")] {
        let sent = p.call(|posix, now, waiting| posix.sendto(now, b, b"x", 0, Some(&to), waiting));
        assert_eq!(sent, Ok(1));
        let mut buffer = [0; 4];
        let got = p.call(|posix, now, waiting| posix.recvfrom(now, a, &mut buffer, 0, waiting));
        let from = got.expect("received").address.expect("a sender");
        let from = Address::parse(from.as_bytes()).expect("parsed");
        assert_eq!(from.ip(), address("[::ffff:127.0.0.1]:0").ip());
    }
}
