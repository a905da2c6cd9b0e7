//! Settings as a script's first command.

use crate::script::{Command, Span};
use estab_stack::settings_table::TABLE;
use estab_tcp::Settings;

/// The command that makes the runner's defaults these settings; none when they are.
pub(super) fn command(settings: &Settings) -> Option<Command> {
    let defaults = crate::subject::linux_defaults();
    let differ = TABLE
        .iter()
        .filter(|setting| setting.get(settings) != setting.get(&defaults));
    let lines: Vec<String> = differ
        .map(|setting| {
            let value = setting.get(settings);
            let quote = if value.contains(' ') { "\"" } else { "" };
            format!("sysctl -q {}={quote}{value}{quote}", setting.name)
        })
        .collect();
    (!lines.is_empty()).then(|| Command {
        text: lines.join("\n"),
        span: Span::default(),
    })
}
