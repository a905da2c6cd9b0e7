//! The program estab: watch, serve and test TCP connections made in user space.

mod capture_file;
mod cli;
mod cmd;
mod exit;
mod http;
mod kernel_peer;
mod network;
mod output;
mod progress;
mod scenario;
mod services;
mod signals;

fn main() -> std::process::ExitCode {
    cli::run()
}
