//! The lab: every scenario meets its own expectations, and its ladder is as it was.

use estab_sim::checkers::windows_are_kept;
use estab_sim::lab::{self, Options, Report};
use estab_trace::{Json, ladder};

fn run(name: &str) -> Report {
    lab::run(name, &Options::default()).expect("a scenario of this name")
}

/// What the command line prints of a scenario.
fn print(report: &Report) -> String {
    let mut out = ladder(&report.events, "a", "b");
    out.push('\n');
    for expected in &report.expectations {
        let mark = if expected.held { "ok " } else { "NOT" };
        out.push_str(&format!("{mark} {}\n", expected.text));
    }
    if let Some(problem) = &report.problem {
        out.push_str(&format!("NOT {problem}\n"));
    }
    out
}

#[test]
fn every_scenario_meets_its_expectations() {
    let mut failed = Vec::new();
    for scenario in lab::scenarios() {
        let report = run(scenario.name);
        if !report.passed() {
            failed.push(format!("{}\n{}", scenario.name, print(&report)));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// RFC 9293 3.8.6: a receiver should not shrink the window.
#[test]
fn no_scenario_takes_a_window_back() {
    for scenario in lab::scenarios() {
        let kept = windows_are_kept(&run(scenario.name).events, true);
        assert_eq!(kept, Ok(()), "{}", scenario.name);
    }
}

#[test]
fn golden_ladders() {
    for scenario in lab::scenarios() {
        insta::assert_snapshot!(scenario.name, print(&run(scenario.name)));
    }
}

#[test]
fn scenarios_have_names_of_their_own_and_something_to_say() {
    let mut names: Vec<_> = lab::scenarios()
        .iter()
        .map(|scenario| scenario.name)
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), lab::scenarios().len());
    for scenario in lab::scenarios() {
        assert!(scenario.about.len() > 80, "{}", scenario.name);
        assert!(
            !run(scenario.name).expectations.is_empty(),
            "{}",
            scenario.name
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_events_and_another_seed_other_numbers() {
    let events = |seed| {
        let options = Options {
            seed,
            ..Options::default()
        };
        let report = lab::run("close", &options).expect("a scenario of this name");
        let absolute: Vec<_> = report
            .events
            .iter()
            .filter_map(|event| Some(event.sent()?.header.clone()))
            .collect();
        (Json::print(&report.events), absolute)
    };
    assert_eq!(events(7), events(7));
    assert_ne!(events(7).1, events(8).1);
}

#[test]
fn expectations_that_do_not_hold_fail_a_scenario() {
    use estab_sim::stage::Expectations;
    let mut expect = Expectations::new();
    expect.equal("one", 1, 1);
    expect.equal("two", 1, 2);
    let found = expect.into_inner();
    assert_eq!(
        found.iter().map(|e| e.held).collect::<Vec<_>>(),
        [true, false]
    );
    assert_eq!(found[1].text, "two: 1 instead of 2");
}
