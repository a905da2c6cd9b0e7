//! `estab ping`.

use crate::exit::Failure;
use crate::network::{Network, NetworkArgs};
use crate::output;
use anyhow::{Context, Result};
use estab::{Echo, EchoReply, Host};
use std::io::{ErrorKind, Write};
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

/// Bytes of an ICMP header.
const ICMP_HEADER_LEN: usize = 8;

/// Send ICMP echo requests from estab's stack and show the replies
///
/// Ends after --count requests, or with Ctrl-C. Succeeds when there was at least one reply.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sudo estab ping -c 3 10.217.0.1")]
pub(crate) struct Args {
    /// A name or an address
    host: String,

    /// How many requests to send [default: until Ctrl-C]
    #[arg(short, long, value_name = "NUMBER")]
    count: Option<u64>,

    /// Seconds between two requests
    #[arg(short, long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    interval: Duration,

    /// Seconds to wait for a reply
    #[arg(short = 'W', long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    timeout: Duration,

    /// Bytes of payload
    #[arg(short, long, value_name = "BYTES", default_value_t = 56, value_parser = clap::value_parser!(u16).range(..=65_000))]
    size: u16,

    #[command(flatten)]
    network: NetworkArgs,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text
        .parse()
        .map_err(|_| "expected a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if duration >= Duration::from_millis(1) => Ok(duration),
        _ => Err("expected at least 0.001 seconds".to_owned()),
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let runtime = super::runtime()?;
    let network = args.network.open()?;
    let result = runtime.block_on(ping(args, &network));
    runtime.shutdown_background();
    result
}

async fn ping(args: &Args, network: &Network) -> Result<ExitCode> {
    let found = network.resolve(&args.host, 0).await?;
    let to = found
        .first()
        .context("no address")
        .context(Failure::Connection)?
        .ip();
    let mut out = output::stdout();
    writeln!(out, "PING {} ({to}): {} data bytes", args.host, args.size)?;
    let mut statistics = Statistics::default();
    let begun = Instant::now();
    let mut due = begun;
    while args.count.is_none_or(|count| statistics.sent < count) {
        let sequence = statistics.sent.wrapping_add(1) as u16;
        statistics.sent += 1;
        let reply = once(&network.host, to, sequence, args);
        tokio::select! {
            reply = reply => match reply? {
                Some(reply) => {
                    statistics.replies.push(reply.round_trip);
                    writeln!(out, "{}", line(&reply))?;
                }
                None => writeln!(out, "no reply to icmp_seq={sequence}")?,
            },
            _ = tokio::signal::ctrl_c() => break,
        }
        if args.count == Some(statistics.sent) {
            break;
        }
        due = (due + args.interval).max(Instant::now());
        tokio::select! {
            () = sleep_until(due) => {}
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    write!(
        out,
        "\n--- {} ping statistics ---\n{}",
        args.host,
        statistics.text(begun.elapsed())
    )?;
    out.flush()?;
    Ok(if statistics.replies.is_empty() {
        ExitCode::from(4)
    } else {
        ExitCode::SUCCESS
    })
}

/// One request, and its reply if there is one in time.
async fn once(host: &Host, to: IpAddr, sequence: u16, args: &Args) -> Result<Option<EchoReply>> {
    let identifier = std::process::id() as u16;
    let echo = Echo {
        to,
        identifier,
        sequence,
    };
    let payload: Vec<u8> = (0..args.size).map(|at| at as u8).collect();
    let (host, timeout) = (host.clone(), args.timeout);
    match spawn_blocking(move || host.ping(echo, &payload, timeout)).await? {
        Ok(reply) => Ok(Some(reply)),
        Err(error) if error.kind() == ErrorKind::TimedOut => Ok(None),
        Err(error) => Err(error)
            .with_context(|| to.to_string())
            .context(Failure::Connection),
    }
}

fn line(reply: &EchoReply) -> String {
    let len = reply.len + ICMP_HEADER_LEN;
    let Echo { to, sequence, .. } = reply.echo;
    let (ttl, time) = (reply.hop_limit, millis(reply.round_trip));
    format!("{len} bytes from {to}: icmp_seq={sequence} ttl={ttl} time={time:.3} ms")
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[derive(Debug, Default)]
struct Statistics {
    sent: u64,
    replies: Replies,
}

/// Sums of round-trip times: an endless ping must not remember each.
#[derive(Debug, Default)]
struct Replies {
    count: u64,
    min: f64,
    max: f64,
    sum: f64,
    squares: f64,
}

impl Replies {
    fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn push(&mut self, round_trip: Duration) {
        let time = millis(round_trip);
        self.min = if self.count == 0 {
            time
        } else {
            self.min.min(time)
        };
        self.max = self.max.max(time);
        self.count += 1;
        self.sum += time;
        self.squares += time * time;
    }
}

impl Statistics {
    fn text(&self, elapsed: Duration) -> String {
        let replies = &self.replies;
        let lost = self.sent.saturating_sub(replies.count);
        let percent = lost as f64 * 100.0 / self.sent.max(1) as f64;
        let mut text = format!(
            "{} packets transmitted, {} received, {percent:.0}% packet loss, time {} ms\n",
            self.sent,
            replies.count,
            elapsed.as_millis()
        );
        if !replies.is_empty() {
            let count = replies.count as f64;
            let mean = replies.sum / count;
            let deviation = (replies.squares / count - mean * mean).max(0.0).sqrt();
            let (min, max) = (replies.min, replies.max);
            text.push_str(&format!(
                "rtt min/avg/max/mdev = {min:.3}/{mean:.3}/{max:.3}/{deviation:.3} ms\n"
            ));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{Statistics, seconds};
    use std::time::Duration;

    #[test]
    fn statistics_are_those_of_ping() {
        let mut statistics = Statistics {
            sent: 4,
            ..Statistics::default()
        };
        for micros in [1000, 2000, 3000] {
            statistics.replies.push(Duration::from_micros(micros));
        }
        assert_eq!(
            statistics.text(Duration::from_millis(3004)),
            "4 packets transmitted, 3 received, 25% packet loss, time 3004 ms\n\
             rtt min/avg/max/mdev = 1.000/2.000/3.000/0.816 ms\n"
        );
        let none = Statistics {
            sent: 1,
            ..Statistics::default()
        };
        assert_eq!(
            none.text(Duration::ZERO),
            "1 packets transmitted, 0 received, 100% packet loss, time 0 ms\n"
        );
    }

    #[test]
    fn times_are_seconds_above_zero() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["0", "-1", "nan", "inf", "1s", "1e300"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
