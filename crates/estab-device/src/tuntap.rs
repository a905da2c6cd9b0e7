//! Linux's TUN and TAP devices: packets to and from the kernel of this machine.
//!
//! With offload on, packets carry a virtio header (`IFF_VNET_HDR`): TCP super-segments of up to 64 KiB pass in one
//! system call, and checksums that never see a wire are not computed.

mod pool;
mod vnet;

use crate::memory::SUPER_SEGMENT_MAX;
use crate::namespace::PERMISSION_ADVICE;
use crate::packet::{carry, link_header_len};
use crate::{Capabilities, Device, RxBatch, TxBatch, Wait, netlink};
use estab_stack::{Medium, PacketIn, PacketOut, segmentation};
use estab_tcp::Instant;
use pool::Pool;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use smallvec::SmallVec;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use tun_rs::{DeviceBuilder, Layer};

/// The longest packet that the kernel hands out: 64 KiB and an Ethernet header with a VLAN tag.
const PACKET_MAX: usize = 65_535 + 18;
/// Packets that the kernel keeps for us while we are busy, of a device that we make.
const QUEUE_LEN: u32 = 1000;
/// `IOV_MAX`, with room for the headers.
const PIECES_MAX: usize = 1000;

/// Which TUN or TAP device to open, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunTapConfig {
    /// Its name; one with `%d` in it lets the kernel choose a number.
    pub name: String,
    /// IP packets: TUN. Ethernet frames: TAP.
    pub medium: Medium,
    /// Checksum and TCP segmentation offload.
    pub offload: bool,
    /// Bytes of an IP packet that it takes; only for a device that is made, 1500 unless given.
    pub mtu: Option<u16>,
    /// Our own Ethernet address on a TAP device, which is not the kernel's; random unless given.
    pub hardware_address: Option<[u8; 6]>,
}

impl TunTapConfig {
    /// A TUN device with offload.
    pub fn tun(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            medium: Medium::Ip,
            offload: true,
            mtu: None,
            hardware_address: None,
        }
    }

    /// A TAP device with offload.
    pub fn tap(name: impl Into<String>) -> Self {
        Self {
            medium: Medium::Ethernet,
            ..Self::tun(name)
        }
    }
}

/// What a TUN or TAP device has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TunTapCounters {
    /// Packets from the kernel, super-segments as one.
    pub received: u64,
    /// Packets to the kernel, super-segments as one.
    pub sent: u64,
    /// Packets that the kernel did not take: the device is down, memory is short, the packet is malformed.
    pub refused: u64,
    /// Times that reading failed for a reason that passes.
    pub receive_errors: u64,
    /// Packets from the kernel whose virtio header made no sense.
    pub malformed: u64,
}

/// A TUN or TAP device. A device that was made goes when this is dropped; one that was there stays.
#[derive(Debug)]
pub struct TunTap {
    descriptor: OwnedFd,
    name: String,
    index: u32,
    created: bool,
    offload: bool,
    capabilities: Capabilities,
    pool: Pool,
    counters: TunTapCounters,
}

impl TunTap {
    /// Opens the device of this name when there is one, and leaves its addresses, MTU and state as they are; makes it
    /// otherwise, down and without addresses (see [`netlink`]).
    ///
    /// # Errors
    /// No permission, another program has it open, it is of the other kind, `/dev/net/tun` is missing; the message
    /// says what to do.
    pub fn open(config: &TunTapConfig) -> io::Result<Self> {
        let existed = netlink::link(&config.name).is_ok();
        let (descriptor, name) = attach(config).map_err(|error| explain(&error, config))?;
        vnet::set_up(descriptor.as_fd(), config.offload)?;
        fcntl_setfl(&descriptor, fcntl_getfl(&descriptor)? | OFlags::NONBLOCK)?;
        let mut link = netlink::link(&name)?;
        if !existed {
            let mtu = u32::from(config.mtu.unwrap_or(1500));
            netlink::set_mtu(link.index, mtu)?;
            netlink::set_queue_len(link.index, QUEUE_LEN)?;
            link.mtu = mtu;
        }
        let mtu = u16::try_from(link.mtu).unwrap_or(u16::MAX);
        let hardware_address = match (config.medium, config.hardware_address) {
            (Medium::Ip, _) => [0; 6],
            (Medium::Ethernet, Some(address)) => address,
            (Medium::Ethernet, None) => random_hardware_address()?,
        };
        Ok(Self {
            descriptor,
            name,
            index: link.index,
            created: !existed,
            offload: config.offload,
            capabilities: Capabilities {
                medium: config.medium,
                mtu,
                hardware_address,
                checksum_offload: config.offload,
                segmentation_offload: if config.offload { SUPER_SEGMENT_MAX } else { 0 },
            },
            pool: Pool::new(if config.offload {
                PACKET_MAX
            } else {
                usize::from(mtu) + link_header_len(config.medium)
            }),
            counters: TunTapCounters::default(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The link's number, for [`netlink`].
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Was it made by [`open`](Self::open), so that its addresses and state are the caller's business?
    pub fn was_created(&self) -> bool {
        self.created
    }

    /// What was counted.
    pub fn counters(&self) -> TunTapCounters {
        self.counters
    }

    /// One packet; `None` when there is none now.
    fn read(&mut self) -> io::Result<Option<PacketIn>> {
        loop {
            let mut header = [0; vnet::HEADER_LEN];
            let header_part = if self.offload {
                &mut header[..]
            } else {
                &mut []
            };
            match self.pool.read(self.descriptor.as_fd(), header_part) {
                Ok(data) => {
                    self.counters.received += 1;
                    if !self.offload {
                        return Ok(Some(data.into()));
                    }
                    match vnet::parse(&header, data) {
                        Some(packet) => return Ok(Some(packet)),
                        None => self.counters.malformed += 1,
                    }
                }
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(error) if is_fatal(error) => return Err(self.gone(error)),
                Err(_) => {
                    self.counters.receive_errors += 1;
                    return Ok(None);
                }
            }
        }
    }

    /// Sends one packet, in one system call and without a copy; false: not now.
    fn write(&mut self, packet: &PacketOut) -> io::Result<bool> {
        if let Some(cuts) = self.must_cut(packet) {
            // The batch keeps or loses a super-segment as a whole: once a part is out, the rest goes too.
            for small in cuts {
                self.write_pieces(&small, true)?;
            }
            return Ok(true);
        }
        self.write_pieces(packet, false)
    }

    /// Only for callers who send super-segments to a device that did not ask for them.
    fn must_cut(&self, packet: &PacketOut) -> Option<segmentation::Cuts> {
        if packet.segment_size == 0 || (self.offload && packet.checksum.is_some()) {
            return None;
        }
        segmentation::cut(self.capabilities.medium, packet)
    }

    fn write_pieces(&mut self, packet: &PacketOut, drop_if_busy: bool) -> io::Result<bool> {
        let header = self
            .offload
            .then(|| vnet::emit(self.capabilities.medium, packet));
        let joined = (packet.payload.pieces().len() > PIECES_MAX
            || (!self.offload && packet.checksum.is_some()))
        .then(|| carry(packet, self.offload).data);

        let mut pieces: SmallVec<[IoSlice<'_>; 18]> = SmallVec::new();
        pieces.extend(header.as_ref().map(|header| IoSlice::new(header)));
        match &joined {
            Some(whole) => pieces.push(IoSlice::new(whole)),
            None => {
                pieces.push(IoSlice::new(&packet.header));
                pieces.extend(
                    packet
                        .payload
                        .pieces()
                        .iter()
                        .map(|piece| IoSlice::new(piece)),
                );
            }
        }
        loop {
            match rustix::io::writev(&self.descriptor, &pieces) {
                Ok(_) => self.counters.sent += 1,
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) if !drop_if_busy => return Ok(false),
                Err(error) if is_fatal(error) => return Err(self.gone(error)),
                Err(_) => self.counters.refused += 1,
            }
            return Ok(true);
        }
    }

    fn gone(&self, error: Errno) -> io::Error {
        let error = io::Error::from(error);
        io::Error::new(
            io::ErrorKind::BrokenPipe,
            format!("the device {} is gone: {error}", self.name),
        )
    }
}

impl Device for TunTap {
    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    fn receive(&mut self, _now: Instant, batch: &mut RxBatch) -> io::Result<usize> {
        let mut count = 0;
        while batch.room() > 0 {
            match self.read() {
                Ok(Some(packet)) => batch.push(packet),
                Ok(None) => break,
                // What has come is handed over first; the error will be there the next time too.
                Err(_) if count > 0 => break,
                Err(error) => return Err(error),
            }
            count += 1;
        }
        Ok(count)
    }

    fn transmit(&mut self, _now: Instant, batch: &mut TxBatch) -> io::Result<usize> {
        let mut count = 0;
        while let Some(packet) = batch.front() {
            if !self.write(packet)? {
                break;
            }
            batch.pop();
            count += 1;
        }
        Ok(count)
    }

    fn wait_on(&self) -> Wait<'_> {
        Wait {
            descriptor: Some(self.descriptor.as_fd()),
            deadline: None,
        }
    }
}

impl AsFd for TunTap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// The device was removed, or the descriptor no longer belongs to one. All else passes, or concerns one packet.
fn is_fatal(error: Errno) -> bool {
    [Errno::BADFD, Errno::BADF, Errno::NODEV, Errno::NXIO].contains(&error)
}

/// Opens `/dev/net/tun` and binds it to the device.
fn attach(config: &TunTapConfig) -> io::Result<(OwnedFd, String)> {
    let layer = match config.medium {
        Medium::Ip => Layer::L3,
        Medium::Ethernet => Layer::L2,
    };
    let open = |multi_queue| {
        DeviceBuilder::new()
            .name(config.name.as_str())
            .layer(layer)
            .offload(config.offload)
            .multi_queue(multi_queue)
            .inherit_enable_state()
            .build_sync()
    };
    let device = match open(false) {
        // What a device with several queues answers to one who wants only one.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => open(true).map_err(|_| error),
        other => other,
    }?;
    let name = device.name()?;
    // SAFETY: into_raw_fd gave up the descriptor, so that nobody else closes it.
    let descriptor = unsafe { OwnedFd::from_raw_fd(device.into_raw_fd()) };
    debug_assert!(descriptor.as_raw_fd() >= 0);
    Ok((descriptor, name))
}

fn explain(error: &io::Error, config: &TunTapConfig) -> io::Error {
    let advice = match error.raw_os_error() {
        Some(libc::EPERM) => PERMISSION_ADVICE,
        Some(libc::EACCES) => {
            "this user may not open /dev/net/tun: run with sudo, or allow it (chmod 666 /dev/net/tun: who makes a \
             device needs CAP_NET_ADMIN all the same)"
        }
        Some(libc::EBUSY) => "another program has it open",
        Some(libc::EINVAL) => "is it of the other kind, TUN or TAP? or not one of them?",
        Some(libc::ENOENT | libc::ENODEV | libc::ENXIO) => {
            "there is no /dev/net/tun: load the module (modprobe tun), or give the container the device"
        }
        _ => "",
    };
    let separator = if advice.is_empty() { "" } else { ": " };
    let message = format!(
        "cannot open the device {}: {error}{separator}{advice}",
        config.name
    );
    io::Error::new(error.kind(), message)
}

/// One of the addresses that everybody may use: locally administered, unicast.
fn random_hardware_address() -> io::Result<[u8; 6]> {
    let mut address = [0; 6];
    getrandom::fill(&mut address).map_err(io::Error::other)?;
    address[0] = address[0] & 0xfc | 0x02;
    Ok(address)
}
