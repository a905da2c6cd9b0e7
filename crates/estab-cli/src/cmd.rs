//! The commands, one a file.

pub(crate) mod completions;
pub(crate) mod lab;
pub(crate) mod man;
pub(crate) mod states;
