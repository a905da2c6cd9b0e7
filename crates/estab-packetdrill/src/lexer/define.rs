//! Names that stand for something else: `-D NAME=VALUE`.

use std::collections::BTreeMap;

use super::{Kind, Lexer, is_word_character, shown};

/// How many names may stand for something else.
const MAX_NAMES: usize = 256;

/// How many bytes a name may stand for. A short script may have the name very often.
const MAX_VALUE_LEN: usize = 256;

/// Names and what they stand for. A name stands for one token: a word, a number, a string or a command in backquotes.
///
/// The parser puts it wherever the name stands as a word of its own: not inside of strings, commands, code and notes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defines {
    values: BTreeMap<String, (Kind, String)>,
}

impl Defines {
    /// No names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a definition `NAME=VALUE`. The first one of a name stands, so what comes from the command line is taken
    /// before the script's own.
    ///
    /// # Errors
    ///
    /// When the name is not a word, the value not one token or longer than 256 bytes, the name would stand for
    /// itself by a detour, or there are 256 names already.
    pub fn add(&mut self, definition: &str) -> Result<(), String> {
        let Some((name, value)) = definition.split_once('=') else {
            return Err(format!(
                "`{}` is not of the form NAME=VALUE",
                shown(definition)
            ));
        };
        let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(is_word_character);
        if !is_word {
            return Err(format!(
                "`{}` is not a name: letters, digits and underscores",
                shown(name)
            ));
        }
        if self.values.contains_key(name) {
            return Ok(());
        }
        if self.values.len() == MAX_NAMES {
            return Err(format!(
                "more than {MAX_NAMES} names stand for something else"
            ));
        }
        if value.len() > MAX_VALUE_LEN {
            return Err(format!(
                "`{name}` stands for more than {MAX_VALUE_LEN} bytes"
            ));
        }
        let kind = kind(value).ok_or_else(|| {
            format!(
                "`{}` is not one word, number, string or command in backquotes",
                shown(value)
            )
        })?;
        if self.resolve(value).is_some_and(|(_, last)| last == name) {
            return Err(format!("`{name}` would stand for itself"));
        }
        if value != name {
            self.values
                .insert(name.to_owned(), (kind, value.to_owned()));
        }
        Ok(())
    }

    /// What a word stands for in the end, if for something else. Definitions form no ring, so there is an end.
    pub(super) fn resolve(&self, word: &str) -> Option<(Kind, String)> {
        let mut found = self.values.get(word)?;
        while found.0 == Kind::Word
            && let Some(next) = self.values.get(&found.1)
        {
            found = next;
        }
        Some(found.clone())
    }
}

/// The kind of a text that is one token.
fn kind(value: &str) -> Option<Kind> {
    let unsigned = value.strip_prefix('-').unwrap_or(value);
    let mut lexer = Lexer::new(unsigned, Defines::new());
    let token = lexer.token();
    let whole = token.span.start == 0 && token.span.end == unsigned.len();
    let signed = unsigned.len() != value.len();
    let fits = match token.kind {
        Kind::Number => true,
        Kind::Word | Kind::Decimal | Kind::Text | Kind::Backquoted => !signed,
        _ => false,
    };
    (whole && fits).then_some(token.kind)
}
