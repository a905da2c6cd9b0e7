//! epoll: a set of descriptors, and a list of those of them where something happened.
//!
//! What happens to a file goes to those who watch it, so that waiting costs what is ready, whatever is in the set. A file stays in
//! the list for as long as it is ready (level triggering), or until it was told once (edge triggering).

use crate::file::{File, FileId, Kind};
use crate::poll::{self, Mask, milliseconds};
use crate::waiting::ready;
use crate::{Errno, Polled, Posix, Waiting};
use core::task::Poll;
use estab_tcp::Instant;
use slotmap::SlotMap;
use std::collections::{BTreeMap, VecDeque};

slotmap::new_key_type! {
    /// A descriptor in a set.
    pub(crate) struct ItemId;
}

/// An epoll set.
#[derive(Default)]
pub(crate) struct Epoll {
    items: SlotMap<ItemId, Item>,
    /// As in Linux an item is known by its number and its file: a number that was closed and given out again is another.
    by_target: BTreeMap<(i32, FileId), ItemId>,
    /// Items where something happened, each at most once.
    ready: VecDeque<ItemId>,
}

struct Item {
    fd: i32,
    file: FileId,
    events: Mask,
    data: u64,
    /// It stands in the list.
    listed: bool,
}

/// Who watches a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Watch {
    epoll: FileId,
    item: ItemId,
}

/// `struct epoll_event`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpollEvent {
    /// `EPOLLIN` and so on; in what is asked for also `EPOLLET`, `EPOLLONESHOT`, `EPOLLEXCLUSIVE`, `EPOLLWAKEUP`.
    pub events: u32,
    /// The caller's own.
    pub data: u64,
}

const EDGE: Mask = libc::EPOLLET as Mask;
const ONE_SHOT: Mask = libc::EPOLLONESHOT as Mask;
const EXCLUSIVE: Mask = libc::EPOLLEXCLUSIVE as Mask;
const WAKE_UP: Mask = libc::EPOLLWAKEUP as Mask;
/// How, not what for.
const MODES: Mask = EDGE | ONE_SHOT | EXCLUSIVE | WAKE_UP;
/// What may stand beside `EPOLLEXCLUSIVE`.
const WITH_EXCLUSIVE: Mask =
    poll::IN | poll::OUT | poll::ERR | poll::HUP | EDGE | WAKE_UP | EXCLUSIVE;
/// No call gives more events than a buffer of this many bytes would hold.
const MAX_EVENTS: i32 = i32::MAX / 12;

/// So many items that are gone may stay in the list of what is ready, beside as many as there are in the set.
const STALE_MAX: usize = 64;

impl Epoll {
    fn list(&mut self, id: ItemId) {
        if let Some(item) = self.items.get_mut(id)
            && !core::mem::replace(&mut item.listed, true)
        {
            self.ready.push_back(id);
        }
    }

    fn remove(&mut self, id: ItemId) {
        if let Some(item) = self.items.remove(id) {
            self.by_target.remove(&(item.fd, item.file));
        }
        // Those that are gone are passed over when they come up; they must not pile up until then.
        if self.ready.len() > 2 * self.items.len() + STALE_MAX {
            self.ready.retain(|id| self.items.contains_key(*id));
        }
    }
}

impl Posix {
    /// `epoll_create1`: an empty set. `EPOLL_CLOEXEC` is the only flag.
    ///
    /// # Errors
    /// `EINVAL`: another flag. `EMFILE`.
    pub fn epoll_create(&mut self, flags: i32) -> Result<i32, Errno> {
        if flags & !libc::EPOLL_CLOEXEC != 0 {
            return Err(Errno::EINVAL);
        }
        let file = File::new(Kind::Epoll(Box::default()), false);
        self.open(file, flags & libc::EPOLL_CLOEXEC != 0)
    }

    /// Adds a descriptor to a set, changes what is waited for, or takes it out. `EPOLLEXCLUSIVE` is accepted: nobody sleeps here
    /// who could be woken in vain.
    ///
    /// # Errors
    /// `EBADF`. `EINVAL`: not an epoll, an epoll in an epoll (which Linux allows), an unknown operation, or `EPOLLEXCLUSIVE` where it cannot be.
    /// `EEXIST`: it is in the set. `ENOENT`: it is not. `EFAULT`: the event is missing.
    pub fn epoll_ctl(
        &mut self,
        epfd: i32,
        op: i32,
        fd: i32,
        event: Option<EpollEvent>,
    ) -> Result<(), Errno> {
        let event = match (op, event) {
            (libc::EPOLL_CTL_DEL, _) => EpollEvent { events: 0, data: 0 },
            (_, Some(event)) => event,
            (_, None) => return Err(Errno::EFAULT),
        };
        let epoll = self.table.file(epfd)?;
        let file = self.table.file(fd)?;
        let nested = matches!(self.get(file)?.kind, Kind::Epoll(_));
        let found = self.epoll(epoll)?.by_target.get(&(fd, file)).copied();
        if nested || exclusive_is_wrong(op, event.events) {
            return Err(Errno::EINVAL);
        }
        match (op, found) {
            (libc::EPOLL_CTL_ADD, Some(_)) => Err(Errno::EEXIST),
            (libc::EPOLL_CTL_ADD, None) => self.epoll_add(epoll, fd, file, event),
            (libc::EPOLL_CTL_MOD, Some(item)) => self.epoll_change(epoll, item, event),
            (libc::EPOLL_CTL_DEL, Some(item)) => self.epoll_delete(epoll, file, item),
            (libc::EPOLL_CTL_MOD | libc::EPOLL_CTL_DEL, None) => Err(Errno::ENOENT),
            _ => Err(Errno::EINVAL),
        }
    }

    fn epoll_add(
        &mut self,
        id: FileId,
        fd: i32,
        file: FileId,
        event: EpollEvent,
    ) -> Result<(), Errno> {
        let epoll = self.epoll_mut(id)?;
        let item = epoll.items.insert(Item {
            fd,
            file,
            events: event.events | poll::ERR | poll::HUP,
            data: event.data,
            listed: false,
        });
        epoll.by_target.insert((fd, file), item);
        self.get_mut(file)?.watches.push(Watch { epoll: id, item });
        self.list_if_ready(id, item)
    }

    fn epoll_change(&mut self, id: FileId, item: ItemId, event: EpollEvent) -> Result<(), Errno> {
        let epoll = self.epoll_mut(id)?;
        let known = epoll.items.get_mut(item).ok_or(Errno::ENOENT)?;
        if known.events & EXCLUSIVE != 0 {
            return Err(Errno::EINVAL);
        }
        known.events = event.events | poll::ERR | poll::HUP;
        known.data = event.data;
        self.list_if_ready(id, item)
    }

    fn epoll_delete(&mut self, id: FileId, file: FileId, item: ItemId) -> Result<(), Errno> {
        self.epoll_mut(id)?.remove(item);
        let watch = Watch { epoll: id, item };
        self.get_mut(file)?.watches.retain(|known| *known != watch);
        Ok(())
    }

    fn list_if_ready(&mut self, id: FileId, item: ItemId) -> Result<(), Errno> {
        let known = self.epoll(id)?.items.get(item).ok_or(Errno::ENOENT)?;
        if self.mask(known.file) & known.events & !MODES != 0 {
            self.epoll_mut(id)?.list(item);
        }
        Ok(())
    }

    /// Waits until something of the set is ready, or the time has passed; a negative time is none. Gives at most so many
    /// events, and none when the time has passed.
    ///
    /// # Errors
    /// `EBADF`. `EINVAL`: not an epoll, or no number of events.
    pub fn epoll_wait(
        &mut self,
        now: Instant,
        epfd: i32,
        max_events: i32,
        timeout_ms: i32,
        waiting: &mut Waiting,
    ) -> Polled<Vec<EpollEvent>> {
        if !(1..=MAX_EVENTS).contains(&max_events) {
            return Poll::Ready(Err(Errno::EINVAL));
        }
        let epoll = ready!(self.waiting_file(epfd, waiting));
        ready!(self.epoll(epoll));
        self.pass_events_on();
        let events = ready!(self.take_ready(epoll, max_events as usize));
        if !events.is_empty() || waiting.is_over(now, milliseconds(timeout_ms)) {
            return Poll::Ready(Ok(events));
        }
        Poll::Pending
    }

    /// Goes through the list once.
    fn take_ready(&mut self, id: FileId, most: usize) -> Result<Vec<EpollEvent>, Errno> {
        let mut events = Vec::new();
        for _ in 0..self.epoll(id)?.ready.len() {
            if events.len() == most {
                break;
            }
            let epoll = self.epoll_mut(id)?;
            let Some(next) = epoll.ready.pop_front() else {
                break;
            };
            let Some(item) = epoll.items.get_mut(next) else {
                continue;
            };
            item.listed = false;
            let (file, wanted, data) = (item.file, item.events, item.data);
            let mask = self.mask(file) & wanted & !MODES;
            if mask == 0 {
                continue;
            }
            events.push(EpollEvent { events: mask, data });
            let epoll = self.epoll_mut(id)?;
            if wanted & ONE_SHOT != 0 {
                if let Some(item) = epoll.items.get_mut(next) {
                    item.events &= MODES;
                }
            } else if wanted & EDGE == 0 {
                epoll.list(next);
            }
        }
        Ok(events)
    }

    /// Something happened to a file: to those who wait for that.
    pub(crate) fn tell(&mut self, file: FileId, mask: Mask) {
        let watches = self.files.get(file).map_or(0, |file| file.watches.len());
        for index in 0..watches {
            let watch = self.files.get(file).and_then(|f| f.watches.get(index));
            let Some(Watch { epoll, item }) = watch.copied() else {
                continue;
            };
            let Ok(epoll) = self.epoll_mut(epoll) else {
                continue;
            };
            let wanted = epoll.items.get(item).map_or(0, |item| item.events);
            if wanted & mask & !MODES != 0 {
                epoll.list(item);
            }
        }
    }

    /// A file that is watched is gone.
    pub(crate) fn forget_watch(&mut self, watch: Watch) {
        if let Ok(epoll) = self.epoll_mut(watch.epoll) {
            epoll.remove(watch.item);
        }
    }

    /// A set is gone: nobody tells it anything any more.
    pub(crate) fn end_epoll(&mut self, id: FileId, epoll: &Epoll) {
        for item in epoll.items.values() {
            if let Some(file) = self.files.get_mut(item.file) {
                file.watches.retain(|watch| watch.epoll != id);
            }
        }
    }

    /// A set is readable when it has something to give.
    pub(crate) fn epoll_mask(&self, epoll: &Epoll) -> Mask {
        let ready = |id: &ItemId| {
            let item = epoll.items.get(*id);
            item.is_some_and(|item| self.mask(item.file) & item.events & !MODES != 0)
        };
        if epoll.ready.iter().any(ready) {
            poll::IN | poll::RDNORM
        } else {
            0
        }
    }

    fn epoll(&self, file: FileId) -> Result<&Epoll, Errno> {
        match &self.get(file)?.kind {
            Kind::Epoll(epoll) => Ok(epoll),
            _ => Err(Errno::EINVAL),
        }
    }

    fn epoll_mut(&mut self, file: FileId) -> Result<&mut Epoll, Errno> {
        match &mut self.get_mut(file)?.kind {
            Kind::Epoll(epoll) => Ok(epoll),
            _ => Err(Errno::EINVAL),
        }
    }
}

fn exclusive_is_wrong(op: i32, events: Mask) -> bool {
    let exclusive = events & EXCLUSIVE != 0;
    let with_others = events & !WITH_EXCLUSIVE != 0;
    exclusive && (op == libc::EPOLL_CTL_MOD || (op == libc::EPOLL_CTL_ADD && with_others))
}
