//! Both ends in tasks of a tokio runtime.

use crate::LANES;
use crate::blocking::same;
use crate::network::Network;
use crate::plan::{Closing, Plan, Plans, Role};
use std::io;
use std::ops::Range;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Barrier;
use tokio::time::timeout;

/// No connection takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn the_kernel_connects(network: &Network, plans: &Plans, numbers: Range<u64>) {
    in_lanes(async |lane| {
        let address = network.ours(lane);
        let listener = estab::tokio::TcpListener::bind(&network.host, address).await?;
        for number in numbers.clone().filter(|number| number % LANES == lane) {
            let client = async { network.prepare(tokio::net::TcpStream::connect(address).await?) };
            let server = async { Ok(listener.accept().await?.0) };
            use_one(plans, number, client, server).await?;
        }
        Ok(())
    });
}

pub(crate) fn we_connect(network: &Network, plans: &Plans, numbers: Range<u64>) {
    in_lanes(async |lane| {
        let address = network.kernels(lane);
        let listener = tokio::net::TcpListener::bind(address).await?;
        for number in numbers.clone().filter(|number| number % LANES == lane) {
            let client = estab::tokio::TcpStream::connect(&network.host, address);
            let server = async { network.prepare(listener.accept().await?.0) };
            use_one(plans, number, client, server).await?;
        }
        Ok(())
    });
}

/// Runs the lanes in one task, and the host's driver beside them on another thread.
fn in_lanes(use_lane: impl AsyncFn(u64) -> io::Result<()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    const { assert!(LANES == 4) };
    let lanes = async { tokio::try_join!(use_lane(0), use_lane(1), use_lane(2), use_lane(3)) };
    runtime.block_on(lanes).unwrap();
}

/// One connection from its opening to its end.
async fn use_one<C, S>(
    plans: &Plans,
    number: u64,
    connect: impl Future<Output = io::Result<C>>,
    accept: impl Future<Output = io::Result<S>>,
) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite,
    S: AsyncRead + AsyncWrite,
{
    let (client, server) = (
        plans.plan(number, Role::Client),
        plans.plan(number, Role::Server),
    );
    let both = async {
        let (connected, accepted) = tokio::try_join!(connect, accept)?;
        let meeting = Barrier::new(2);
        tokio::try_join!(
            converse(connected, &client, &meeting),
            converse(accepted, &server, &meeting)
        )
    };
    match timeout(PATIENCE, both).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error),
        Err(elapsed) => Err(elapsed.into()),
    }
    .map_err(|error| {
        let text = format!(
            "connection {number}, first is the client: {}, {:?}, {} bytes from the client, {} from the server: {error}",
            client.first,
            client.closing,
            client.mine.len(),
            client.theirs.len(),
        );
        io::Error::other(text)
    })
}

/// One end; the stream is closed by dropping it.
async fn converse<E>(stream: E, plan: &Plan<'_>, meeting: &Barrier) -> io::Result<()>
where
    E: AsyncRead + AsyncWrite,
{
    let (mut reading, mut writing) = tokio::io::split(stream);
    let mut data = Vec::with_capacity(plan.theirs.len());
    match (plan.closing, plan.first) {
        (Closing::OneCloses, true) => {
            data.resize(plan.theirs.len(), 0);
            reading.read_exact(&mut data).await?;
            writing.write_all(plan.mine).await?;
        }
        (Closing::OneCloses, false) => {
            writing.write_all(plan.mine).await?;
            reading.read_to_end(&mut data).await?;
        }
        (Closing::HalfClose, true) => {
            writing.write_all(plan.mine).await?;
            writing.shutdown().await?;
            reading.read_to_end(&mut data).await?;
        }
        (Closing::HalfClose, false) => {
            reading.read_to_end(&mut data).await?;
            writing.write_all(plan.mine).await?;
        }
        (Closing::BothClose, _) => {
            data.resize(plan.theirs.len(), 0);
            tokio::try_join!(reading.read_exact(&mut data), writing.write_all(plan.mine))?;
            meeting.wait().await;
        }
        (Closing::BothHalfClose, _) => {
            let write = async {
                writing.write_all(plan.mine).await?;
                writing.shutdown().await
            };
            tokio::try_join!(reading.read_to_end(&mut data), write)?;
        }
    }
    same(&data, plan)
}
