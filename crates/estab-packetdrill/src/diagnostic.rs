//! What is wrong with a script, shown as compilers show it: file, line, column, the line, a marker beneath.

use core::error::Error;
use core::fmt;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::script::Span;

/// A script's text, and the name by which messages call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
}

impl Source {
    /// A text and its name, most often its path.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte of the text, both counted from 1, columns in characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..self.floor(offset)];
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (line, before[start..].chars().count() + 1)
    }

    /// The text of a span; nothing when it lies outside.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// The line in which a span begins, where in the text it starts, and what of it the span covers.
    fn line(&self, span: Span) -> (&str, usize, core::ops::Range<usize>) {
        let from = self.floor(span.start);
        let start = self.text[..from].rfind('\n').map_or(0, |at| at + 1);
        let end = self.text[from..]
            .find('\n')
            .map_or(self.text.len(), |at| from + at);
        let line = self.text[start..end].trim_end_matches('\r');
        let first = (from - start).min(line.len());
        let last = self
            .floor(span.end)
            .saturating_sub(start)
            .clamp(first, line.len());
        (line, start, first..last)
    }

    /// The beginning of the character in which a byte lies.
    fn floor(&self, offset: usize) -> usize {
        self.text.floor_char_boundary(offset)
    }
}

/// One thing that is wrong with a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, in one line.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What stands beside the marker, such as what was expected there.
    pub label: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A message about a place.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            span,
            label: None,
            help: None,
        }
    }

    /// With a few words beside the marker.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// With a hint beneath.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The message with the line and a marker.
    pub fn render(&self, source: &Source) -> String {
        let (line, start, marked) = source.line(self.span);
        let (number, _) = source.position(start);
        let mut annotation = AnnotationKind::Primary.span(marked);
        if let Some(label) = &self.label {
            annotation = annotation.label(label.as_str());
        }
        let snippet = Snippet::source(line)
            .path(source.name.as_str())
            .line_start(number)
            .annotation(annotation);
        let mut group = Level::ERROR
            .primary_title(self.message.as_str())
            .element(snippet);
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        Renderer::plain().render(&[group])
    }
}

/// All that is wrong with a script. There is at least one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    source: Source,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Messages about a source.
    pub fn new(source: Source, list: Vec<Diagnostic>) -> Self {
        Self { source, list }
    }

    /// What they are about.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The messages, in the order of their places.
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.list.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n\n" };
            write!(f, "{gap}{}", diagnostic.render(&self.source))?;
        }
        Ok(())
    }
}

impl Error for Diagnostics {}
