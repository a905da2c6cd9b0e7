//! The rules one by one, and the hand-over under schedules chosen by shuttle.

use super::{Leader, Leadership, Next, STREAK_MIN, Tick, Woken};

type Lead = Leadership<&'static str>;

/// Vacant, with a background thread that has parked.
fn parked() -> Lead {
    let mut lead = Lead::new();
    let (member, _) = lead.enter("first", 1);
    while lead.tick() != (Tick::Park, Next::Nobody) {}
    assert_eq!(lead.leave(member), Next::Background);
    assert_eq!(lead.tick().0, Tick::Again);
    lead
}

#[test]
fn the_first_who_waits_leads_and_the_second_follows() {
    let mut lead = Lead::new();
    let (first, next) = lead.enter("first", 1);
    assert_eq!(next, Next::Nobody);
    let (second, _) = lead.enter("second", 2);
    assert!(lead.leads(first) && !lead.leads(second));
}

#[test]
fn leadership_passes_to_a_follower_when_the_leader_leaves() {
    let mut lead = Lead::new();
    let (first, _) = lead.enter("first", 1);
    let (second, _) = lead.enter("second", 2);
    assert_eq!(lead.leave(first), Next::Member("second"));
    assert!(lead.leads(second));
}

#[test]
fn a_follower_that_leaves_changes_nothing() {
    let mut lead = Lead::new();
    let (first, _) = lead.enter("first", 1);
    let (second, _) = lead.enter("second", 2);
    assert_eq!(lead.leave(second), Next::Nobody);
    assert!(lead.leads(first));
    assert_eq!(
        lead.leave(second),
        Next::Nobody,
        "leaving twice is harmless"
    );
}

#[test]
fn an_echo_pays_no_hand_over_although_others_wait() {
    let mut lead = parked();
    let (_acceptor, _) = lead.enter("acceptor", 1);
    // The acceptor leads at first; the echo's packets make leadership follow them.
    let (mut echo, _) = lead.enter("echo", 2);
    for round in 1..=STREAK_MIN {
        assert_eq!(lead.batch(false, Woken::One(echo)), round == STREAK_MIN);
        if round < STREAK_MIN {
            assert_eq!(lead.leave(echo), Next::Nobody);
            (echo, _) = lead.enter("echo", 2);
        }
    }
    assert!(lead.leads(echo));
    for _ in 0..10 {
        assert!(!lead.batch(true, Woken::Nobody));
        assert_eq!(lead.leave(echo), Next::Nobody);
        assert_eq!(lead.leader(), Leader::Vacant);
        (echo, _) = lead.enter("echo", 2);
        assert!(lead.leads(echo));
    }
}

#[test]
fn the_lease_of_a_busy_leader_ends_after_a_tick_without_change() {
    let mut lead = parked();
    let (echo, _) = lead.enter("echo", 2);
    let (acceptor, _) = lead.enter("acceptor", 1);
    for _ in 0..STREAK_MIN {
        lead.batch(true, Woken::Nobody);
    }
    assert_eq!(lead.leave(echo), Next::Nobody);
    assert_eq!(lead.tick(), (Tick::Again, Next::Nobody), "it changed since");
    assert_eq!(lead.tick(), (Tick::Again, Next::Member("acceptor")));
    assert!(lead.leads(acceptor));
}

#[test]
fn a_batch_for_several_ends_the_lease() {
    let mut lead = Lead::new();
    let (first, _) = lead.enter("first", 1);
    let (second, _) = lead.enter("second", 2);
    for _ in 0..STREAK_MIN {
        lead.batch(true, Woken::Nobody);
    }
    lead.batch(true, Woken::One(second));
    assert_eq!(lead.leave(first), Next::Member("second"));
}

#[test]
fn the_background_thread_leads_only_when_nobody_waits() {
    let mut lead = Lead::new();
    assert_eq!(lead.tick(), (Tick::Lead, Next::Nobody));
    assert_eq!(lead.leader(), Leader::Background);
    assert!(lead.rest(Leader::Background));
    let (member, next) = lead.enter("member", 1);
    assert_eq!(
        next,
        Next::Background,
        "it waits, so it is relieved at once"
    );
    assert!(lead.leads(member));
    assert!(!lead.resume(Leader::Background));
}

#[test]
fn the_background_thread_finishes_its_batch_before_it_is_relieved() {
    let mut lead = Lead::new();
    assert_eq!(lead.tick().0, Tick::Lead);
    let (member, next) = lead.enter("member", 1);
    assert_eq!(next, Next::Nobody);
    assert!(!lead.leads(member));
    assert!(!lead.rest(Leader::Background));
    assert_eq!(lead.relieve(Leader::Background), Next::Member("member"));
    assert!(lead.leads(member));
}

#[test]
fn a_task_leads_unless_a_thread_waits() {
    let mut lead = Lead::new();
    assert!(lead.task_came());
    assert!(!lead.task_came(), "there is one");
    assert_eq!(lead.task_enter(), (true, Next::Nobody));
    assert!(lead.rest(Leader::Task));
    let (member, _) = lead.enter("member", 1);
    assert!(lead.leads(member));
    assert_eq!(lead.task_enter(), (false, Next::Nobody));
    assert_eq!(lead.leave(member), Next::Task);
    assert_eq!(lead.leader(), Leader::Task);
    assert_eq!(
        lead.task_gone(),
        Next::Nobody,
        "the background thread ticks"
    );
    assert_eq!(lead.leader(), Leader::Vacant);
}

#[test]
fn the_background_thread_parks_while_a_task_leads_and_is_woken_when_it_goes() {
    let mut lead = Lead::new();
    lead.task_came();
    assert!(lead.task_enter().0);
    while lead.tick() != (Tick::Park, Next::Nobody) {}
    assert_eq!(lead.task_gone(), Next::Background);
}

#[test]
fn at_the_end_the_background_thread_leads_once_the_task_has_nothing_in_hand() {
    let mut lead = Lead::new();
    lead.task_came();
    assert!(lead.task_enter().0);
    assert!(!lead.end(), "the task is in the middle of a batch");
    assert!(lead.rest(Leader::Task));
    assert!(lead.end());
    assert_eq!(lead.leader(), Leader::Background);
    assert!(!lead.resume(Leader::Task));
}

mod schedules {
    use super::super::{Leader, Leadership, Member, Next, Tick, Woken};
    use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard};
    use shuttle::thread;

    /// Wakes one thread, as `Thread::unpark` does.
    type Parker = Arc<(Mutex<bool>, Condvar)>;

    fn unpark(parker: &Parker) {
        *parker.0.lock().unwrap() = true;
        parker.1.notify_one();
    }

    fn park(parker: &Parker) {
        let mut token = parker.0.lock().unwrap();
        while !*token {
            token = parker.1.wait(token).unwrap();
        }
        *token = false;
    }

    /// What a driver has, without packets: an arrival is the number of the worker that it is for.
    struct Core {
        lead: Leadership<Parker>,
        arrivals: Vec<usize>,
        inboxes: Vec<u32>,
        waiting: Vec<Vec<Member>>,
        background_kicked: bool,
        done: usize,
        /// Somebody has taken arrivals and not yet handed them over. Two at once would mix their order.
        in_hand: bool,
    }

    struct World {
        core: Mutex<Core>,
        /// The devices, and the background thread's kick.
        device: Condvar,
        workers: usize,
    }

    impl World {
        fn follow(&self, core: &mut Core, next: Next<Parker>) -> Option<Parker> {
            match next {
                Next::Nobody => None,
                Next::Member(parker) => Some(parker),
                Next::Background => {
                    core.background_kicked = true;
                    self.device.notify_all();
                    None
                }
                Next::Task => unreachable!("there is no task"),
            }
        }

        /// Takes what came and hands it over, in two steps as the driver does. Those to wake.
        fn handle<'a>(
            &'a self,
            mut core: MutexGuard<'a, Core>,
        ) -> (MutexGuard<'a, Core>, Vec<Parker>, Woken) {
            assert!(!std::mem::replace(&mut core.in_hand, true), "two leaders");
            let taken = std::mem::take(&mut core.arrivals);
            drop(core);
            thread::yield_now();
            let mut core = self.core.lock().unwrap();
            core.in_hand = false;
            let (mut wakes, mut woken) = (Vec::new(), Woken::Nobody);
            for worker in taken {
                core.inboxes[worker] += 1;
                for member in core.waiting[worker].clone() {
                    if !core.lead.leads(member) {
                        woken.add(member);
                        wakes.extend(core.lead.waker(member));
                    }
                }
            }
            (core, wakes, woken)
        }

        fn receive(&self, worker: usize) {
            let mut core = self.core.lock().unwrap();
            if core.inboxes[worker] > 0 {
                core.inboxes[worker] -= 1;
                return;
            }
            let parker = Parker::default();
            let (member, next) = core.lead.enter(Arc::clone(&parker), worker as u64 + 1);
            core.waiting[worker].push(member);
            let none = self.follow(&mut core, next);
            assert!(none.is_none());
            loop {
                let mut wakes = Vec::new();
                let mut woken = Woken::Nobody;
                if core.lead.leads(member) {
                    while core.arrivals.is_empty() {
                        core = self.device.wait(core).unwrap();
                    }
                    (core, wakes, woken) = self.handle(core);
                } else {
                    drop(core);
                    park(&parker);
                    core = self.core.lock().unwrap();
                }
                let own = core.inboxes[worker] > 0;
                core.lead.batch(own, woken);
                if own {
                    core.inboxes[worker] -= 1;
                    core.waiting[worker].retain(|waiting| *waiting != member);
                    let next = core.lead.leave(member);
                    wakes.extend(self.follow(&mut core, next));
                }
                drop(core);
                wakes.iter().for_each(unpark);
                if own {
                    return;
                }
                core = self.core.lock().unwrap();
            }
        }

        fn background(&self) {
            loop {
                let mut core = self.core.lock().unwrap();
                if core.done == self.workers {
                    return;
                }
                let (tick, next) = core.lead.tick();
                let wake = self.follow(&mut core, next);
                match tick {
                    Tick::Again => {
                        drop(core);
                        wake.iter().for_each(unpark);
                        thread::yield_now();
                    }
                    Tick::Park => {
                        while !core.background_kicked && core.done < self.workers {
                            core = self.device.wait(core).unwrap();
                        }
                        core.background_kicked = false;
                    }
                    Tick::Lead => self.lead_background(core),
                }
            }
        }

        fn lead_background<'a>(&'a self, mut core: MutexGuard<'a, Core>) {
            let me = Leader::Background;
            loop {
                if !core.lead.rest(me) {
                    let next = core.lead.relieve(me);
                    let wake = self.follow(&mut core, next);
                    drop(core);
                    wake.iter().for_each(unpark);
                    return;
                }
                while core.arrivals.is_empty()
                    && !core.background_kicked
                    && core.done < self.workers
                {
                    core = self.device.wait(core).unwrap();
                }
                core.background_kicked = false;
                if core.done == self.workers || !core.lead.resume(me) {
                    return;
                }
                let wakes;
                (core, wakes, _) = self.handle(core);
                wakes.iter().for_each(unpark);
            }
        }
    }

    /// Every worker gets what arrives for it, whoever leads, and there is never more than one leader.
    fn scenario(workers: usize, messages: usize) {
        let world = Arc::new(World {
            core: Mutex::new(Core {
                lead: Leadership::new(),
                arrivals: Vec::new(),
                inboxes: vec![0; workers],
                waiting: vec![Vec::new(); workers],
                background_kicked: false,
                done: 0,
                in_hand: false,
            }),
            device: Condvar::new(),
            workers,
        });
        let background = {
            let world = Arc::clone(&world);
            thread::spawn(move || world.background())
        };
        let threads: Vec<_> = (0..workers)
            .map(|worker| {
                let world = Arc::clone(&world);
                thread::spawn(move || {
                    for _ in 0..messages {
                        world.receive(worker);
                    }
                    world.core.lock().unwrap().done += 1;
                    world.device.notify_all();
                })
            })
            .collect();
        for message in 0..messages * workers {
            let mut core = world.core.lock().unwrap();
            core.arrivals.push(message % workers);
            drop(core);
            world.device.notify_all();
        }
        for thread in threads {
            thread.join().unwrap();
        }
        background.join().unwrap();
    }

    #[test]
    fn nobody_is_left_waiting_under_random_schedules() {
        shuttle::check_random(|| scenario(3, 3), 2000);
    }

    #[test]
    fn nobody_is_left_waiting_under_schedules_with_few_preemptions() {
        shuttle::check_pct(|| scenario(2, 8), 1000, 3);
    }
}
