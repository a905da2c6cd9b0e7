//! The tool's memory.
//!
//! All functions are unsafe for one reason: a pointer that is not null must be good for what the system call of that name does
//! with it, for as long as the call lasts. Null is `EFAULT` where the call needs memory.

use estab_posix::{Address, Errno};
use libc::{c_void, iovec};
use std::slice;

const EFAULT: Errno = Errno(libc::EFAULT);
const EINVAL: Errno = Errno(libc::EINVAL);
/// `UIO_MAXIOV`.
const VECTORS_MAX: usize = 1024;

/// Memory that the call reads.
pub(super) unsafe fn input<'a>(data: *const c_void, len: usize) -> Result<&'a [u8], Errno> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() || isize::try_from(len).is_err() {
        return Err(EFAULT);
    }
    // SAFETY: the caller's promise, and the length is one that memory can have.
    Ok(unsafe { slice::from_raw_parts(data.cast(), len) })
}

/// Memory that the call writes.
pub(super) unsafe fn output<'a>(data: *mut c_void, len: usize) -> Result<&'a mut [u8], Errno> {
    if len == 0 {
        return Ok(&mut []);
    }
    if data.is_null() || isize::try_from(len).is_err() {
        return Err(EFAULT);
    }
    // SAFETY: the caller's promise, and the length is one that memory can have.
    Ok(unsafe { slice::from_raw_parts_mut(data.cast(), len) })
}

/// A value that the call reads.
pub(super) unsafe fn get<T: Copy>(value: *const T) -> Result<T, Errno> {
    if value.is_null() {
        return Err(EFAULT);
    }
    // SAFETY: the caller's promise; it need not be aligned.
    Ok(unsafe { value.read_unaligned() })
}

/// A value that the call writes.
pub(super) unsafe fn put<T: Copy>(place: *mut T, value: T) -> Result<(), Errno> {
    if place.is_null() {
        return Err(EFAULT);
    }
    // SAFETY: the caller's promise; it need not be aligned.
    unsafe { place.write_unaligned(value) };
    Ok(())
}

/// A length that C has as `u32` and means as `int`.
pub(super) fn length(len: u32) -> Result<usize, Errno> {
    let len = i32::try_from(len).map_err(|_| EINVAL)?;
    usize::try_from(len).map_err(|_| EINVAL)
}

/// A length in and out: the room there is.
pub(super) unsafe fn room(len: *const u32) -> Result<usize, Errno> {
    // SAFETY: the caller's promise.
    length(unsafe { get(len) }?)
}

/// Writes a result as far as there is room. It has fewer than 2^32 bytes: it is an address or an option.
pub(super) unsafe fn put_bytes(bytes: &[u8], to: *mut c_void, room: usize) -> Result<(), Errno> {
    let len = bytes.len().min(room);
    // SAFETY: the caller's promise.
    unsafe { output(to, len) }?.copy_from_slice(&bytes[..len]);
    Ok(())
}

/// Where a call puts an address, as far as there is room. `to` may be null: nobody wants it.
pub(super) unsafe fn put_address(
    address: Option<&Address>,
    to: *mut c_void,
    len: *mut u32,
) -> Result<(), Errno> {
    if to.is_null() {
        return Ok(());
    }
    let bytes = address.map_or(&[][..], Address::as_bytes);
    // SAFETY: the caller's promise.
    unsafe {
        put_bytes(bytes, to, room(len)?)?;
        put(len, bytes.len() as u32)
    }
}

/// An address that the call reads. `None`: null.
pub(super) unsafe fn address<'a>(
    address: *const c_void,
    len: u32,
) -> Result<Option<&'a [u8]>, Errno> {
    let len = length(len)?;
    if address.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { input(address, len) }.map(Some)
}

/// The list of an `iovec` call, and the bytes in all. `too_many` is the error when it has more entries than Linux takes.
pub(super) unsafe fn vectors(
    list: *const iovec,
    count: usize,
    too_many: i32,
) -> Result<(Vec<iovec>, usize), Errno> {
    if count > VECTORS_MAX {
        return Err(Errno(too_many));
    }
    if count == 0 {
        return Ok((Vec::new(), 0));
    }
    if list.is_null() {
        return Err(EFAULT);
    }
    // SAFETY: the caller's promise; they need not be aligned.
    let entry = |n| unsafe { list.add(n).read_unaligned() };
    let list: Vec<iovec> = (0..count).map(entry).collect();
    let total = list
        .iter()
        .try_fold(0usize, |sum, vector| sum.checked_add(vector.iov_len));
    let total = total.filter(|total| isize::try_from(*total).is_ok());
    if list.iter().any(|v| v.iov_base.is_null() && v.iov_len > 0) {
        return Err(EFAULT);
    }
    Ok((list, total.ok_or(EINVAL)?))
}

/// So much memory of our own.
pub(super) fn buffer(len: usize) -> Result<Vec<u8>, Errno> {
    let mut buffer = Vec::new();
    let reserved = buffer.try_reserve_exact(len);
    reserved.map_err(|_| Errno(libc::ENOMEM))?;
    buffer.resize(len, 0);
    Ok(buffer)
}

/// What the list holds.
pub(super) unsafe fn gather(list: &[iovec], total: usize) -> Result<Vec<u8>, Errno> {
    let mut data = Vec::new();
    let reserved = data.try_reserve_exact(total);
    reserved.map_err(|_| Errno(libc::ENOMEM))?;
    for vector in list {
        // SAFETY: the caller's promise.
        data.extend_from_slice(unsafe { input(vector.iov_base, vector.iov_len) }?);
    }
    Ok(data)
}

/// Spreads data over the list.
pub(super) unsafe fn scatter(mut data: &[u8], list: &[iovec]) -> Result<(), Errno> {
    for vector in list {
        let (now, later) = data.split_at(data.len().min(vector.iov_len));
        // SAFETY: the caller's promise.
        unsafe { output(vector.iov_base, now.len()) }?.copy_from_slice(now);
        data = later;
    }
    Ok(())
}
