//! Every format by tables, by properties, and against a second opinion.

mod arbitrary;
mod checksum;
mod icmpv4;
mod icmpv6;
mod ipv4;
mod ipv6;
mod link;
mod second_opinion;
mod support;
mod tcp;
mod tcp_options;
mod udp;
