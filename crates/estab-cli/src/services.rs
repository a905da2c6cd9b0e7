//! What `estab serve` can serve, each over any stream.

mod classic;
mod spec;

use crate::http::server::FileServer;
use std::io;
use std::time::SystemTime;
use tokio::io::{AsyncRead, AsyncWrite};

pub(crate) use spec::{Kind, Spec};

/// A service, ready to take connections.
#[derive(Clone, Debug)]
pub(crate) enum Service {
    Echo,
    Discard,
    Chargen,
    Daytime,
    Http(FileServer),
}

impl Service {
    /// Opens what it needs.
    ///
    /// # Errors
    /// The folder of an HTTP service cannot be opened.
    pub(crate) fn open(kind: &Kind) -> io::Result<Self> {
        Ok(match kind {
            Kind::Echo => Self::Echo,
            Kind::Discard => Self::Discard,
            Kind::Chargen => Self::Chargen,
            Kind::Daytime => Self::Daytime,
            Kind::Http(folder) => Self::Http(FileServer::new(folder)?),
        })
    }

    /// Serves one connection until it ends. When `stop` completes it ends soon: HTTP after the answer that is under way,
    /// the others at once, with what they have sent.
    ///
    /// # Errors
    /// The connection failed.
    pub(crate) async fn serve<S>(
        &self,
        stream: S,
        stop: impl Future<Output = ()>,
    ) -> anyhow::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match self {
            Self::Http(server) => server.serve(stream, stop).await?,
            Self::Echo => or_stop(classic::echo(stream), stop).await?,
            Self::Discard => or_stop(classic::discard(stream), stop).await?,
            Self::Chargen => or_stop(classic::chargen(stream), stop).await?,
            Self::Daytime => or_stop(classic::daytime(stream, now()), stop).await?,
        }
        Ok(())
    }
}

async fn or_stop(
    service: impl Future<Output = io::Result<()>>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    tokio::select! {
        result = service => result,
        () = stop => Ok(()),
    }
}

#[allow(clippy::disallowed_methods, reason = "this service tells the time")]
fn now() -> SystemTime {
    SystemTime::now()
}
