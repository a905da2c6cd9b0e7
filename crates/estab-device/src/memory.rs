//! Links in memory: a cable between two devices, or a switch with many ports.
//!
//! They keep no time: what is sent can be received at once. Wrap a device in [`Impaired`](crate::Impaired) for delay
//! and loss. In one thread everything is deterministic; across threads each port has a lock of its own.

use crate::packet::{carry, copy_prefix, link_header_len};
use crate::{Capabilities, Device, RxBatch, TxBatch, Wait};
use estab_stack::{Medium, PacketIn, PacketOut};
use estab_tcp::Instant;
use smallvec::{SmallVec, smallvec};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::task::Waker;
use std::{io, mem};

#[cfg(test)]
mod tests;

/// The payload of the largest super-segment that fits an IP packet with all its options.
pub(crate) const SUPER_SEGMENT_MAX: u32 = 65_535 - 60 - 60;

/// What a link in memory is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLinkConfig {
    /// IP packets or Ethernet frames.
    pub medium: Medium,
    /// Bytes of an IP packet that it takes.
    pub mtu: u16,
    /// Packets that wait at a port until they are received, at least 1.
    pub queue_len: usize,
    /// Takes partial checksums and TCP super-segments, and hands them over whole.
    pub offloads: bool,
    /// What becomes of packets when the queue is full.
    pub overflow: Overflow,
}

impl Default for MemoryLinkConfig {
    fn default() -> Self {
        Self {
            medium: Medium::Ip,
            mtu: 1500,
            queue_len: 1024,
            offloads: false,
            overflow: Overflow::Keep,
        }
    }
}

/// What becomes of packets when the receiver's queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// They stay in the sender's batch, and the sender is woken when there is room. A switch treats broadcasts, and
    /// frames to addresses it does not know, as [`Drop`](Self::Drop).
    #[default]
    Keep,
    /// They are dropped, as by a router.
    Drop,
}

/// What one device of a link has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryCounters {
    /// Packets put into this device's queue.
    pub arrived: u64,
    /// Packets for this device that were dropped because its queue was full.
    pub overflow: u64,
    /// Packets that this device sent to nobody: the other end was dropped, or no port has the address.
    pub unconnected: u64,
    /// Packets that this device sent although they were longer than the link takes.
    pub oversized: u64,
}

/// Two devices with a cable between them.
pub fn pair(config: MemoryLinkConfig) -> (MemoryDevice, MemoryDevice) {
    let switch = Switch::new(config);
    (switch.port(), switch.port())
}

/// A hub for IP packets, a learning switch for Ethernet frames: what one device sends, others receive.
///
/// An IP packet goes to every other port, so with more than two ports each host sees the others' packets, as on a hub.
/// An Ethernet frame goes to the port whose hardware address it carries, and to all others when it is broadcast,
/// multicast or unknown.
#[derive(Clone, Debug)]
pub struct Switch(Arc<Hub>);

#[derive(Debug)]
struct Hub {
    config: MemoryLinkConfig,
    ports: RwLock<Ports>,
}

#[derive(Debug, Default)]
struct Ports {
    plugged: Vec<Arc<Port>>,
    made: u32,
}

#[derive(Debug)]
struct Port {
    hardware_address: [u8; 6],
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    queue: VecDeque<PacketIn>,
    counters: MemoryCounters,
    waker: Option<Waker>,
    /// Whom to wake when there is room again.
    blocked: Vec<Arc<Port>>,
}

impl Port {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves nothing in here half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls the waker, outside of the lock.
    fn wake(&self) {
        let waker = self.lock().waker.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Adds to the queue, unless it is full.
    fn offer(&self, packet: PacketIn, queue_len: usize, if_full: IfFull<'_>) -> bool {
        let mut inner = self.lock();
        if inner.queue.len() < queue_len {
            inner.counters.arrived += 1;
            inner.queue.push_back(packet);
            return true;
        }
        match if_full {
            IfFull::Drop => inner.counters.overflow += 1,
            IfFull::WakeLater(sender) => {
                if !inner.blocked.iter().any(|port| Arc::ptr_eq(port, sender)) {
                    inner.blocked.push(sender.clone());
                }
            }
        }
        false
    }
}

/// What to do with a packet that a queue has no room for.
#[derive(Clone, Copy)]
enum IfFull<'a> {
    /// Count it as dropped.
    Drop,
    /// Its sender keeps it, and is woken when there is room.
    WakeLater(&'a Arc<Port>),
}

impl Switch {
    /// A switch without ports. A queue length of zero counts as one.
    pub fn new(config: MemoryLinkConfig) -> Self {
        let config = MemoryLinkConfig {
            queue_len: config.queue_len.max(1),
            ..config
        };
        Self(Arc::new(Hub {
            config,
            ports: RwLock::default(),
        }))
    }

    /// The switch of this name in this process, which is made when there is none, and is gone when nobody has it any
    /// more.
    ///
    /// # Errors
    /// There is one already that is not like this.
    pub fn named(name: &str, config: MemoryLinkConfig) -> io::Result<Self> {
        static NAMED: Mutex<BTreeMap<String, Weak<Hub>>> = Mutex::new(BTreeMap::new());
        let mut named = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
        named.retain(|_, hub| hub.strong_count() > 0);
        let found = named.get(name).and_then(Weak::upgrade);
        let new = Self::new(config);
        match found {
            Some(hub) if hub.config == new.0.config => Ok(Self(hub)),
            Some(hub) => Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                format!(
                    "the switch {name} is there already, with other options: {:?}",
                    hub.config
                ),
            )),
            None => {
                named.insert(name.to_owned(), Arc::downgrade(&new.0));
                Ok(new)
            }
        }
    }

    /// Another device. The n-th one has the hardware address `02:00` followed by n in 32 bits. Dropping a device
    /// frees its port.
    pub fn port(&self) -> MemoryDevice {
        let mut ports = self.0.ports.write().unwrap_or_else(PoisonError::into_inner);
        ports.made = ports.made.wrapping_add(1);
        let [a, b, c, d] = ports.made.to_be_bytes();
        let port = Arc::new(Port {
            hardware_address: [2, 0, a, b, c, d],
            inner: Mutex::default(),
        });
        ports.plugged.push(port.clone());
        MemoryDevice {
            hub: self.0.clone(),
            port,
        }
    }

    /// What the switch is like.
    pub fn config(&self) -> MemoryLinkConfig {
        self.0.config
    }
}

/// One end of a link in memory.
#[derive(Debug)]
pub struct MemoryDevice {
    hub: Arc<Hub>,
    port: Arc<Port>,
}

type Woken = SmallVec<[Arc<Port>; 4]>;

impl MemoryDevice {
    /// What was counted at this end.
    pub fn counters(&self) -> MemoryCounters {
        self.port.lock().counters
    }

    /// Longer than the link takes?
    fn is_oversized(&self, packet: &PacketOut) -> bool {
        let config = &self.hub.config;
        let wire_payload = match usize::from(packet.segment_size) {
            size if config.offloads && size > 0 => packet.payload.len().min(size),
            _ => packet.payload.len(),
        };
        packet.header.len() + wire_payload
            > usize::from(config.mtu) + link_header_len(config.medium)
    }

    /// Delivers one packet; false: there is no room for it now.
    fn send(&self, ports: &[Arc<Port>], packet: &PacketOut, woken: &mut Woken) -> bool {
        if self.is_oversized(packet) {
            self.port.lock().counters.oversized += 1;
            return true;
        }
        let others = || ports.iter().filter(|port| !Arc::ptr_eq(port, &self.port));
        let addressed = match self.hub.config.medium {
            Medium::Ip => None,
            Medium::Ethernet => {
                let mut address = [0; 6];
                copy_prefix(packet, &mut address);
                others().find(|port| port.hardware_address == address)
            }
        };
        let mut receivers: SmallVec<[&Arc<Port>; 4]> = match addressed {
            Some(port) => smallvec![port],
            None => others().collect(),
        };
        let config = &self.hub.config;
        let if_full = match (config.overflow, receivers.len()) {
            (Overflow::Keep, 1) => IfFull::WakeLater(&self.port),
            _ => IfFull::Drop,
        };
        let Some(last) = receivers.pop() else {
            self.port.lock().counters.unconnected += 1;
            return true;
        };
        let arriving = carry(packet, config.offloads);
        for port in receivers {
            if port.offer(arriving.clone(), config.queue_len, if_full) {
                remember(woken, port);
            }
        }
        let has_room = last.offer(arriving, config.queue_len, if_full);
        if has_room {
            remember(woken, last);
        }
        has_room || matches!(if_full, IfFull::Drop)
    }
}

fn remember(woken: &mut Woken, port: &Arc<Port>) {
    if !woken.iter().any(|other| Arc::ptr_eq(other, port)) {
        woken.push(port.clone());
    }
}

impl Device for MemoryDevice {
    fn capabilities(&self) -> Capabilities {
        let config = &self.hub.config;
        Capabilities {
            medium: config.medium,
            mtu: config.mtu,
            hardware_address: match config.medium {
                Medium::Ip => [0; 6],
                Medium::Ethernet => self.port.hardware_address,
            },
            checksum_offload: config.offloads,
            segmentation_offload: if config.offloads {
                SUPER_SEGMENT_MAX
            } else {
                0
            },
        }
    }

    fn receive(&mut self, _now: Instant, batch: &mut RxBatch) -> io::Result<usize> {
        let mut inner = self.port.lock();
        let count = batch.room().min(inner.queue.len());
        for packet in inner.queue.drain(..count) {
            batch.push(packet);
        }
        let blocked = if count > 0 {
            mem::take(&mut inner.blocked)
        } else {
            Vec::new()
        };
        drop(inner);
        for port in blocked {
            port.wake();
        }
        Ok(count)
    }

    fn transmit(&mut self, _now: Instant, batch: &mut TxBatch) -> io::Result<usize> {
        let mut woken = Woken::new();
        let mut count = 0;
        let hub = self.hub.clone();
        let ports = hub.ports.read().unwrap_or_else(PoisonError::into_inner);
        while let Some(packet) = batch.front() {
            if !self.send(&ports.plugged, packet, &mut woken) {
                break;
            }
            batch.pop();
            count += 1;
        }
        drop(ports);
        for port in woken {
            port.wake();
        }
        Ok(count)
    }

    fn wait_on(&self) -> Wait<'_> {
        Wait::default()
    }

    fn set_waker(&mut self, waker: Option<Waker>) {
        self.port.lock().waker = waker;
    }
}

impl Drop for MemoryDevice {
    fn drop(&mut self) {
        let mut ports = (self.hub.ports.write()).unwrap_or_else(PoisonError::into_inner);
        ports.plugged.retain(|port| !Arc::ptr_eq(port, &self.port));
        drop(ports);
        let blocked = {
            let mut inner = self.port.lock();
            inner.waker = None;
            inner.queue.clear();
            mem::take(&mut inner.blocked)
        };
        for port in blocked {
            port.wake();
        }
    }
}
