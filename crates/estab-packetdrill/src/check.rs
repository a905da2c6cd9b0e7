//! What must hold of any text, and of any script: checks for tests and fuzz targets.

mod played;

pub use played::any_run;

use crate::arbitrary::{self, Choices};
use crate::parser::{MAX_ERRORS, parse, parse_bytes};
use crate::printer::{format, print};
use crate::script::Script;

/// Whatever the bytes are: they are a script that is written and read again, or there are messages about them.
///
/// # Panics
///
/// If that does not hold.
pub fn any_bytes(bytes: &[u8]) {
    match parse_bytes("fuzz", bytes) {
        Ok(script) => {
            round_trip(&script);
            let text = core::str::from_utf8(bytes).expect("only text is a script");
            formatted(text, &script);
        }
        Err(errors) => {
            let count = errors.list().len();
            assert!((1..=MAX_ERRORS).contains(&count), "{count} errors");
            let shown = errors.to_string();
            let titles = shown.lines().filter(|line| line.starts_with("error: "));
            assert_eq!(titles.count(), count, "{shown}");
        }
    }
}

/// A script made by choices from the bytes, and one of a connection, are scripts.
///
/// # Panics
///
/// If one is not read back as it was.
pub fn any_choices(bytes: &[u8]) {
    round_trip(&arbitrary::script(&mut Choices::from_bytes(bytes)));
    round_trip(&arbitrary::connection(&mut Choices::from_bytes(bytes)));
}

/// A script's text is read as the same script.
///
/// # Panics
///
/// If it is not.
pub fn round_trip(script: &Script) {
    let text = print(script);
    let again = parse("printed", &text).unwrap_or_else(|errors| panic!("{errors}\n\n{text}"));
    assert_eq!(
        again.without_spans(),
        script.clone().without_spans(),
        "\n{text}"
    );
    assert_eq!(print(&parse("printed", &text).expect("read before")), text);
}

/// A formatted text is the same script, and formatting it again changes nothing.
fn formatted(text: &str, script: &Script) {
    let once = format("fuzz", text).expect("what is read can be formatted");
    let again = parse("formatted", &once).unwrap_or_else(|errors| panic!("{errors}\n\n{once}"));
    assert_eq!(
        again.without_spans(),
        script.clone().without_spans(),
        "\n{once}"
    );
    assert_eq!(
        format("formatted", &once).expect("read before"),
        once,
        "formatting twice"
    );
}
