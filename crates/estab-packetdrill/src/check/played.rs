//! What must hold of any script that is played.

use crate::arbitrary::{self, Choices};
use crate::report::Verdict;
use crate::run::{RunOptions, run};
use crate::script::{Action, OptionLine, Script};
use crate::{IpVersion, Report, parse, print};

/// Scripts that the bytes choose are played to their ends, twice with one result: once as they are, once past all that differs.
///
/// # Panics
///
/// If a run panics, or the second one is not as the first.
pub fn any_run(bytes: &[u8]) {
    let mut wild = arbitrary::script(&mut Choices::from_bytes(bytes));
    // Its options have names that nobody knows, and there it would end.
    wild.options.clear();
    let tame = arbitrary::connection(&mut Choices::from_bytes(bytes));
    for mut script in [wild, tame] {
        // No programs are started here.
        let is_code = |action: &Action| matches!(action, Action::Code(_));
        script.events.retain(|event| !is_code(&event.action));
        if script.events.is_empty() {
            continue;
        }
        let version = IpVersion::ALL[bytes.len() % IpVersion::ALL.len()];
        for go_on in [false, true] {
            let first = played(&script, version, go_on);
            let again = played(&script, version, go_on);
            assert_eq!(first.verdict, again.verdict);
            assert_eq!((first.duration, first.log), (again.duration, again.log));
            assert_eq!(first.packets, again.packets);
        }
    }
}

/// Plays a script; the places in its reports are those of its printed text.
fn played(script: &Script, version: IpVersion, go_on: bool) -> Report {
    let text = print(script);
    let script = parse("any", &text).unwrap_or_else(|errors| panic!("{errors}\n\n{text}"));
    let on_and_on = OptionLine::from_argument("non_fatal=packet,syscall").ok();
    let own = script.options.iter().any(|line| line.name == "ip_version");
    let options = RunOptions {
        ip_version: (!own).then_some(version),
        overrides: on_and_on.filter(|_| go_on).into_iter().collect(),
        ..RunOptions::default()
    };
    let report = run("any", &text, &script, &options, &mut |_| {});
    if let Verdict::Failed(failure) = &report.verdict {
        assert!(!failure.message.is_empty());
        assert!(failure.span.end <= text.len(), "{:?}", failure.span);
    }
    report
}
