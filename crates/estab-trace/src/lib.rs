//! estab-trace
