//! The lab: scenarios that show what TCP does, each with the expectations that it must meet.
//!
//! ```
//! let report = estab_sim::lab::run("handshake", &Default::default()).expect("a scenario of this name");
//! assert!(report.passed());
//! print!("{}", estab_trace::ladder(&report.events, "a", "b"));
//! ```
//!
//! A scenario is a file of this directory and a line in the list below. It is written in the verbs of a
//! [`Lab`], so that it can be played on the simulator, which [`run`] does, and over a real network with another
//! TCP as host `b`: whoever implements `Lab` for that calls [`play`].

use crate::stage::{
    Expectation, Expectations, Lab, Problem, Setup, Simulated, SinkMaker, Stage, Trace,
};
use estab_trace::{Collector, Record};

/// One scenario.
#[derive(Debug)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// What there is to see, with the clauses behind it.
    pub about: &'static str,
    /// What it finds when it begins.
    pub setup: fn() -> Setup,
    /// What is done.
    pub play: fn(&mut Stage<'_>) -> Result<(), Problem>,
    /// What must have happened.
    pub check: fn(&Trace<'_>, &mut Expectations),
    /// It can be played in real time with another TCP as host `b`.
    pub real: bool,
}

macro_rules! scenarios {
    ($($name:ident)*) => {
        $(mod $name;)*
        static SCENARIOS: &[Scenario] = &[$($name::SCENARIO),*];
    };
}

scenarios! {
    handshake
    close
    half_close
    piggyback_close
    simultaneous_open
    simultaneous_close
    self_connect
    refused
    udp_unreachable
    lost_synack
    lost_ack
    connect_timeout
    mss
    path_mtu
    nagle
    delayed_ack
    retransmission
    fast_retransmit
    zero_window
    urgent
    abort
    linger_off
    linger_zero
    linger_wait
    linger_timeout
    time_wait
    time_wait_takeover
    fin_wait_2
    keepalive_dead_peer
    keepalive_half_open
    half_open
    challenge_ack
    backlog_full
    syn_flood
    intercept
    ipv6
}

/// All scenarios, in the order in which one would look at them.
pub fn scenarios() -> &'static [Scenario] {
    SCENARIOS
}

/// The scenario of this name.
pub fn find(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}

/// How to run a scenario on the simulator.
#[derive(Clone)]
pub struct Options {
    /// Secrets of the hosts are drawn from it: initial sequence numbers, ports.
    pub seed: u64,
    /// Further sinks for the events of the hosts.
    pub sinks: Option<SinkMaker>,
}

impl Default for Options {
    /// Seed 1, no further sinks.
    fn default() -> Self {
        Self {
            seed: 1,
            sinks: None,
        }
    }
}

/// What came of a scenario.
#[derive(Clone, Debug)]
pub struct Report {
    /// All that happened, at hosts `a` and `b`.
    pub events: Vec<Record>,
    /// What was expected, and whether it was so.
    pub expectations: Vec<Expectation>,
    /// Why it did not come to its end.
    pub problem: Option<Problem>,
}

impl Report {
    /// It came to its end, and all was as expected.
    pub fn passed(&self) -> bool {
        self.problem.is_none() && self.expectations.iter().all(|expected| expected.held)
    }
}

/// Runs a scenario on the simulator. `None`: there is none of this name.
pub fn run(name: &str, options: &Options) -> Option<Report> {
    let scenario = find(name)?;
    let collector = Collector::new();
    let setup = (scenario.setup)();
    let mut lab = Simulated::new(options.seed, setup, &collector, options.sinks.clone());
    let report = play(scenario, &mut lab, &collector);
    Some(report)
}

/// Plays a scenario. Events of the hosts that are estab's must go to `collector`, under the names `a` and `b`.
pub fn play(scenario: &Scenario, lab: &mut dyn Lab, collector: &Collector) -> Report {
    let mut expect = Expectations::new();
    let mut stage = Stage {
        lab,
        expect: &mut expect,
    };
    let problem = (scenario.play)(&mut stage).err();
    let events = collector.records();
    (scenario.check)(&Trace::new(&events), &mut expect);
    Report {
        events,
        expectations: expect.into_inner(),
        problem,
    }
}
