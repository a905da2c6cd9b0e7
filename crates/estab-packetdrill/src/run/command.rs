//! Commands in backquotes: `sysctl` is understood, the rest is not run.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Longest shell script that is read, bytes.
const FILE_MAX: u64 = 256 << 10;
/// How deep shell scripts may name one another.
const DEPTH_MAX: usize = 4;
/// Most settings and notes of a command.
const PARTS_MAX: usize = 1000;
/// Most commands that are looked at, in all shell scripts together.
const COMMANDS_MAX: usize = 10_000;
/// Most bytes of a command's words, arguments put in.
const WORDS_MAX: usize = 64 << 10;

/// A part of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// `sysctl NAME=VALUE`
    Set { name: String, value: String },
    /// Something that is not run.
    Ignored(String),
}

/// Takes a command apart. Shell scripts that it names are read from beside the script.
pub(crate) fn parts(text: &str, folder: Option<&Path>) -> Vec<Part> {
    let mut reader = Reader {
        folder: folder.map(Path::to_owned),
        parts: Vec::new(),
        commands: 0,
    };
    reader.shell(text, &[], 0);
    reader.parts
}

struct Reader {
    folder: Option<PathBuf>,
    parts: Vec<Part>,
    /// That were looked at.
    commands: usize,
}

impl Reader {
    fn add(&mut self, part: Part) {
        if self.parts.len() < PARTS_MAX {
            self.parts.push(part);
        }
    }

    fn shell(&mut self, text: &str, arguments: &[String], depth: usize) {
        let joined = text.replace("\\\n", " ");
        for line in joined.lines() {
            for command in commands(line) {
                self.commands += 1;
                if self.commands > COMMANDS_MAX {
                    return;
                }
                let words = words(&command, arguments);
                self.command(&words, command.trim(), depth);
            }
        }
    }

    fn command(&mut self, words: &[String], text: &str, depth: usize) {
        let Some((first, rest)) = words.split_first() else {
            return;
        };
        let name = Path::new(first).file_name().and_then(|name| name.to_str());
        match name.unwrap_or(first) {
            "sysctl" => self.sysctl(rest, text),
            // What the kernel's own collection of scripts sets settings with.
            "set_sysctls.py" => self.proc_files(rest, text),
            "true" | ":" | "set" | "exit" | "sleep" | "wait" => {}
            "sh" | "bash" | "source" | "." => match rest.split_first() {
                Some((file, arguments)) if file != "-c" => {
                    self.file(file, arguments, text, depth);
                }
                _ => self.add(Part::Ignored(text.to_owned())),
            },
            _ if is_shell_script(first) => self.file(first, rest, text, depth),
            _ => self.add(Part::Ignored(text.to_owned())),
        }
    }

    /// `sysctl -q -w NAME=VALUE ...`
    fn sysctl(&mut self, words: &[String], text: &str) {
        for word in words {
            // Redirections and options say nothing of settings.
            if word.starts_with('-') || word.contains(['>', '<']) || word == "/dev/null" {
                continue;
            }
            match word.split_once('=') {
                Some((name, value)) => self.set(name.replace('/', "."), value),
                None => self.add(Part::Ignored(text.to_owned())),
            }
        }
    }

    /// `/proc/sys/net/ipv4/NAME=VALUE ...`
    fn proc_files(&mut self, words: &[String], text: &str) {
        for word in words {
            let path = word.strip_prefix("/proc/sys/");
            match path.and_then(|path| path.split_once('=')) {
                Some((name, value)) => self.set(name.replace('/', "."), value),
                None => self.add(Part::Ignored(text.to_owned())),
            }
        }
    }

    fn set(&mut self, name: String, value: &str) {
        self.add(Part::Set {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
        });
    }

    fn file(&mut self, file: &str, arguments: &[String], text: &str, depth: usize) {
        let content = if depth < DEPTH_MAX {
            self.folder
                .as_ref()
                .and_then(|folder| read(&folder.join(file)))
        } else {
            None
        };
        match content {
            Some(content) => self.shell(&content, arguments, depth + 1),
            None => self.add(Part::Ignored(text.to_owned())),
        }
    }
}

fn is_shell_script(word: &str) -> bool {
    Path::new(word)
        .extension()
        .is_some_and(|extension| extension == "sh")
}

fn read(path: &Path) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    // The kernel's files have no length, and may have no end.
    if !metadata.is_file() || metadata.len() == 0 || metadata.len() > FILE_MAX {
        return None;
    }
    let mut text = String::new();
    let file = fs::File::open(path).ok()?;
    file.take(FILE_MAX).read_to_string(&mut text).ok()?;
    Some(text)
}

/// The commands of a line: between `;`, `&&` and `||`, up to a comment.
fn commands(line: &str) -> Vec<String> {
    let mut commands = vec![String::new()];
    let mut quote = None;
    let mut characters = line.chars().peekable();
    let mut blank = true;
    while let Some(c) = characters.next() {
        let was_blank = core::mem::replace(&mut blank, c.is_whitespace());
        match (quote, c) {
            (None, '#') if was_blank => break,
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, ';') => {
                commands.push(String::new());
                continue;
            }
            (None, '&' | '|') if characters.peek() == Some(&c) => {
                characters.next();
                commands.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(command) = commands.last_mut() {
            command.push(c);
        }
    }
    commands
}

/// The words of a command, quotes taken off, `$1` and the like put in.
fn words(command: &str, arguments: &[String]) -> Vec<String> {
    let mut words = Vec::new();
    let mut len = command.len();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = command.chars().peekable();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), c) if open == c => quote = None,
            (None | Some('"'), '$') => {
                let digit = characters.peek().and_then(|c| c.to_digit(10));
                let text = match digit {
                    Some(digit) => {
                        characters.next();
                        let index = (digit as usize).checked_sub(1);
                        index.and_then(|index| arguments.get(index)).cloned()
                    }
                    None => Some("$".to_owned()),
                };
                let text = text.unwrap_or_default();
                len += text.len();
                if len <= WORDS_MAX {
                    word.get_or_insert_default().push_str(&text);
                }
            }
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests;
