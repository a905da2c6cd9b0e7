//! Random scripts, made from the grammar, for tests and fuzzing: all that can be written (`script`), and connections
//! as they might be (`connection`). The same choices make the same script.

mod call;
mod choices;
mod connection;
mod packet;

pub use choices::Choices;
pub use connection::connection;

use core::time::Duration;

use crate::script::{Action, Code, Command, Direction, Event, OptionLine, Script, Span, Time};

/// How many events a script has at most.
const MAX_EVENTS: usize = 40;

/// Any script that can be written. It is read back as it is, but for the spans, which are empty.
pub fn script(choices: &mut Choices<'_>) -> Script {
    let options = choices.many(4, option_line);
    let init = choices.flip().then(|| command(choices));
    let mut events = vec![event(choices)];
    events.extend(choices.many(MAX_EVENTS, event));
    let cleanup = choices.flip().then(|| command(choices));
    Script {
        options,
        init,
        events,
        cleanup,
    }
}

/// One or more characters of these.
fn text(choices: &mut Choices<'_>, alphabet: &[char], max: usize) -> String {
    choices
        .many(max, |choices| choices.of(alphabet))
        .into_iter()
        .collect()
}

fn option_line(choices: &mut Choices<'_>) -> OptionLine {
    let alphabet = ['a', '_', '9', '-', 'Z'];
    let name = format!("{}{}", choices.of(&alphabet), text(choices, &alphabet, 6));
    let alphabet = [
        '1', '.', '=', ' ', '"', '`', '/', '*', '#', '\\', 'é', '\n', '\u{1}',
    ];
    let value = choices.flip().then(|| text(choices, &alphabet, 12));
    OptionLine {
        name,
        value,
        span: Span::default(),
    }
}

fn command(choices: &mut Choices<'_>) -> Command {
    let alphabet = ['s', ' ', '\n', '=', '"', '%', '}', '/', '#', 'ß'];
    Command {
        text: text(choices, &alphabet, 20),
        span: Span::default(),
    }
}

fn code(choices: &mut Choices<'_>) -> Code {
    let alphabet = ['s', ' ', '\n', '=', '"', '{', '}', '`', '#', 'ß'];
    Code {
        text: text(choices, &alphabet, 20),
        span: Span::default(),
    }
}

fn event(choices: &mut Choices<'_>) -> Event {
    let action = match choices.below(8) {
        0..4 => Action::Packet(packet::packet(choices)),
        4..6 => Action::Call(call::call(choices, 3)),
        6 => Action::Command(command(choices)),
        _ => Action::Code(code(choices)),
    };
    let time = time(choices, &action);
    Event {
        time,
        action,
        span: Span::default(),
    }
}

/// A time that this action may have.
fn time(choices: &mut Choices<'_>, action: &Action) -> Time {
    let (first, length) = (duration(choices), duration(choices));
    let last = first.saturating_add(length).min(LATEST);
    let relative = choices.flip();
    let special = match action {
        Action::Packet(packet) if packet.direction == Direction::Outbound => choices.below(4),
        Action::Call(_) if choices.below(4) == 0 => 4,
        _ => 0,
    };
    match (special, relative) {
        (1, _) => Time::Any,
        (2, true) => Time::RelativeRange(first, last),
        (2, false) => Time::AbsoluteRange(first, last),
        (4, true) => Time::RelativeBlocking(first, last),
        (4, false) => Time::AbsoluteBlocking(first, last),
        (_, true) => Time::Relative(first),
        (_, false) => Time::Absolute(first),
    }
}

/// The latest time that can be written.
const LATEST: Duration = Duration::new(u32::MAX as u64, 999_999_999);

fn duration(choices: &mut Choices<'_>) -> Duration {
    match choices.below(4) {
        0 => Duration::ZERO,
        1 => Duration::from_millis(choices.below(1000).into()),
        2 => Duration::from_micros(choices.number().into()),
        _ => Duration::new(choices.number().into(), choices.below(1_000_000_000)),
    }
}
