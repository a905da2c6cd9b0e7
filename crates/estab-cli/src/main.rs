//! The program estab.
fn main() {}
