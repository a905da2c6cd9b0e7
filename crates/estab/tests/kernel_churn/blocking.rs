//! Each end in a thread, with blocking sockets.

use crate::LANES;
use crate::network::Network;
use crate::plan::{Closing, Plan, Plans, Role};
use std::io::{self, Error, Read, Write};
use std::net::Shutdown;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// No call waits longer.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn the_kernel_connects(network: &Network, plans: &Plans, numbers: Range<u64>) {
    in_lanes(|lane| {
        let address = network.ours(lane);
        let listener = estab::TcpListener::bind(&network.host, address).unwrap();
        use_lane(
            plans,
            numbers.clone().filter(|number| number % LANES == lane),
            || network.prepare(std::net::TcpStream::connect(address)?),
            || Ok(listener.accept()?.0),
        );
    });
}

pub(crate) fn we_connect(network: &Network, plans: &Plans, numbers: Range<u64>) {
    in_lanes(|lane| {
        let address = network.kernels(lane);
        let listener = std::net::TcpListener::bind(address).unwrap();
        use_lane(
            plans,
            numbers.clone().filter(|number| number % LANES == lane),
            || estab::TcpStream::connect(&network.host, address),
            || network.prepare(listener.accept()?.0),
        );
    });
}

fn in_lanes(use_lane: impl Fn(u64) + Sync) {
    let use_lane = &use_lane;
    thread::scope(|scope| {
        for lane in 0..LANES {
            scope.spawn(move || use_lane(lane));
        }
    });
}

/// One connection after the other, a thread for either end.
fn use_lane<C: End, S: End>(
    plans: &Plans,
    numbers: impl Iterator<Item = u64> + Clone + Send,
    connect: impl Fn() -> io::Result<C> + Sync,
    accept: impl Fn() -> io::Result<S> + Send,
) {
    let meeting = &Meeting::default();
    let servers = numbers.clone();
    thread::scope(|scope| {
        scope.spawn(move || {
            for number in servers {
                let plan = plans.plan(number, Role::Server);
                let result = accept().and_then(|stream| converse(stream, &plan, meeting));
                check(result, number, Role::Server, &plan);
            }
        });
        for number in numbers {
            let plan = plans.plan(number, Role::Client);
            let result = connect().and_then(|stream| converse(stream, &plan, meeting));
            check(result, number, Role::Client, &plan);
        }
    });
}

/// The other end would wait in vain, and with it the whole test: so a failure ends the process.
fn check(result: io::Result<()>, number: u64, role: Role, plan: &Plan<'_>) {
    if let Err(error) = result {
        let _ = writeln!(
            io::stderr(),
            "connection {number}, {role:?} (first: {}), {:?}, {} bytes to send, {} to receive: {error}",
            plan.first,
            plan.closing,
            plan.mine.len(),
            plan.theirs.len(),
        );
        std::process::exit(1);
    }
}

fn converse<E: End>(stream: E, plan: &Plan<'_>, meeting: &Meeting) -> io::Result<()> {
    stream.set_patience(PATIENCE)?;
    match (plan.closing, plan.first) {
        (Closing::OneCloses, true) => {
            read_all(&stream, plan)?;
            stream.io().write_all(plan.mine)?;
        }
        (Closing::OneCloses, false) => {
            stream.io().write_all(plan.mine)?;
            read_to_end(&stream, plan)?;
        }
        (Closing::HalfClose, true) => {
            stream.io().write_all(plan.mine)?;
            stream.end_sending()?;
            read_to_end(&stream, plan)?;
        }
        (Closing::HalfClose, false) => {
            read_to_end(&stream, plan)?;
            stream.io().write_all(plan.mine)?;
        }
        (Closing::BothClose, first) => {
            if first {
                stream.io().write_all(plan.mine)?;
            }
            read_all(&stream, plan)?;
            if !first {
                stream.io().write_all(plan.mine)?;
            }
            meeting.wait()?;
        }
        (Closing::BothHalfClose, _) => thread::scope(|scope| {
            let writer = scope.spawn(|| {
                stream.io().write_all(plan.mine)?;
                stream.end_sending()
            });
            read_to_end(&stream, plan)?;
            writer.join().unwrap()
        })?,
    }
    stream.end()
}

/// Reads as much as is to come, but not the end of file.
fn read_all<E: End>(stream: &E, plan: &Plan<'_>) -> io::Result<()> {
    let mut data = vec![0; plan.theirs.len()];
    stream.io().read_exact(&mut data)?;
    same(&data, plan)
}

fn read_to_end<E: End>(stream: &E, plan: &Plan<'_>) -> io::Result<()> {
    let mut data = Vec::new();
    stream.io().read_to_end(&mut data)?;
    same(&data, plan)
}

pub(crate) fn same(data: &[u8], plan: &Plan<'_>) -> io::Result<()> {
    if data.len() != plan.theirs.len() {
        return Err(Error::other(format!("{} bytes came", data.len())));
    }
    match data.iter().zip(plan.theirs).position(|(a, b)| a != b) {
        Some(position) => Err(Error::other(format!("byte {position} differs"))),
        None => Ok(()),
    }
}

/// What the two kinds of sockets have in common.
trait End: Send + Sync {
    /// Reads and writes; in several threads at once.
    fn io(&self) -> impl Read + Write;
    fn set_patience(&self, patience: Duration) -> io::Result<()>;
    fn end_sending(&self) -> io::Result<()>;
    /// Closes it; an error when something was lost.
    fn end(self) -> io::Result<()>;
}

impl End for estab::TcpStream {
    fn io(&self) -> impl Read + Write {
        self
    }

    fn set_patience(&self, patience: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(patience))?;
        self.set_write_timeout(Some(patience))
    }

    fn end_sending(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    fn end(self) -> io::Result<()> {
        self.close()
    }
}

impl End for std::net::TcpStream {
    fn io(&self) -> impl Read + Write {
        self
    }

    fn set_patience(&self, patience: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(patience))?;
        self.set_write_timeout(Some(patience))
    }

    fn end_sending(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    fn end(self) -> io::Result<()> {
        // Its pending error is all that the kernel tells of a close.
        self.take_error()?.map_or(Ok(()), Err)
    }
}

/// Where two threads wait for each other without sleeping, so that they go on at the same moment.
#[derive(Default)]
struct Meeting(AtomicU64);

impl Meeting {
    fn wait(&self) -> io::Result<()> {
        let arrived = self.0.fetch_add(1, Ordering::SeqCst);
        let both = arrived / 2 * 2 + 2;
        // The other one's calls have a time-out, and its failure ends the process.
        while self.0.load(Ordering::SeqCst) < both {
            thread::yield_now();
        }
        Ok(())
    }
}
