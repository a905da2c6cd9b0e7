mod core;
mod device;
mod spec;
mod support;
