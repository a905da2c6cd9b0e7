use super::{ImpairConfig, ImpairCounters, Impairer, Rule};
use crate::packet::{carry, into_packet_out};
use crate::{Capabilities, Device, RxBatch, TxBatch, Wait};
use estab_stack::{Medium, segmentation};
use estab_tcp::Instant;
use std::io;
use std::task::Waker;
use std::time::Duration;

/// Packets that wait for the device behind it to take them; the rest stays under way.
const PENDING_MAX: usize = 64;
/// Packets that are taken from the device in one call at most.
const INTAKE_MAX: usize = 1024;
/// When to try again after the device took not all, if nothing else calls before.
const RETRY: Duration = Duration::from_millis(1);

/// A device behind a bad link.
///
/// Delayed packets move when it is called, so the driver must call at [`wait_on`](Device::wait_on)'s deadline.
#[derive(Debug)]
pub struct Impaired<D> {
    device: D,
    medium: Medium,
    inbound: Impairer,
    outbound: Impairer,
    /// Due, but not yet taken by the device.
    pending: TxBatch,
    retry_at: Option<Instant>,
    intake: RxBatch,
}

impl<D: Device> Impaired<D> {
    /// Puts a device behind a link.
    pub fn new(device: D, config: &ImpairConfig) -> Self {
        let medium = device.capabilities().medium;
        Self {
            device,
            medium,
            inbound: Impairer::new(medium, config.inbound, config.seed),
            // Any other seed would do: the two directions must not lose the same packets.
            outbound: Impairer::new(medium, config.outbound, !config.seed),
            pending: TxBatch::default(),
            retry_at: None,
            intake: RxBatch::new(PENDING_MAX),
        }
    }

    /// Adds a rule for what the device receives.
    pub fn add_inbound_rule(&mut self, rule: impl Rule + 'static) {
        self.inbound.add_rule(rule);
    }

    /// Adds a rule for what the device sends.
    pub fn add_outbound_rule(&mut self, rule: impl Rule + 'static) {
        self.outbound.add_rule(rule);
    }

    /// Counters of what was received, and of what was sent.
    pub fn counters(&self) -> (ImpairCounters, ImpairCounters) {
        (self.inbound.counters(), self.outbound.counters())
    }

    /// The device without the link. What is under way is lost.
    pub fn into_inner(self) -> D {
        self.device
    }

    /// The device.
    pub fn device(&self) -> &D {
        &self.device
    }

    /// Hands over what is due.
    fn flush(&mut self, now: Instant) -> io::Result<()> {
        loop {
            while self.pending.len() < PENDING_MAX
                && let Some(packet) = self.outbound.pop(now)
            {
                self.pending.push(into_packet_out(self.medium, packet));
            }
            self.retry_at = None;
            if self.pending.is_empty() {
                return Ok(());
            }
            self.device.transmit(now, &mut self.pending)?;
            if !self.pending.is_empty() {
                self.retry_at = Some(now + RETRY);
                return Ok(());
            }
        }
    }

    /// Takes in what has come.
    fn take_in(&mut self, now: Instant) -> io::Result<()> {
        let mut count = 0;
        while count < INTAKE_MAX {
            let taken = self.device.receive(now, &mut self.intake)?;
            while let Some(packet) = self.intake.pop() {
                self.inbound.push(now, packet);
            }
            count += taken;
            if taken < PENDING_MAX {
                break;
            }
        }
        Ok(())
    }
}

impl<D: Device> Device for Impaired<D> {
    fn capabilities(&self) -> Capabilities {
        self.device.capabilities()
    }

    fn receive(&mut self, now: Instant, batch: &mut RxBatch) -> io::Result<usize> {
        self.flush(now)?;
        if self.inbound.is_perfect() && self.inbound.under_way() == 0 {
            return self.device.receive(now, batch);
        }
        self.take_in(now)?;
        let mut count = 0;
        while batch.room() > 0
            && let Some(packet) = self.inbound.pop(now)
        {
            batch.push(packet);
            count += 1;
        }
        Ok(count)
    }

    fn transmit(&mut self, now: Instant, batch: &mut TxBatch) -> io::Result<usize> {
        let waiting = self.outbound.under_way() + self.pending.len();
        if self.outbound.is_perfect() && waiting == 0 {
            return self.device.transmit(now, batch);
        }
        let mut count = 0;
        while let Some(packet) = batch.pop() {
            match segmentation::cut(self.medium, &packet) {
                Some(cuts) => {
                    cuts.for_each(|small| self.outbound.push(now, carry(&small, false)));
                }
                None => self.outbound.push(now, carry(&packet, false)),
            }
            count += 1;
        }
        self.flush(now)?;
        Ok(count)
    }

    fn wait_on(&self) -> Wait<'_> {
        let mut wait = self.device.wait_on();
        let ours = match self.retry_at {
            Some(at) => Some(at),
            None => self.outbound.deadline(),
        };
        let deadlines = [wait.deadline, self.inbound.deadline(), ours];
        wait.deadline = deadlines.into_iter().flatten().min();
        wait
    }

    fn set_waker(&mut self, waker: Option<Waker>) {
        self.device.set_waker(waker);
    }
}
