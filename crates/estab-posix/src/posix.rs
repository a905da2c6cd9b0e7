use crate::Errno;
use crate::file::{ClosingId, File, FileId};
use crate::pipe::{Pipe, PipeId};
use crate::poll::mask_of;
use crate::table::Table;
use estab_stack::{InterfaceId, PacketIn, PacketOut, SocketId, Stack, StackEvent};
use estab_tcp::Instant;
use slotmap::{SecondaryMap, SlotMap};

/// A process' descriptors over one stack.
///
/// Its methods are the calls of Linux, by name. Those that may wait take a [`Waiting`](crate::Waiting) and give
/// [`Polled`](crate::Polled); the others give their result at once. Buffers and addresses are slices, so `EFAULT` is the caller's, as
/// are signals: a broken pipe is `EPIPE` and nothing else.
pub struct Posix {
    pub(crate) stack: Stack,
    pub(crate) table: Table,
    pub(crate) files: SlotMap<FileId, File>,
    pub(crate) pipes: SlotMap<PipeId, Pipe>,
    /// Which file a socket of the stack belongs to.
    pub(crate) owners: SecondaryMap<SocketId, FileId>,
    /// Sockets without descriptors whose lingering close is not over, or not yet told.
    pub(crate) closing: SlotMap<ClosingId, SocketId>,
}

impl Posix {
    /// Nothing is open yet.
    pub fn new(stack: Stack) -> Self {
        Self {
            stack,
            table: Table::default(),
            files: SlotMap::with_key(),
            pipes: SlotMap::with_key(),
            owners: SecondaryMap::new(),
            closing: SlotMap::with_key(),
        }
    }

    /// The stack below, to look at.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// For set up and settings; packets and time go through the methods below.
    pub fn stack_mut(&mut self) -> &mut Stack {
        &mut self.stack
    }

    /// The stack's socket behind a descriptor, to look at.
    ///
    /// # Errors
    /// `EBADF`, `ENOTSOCK`.
    pub fn socket_id(&self, fd: i32) -> Result<SocketId, Errno> {
        self.socket_of(fd).map(|socket| socket.id)
    }

    /// All open descriptors, in order.
    pub fn descriptors(&self) -> impl Iterator<Item = i32> + '_ {
        self.table.numbers()
    }

    /// A descriptor goes on under another number, for callers whose numbers are somebody else's.
    ///
    /// # Errors
    /// `EBADF`: not open, or no number that a descriptor can have. `EBUSY`: the new one is open.
    pub fn rename(&mut self, fd: i32, to: i32) -> Result<(), Errno> {
        self.table.rename(fd, to)
    }
}

/// The network and the clock, as with [`Stack`].
impl Posix {
    /// A packet came in.
    pub fn handle_packet(&mut self, now: Instant, interface: InterfaceId, packet: PacketIn) {
        self.stack.handle_packet(now, interface, packet);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.stack.handle_timeout(now);
    }

    /// The next packet to send; call until `None`. Packets to addresses of our own are delivered on the way.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<(InterfaceId, PacketOut)> {
        self.stack.poll_transmit(now)
    }

    /// When [`Self::handle_timeout`] is to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.stack.poll_timeout()
    }

    /// Passes on what happened to sockets to those who watch them.
    pub(crate) fn pass_events_on(&mut self) {
        while let Some(event) = self.stack.poll_event() {
            match event {
                StackEvent::Ready(socket, ready) => {
                    if let Some(file) = self.owners.get(socket).copied() {
                        self.tell(file, mask_of(ready));
                    }
                }
                // Whoever closes asks again.
                StackEvent::Closed(_) => {}
            }
        }
    }
}
