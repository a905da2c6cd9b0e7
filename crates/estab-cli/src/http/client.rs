//! One HTTP/1.1 request over a stream, and what comes of it.

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_RANGE, HOST, LOCATION, RANGE, USER_AGENT};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use std::io::Write;
use tokio::io::{AsyncRead, AsyncWrite};

/// What to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    uri: Uri,
    host: String,
}

impl Target {
    /// Reads a URL; `http://` may be left out.
    ///
    /// # Errors
    /// It is none, or its scheme is not `http`.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let full = if url.contains("://") {
            url.to_owned()
        } else {
            format!("http://{url}")
        };
        let uri: Uri = full
            .parse()
            .with_context(|| format!("{url:?} is not a URL"))?;
        ensure!(
            uri.scheme_str() == Some("http"),
            "{url}: only http:// is spoken here (no TLS)"
        );
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.with_context(|| format!("{url:?} names no host"))?;
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        Ok(Self { uri, host })
    }

    /// The host's name or address, without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The port, 80 when none is given.
    pub(crate) fn port(&self) -> u16 {
        self.uri.port_u16().unwrap_or(80)
    }

    /// Where a `Location` leads from here.
    ///
    /// # Errors
    /// Nowhere that this client can go.
    pub(crate) fn follow(&self, location: &str) -> Result<Self> {
        if location.contains("://") {
            return Self::parse(location);
        }
        let authority = self.uri.authority().context("a URL without a host")?;
        if let Some(rest) = location.strip_prefix("//") {
            return Self::parse(rest);
        }
        let (location, _) = location.split_once('#').unwrap_or((location, ""));
        let folder = match location.strip_prefix('/') {
            Some(_) => "",
            None => self
                .uri
                .path()
                .rsplit_once('/')
                .map_or("", |(folder, _)| folder),
        };
        let path = location.trim_start_matches('/');
        let path = path.strip_prefix("./").unwrap_or(path);
        Self::parse(&format!("http://{authority}{folder}/{path}"))
    }
}

/// What a request came to.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The body from its first byte (200), or from where the resumed file ends (206).
    Content {
        /// The body comes with it.
        response: Response<Incoming>,
        /// It goes on where the file ends.
        appends: bool,
    },
    /// The file was complete already.
    Complete,
    /// Look there instead.
    Redirect(Target),
    /// 4xx and 5xx.
    Failed(StatusCode),
}

/// Sends a GET and reads the head of the answer. What is there of the file already, `have` bytes, need not be sent again.
///
/// # Errors
/// The connection failed, or what came is no sensible answer.
pub(crate) async fn get<S>(stream: S, target: &Target, have: Option<u64>) -> Result<Answer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the response; its errors reach us through the body.
    tokio::spawn(connection);
    let path = target
        .uri
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let authority = target
        .uri
        .authority()
        .map_or("", |authority| authority.as_str());
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let mut request = Request::get(path)
        .header(HOST, host)
        .header(USER_AGENT, concat!("estab/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "*/*");
    if let Some(have) = have {
        request = request.header(RANGE, format!("bytes={have}-"));
    }
    let request = request.body(Empty::<Bytes>::new())?;
    let response = sender
        .send_request(request)
        .await
        .context("no answer to the request")?;
    classify(response, target, have)
}

fn classify(response: Response<Incoming>, target: &Target, have: Option<u64>) -> Result<Answer> {
    let header = |name| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    match (response.status(), have) {
        (StatusCode::PARTIAL_CONTENT, Some(have)) => {
            let range = header(CONTENT_RANGE).unwrap_or_default();
            let expected = format!("bytes {have}-");
            ensure!(
                range.starts_with(&expected),
                "asked for {expected}, the server sends {range:?}"
            );
            Ok(Answer::Content {
                response,
                appends: true,
            })
        }
        (StatusCode::RANGE_NOT_SATISFIABLE, Some(have))
            if header(CONTENT_RANGE) == Some(&format!("bytes */{have}")) =>
        {
            Ok(Answer::Complete)
        }
        (StatusCode::OK, _) => Ok(Answer::Content {
            response,
            appends: false,
        }),
        (status, _) if status.is_redirection() => match header(LOCATION) {
            Some(location) => Ok(Answer::Redirect(target.follow(location)?)),
            None => bail!("{status} without a Location"),
        },
        (status, _) if status.is_client_error() || status.is_server_error() => {
            Ok(Answer::Failed(status))
        }
        (status, _) if status.is_success() => Ok(Answer::Content {
            response,
            appends: false,
        }),
        (status, _) => bail!("unexpected answer {status}"),
    }
}

/// Writes a body, and tells how much of it there is after each piece: bytes so far, and bytes in all where known.
///
/// # Errors
/// It ended before its length, the connection failed, or the output cannot be written.
pub(crate) async fn save(
    response: Response<Incoming>,
    out: &mut (impl Write + ?Sized),
    mut progress: impl FnMut(u64, Option<u64>),
) -> Result<u64> {
    let mut body = response.into_body();
    let total = body.size_hint().exact();
    let mut len = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.with_context(|| match total {
            Some(total) => format!("the connection ended after {len} of {total} bytes"),
            None => format!("the connection ended after {len} bytes, before the end of the body"),
        })?;
        if let Ok(data) = frame.into_data() {
            out.write_all(&data)?;
            len += data.len() as u64;
            progress(len, total);
        }
    }
    out.flush()?;
    Ok(len)
}
