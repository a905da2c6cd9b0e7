use super::{TABLE, errno, errno_name, similar, value};

#[test]
fn every_name_stands_once() {
    let mut names: Vec<_> = TABLE.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    for pair in names.windows(2) {
        assert_ne!(pair[0], pair[1]);
    }
}

#[test]
fn numbers_are_linux_numbers() {
    for (name, number) in [
        ("SIOCINQ", 0x541b),
        ("SIOCOUTQ", 0x5411),
        ("EPOLLET", 1 << 31),
        ("TCP_INFO", 11),
        ("MSG_FASTOPEN", 0x2000_0000),
        ("ECONNRESET", 104),
    ] {
        assert_eq!(value(name), Some(number), "{name}");
    }
}

#[test]
fn errors_have_one_name_that_is_shown() {
    assert_eq!(errno("EWOULDBLOCK"), errno("EAGAIN"));
    assert_eq!(errno_name(11), "EAGAIN");
    assert_eq!(errno_name(4095), "4095");
}

#[test]
fn a_slip_of_the_pen_is_recognised() {
    assert_eq!(similar("SO_LINGR"), Some("SO_LINGER"));
    assert_eq!(similar("ECONRESET"), Some("ECONNRESET"));
    assert_eq!(similar("QUITE_ANOTHER"), None);
}
