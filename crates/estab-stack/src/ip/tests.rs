//! By topic; `support` holds a host and the packets of its peers.

mod arbitrary;
mod echo;
mod fragments;
mod icmp;
mod loopback;
mod lru;
mod neighbours;
mod path_mtu;
mod paths;
mod segmentation;
mod support;
