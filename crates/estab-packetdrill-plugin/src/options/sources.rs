//! Where the tool's own options stand. It reads them too and judges them, so what cannot be read here is left out.

use super::Options;

/// The words of `/proc/self/cmdline`.
pub(crate) fn words(command_line: &[u8]) -> Vec<String> {
    command_line
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty())
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

/// The options on the tool's command line: `--name=value` or `--name value`.
pub(crate) fn of_command_line(words: &[String]) -> Options {
    let mut options = Options::default();
    let mut words = words.iter().skip(1).peekable();
    while let Some(word) = words.next() {
        let Some(option) = word.strip_prefix("--") else {
            continue;
        };
        match option.split_once('=') {
            Some((name, value)) => take(&mut options, name, value),
            None => {
                let value = words.peek().filter(|next| !next.starts_with("--"));
                take(&mut options, option, value.map_or("", |value| value));
            }
        }
    }
    options
}

/// The options at the top of a script, before anything that is neither an option nor a comment.
pub(crate) fn of_script(script: &str) -> Options {
    let mut options = Options::default();
    let mut rest = script;
    while let Some(option) = skip_comments(rest).strip_prefix("--") {
        let end = option
            .find(|c: char| c == '=' || c.is_whitespace())
            .unwrap_or(option.len());
        let (name, after) = option.split_at(end);
        let (value, after) = match after.strip_prefix('=') {
            Some(after) => value(after),
            None => ("", after),
        };
        take(&mut options, name, value);
        rest = after;
    }
    options
}

fn take(options: &mut Options, name: &str, value: &str) {
    // The tool says what is wrong with its own options.
    let _ = options.set(name, value);
}

/// A value, and what follows it.
fn value(text: &str) -> (&str, &str) {
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted.split_once('"').unwrap_or((quoted, ""));
    }
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

fn skip_comments(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        let end = if text.starts_with("//") || text.starts_with('#') {
            text.find('\n')
        } else if text.starts_with("/*") {
            text.find("*/").map(|at| at + 2)
        } else {
            return text;
        };
        text = end.map_or("", |end| &text[end..]);
    }
}
