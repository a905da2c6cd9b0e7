//! Linux at the other end of a scenario.

mod socket;
mod tracker;
