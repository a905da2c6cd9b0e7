//! estab-sim
