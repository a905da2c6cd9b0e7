use crate::{RxBatch, TxBatch};
use estab_stack::Medium;
use estab_tcp::Instant;
use std::io;
use std::os::fd::BorrowedFd;
use std::task::Waker;

/// What a device is and can do.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// IP packets or Ethernet frames.
    pub medium: Medium,
    /// Bytes of an IP packet that the link takes.
    pub mtu: u16,
    /// Our Ethernet address, where the medium has one.
    pub hardware_address: [u8; 6],
    /// It completes transport checksums of what is sent.
    pub checksum_offload: bool,
    /// It cuts TCP super-segments of up to this payload; 0: it does not.
    pub segmentation_offload: u32,
}

/// What to wait for until a device has something to receive, or can take more.
#[derive(Debug, Default)]
pub struct Wait<'a> {
    /// Readable when packets have come; writable when more can be sent.
    pub descriptor: Option<BorrowedFd<'a>>,
    /// The time at which something held back becomes due: call [`receive`](Device::receive) and
    /// [`transmit`](Device::transmit) then, even with an empty batch.
    pub deadline: Option<Instant>,
}

/// Moves packets. Users may implement it.
///
/// A caller that has neither descriptor nor deadline to wait for is woken through [`set_waker`](Self::set_waker).
pub trait Device: Send {
    /// What it is and can do; does not change.
    fn capabilities(&self) -> Capabilities;
    /// Takes what has arrived, up to the batch's room; the number of packets added. Never waits.
    ///
    /// # Errors
    /// The link is gone.
    fn receive(&mut self, now: Instant, batch: &mut RxBatch) -> io::Result<usize>;
    /// Hands over packets from the front of the batch, and gives their number; what the link cannot take now stays.
    /// Never waits.
    ///
    /// # Errors
    /// The link is gone.
    fn transmit(&mut self, now: Instant, batch: &mut TxBatch) -> io::Result<usize>;
    /// What to wait for.
    fn wait_on(&self) -> Wait<'_>;
    /// Registers whom to wake when packets come, and when there is room again after `transmit` had to leave some in
    /// its batch. The waker stays until it is replaced. Devices that have a descriptor need not.
    fn set_waker(&mut self, _waker: Option<Waker>) {}
}

impl<D: Device + ?Sized> Device for Box<D> {
    fn capabilities(&self) -> Capabilities {
        (**self).capabilities()
    }
    fn receive(&mut self, now: Instant, batch: &mut RxBatch) -> io::Result<usize> {
        (**self).receive(now, batch)
    }
    fn transmit(&mut self, now: Instant, batch: &mut TxBatch) -> io::Result<usize> {
        (**self).transmit(now, batch)
    }
    fn wait_on(&self) -> Wait<'_> {
        (**self).wait_on()
    }
    fn set_waker(&mut self, waker: Option<Waker>) {
        (**self).set_waker(waker);
    }
}
