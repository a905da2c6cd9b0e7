//! Why a run ends before its script does.

use crate::diagnostic::{Diagnostic, Diagnostics, Source};
use crate::report::{Difference, Failure, FailureKind};
use crate::script::Span;
use crate::subject::SubjectError;

/// Why a run ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    Failed(Box<Failure>),
    Skipped(String),
}

impl Stop {
    /// A failure at a place of the script.
    pub(crate) fn at(kind: FailureKind, span: Span, message: impl Into<String>) -> Self {
        Self::Failed(Box::new(Failure {
            kind,
            span,
            message: message.into(),
            differences: Vec::new(),
            expected: None,
            actual: None,
            excerpt: String::new(),
            ladder: String::new(),
        }))
    }

    /// With what was expected, what came, and in what they differ.
    pub(crate) fn with(
        self,
        expected: impl Into<String>,
        actual: impl Into<String>,
        differences: Vec<Difference>,
    ) -> Self {
        match self {
            Self::Failed(mut failure) => {
                failure.expected = Some(expected.into());
                failure.actual = Some(actual.into());
                failure.differences = differences;
                Self::Failed(failure)
            }
            skipped => skipped,
        }
    }

    /// The script is wrong, in these places.
    pub(crate) fn wrong(source: &Source, mut errors: Vec<Diagnostic>) -> Self {
        errors.sort_by_key(|error| (error.span.start, error.span.end));
        let Some(first) = errors.first() else {
            return Self::at(FailureKind::Script, Span::default(), "the script is wrong");
        };
        let message = match &first.label {
            Some(label) => format!("{}: {label}", first.message),
            None => first.message.clone(),
        };
        let stop = Self::at(FailureKind::Script, first.span, message);
        match stop {
            Self::Failed(mut failure) => {
                failure.excerpt = Diagnostics::new(source.clone(), errors).to_string();
                Self::Failed(failure)
            }
            skipped => skipped,
        }
    }

    pub(crate) fn subject(error: SubjectError, span: Span) -> Self {
        match error {
            SubjectError::Unsupported(reason) => Self::Skipped(reason),
            SubjectError::Broken(message) => Self::at(FailureKind::Subject, span, message),
        }
    }
}
