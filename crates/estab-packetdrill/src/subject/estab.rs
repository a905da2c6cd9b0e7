//! estab itself in virtual time: nothing sleeps, everything happens exactly when it is due, and the same script gives the same run.

mod calls;
mod notes;
mod settings;

use super::{
    Emitted, Network, Note, Outcome, SettingError, Started, Subject, SubjectError, SystemCall,
};
pub(crate) use settings::linux_defaults;

use calls::{Made, in_one_piece, make};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;
use estab_posix::{Posix, Waiting};
use estab_stack::{Cidr, InterfaceConfig, InterfaceId, Medium, Route, Stack, StackConfig};
use estab_tcp::{Instant, Settings};
use notes::Notes;
use std::collections::VecDeque;

/// The script's start on the stack's clock: far enough from its zero for anything that reckons backwards.
const START: Duration = Duration::from_secs(1000);
/// All secrets come from it. There is nothing to guess for a script.
const SEED: [u8; 32] = [0x5e; 32];
/// Time-outs that are due at one moment; more means that time stands still.
const TIMEOUTS_MAX: u32 = 10_000;
/// Time-outs of a whole run: no script is worth more.
const ALL_TIMEOUTS_MAX: u32 = 5_000_000;

/// estab in virtual time.
///
/// # Errors
/// [`SubjectError::Broken`]: the network cannot be set up.
pub fn estab(network: &Network) -> Result<Box<dyn Subject>, SubjectError> {
    Ok(Box::new(Estab::new(network)?))
}

struct Estab {
    posix: Posix,
    interface: InterfaceId,
    now: Duration,
    timeouts: u32,
    pending: Option<(SystemCall, Waiting)>,
    finished: Option<(Outcome, Duration)>,
    emitted: VecDeque<Emitted>,
    notes: Notes,
}

impl Estab {
    fn new(network: &Network) -> Result<Self, SubjectError> {
        let broken = |error| SubjectError::Broken(format!("the network was not set up: {error}"));
        let mut stack = Stack::new(StackConfig {
            seed: SEED,
            settings: Settings::default(),
        });
        for (name, value) in settings::LINUX_DEFAULTS {
            settings::set(&mut stack, name, value)
                .map_err(|error| SubjectError::Broken(format!("{name}={value}: {error:?}")))?;
        }
        let interface = stack.add_interface(InterfaceConfig {
            name: "script".to_owned(),
            medium: Medium::Ip,
            hardware_address: [0; 6],
            mtu: network.mtu,
            checksum_offload: false,
            segmentation_offload: 0,
        });
        let address = Cidr {
            address: network.local_ip,
            prefix_len: network.prefix_len,
        };
        stack.add_address(interface, address).map_err(broken)?;
        let unspecified = match network.local_ip {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        stack
            .add_route(Route {
                destination: Cidr {
                    address: unspecified,
                    prefix_len: 0,
                },
                gateway: Some(network.gateway_ip),
                interface,
                mss: None,
            })
            .map_err(broken)?;
        let notes = Notes::default();
        stack.set_sink(Some(notes.sink(START)));
        Ok(Self {
            posix: Posix::new(stack),
            interface,
            now: Duration::ZERO,
            timeouts: 0,
            pending: None,
            finished: None,
            emitted: VecDeque::new(),
            notes,
        })
    }

    fn instant(&self) -> Instant {
        Instant::ZERO + START + self.now
    }

    /// The script's time of a moment on the stack's clock.
    fn time_of(instant: Instant) -> Duration {
        instant.since(Instant::ZERO + START)
    }

    /// Takes out what is to be sent, and asks the pending call again, until neither moves anything.
    fn settle(&mut self) {
        loop {
            let now = self.instant();
            while let Some((_, packet)) = self.posix.poll_transmit(now) {
                self.emitted.push_back(Emitted {
                    time: self.now,
                    packet: packet.to_bytes(),
                });
            }
            let Some((call, waiting)) = &mut self.pending else {
                return;
            };
            match make(&mut self.posix, now, call, waiting) {
                Made::Pending => return,
                Made::Unsupported(_) => self.pending = None,
                Made::Done(outcome) => {
                    self.pending = None;
                    self.finished = Some((outcome, self.now));
                }
            }
        }
    }

    /// When something is due of itself.
    fn due(&self) -> Option<Duration> {
        let call = self.pending.as_ref();
        let deadline = call.and_then(|(_, waiting)| waiting.deadline());
        let timer = self.posix.poll_timeout();
        deadline.into_iter().chain(timer).min().map(Self::time_of)
    }

    fn has_news(&self) -> bool {
        !self.emitted.is_empty() || self.finished.is_some()
    }
}

impl Subject for Estab {
    fn name(&self) -> &'static str {
        "estab"
    }

    fn is_virtual(&self) -> bool {
        true
    }

    fn now(&self) -> Duration {
        self.now
    }

    fn wait(&mut self, until: Duration) -> Result<(), SubjectError> {
        let mut at_once = 0;
        self.settle();
        while !self.has_news() {
            let Some(due) = self.due().filter(|due| *due <= until) else {
                self.now = self.now.max(until);
                return Ok(());
            };
            if due > self.now {
                self.now = due;
                at_once = 0;
            }
            at_once += 1;
            self.timeouts += 1;
            if at_once > TIMEOUTS_MAX {
                let message = format!("time stands still at {:?}", self.now);
                return Err(SubjectError::Broken(message));
            }
            if self.timeouts > ALL_TIMEOUTS_MAX {
                let message = format!("too many time-outs by {:?}", self.now);
                return Err(SubjectError::Broken(message));
            }
            self.posix.handle_timeout(self.instant());
            self.settle();
        }
        Ok(())
    }

    fn start(&mut self, call: SystemCall) -> Result<Started, SubjectError> {
        let call = in_one_piece(call);
        let mut waiting = Waiting::new();
        let now = self.instant();
        let made = make(&mut self.posix, now, &call, &mut waiting);
        let started = match made {
            Made::Done(outcome) => Started::Done(outcome),
            Made::Unsupported(what) => return Err(SubjectError::Unsupported(what.to_owned())),
            Made::Pending if self.pending.is_some() => {
                let message = "a call waits while another one does".to_owned();
                return Err(SubjectError::Broken(message));
            }
            Made::Pending => {
                self.pending = Some((call, waiting));
                Started::Pending
            }
        };
        self.settle();
        Ok(started)
    }

    fn finished(&mut self) -> Option<(Outcome, Duration)> {
        self.finished.take()
    }

    fn inject(&mut self, packet: &[u8]) -> Result<(), SubjectError> {
        let packet = bytes::Bytes::copy_from_slice(packet);
        let now = self.instant();
        self.posix.handle_packet(now, self.interface, packet.into());
        self.settle();
        Ok(())
    }

    fn emitted(&mut self) -> Option<Emitted> {
        self.emitted.pop_front()
    }

    fn set_setting(&mut self, name: &str, value: &str) -> Result<(), SettingError> {
        settings::set(self.posix.stack_mut(), name, value)
    }

    fn tcp_info(&mut self, fd: i32) -> Result<Vec<u8>, i32> {
        const ROOM: usize = 512;
        let now = self.instant();
        self.posix
            .getsockopt(now, fd, libc::SOL_TCP, libc::TCP_INFO, ROOM)
            .map_err(|errno| errno.0)
    }

    fn take_notes(&mut self) -> Vec<Note> {
        self.notes.take()
    }

    fn finish(&mut self) {
        self.pending = None;
        self.emitted.clear();
    }
}
