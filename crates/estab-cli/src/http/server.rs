//! Static files by HTTP/1.1: keep-alive, HEAD, ranges, conditional requests, pages for folders.

use super::body::{Body, Part};
use super::conditional::{Validators, Verdict};
use super::listing;
use super::path;
use super::range::{self, Ranges, Span};
use super::root::{Entry, Root};
use hyper::header::{
    ACCEPT_RANGES, ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName,
    HeaderValue, LAST_MODIFIED, LOCATION, RANGE, SERVER,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::spawn_blocking;

/// A client must have sent the head of a request by then; also how long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Largest head of a request.
const HEAD_BYTES_MAX: usize = 64 << 10;
const ALLOWED: &str = "GET, HEAD, OPTIONS";
const HTML: &str = "text/html; charset=utf-8";

/// Serves the files of one folder.
#[derive(Clone, Debug)]
pub(crate) struct FileServer {
    root: Arc<Root>,
}

impl FileServer {
    /// Of this folder.
    ///
    /// # Errors
    /// It cannot be opened.
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            root: Arc::new(Root::open(folder)?),
        })
    }

    /// Answers the requests of one connection until it ends. When `stop` completes, the request that is being answered is
    /// the last one.
    ///
    /// # Errors
    /// The connection failed, or the client does not speak HTTP/1.1.
    pub(crate) async fn serve<S>(
        &self,
        stream: S,
        stop: impl Future<Output = ()>,
    ) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let service = service_fn(|request| async move {
            let server = self.clone();
            // Opening, and reading a folder, may wait for a disk.
            let answer = spawn_blocking(move || server.answer(&request)).await;
            Ok::<_, Infallible>(answer.unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR)))
        });
        let mut connection = pin!(
            hyper::server::conn::http1::Builder::new()
                .half_close(true)
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .max_buf_size(HEAD_BYTES_MAX)
                .serve_connection(TokioIo::new(stream), service)
        );
        tokio::select! {
            result = connection.as_mut() => return result,
            () = stop => connection.as_mut().graceful_shutdown(),
        }
        connection.await
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<Body> {
        let mut response = match *request.method() {
            Method::GET | Method::HEAD => self.find(request).unwrap_or_else(|error| failed(&error)),
            Method::OPTIONS => with(
                response(StatusCode::NO_CONTENT, Body::default()),
                ALLOW,
                ALLOWED,
            ),
            _ => with(plain(StatusCode::METHOD_NOT_ALLOWED), ALLOW, ALLOWED),
        };
        // hyper derives the length from a body, but the answer to HEAD has the length of the body it does not have.
        if request.method() == Method::HEAD {
            if response.status() != StatusCode::NOT_MODIFIED {
                let len = response.body().len();
                response.headers_mut().insert(CONTENT_LENGTH, len.into());
            }
            *response.body_mut() = Body::default();
        }
        with(
            response,
            SERVER,
            concat!("estab/", env!("CARGO_PKG_VERSION")),
        )
    }

    fn find<B>(&self, request: &Request<B>) -> io::Result<Response<Body>> {
        let url_path = request.uri().path();
        let Some(name) = path::decode(url_path) else {
            return Ok(plain(StatusCode::BAD_REQUEST));
        };
        match self.root.entry(&name)? {
            Entry::File(..) if url_path.ends_with('/') => Err(io::ErrorKind::NotFound.into()),
            Entry::File(file, metadata) => Ok(file_answer(request, &name, file, &metadata)),
            Entry::Folder(_) if !url_path.ends_with('/') => {
                // Relative, so that no path can send the client to another host.
                let last = name.file_name().unwrap_or_else(|| OsStr::new("."));
                let target = format!("./{}/", path::escape(Path::new(last)));
                Ok(with(
                    plain(StatusCode::MOVED_PERMANENTLY),
                    LOCATION,
                    &target,
                ))
            }
            Entry::Folder(folder) => {
                let index = name.join("index.html");
                match self.root.entry(&index) {
                    Ok(Entry::File(file, metadata)) => {
                        Ok(file_answer(request, &index, file, &metadata))
                    }
                    _ => {
                        let page = listing::page(&folder, &format!("/{}", name.display()))?;
                        Ok(with(
                            response(StatusCode::OK, page.into()),
                            CONTENT_TYPE,
                            HTML,
                        ))
                    }
                }
            }
        }
    }
}

fn file_answer<B>(
    request: &Request<B>,
    name: &Path,
    file: File,
    metadata: &Metadata,
) -> Response<Body> {
    let validators = Validators::new(metadata);
    let headers = request.headers();
    let answer = match validators.evaluate(headers) {
        Verdict::NotModified => response(StatusCode::NOT_MODIFIED, Body::default()),
        Verdict::PreconditionFailed => plain(StatusCode::PRECONDITION_FAILED),
        Verdict::Proceed => {
            // RFC 9110: a range counts for GET only.
            let asked = (request.method() == Method::GET && validators.range_applies(headers))
                .then(|| headers.get(RANGE)?.to_str().ok())
                .flatten();
            let ranges = asked.map_or(Ranges::Whole, |value| range::parse(value, metadata.len()));
            content(file, ranges, metadata.len(), &content_type(name))
        }
    };
    let answer = with(answer, ETAG, &validators.etag);
    let answer = with(answer, ACCEPT_RANGES, "bytes");
    match validators.modified {
        Some(modified) => with(answer, LAST_MODIFIED, &httpdate::fmt_http_date(modified)),
        None => answer,
    }
}

fn content(file: File, ranges: Ranges, size: u64, content_type: &str) -> Response<Body> {
    match ranges {
        Ranges::Whole => {
            let body = Body::new(
                file,
                [Part::File(Span {
                    start: 0,
                    len: size,
                })],
            );
            with(response(StatusCode::OK, body), CONTENT_TYPE, content_type)
        }
        Ranges::Unsatisfiable => {
            let answer = plain(StatusCode::RANGE_NOT_SATISFIABLE);
            with(answer, CONTENT_RANGE, &format!("bytes */{size}"))
        }
        Ranges::Pieces(pieces) => match pieces[..] {
            [piece] => {
                let body = Body::new(file, [Part::File(piece)]);
                let answer = response(StatusCode::PARTIAL_CONTENT, body);
                let answer = with(answer, CONTENT_TYPE, content_type);
                with(answer, CONTENT_RANGE, &piece.content_range(size))
            }
            _ => multipart(file, &pieces, size, content_type),
        },
    }
}

/// `multipart/byteranges` (RFC 9110).
fn multipart(file: File, pieces: &[Span], size: u64, content_type: &str) -> Response<Body> {
    // Any text serves that is no line of the file; one made of its version is not put there by accident.
    let boundary = format!("estab-part-{size:x}-{:x}", pieces[0].start);
    let mut parts = Vec::new();
    for piece in pieces {
        let range = piece.content_range(size);
        let head = format!(
            "\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {range}\r\n\r\n"
        );
        parts.push(Part::Bytes(head.into()));
        parts.push(Part::File(*piece));
    }
    parts.push(Part::Bytes(format!("\r\n--{boundary}--\r\n").into()));
    let answer = response(StatusCode::PARTIAL_CONTENT, Body::new(file, parts));
    with(
        answer,
        CONTENT_TYPE,
        &format!("multipart/byteranges; boundary={boundary}"),
    )
}

fn content_type(name: &Path) -> String {
    let mime = mime_guess::from_path(name).first_or_octet_stream();
    if mime.type_() == mime_guess::mime::TEXT {
        format!("{mime}; charset=utf-8")
    } else {
        mime.to_string()
    }
}

fn failed(error: &io::Error) -> Response<Body> {
    plain(match error.kind() {
        io::ErrorKind::NotFound => StatusCode::NOT_FOUND,
        io::ErrorKind::PermissionDenied => StatusCode::FORBIDDEN,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    })
}

fn response(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// A status with its name as text.
fn plain(status: StatusCode) -> Response<Body> {
    let reason = status.canonical_reason().unwrap_or_default();
    let answer = response(status, format!("{} {reason}\n", status.as_str()).into());
    with(answer, CONTENT_TYPE, "text/plain; charset=utf-8")
}

/// Adds a header; one whose value HTTP cannot carry is left out.
fn with(mut response: Response<Body>, name: HeaderName, value: &str) -> Response<Body> {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}
