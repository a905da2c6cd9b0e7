//! Control messages that `sendmsg` is given.

use crate::Errno;

/// Bytes of a `cmsghdr` on machines of 64 bits.
const HEADER_LEN: usize = 16;

/// Checks them as Linux does. None is implemented: those that Linux would obey are refused, those that it passes over for such
/// a socket are passed over.
pub(super) fn check(mut control: &[u8], stream: bool) -> Result<(), Errno> {
    while control.len() >= HEADER_LEN {
        let field = |at: usize| {
            let bytes = control.get(at..at + 4).and_then(|b| b.try_into().ok());
            bytes.map_or(0, i32::from_ne_bytes)
        };
        let len = control.get(..8).and_then(|bytes| bytes.try_into().ok());
        let len = len.map_or(0, usize::from_ne_bytes);
        if len < HEADER_LEN || len > control.len() {
            return Err(Errno::EINVAL);
        }
        check_one(field(8), field(12), stream)?;
        let next = len.next_multiple_of(8).min(control.len());
        control = control.get(next..).unwrap_or(&[]);
    }
    Ok(())
}

fn check_one(level: i32, kind: i32, stream: bool) -> Result<(), Errno> {
    match (level, kind) {
        (libc::SOL_SOCKET, libc::SCM_RIGHTS | libc::SCM_CREDENTIALS) => Ok(()),
        (libc::SOL_SOCKET, _) => Err(Errno::EINVAL),
        (libc::SOL_IP | libc::SOL_IPV6 | libc::SOL_UDP, _) if !stream => Err(Errno::EINVAL),
        _ => Ok(()),
    }
}
