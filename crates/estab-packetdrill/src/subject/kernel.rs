//! Linux as the subject: real sockets, and packets through a TUN device, in a network namespace made for the script, in
//! real time.

mod calls;
mod clock;
mod descriptors;
mod flows;
mod network;
mod sysctl;
mod worker;

use super::{
    Emitted, MakeSubject, Network, Outcome, SettingError, Started, Subject, SubjectError,
    SystemCall,
};
use bytes::Bytes;
use clock::Clock;
use descriptors::{Descriptors, gives_descriptor};
use estab_device::tuntap::TunTap;
use flows::Flows;
use network::Inside;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use sysctl::SetError;
use worker::Worker;

/// So long before its time a wait looks at the clock instead of sleeping: the system may wake a sleeper late by so much.
const SPIN: Duration = Duration::from_micros(100);
/// Between two looks at a call that may be waiting.
const LOOK: Duration = Duration::from_micros(100);
/// A call that neither returns nor sleeps for so long is taken for one that waits.
const CALL_MAX: Duration = Duration::from_secs(2);
/// After the script its last call gets so long to see that its sockets are gone.
const END_MAX: Duration = Duration::from_millis(200);
/// Packets that wait for the runner, at most; a script that makes more is broken.
const QUEUE_MAX: usize = 100_000;
/// Longest packet.
const PACKET_MAX: usize = 65_536;

/// A call's outcome, and when it returned.
type Returned = (Outcome, Duration);

/// The kernel in a namespace of the script's own. The thread that makes it is in that namespace until it is dropped.
#[derive(Debug)]
struct Kernel {
    clock: Clock,
    device: TunTap,
    buffer: Vec<u8>,
    emitted: VecDeque<Emitted>,
    flows: Flows,
    own: Descriptors,
    /// The call that waits is here.
    worker: Worker<Returned>,
    /// For calls that return at once, or should, while another waits.
    second: Worker<Returned>,
    /// Does the call that waits give a descriptor?
    gives: bool,
    returned: Option<Returned>,
    // Last: sockets and device are gone when the thread leaves.
    _inside: Inside,
}

/// Makes subjects that are the kernel. The process must be able to make network namespaces
/// (see [`isolate`](estab_device::namespace::isolate)); each script needs a thread that does nothing else meanwhile.
pub fn kernel() -> MakeSubject {
    Arc::new(|network| {
        let made = Kernel::new(network);
        made.map(|kernel| Box::new(kernel) as Box<dyn Subject>)
            .map_err(|error| SubjectError::Broken(format!("the kernel's network: {error}")))
    })
}

impl Kernel {
    fn new(network: &Network) -> std::io::Result<Self> {
        clock::sleep_precisely();
        let inside = Inside::new()?;
        let device = network::set_up(network)?;
        Ok(Self {
            clock: Clock::start(),
            device,
            buffer: vec![0; PACKET_MAX],
            emitted: VecDeque::new(),
            flows: Flows::default(),
            own: Descriptors::default(),
            worker: Worker::new()?,
            second: Worker::new()?,
            gives: false,
            returned: None,
            _inside: inside,
        })
    }

    /// Takes what the kernel has sent, each packet with the time at which it is seen.
    fn take(&mut self) -> Result<(), SubjectError> {
        loop {
            match rustix::io::read(&self.device, &mut self.buffer[..]) {
                Ok(len) => {
                    let time = self.clock.now();
                    let packet = &self.buffer[..len];
                    self.flows.see(packet);
                    if self.emitted.len() >= QUEUE_MAX {
                        return Err(broken("the kernel sends without end"));
                    }
                    let packet = Bytes::copy_from_slice(packet);
                    self.emitted.push_back(Emitted { time, packet });
                }
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(broken(&format!("the device is gone: {error}"))),
            }
        }
    }

    /// Looks whether the call that waited has returned.
    fn look(&mut self) {
        if let Some(returned) = self.worker.take() {
            self.own.learn(self.gives, &returned.0);
            self.returned = Some(returned);
        }
    }

    fn something_to_fetch(&self) -> bool {
        !self.emitted.is_empty() || self.returned.is_some()
    }

    /// Sleeps until a packet comes, a call returns, or the time is over.
    fn sleep(&self, duration: Duration) {
        let timeout = Timespec {
            tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: duration.subsec_nanos().into(),
        };
        let (ready, second) = (self.worker.ready(), self.second.ready());
        let mut fds = [
            PollFd::new(&self.device, PollFlags::IN),
            PollFd::new(&ready, PollFlags::IN),
            PollFd::new(&second, PollFlags::IN),
        ];
        // Interrupted: that is a reason to look, too.
        let _ = poll(&mut fds, Some(&timeout));
        self.worker.woken();
        self.second.woken();
    }

    /// Makes a call that may wait, on the other thread, and gives its outcome unless it does wait.
    fn start_elsewhere(&mut self, call: SystemCall) -> Result<Started, SubjectError> {
        let waits_already = self.worker.is_busy() || self.returned.is_some();
        let gives = gives_descriptor(&call);
        let clock = self.clock;
        let job = move || {
            let outcome = calls::make(&call);
            (outcome, clock.now())
        };
        let worker = if waits_already {
            &mut self.second
        } else {
            &mut self.worker
        };
        if worker.is_busy() {
            return Err(broken(
                "a call that should have returned at once still waits",
            ));
        }
        if !worker.start(job) {
            return Err(broken("the thread for calls is gone"));
        }
        let start = self.clock.now();
        let mut looked = start;
        loop {
            let worker = if waits_already {
                &mut self.second
            } else {
                &mut self.worker
            };
            if let Some((outcome, _)) = worker.take() {
                self.own.learn(gives, &outcome);
                return Ok(Started::Done(outcome));
            }
            let now = self.clock.now();
            // Twice, for one may sleep a moment for another reason, such as a lock.
            if now - looked >= LOOK {
                if (worker.is_asleep() && looked > start) || now - start >= CALL_MAX {
                    break;
                }
                looked = now;
                self.take()?;
            }
            std::thread::yield_now();
        }
        if waits_already {
            return Err(broken("a call waits while another one waits"));
        }
        self.gives = gives;
        Ok(Started::Pending)
    }

    /// Ends what is open, so that nothing of the script is left.
    fn end(&mut self) {
        clock::one_of_many();
        let open: Vec<i32> = self.own.iter().collect();
        for &fd in &open {
            calls::linger_zero(fd);
        }
        if self.worker.is_busy() || self.second.is_busy() {
            for &fd in &open {
                // Wakes who waits for it.
                let how = libc::SHUT_RDWR;
                calls::make(&SystemCall::Shutdown { fd, how });
            }
            let limit = self.clock.now() + END_MAX;
            while (self.worker.is_busy() || self.second.is_busy()) && self.clock.now() < limit {
                self.sleep(Duration::from_millis(1));
                self.look();
                let _ = self.second.take();
                // Else a device whose packets nobody takes would always be ready.
                let _ = self.take();
            }
        }
        for fd in self.own.take() {
            calls::make(&SystemCall::Close { fd });
        }
        // Those that no socket holds any more; what the kernel refuses it has forgotten itself.
        let _ = self.take();
        for reset in self.flows.resets() {
            let _ = rustix::io::write(&self.device, &reset);
        }
    }
}

impl Subject for Kernel {
    fn name(&self) -> &'static str {
        "kernel"
    }

    fn is_virtual(&self) -> bool {
        false
    }

    fn begin(&mut self) {
        // Making and ending namespaces is work for long; what is played is not, and cannot wait for others.
        clock::first(0);
        self.worker.comes_first();
        self.second.comes_first();
        // What was said when the device came up is not the script's.
        let _ = self.take();
        self.emitted.clear();
        self.clock = Clock::start();
    }

    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn wait(&mut self, until: Duration) -> Result<(), SubjectError> {
        loop {
            self.take()?;
            self.look();
            let now = self.clock.now();
            if self.something_to_fetch() || now >= until {
                return Ok(());
            }
            match (until - now).checked_sub(SPIN) {
                Some(long) => self.sleep(long),
                None => std::hint::spin_loop(),
            }
        }
    }

    fn start(&mut self, mut call: SystemCall) -> Result<Started, SubjectError> {
        self.own.admit(&mut call)?;
        let started = if may_wait(&call) {
            self.start_elsewhere(call)?
        } else {
            let outcome = calls::make(&call);
            self.own.learn(gives_descriptor(&call), &outcome);
            Started::Done(outcome)
        };
        self.take()?;
        Ok(started)
    }

    fn finished(&mut self) -> Option<(Outcome, Duration)> {
        self.look();
        self.returned.take()
    }

    fn inject(&mut self, packet: &[u8]) -> Result<(), SubjectError> {
        self.take()?;
        match rustix::io::write(&self.device, packet) {
            // What it refuses as no packet at all is lost, as on a wire.
            Ok(_) | Err(Errno::INVAL) => self.take(),
            Err(error) => Err(broken(&format!(
                "the device does not take a packet: {error}"
            ))),
        }
    }

    fn emitted(&mut self) -> Option<Emitted> {
        self.emitted.pop_front()
    }

    fn set_setting(&mut self, name: &str, value: &str) -> Result<(), SettingError> {
        sysctl::set(name, value).map_err(|error| match error {
            SetError::Unknown => SettingError::Unknown,
            SetError::Refused(error) => SettingError::Other(error.to_string()),
        })
    }

    fn tcp_info(&mut self, fd: i32) -> Result<Vec<u8>, i32> {
        calls::tcp_info(fd)
    }

    fn finish(&mut self) {
        self.end();
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        self.end();
    }
}

/// May this call sleep?
fn may_wait(call: &SystemCall) -> bool {
    use SystemCall as C;
    match call {
        C::Accept { .. }
        | C::Connect { .. }
        | C::Read { .. }
        | C::Readv { .. }
        | C::Recv { .. }
        | C::RecvFrom { .. }
        | C::RecvMsg { .. }
        | C::Write { .. }
        | C::Writev { .. }
        | C::Send { .. }
        | C::SendTo { .. }
        | C::SendMsg { .. }
        | C::SendFile { .. }
        | C::Splice { .. }
        // SO_LINGER.
        | C::Close { .. }
        // A FIFO without another end.
        | C::Open { .. } => true,
        C::Poll { timeout_ms, .. } | C::EpollWait { timeout_ms, .. } => *timeout_ms != 0,
        C::Socket { .. }
        | C::Bind { .. }
        | C::Listen { .. }
        | C::GetSockName { .. }
        | C::GetPeerName { .. }
        | C::Fcntl { .. }
        | C::Ioctl { .. }
        | C::Shutdown { .. }
        | C::GetSockOpt { .. }
        | C::SetSockOpt { .. }
        | C::EpollCreate { .. }
        | C::EpollCtl { .. }
        | C::Pipe { .. }
        | C::Dup { .. } => false,
    }
}

fn broken(what: &str) -> SubjectError {
    SubjectError::Broken(what.to_owned())
}
