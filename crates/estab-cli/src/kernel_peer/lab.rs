//! The lab's verbs in real time: host `a` is a stack of estab behind a TUN device, host `b` is the kernel.

use super::errors::{connection_error, stack_error};
use super::real::Real;
use super::socket::Socket as KernelSocket;
use super::{options, repair};
use estab_sim::stage::{Lab, Simulated, Socket};
use estab_sim::{End, Rule};
use estab_stack::{Error, MessageFlags, Readiness, SocketId, SocketOption, Stack, Wait};
use estab_tcp::event::Call;
use estab_tcp::{ConnectionError, FourTuple, Instant, Shutdown, State};
use estab_trace::Environment;
use rustix::net::SocketType;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A socket of one of the hosts.
#[derive(Debug)]
pub(super) enum Holder {
    Estab(SocketId),
    Kernel(Held),
}

/// A socket of the kernel.
#[derive(Debug)]
pub(super) struct Held {
    /// `None` after it was closed.
    socket: Option<KernelSocket>,
    /// The connection, once it is one.
    tuple: Option<FourTuple>,
    listens: Option<SocketAddr>,
}

impl Real {
    fn estab<T>(
        &mut self,
        id: SocketId,
        call: impl FnOnce(&mut Stack, Instant, SocketId) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let now = self.clock();
        let result = call(self.stack_mut(), now, id);
        self.flush();
        result
    }

    fn holder(&mut self, socket: Socket) -> Result<&mut Holder, Error> {
        self.sockets.get_mut(socket.0).ok_or(Error::BadSocket)
    }

    fn add(&mut self, holder: Holder) -> Socket {
        self.sockets.push(holder);
        Socket(self.sockets.len() - 1)
    }

    /// Calls a socket of the kernel, which happens at one moment: the call, the state that it leads to as the kernel tells it,
    /// and what it makes the kernel send.
    fn kernel<T>(
        &mut self,
        socket: Socket,
        wait: Wait,
        call: impl FnOnce(&KernelSocket) -> io::Result<T>,
        record: impl FnOnce(&T) -> Option<Call>,
    ) -> Result<T, Error> {
        let now = self.clock();
        let Holder::Kernel(held) = self.holder(socket)? else {
            return Err(Error::BadSocket);
        };
        let result = call(held.socket.as_ref().ok_or(Error::BadSocket)?);
        let tuple = held.tuple;
        if let (Ok(done), Some(tuple)) = (&result, tuple)
            && let Some(call) = record(done)
        {
            self.observer.call(now, tuple, call);
        }
        self.after_kernel_call(socket, now);
        result.map_err(|error| {
            if let (Some(tuple), Some(error)) = (tuple, connection_error(&error)) {
                self.observer.error(now, tuple, error);
            }
            stack_error(&error, wait)
        })
    }

    fn after_kernel_call(&mut self, socket: Socket, now: Instant) {
        self.learn(socket, now);
        self.take_from_kernel(now);
        self.learn(socket, now);
    }

    fn learn(&mut self, socket: Socket, now: Instant) {
        if let Some(Holder::Kernel(held)) = self.sockets.get(socket.0)
            && let (Some(socket), Some(tuple)) = (&held.socket, held.tuple)
            && let Ok(state) = socket.state()
        {
            self.observer.learn(now, tuple, state);
        }
    }

    /// Asks the kernel for the states of all sockets that are open.
    pub(super) fn learn_all(&mut self, now: Instant) {
        for index in 0..self.sockets.len() {
            self.learn(Socket(index), now);
        }
    }

    fn tuple(&self, socket: Socket) -> Option<FourTuple> {
        match self.sockets.get(socket.0)? {
            Holder::Kernel(held) => held.tuple,
            Holder::Estab(_) => None,
        }
    }

    fn kernel_socket(&mut self, kind: SocketType) -> Result<Socket, Error> {
        let socket = KernelSocket::new(self.v6(), kind);
        let socket = socket.map_err(|error| stack_error(&error, Wait::Writable))?;
        let held = Held {
            socket: Some(socket),
            tuple: None,
            listens: None,
        };
        Ok(self.add(Holder::Kernel(held)))
    }

    fn kernel_accept(&mut self, listener: Socket) -> Result<Socket, Error> {
        let accepted = self.kernel(listener, Wait::Readable, KernelSocket::accept, nothing)?;
        let accepted = accepted.ok_or(Error::WouldBlock(Wait::Readable))?;
        let tuple = match (accepted.local_address(), accepted.remote_address()) {
            (Ok(local), Ok(remote)) => Some(FourTuple { local, remote }),
            // The peer has reset it while it waited.
            _ => None,
        };
        let now = self.clock();
        if let Some(tuple) = tuple {
            self.observer.call(now, tuple, Call::Accept);
        }
        let held = Held {
            socket: Some(accepted),
            tuple,
            listens: None,
        };
        Ok(self.add(Holder::Kernel(held)))
    }

    fn kernel_connect(&mut self, socket: Socket, to: SocketAddr) -> Result<(), Error> {
        let now = self.clock();
        let Holder::Kernel(held) = self.holder(socket)? else {
            return Err(Error::BadSocket);
        };
        let kernel = held.socket.as_ref().ok_or(Error::BadSocket)?;
        let local = kernel.connect(to).and_then(|()| kernel.local_address());
        let local = local.map_err(|error| stack_error(&error, Wait::Writable))?;
        let tuple = FourTuple { local, remote: to };
        held.tuple = Some(tuple);
        self.observer.call(now, tuple, Call::Connect);
        self.after_kernel_call(socket, now);
        Ok(())
    }

    /// Gives the socket back to the kernel, which sends what follows from that.
    fn kernel_close(&mut self, socket: Socket, call: Call) -> Result<(), Error> {
        let now = self.clock();
        let Holder::Kernel(held) = self.holder(socket)? else {
            return Err(Error::BadSocket);
        };
        let (kernel, tuple) = (held.socket.take().ok_or(Error::BadSocket)?, held.tuple);
        let listens = held.listens.take();
        drop(kernel);
        if let Some(local) = listens {
            self.observer.listen(now, local, false);
        }
        if let Some(tuple) = tuple {
            self.observer.call(now, tuple, call);
        }
        self.take_from_kernel(now);
        if let Some(tuple) = tuple {
            self.observer.orphaned(now, tuple);
        }
        Ok(())
    }
}

/// A call that is no event of a connection.
fn nothing<T>(_: &T) -> Option<Call> {
    None
}

const fn flags(urgent: bool) -> MessageFlags {
    MessageFlags {
        peek: false,
        urgent,
        more: false,
        end_of_record: false,
        truncate: false,
    }
}

impl Lab for Real {
    fn now(&self) -> Instant {
        self.clock()
    }

    fn advance(&mut self, until: Instant) -> bool {
        self.turn(until)
    }

    fn address(&self, host: End) -> IpAddr {
        self.address_of(host)
    }

    fn tcp_socket(&mut self, host: End) -> Result<Socket, Error> {
        match host {
            End::A => {
                let v6 = self.v6();
                let id = self.stack_mut().tcp_socket(v6)?;
                Ok(self.add(Holder::Estab(id)))
            }
            End::B => self.kernel_socket(SocketType::STREAM),
        }
    }

    fn udp_socket(&mut self, host: End) -> Result<Socket, Error> {
        match host {
            End::A => {
                let v6 = self.v6();
                let id = self.stack_mut().udp_socket(v6)?;
                Ok(self.add(Holder::Estab(id)))
            }
            End::B => self.kernel_socket(SocketType::DGRAM),
        }
    }

    fn set_option(&mut self, socket: Socket, option: SocketOption) -> Result<(), Error> {
        match *self.holder(socket)? {
            Holder::Estab(id) => self.estab(id, |stack, now, id| stack.set_option(now, id, option)),
            Holder::Kernel(_) => {
                let set = |kernel: &KernelSocket| options::set(kernel, &option);
                self.kernel(socket, Wait::Writable, set, nothing)
            }
        }
    }

    fn bind(&mut self, socket: Socket, port: u16) -> Result<(), Error> {
        let at = |end, lab: &Self| SocketAddr::new(lab.address_of(end), port);
        let (at_a, at_b) = (at(End::A, self), at(End::B, self));
        match *self.holder(socket)? {
            Holder::Estab(id) => self.estab(id, |stack, _, id| stack.bind(id, at_a)),
            Holder::Kernel(_) => {
                self.kernel(socket, Wait::Writable, |kernel| kernel.bind(at_b), nothing)
            }
        }
    }

    fn listen(&mut self, socket: Socket, backlog: u32) -> Result<(), Error> {
        match *self.holder(socket)? {
            Holder::Estab(id) => self.estab(id, |stack, now, id| stack.listen(now, id, backlog)),
            Holder::Kernel(_) => {
                let listen = |kernel: &KernelSocket| {
                    kernel.listen(backlog)?;
                    kernel.local_address()
                };
                let local = self.kernel(socket, Wait::Readable, listen, nothing)?;
                if let Holder::Kernel(held) = self.holder(socket)? {
                    held.listens = Some(local);
                }
                let now = self.clock();
                self.observer.listen(now, local, true);
                Ok(())
            }
        }
    }

    fn accept(&mut self, socket: Socket) -> Result<Socket, Error> {
        match *self.holder(socket)? {
            Holder::Estab(id) => {
                let (accepted, _) = self.estab(id, |stack, now, id| stack.accept(now, id))?;
                Ok(self.add(Holder::Estab(accepted)))
            }
            Holder::Kernel(_) => self.kernel_accept(socket),
        }
    }

    fn connect(
        &mut self,
        socket: Socket,
        to: SocketAddr,
        timeout: Option<Duration>,
    ) -> Result<(), Error> {
        match *self.holder(socket)? {
            Holder::Estab(id) => {
                let connect = |stack: &mut Stack, now, id| stack.connect(now, id, to, timeout);
                match self.estab(id, connect) {
                    Err(Error::InProgress) => Ok(()),
                    result => result,
                }
            }
            // The kernel knows no time-out for connecting.
            Holder::Kernel(_) if timeout.is_some() => Err(Error::NotSupported),
            Holder::Kernel(_) => self.kernel_connect(socket, to),
        }
    }

    fn send(&mut self, socket: Socket, data: &[u8], urgent: bool) -> Result<usize, Error> {
        match *self.holder(socket)? {
            Holder::Estab(id) => self.estab(id, |stack, now, id| {
                stack.send(now, id, data, flags(urgent))
            }),
            Holder::Kernel(_) => {
                let send = |kernel: &KernelSocket| kernel.send(data, urgent);
                self.kernel(socket, Wait::Writable, send, |&len| Some(Call::Send(len)))
            }
        }
    }

    fn receive(&mut self, socket: Socket, buffer: &mut [u8], urgent: bool) -> Result<usize, Error> {
        match *self.holder(socket)? {
            Holder::Estab(id) => self.estab(id, |stack, now, id| {
                stack.receive(now, id, buffer, flags(urgent))
            }),
            Holder::Kernel(_) => {
                let receive = |kernel: &KernelSocket| kernel.receive(buffer, urgent);
                self.kernel(socket, Wait::Readable, receive, |&len| {
                    Some(Call::Receive(len))
                })
            }
        }
    }

    fn send_to(&mut self, socket: Socket, data: &[u8], to: SocketAddr) -> Result<(), Error> {
        match *self.holder(socket)? {
            Holder::Estab(id) => {
                self.estab(id, |stack, now, id| stack.send_to(now, id, data, Some(to)))?;
            }
            Holder::Kernel(_) => {
                let send = |kernel: &KernelSocket| kernel.send_to(data, to);
                self.kernel(socket, Wait::Writable, send, nothing)?;
            }
        }
        Ok(())
    }

    fn receive_from(
        &mut self,
        socket: Socket,
        buffer: &mut [u8],
    ) -> Result<(usize, SocketAddr), Error> {
        match *self.holder(socket)? {
            Holder::Estab(id) => {
                let receive =
                    |stack: &mut Stack, now, id| stack.receive_from(now, id, buffer, flags(false));
                let got = self.estab(id, receive)?;
                Ok((got.len, got.from))
            }
            Holder::Kernel(_) => {
                let receive = |kernel: &KernelSocket| kernel.receive_from(buffer);
                self.kernel(socket, Wait::Readable, receive, nothing)
            }
        }
    }

    fn shutdown(&mut self, socket: Socket, how: Shutdown) -> Result<(), Error> {
        match *self.holder(socket)? {
            Holder::Estab(id) => self.estab(id, |stack, now, id| stack.shutdown(now, id, how)),
            Holder::Kernel(_) => {
                let call = match how {
                    Shutdown::Read => Call::ShutdownRead,
                    Shutdown::Write | Shutdown::Both => Call::ShutdownWrite,
                };
                self.kernel(
                    socket,
                    Wait::Writable,
                    |kernel| kernel.shutdown(how),
                    |()| Some(call),
                )
            }
        }
    }

    fn close(&mut self, socket: Socket) -> Result<(), Error> {
        match *self.holder(socket)? {
            Holder::Estab(id) => self.estab(id, |stack, now, id| stack.close(now, id, true)),
            Holder::Kernel(_) => self.kernel_close(socket, Call::Close),
        }
    }

    fn abort(&mut self, socket: Socket) -> Result<(), Error> {
        match *self.holder(socket)? {
            Holder::Estab(id) => self.estab(id, |stack, now, id| stack.abort(now, id)),
            Holder::Kernel(_) => {
                let linger = |kernel: &KernelSocket| kernel.set_linger(Some(Duration::ZERO));
                self.kernel(socket, Wait::Closed, linger, nothing)?;
                self.kernel_close(socket, Call::Abort)
            }
        }
    }

    fn readiness(&self, socket: Socket) -> Readiness {
        match self.sockets.get(socket.0) {
            Some(Holder::Estab(id)) => self.stack().readiness(*id),
            Some(Holder::Kernel(Held {
                socket: Some(kernel),
                ..
            })) => kernel.readiness(),
            _ => Readiness::NONE,
        }
    }

    fn state(&self, socket: Socket) -> State {
        match self.sockets.get(socket.0) {
            Some(Holder::Estab(id)) => self.stack().state(*id).unwrap_or(State::Closed),
            Some(Holder::Kernel(Held {
                socket,
                tuple,
                listens,
            })) => {
                let seen = tuple.map_or(State::Closed, |tuple| self.observer.state(tuple));
                match socket.as_ref().map(KernelSocket::state) {
                    // A socket in TIME-WAIT says that it is closed.
                    Some(Ok(State::Closed)) | None => seen,
                    Some(Ok(told)) => told,
                    Some(Err(_)) if listens.is_some() => State::Listen,
                    Some(Err(_)) => seen,
                }
            }
            None => State::Closed,
        }
    }

    fn local_address(&self, socket: Socket) -> Result<SocketAddr, Error> {
        match self.sockets.get(socket.0) {
            Some(Holder::Estab(id)) => self.stack().local_address(*id),
            Some(Holder::Kernel(Held {
                socket: Some(kernel),
                ..
            })) => kernel
                .local_address()
                .map_err(|error| stack_error(&error, Wait::Readable)),
            _ => Err(Error::BadSocket),
        }
    }

    fn take_error(&mut self, socket: Socket) -> Option<ConnectionError> {
        match *self.sockets.get(socket.0)? {
            Holder::Estab(id) => self.estab(id, |stack, _, id| stack.take_error(id)).ok()?,
            Holder::Kernel(_) => {
                let take = KernelSocket::take_error;
                let pending = self.kernel(socket, Wait::Readable, take, nothing);
                let error = connection_error(&pending.ok()??)?;
                if let Some(tuple) = self.tuple(socket) {
                    let now = self.clock();
                    self.observer.error(now, tuple, error);
                }
                Some(error)
            }
        }
    }

    fn add_rule(&mut self, rule: Rule) {
        self.link_mut().add_rule(rule);
    }

    fn cut(&mut self, cut: bool) {
        let what = if cut {
            Environment::CableCut
        } else {
            Environment::CableMended
        };
        self.tell(End::A, what);
        self.link_mut().set_cut(cut);
    }

    fn reboot(&mut self, host: End) {
        self.tell(host, Environment::Reboot);
        match host {
            End::A => self.reboot_estab(),
            End::B => {
                for holder in &mut self.sockets {
                    if let Holder::Kernel(held) = holder
                        && let Some(kernel) = held.socket.take()
                    {
                        held.listens = None;
                        repair::forget(kernel);
                    }
                }
                self.observer.reboot();
            }
        }
    }

    fn simulated(&mut self) -> Option<&mut Simulated> {
        None
    }
}
