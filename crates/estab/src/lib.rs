//! estab
