//! The language: what is read, what is refused, and what is written.

mod options;
mod scripts;
