//! A folder with files, and a server of it at the end of a stream in memory.

use crate::http::server::FileServer;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// `secret` lies beside the folder that is served, `root`.
pub(super) struct Site {
    pub(super) dir: TempDir,
    server: FileServer,
}

impl Site {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::create_dir_all(root.join("site")).unwrap();
        fs::write(dir.path().join("secret"), "hidden").unwrap();
        fs::write(root.join("digits.txt"), "0123456789").unwrap();
        fs::write(root.join("big.bin"), big()).unwrap();
        fs::write(root.join("sub/a <b>&.txt"), "x").unwrap();
        fs::write(root.join("site/index.html"), "<p>front</p>").unwrap();
        let server = FileServer::new(&root).unwrap();
        Self { dir, server }
    }

    pub(super) fn root(&self) -> std::path::PathBuf {
        self.dir.path().join("root")
    }

    /// A connection to it; sending on the channel asks it to stop.
    pub(super) fn connect(&self) -> (DuplexStream, oneshot::Sender<()>, JoinHandle<bool>) {
        let (client, stream) = duplex(4096);
        let (stop, stopped) = oneshot::channel::<()>();
        let server = self.server.clone();
        let task = tokio::spawn(async move {
            let stop = async {
                if stopped.await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            server.serve(stream, stop).await.is_ok()
        });
        (client, stop, task)
    }

    /// The whole answer to one request, given without its last two line ends.
    pub(super) async fn answer(&self, request: &str) -> Answer {
        let (mut client, _stop, _task) = self.connect();
        let request = format!("{request}\r\nHost: x\r\nConnection: close\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        client.read_to_end(&mut bytes).await.unwrap();
        Answer::parse(&bytes)
    }
}

/// A megabyte that never repeats at a chunk's length.
pub(super) fn big() -> Vec<u8> {
    (0..1_000_003_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let end = bytes
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .expect("a head");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        Self {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head,
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

pub(super) fn set_modified(path: &Path, unix_secs: u64) {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(unix_secs);
    fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(time)
        .unwrap();
}
