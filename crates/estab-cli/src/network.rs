//! The network of a command.

mod cidr;
