//! Buffers to read into.

use bytes::{Bytes, BytesMut};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::PACKET_MAX;

/// Buffers that are remembered after they were handed out, to be used again when everybody else has dropped them.
const LENT_MAX: usize = 32;
/// How many of them are looked at before a new one is made.
const LOOKS: usize = 2;

/// Reads packets into buffers that are used again.
///
/// A packet that fills little of its buffer is copied out, so that it does not keep the whole buffer alive.
#[derive(Debug)]
pub(super) struct Pool {
    size: usize,
    spare: Option<BytesMut>,
    lent: VecDeque<Bytes>,
    /// For what is longer than a buffer: the MTU may have been raised since.
    overflow: Box<[u8]>,
}

impl Pool {
    /// Buffers of this size. Longer packets, up to [`PACKET_MAX`], can be read too, but are copied.
    pub(super) fn new(size: usize) -> Self {
        let overflow = vec![0; PACKET_MAX.saturating_sub(size)];
        Self {
            size,
            spare: None,
            lent: VecDeque::with_capacity(LENT_MAX),
            overflow: overflow.into(),
        }
    }

    /// Reads one packet, `header` before it.
    pub(super) fn read(&mut self, from: BorrowedFd<'_>, header: &mut [u8]) -> Result<Bytes, Errno> {
        let mut buffer = self.take();
        let spare = buffer.spare_capacity_mut();
        let part = |base: *mut u8, len| libc::iovec {
            iov_base: base.cast(),
            iov_len: len,
        };
        let parts = [
            part(header.as_mut_ptr(), header.len()),
            part(spare.as_mut_ptr().cast(), self.size),
            part(self.overflow.as_mut_ptr(), self.overflow.len()),
        ];
        debug_assert!(spare.len() >= self.size);
        // SAFETY: the three parts are memory that is borrowed exclusively here and at least as long as they say:
        // `take` gives buffers with that much capacity.
        let count = unsafe { libc::readv(from.as_raw_fd(), parts.as_ptr(), parts.len() as i32) };
        let Ok(count) = usize::try_from(count) else {
            let error = std::io::Error::last_os_error();
            self.spare = Some(buffer);
            return Err(Errno::from_io_error(&error).unwrap_or(Errno::IO));
        };
        let len = count.saturating_sub(header.len());
        // SAFETY: the kernel has written so many bytes of the second part.
        unsafe { buffer.set_len(len.min(self.size)) };
        Ok(self.hand_out(buffer, len))
    }

    /// An empty buffer with room for `size`.
    fn take(&mut self) -> BytesMut {
        if let Some(buffer) = self.spare.take() {
            return buffer;
        }
        for _ in 0..LOOKS.min(self.lent.len()) {
            let Some(buffer) = self.lent.pop_front() else {
                break;
            };
            match buffer.try_into_mut() {
                Ok(mut buffer) => {
                    buffer.clear();
                    if buffer.capacity() >= self.size {
                        return buffer;
                    }
                }
                Err(buffer) => self.lent.push_back(buffer),
            }
        }
        BytesMut::with_capacity(self.size)
    }

    fn hand_out(&mut self, mut buffer: BytesMut, len: usize) -> Bytes {
        let copy = if len > buffer.len() {
            let rest = self.overflow.get(..len - buffer.len()).unwrap_or_default();
            Some([&buffer[..], rest].concat().into())
        } else if len <= self.size / 8 {
            Some(Bytes::copy_from_slice(&buffer))
        } else {
            None
        };
        if let Some(copy) = copy {
            buffer.clear();
            self.spare = Some(buffer);
            return copy;
        }
        let buffer = buffer.freeze();
        if self.lent.len() == LENT_MAX {
            self.lent.pop_front();
        }
        self.lent.push_back(buffer.clone());
        buffer
    }
}

#[cfg(test)]
mod tests {
    use super::Pool;
    use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};
    use std::os::fd::{AsFd, OwnedFd};

    fn packets() -> (OwnedFd, OwnedFd) {
        let flags = SocketFlags::NONBLOCK;
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).expect("a pair")
    }

    #[test]
    fn a_buffer_is_used_again_once_its_packet_is_dropped_and_never_before() {
        let (ours, theirs) = packets();
        let mut pool = Pool::new(1000);
        let mut read = |byte: u8| {
            send(&theirs, &[byte; 900], SendFlags::empty()).expect("send");
            pool.read(ours.as_fd(), &mut []).expect("read")
        };
        let first = read(1);
        let second = read(2);
        assert_ne!(first.as_ptr(), second.as_ptr());
        let slice = first.slice(10..20);
        let address = first.as_ptr();
        drop(first);
        let third = read(3);
        assert_ne!(third.as_ptr(), address, "a slice of it is still held");
        assert_eq!(slice, [1; 10][..]);
        drop(slice);
        let reused = (0..4).map(|n| read(n).as_ptr()).any(|used| used == address);
        assert!(reused);
        assert_eq!((&second[..], &third[..]), (&[2; 900][..], &[3; 900][..]));
    }

    #[test]
    fn small_packets_do_not_hold_a_buffer_and_long_ones_are_not_cut_off() {
        let (ours, theirs) = packets();
        let mut pool = Pool::new(1000);
        for len in [1, 125, 126, 1000, 1001, 60_000] {
            let packet: Vec<u8> = (0..len + 2).map(|n| n as u8).collect();
            send(&theirs, &packet, SendFlags::empty()).expect("send");
            let mut header = [0; 2];
            let data = pool.read(ours.as_fd(), &mut header).expect("read");
            assert_eq!((&header[..], &data[..]), packet.split_at(2));
            assert_eq!(pool.spare.is_some(), len != 126 && len != 1000, "{len}");
        }
        assert!(pool.read(ours.as_fd(), &mut []).is_err());
    }
}
