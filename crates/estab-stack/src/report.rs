//! Where events go: to the counters, and to the sink that is interested.

use crate::ip::IpCx;
use crate::{Counters, HostEvent, HostSink};
use alloc::boxed::Box;
use estab_tcp::event::DropReason;
use estab_tcp::{Event, FourTuple, Header, Instant, Interest, Settings, Sink, State};

/// Stands between a connection and the host's sink, and counts on the way.
#[derive(Default)]
pub(crate) struct Reporter {
    pub(crate) sink: Option<Box<dyn HostSink>>,
    pub(crate) counters: Counters,
}

impl Sink for Reporter {
    fn interest(&self) -> Interest {
        let counted = Interest::DROP.with(Interest::RECOVERY);
        self.sink
            .as_ref()
            .map_or(counted, |sink| sink.interest().with(counted))
    }

    fn event(&mut self, now: Instant, connection: &FourTuple, event: &Event<'_>) {
        match event {
            Event::Drop { reason, .. } => self.counters.count_drop(*reason),
            Event::Retransmit { .. } => self.counters.retransmits += 1,
            _ => {}
        }
        if let Some(sink) = self.sink.as_mut()
            && sink.interest().contains(event.kind())
        {
            let (connection, event) = (*connection, event.clone());
            sink.event(now, &HostEvent::Tcp { connection, event });
        }
    }
}

impl Reporter {
    /// A segment is not used.
    pub(crate) fn drop_segment(
        &mut self,
        now: Instant,
        tuple: &FourTuple,
        reason: DropReason,
        header: &Header,
        len: usize,
    ) {
        let event = Event::Drop {
            reason,
            header,
            len,
        };
        self.event(now, tuple, &event);
    }

    /// Something that is not, or not yet, known to be a segment is not used.
    pub(crate) fn drop_packet(&mut self, now: Instant, reason: DropReason) {
        self.counters.count_drop(reason);
        self.host(now, &HostEvent::Drop { reason });
    }

    /// A segment that no connection saw: of a listener, a record, or nobody.
    pub(crate) fn segment_out(
        &mut self,
        now: Instant,
        tuple: &FourTuple,
        state: State,
        segment: &estab_tcp::SegmentOut,
    ) {
        let event = Event::SegmentOut {
            header: &segment.header,
            len: segment.payload.len(),
            segment_size: segment.segment_size,
            state,
            variables: estab_tcp::event::Variables::default(),
        };
        self.event(now, tuple, &event);
    }

    pub(crate) fn host(&mut self, now: Instant, event: &HostEvent<'_>) {
        if let Some(sink) = self.sink.as_mut()
            && sink.interest().contains(event.kind())
        {
            sink.event(now, event);
        }
    }

    /// For calls into the IP layer.
    pub(crate) fn ip_cx<'a>(&'a mut self, now: Instant, settings: &'a Settings) -> IpCx<'a> {
        IpCx {
            now,
            settings,
            sink: self.sink.as_deref_mut(),
        }
    }

    /// For calls into a connection.
    pub(crate) fn cx<'a>(&'a mut self, now: Instant, settings: &'a Settings) -> estab_tcp::Cx<'a> {
        estab_tcp::Cx {
            now,
            settings,
            sink: Some(self),
        }
    }
}
