//! Captures of what hosts send and receive, with what they made of it as comments on the packets.

use crate::packet::{carry, complete_transport_checksum};
use bytes::Bytes;
use estab_stack::{Checksum, HostEvent, HostSink, InterfaceId, Medium, PacketIn};
use estab_tcp::{Event, Instant, Interest};
use estab_trace::pcapng::{COMMENTED, CaptureInterface, Direction, PcapngWriter, comment};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[cfg(test)]
mod tests;

/// Packets that wait for comments at most, over all hosts.
const HELD_MAX: usize = 256;
/// Comments that wait for a packet at most, of one host.
const COMMENTS_MAX: usize = 64;
/// The file is brought up to date when so much time has passed since it was.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

type Output = PcapngWriter<Box<dyn Write + Send>>;
type OnError = Box<dyn FnOnce(io::Error) + Send>;

/// Records the packets of any number of hosts, whatever their devices, in one pcapng file.
///
/// Each host reports to a [`sink`](Self::sink) of its own, and appears as an interface with its name. State changes,
/// drops, retransmissions, timers and errors become comments, on the packet that caused them or that they caused.
/// Checksums that were left to a device, or that nobody needed, are completed. Super-segments are one packet each, as
/// they are for tcpdump on Linux.
///
/// A packet is written when its host has reported the next one, since only then all its comments are known. The file
/// is complete when [`flush`](Self::flush) is called or the last clone and sink are dropped. When it cannot be written
/// (the disk is full), that is reported once, and the hosts go on without.
#[derive(Clone)]
pub struct Recorder(Arc<Mutex<State>>);

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

struct State {
    output: Option<Output>,
    epoch: Duration,
    hosts: Vec<Host>,
    /// In the order in which they were seen.
    held: VecDeque<Held>,
    /// The number of the first one in `held`.
    first: u64,
    flushed_at: Instant,
    error: Option<io::Error>,
    on_error: Option<OnError>,
    lost: u64,
}

struct Host {
    name: String,
    interfaces: Vec<(String, Medium)>,
    captured: Vec<(InterfaceId, CaptureInterface)>,
    /// The number of its last packet.
    last: Option<u64>,
    /// Comments without a packet yet.
    loose: Comments,
}

/// A packet that may still get comments.
struct Held {
    host: usize,
    at: Instant,
    interface: InterfaceId,
    direction: Direction,
    data: Bytes,
    comments: Comments,
}

#[derive(Default)]
struct Comments {
    texts: Vec<String>,
    left_out: u32,
}

impl Comments {
    fn push(&mut self, text: String) {
        if self.texts.len() < COMMENTS_MAX {
            self.texts.push(text);
        } else {
            self.left_out += 1;
        }
    }

    fn append(&mut self, other: &mut Self) {
        for text in other.texts.drain(..) {
            self.push(text);
        }
        self.left_out += std::mem::take(&mut other.left_out);
    }

    fn finish(mut self) -> Vec<String> {
        if self.left_out > 0 {
            self.texts.push(format!("and {} more", self.left_out));
        }
        self.texts
    }
}

impl Recorder {
    /// Records to a new file, in place of one that is there. `epoch` is the time since 1970 at [`Instant::ZERO`].
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(path: impl AsRef<Path>, epoch: Duration) -> io::Result<Self> {
        Self::new(File::create(path)?, epoch)
    }

    /// Records to a writer, which need not be buffered.
    ///
    /// # Errors
    /// It cannot be written to.
    pub fn new(writer: impl Write + Send + 'static, epoch: Duration) -> io::Result<Self> {
        let writer: Box<dyn Write + Send> = Box::new(BufWriter::new(writer));
        let mut output = PcapngWriter::new(writer)?;
        output.flush()?;
        Ok(Self(Arc::new(Mutex::new(State {
            output: Some(output),
            epoch,
            hosts: Vec::new(),
            held: VecDeque::new(),
            first: 0,
            flushed_at: Instant::ZERO,
            error: None,
            on_error: None,
            lost: 0,
        }))))
    }

    /// A sink for [`Stack::set_sink`](estab_stack::Stack::set_sink) of the host of this name, whose interfaces, in the
    /// order of their numbers, have these names and media. One that is not listed carries IP.
    pub fn sink(&self, host: &str, interfaces: &[(&str, Medium)]) -> Box<dyn HostSink> {
        let mut state = self.lock();
        let own = |&(name, medium): &(&str, Medium)| (name.to_owned(), medium);
        state.hosts.push(Host {
            name: host.to_owned(),
            interfaces: interfaces.iter().map(own).collect(),
            captured: Vec::new(),
            last: None,
            loose: Comments::default(),
        });
        Box::new(RecorderSink {
            recorder: self.clone(),
            host: state.hosts.len() - 1,
        })
    }

    /// Calls a function, once, when the file cannot be written. Without one [`flush`](Self::flush) gives the error.
    pub fn on_error(&self, report: impl FnOnce(io::Error) + Send + 'static) {
        self.lock().on_error = Some(Box::new(report));
    }

    /// Packets that were not written because of an error.
    pub fn lost(&self) -> u64 {
        self.lock().lost
    }

    /// Writes all that was seen so far. Comments that come later go to the next packet.
    ///
    /// # Errors
    /// Once, the error that ended the recording, also when it happened before, unless it went to
    /// [`on_error`](Self::on_error).
    pub fn flush(&self) -> io::Result<()> {
        let mut state = self.lock();
        state.write_all();
        if state.on_error.is_some() {
            report(state);
            return Ok(());
        }
        match state.error.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // What a panic could leave half done is a file, which is judged by its reader.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct RecorderSink {
    recorder: Recorder,
    host: usize,
}

impl HostSink for RecorderSink {
    fn interest(&self) -> Interest {
        COMMENTED.with(Interest::PACKET)
    }

    fn event(&mut self, now: Instant, event: &HostEvent<'_>) {
        let mut state = self.recorder.lock();
        if state.output.is_none() {
            let is_packet = matches!(
                event,
                HostEvent::PacketIn { .. } | HostEvent::PacketOut { .. }
            );
            state.lost += u64::from(is_packet);
            return;
        }
        match event {
            HostEvent::PacketIn { interface, packet } => {
                let medium = state.hosts[self.host].medium(*interface);
                let data = received_bytes(medium, packet);
                state.packet(now, self.host, *interface, Direction::In, data);
            }
            HostEvent::PacketOut { interface, packet } => {
                let data = carry(packet, false).data;
                state.packet(now, self.host, *interface, Direction::Out, data);
            }
            _ => {
                if let Some(text) = comment(event) {
                    state.comment(now, self.host, event, &text);
                }
            }
        }
        report(state);
    }
}

/// What came in, with its checksum completed when it may be partial.
fn received_bytes(medium: Medium, packet: &PacketIn) -> Bytes {
    match packet.checksum {
        Checksum::Unverified => packet.data.clone(),
        Checksum::Valid => {
            let mut data = packet.data.to_vec();
            complete_transport_checksum(medium, &mut data);
            data.into()
        }
    }
}

impl Host {
    fn medium(&self, interface: InterfaceId) -> Medium {
        let listed = self.interfaces.get(usize::from(interface.0));
        listed.map_or(Medium::Ip, |(_, medium)| *medium)
    }

    /// The interface in the capture, which is described there before its first packet.
    fn capture(&mut self, id: InterfaceId, output: &mut Output) -> io::Result<CaptureInterface> {
        if let Some((_, known)) = self.captured.iter().find(|(known, _)| *known == id) {
            return Ok(*known);
        }
        let interface = match self.interfaces.get(usize::from(id.0)) {
            Some((name, medium)) => output.add_interface(name, *medium),
            None => output.add_interface(&format!("{}/{}", self.name, id.0), Medium::Ip),
        }?;
        self.captured.push((id, interface));
        Ok(interface)
    }
}

impl State {
    fn packet(
        &mut self,
        at: Instant,
        host: usize,
        interface: InterfaceId,
        direction: Direction,
        data: Bytes,
    ) {
        let mut comments = std::mem::take(&mut self.hosts[host].loose);
        if direction == Direction::In {
            // What happened since the last packet did not come from this one.
            if let Some(last) = self.last_held(host) {
                last.comments.append(&mut comments);
            }
        }
        self.hosts[host].last = Some(self.first + self.held.len() as u64);
        self.held.push_back(Held {
            host,
            at,
            interface,
            direction,
            data,
            comments,
        });
        self.write_finished();
        if at.since(self.flushed_at) >= FLUSH_EVERY {
            self.flushed_at = at;
            self.flush();
        }
    }

    fn comment(&mut self, now: Instant, host: usize, event: &HostEvent<'_>, text: &str) {
        let text = format!("{}: {text}", self.hosts[host].name);
        // A retransmission is the packet to come, whatever brought it about.
        let is_retransmission = matches!(
            event,
            HostEvent::Tcp {
                event: Event::Retransmit { .. },
                ..
            }
        );
        match self.last_held(host) {
            Some(last)
                if last.direction == Direction::In && last.at == now && !is_retransmission =>
            {
                last.comments.push(text);
            }
            _ => self.hosts[host].loose.push(text),
        }
    }

    /// A host's last packet, as long as it is not written.
    fn last_held(&mut self, host: usize) -> Option<&mut Held> {
        let place = self.hosts[host].last?.checked_sub(self.first)?;
        self.held.get_mut(usize::try_from(place).ok()?)
    }

    /// Writes packets from the front as long as their hosts have reported another since.
    fn write_finished(&mut self) {
        while let Some(held) = self.held.front() {
            let is_last = self.hosts[held.host].last == Some(self.first);
            if is_last && self.held.len() <= HELD_MAX {
                return;
            }
            self.write_front();
        }
    }

    fn write_all(&mut self) {
        for host in 0..self.hosts.len() {
            let mut loose = std::mem::take(&mut self.hosts[host].loose);
            match self.last_held(host) {
                Some(last) => last.comments.append(&mut loose),
                None => self.hosts[host].loose = loose,
            }
        }
        while !self.held.is_empty() {
            self.write_front();
        }
        self.flush();
    }

    fn write_front(&mut self) {
        let Some(held) = self.held.pop_front() else {
            return;
        };
        self.first += 1;
        let Some(output) = &mut self.output else {
            self.lost += 1;
            return;
        };
        let timestamp = self.epoch + held.at.since(Instant::ZERO);
        let comments = held.comments.finish();
        let interface = self.hosts[held.host].capture(held.interface, output);
        let written = interface.and_then(|interface| {
            output.write_packet(interface, timestamp, held.direction, &held.data, &comments)
        });
        if let Err(error) = written {
            self.lost += 1;
            self.fail(error);
        }
    }

    fn flush(&mut self) {
        if let Some(Err(error)) = self.output.as_mut().map(PcapngWriter::flush) {
            self.fail(error);
        }
    }

    /// The first error ends the recording.
    fn fail(&mut self, error: io::Error) {
        self.output = None;
        self.error = Some(error);
    }

    /// What is to be told now, and to whom.
    fn due_report(&mut self) -> Option<(OnError, io::Error)> {
        self.error.as_ref()?;
        let report = self.on_error.take()?;
        Some((report, self.error.take()?))
    }
}

/// Tells of an error, without the lock.
fn report(mut state: MutexGuard<'_, State>) {
    let due = state.due_report();
    drop(state);
    if let Some((report, error)) = due {
        report(error);
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.write_all();
        if let Some((report, error)) = self.due_report() {
            report(error);
        }
    }
}
