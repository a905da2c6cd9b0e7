//! What is found, and what must not be.

use super::support::{Site, big};
use std::os::unix::fs::symlink;

#[tokio::test]
async fn a_file_comes_whole_and_with_its_type() {
    let site = Site::new();
    let answer = site.answer("GET /digits.txt HTTP/1.1").await;
    assert_eq!((answer.status, answer.text()), (200, "0123456789"));
    assert_eq!(answer.header("content-length"), Some("10"));
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    assert!(answer.header("date").is_some());
    let answer = site.answer("GET /big.bin HTTP/1.1").await;
    assert_eq!(
        answer.header("content-type"),
        Some("application/octet-stream")
    );
    assert!(answer.body == big(), "{} bytes", answer.body.len());
}

#[tokio::test]
async fn an_empty_file_is_an_empty_answer() {
    let site = Site::new();
    std::fs::write(site.root().join("empty"), "").unwrap();
    let answer = site.answer("GET /empty HTTP/1.1").await;
    assert_eq!(
        (answer.status, answer.header("content-length")),
        (200, Some("0"))
    );
}

#[tokio::test]
async fn nothing_outside_the_folder_is_served() {
    let site = Site::new();
    symlink(site.dir.path().join("secret"), site.root().join("absolute")).unwrap();
    symlink("../secret", site.root().join("relative")).unwrap();
    symlink("..", site.root().join("up")).unwrap();
    symlink("/proc/self/root", site.root().join("magic")).unwrap();
    for path in [
        "/../secret",
        "/%2e%2e/secret",
        "/sub/../../secret",
        "/..%2fsecret",
        "/absolute",
        "/relative",
        "/up/secret",
        "/up/",
        "/magic/etc/passwd",
        "//etc/passwd",
        "/%00",
    ] {
        let answer = site.answer(&format!("GET {path} HTTP/1.1")).await;
        assert!(
            matches!(answer.status, 400 | 404),
            "{path}: {}",
            answer.status
        );
        assert!(!answer.text().contains("hidden"), "{path}");
    }
}

#[tokio::test]
async fn links_that_stay_inside_are_followed() {
    let site = Site::new();
    symlink("../digits.txt", site.root().join("sub/inside")).unwrap();
    let answer = site.answer("GET /sub/inside HTTP/1.1").await;
    assert_eq!((answer.status, answer.text()), (200, "0123456789"));
}

#[tokio::test]
async fn a_pipe_is_not_found_and_nobody_waits_for_it() {
    let site = Site::new();
    let fifo = site.root().join("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    assert_eq!(site.answer("GET /fifo HTTP/1.1").await.status, 404);
}

#[tokio::test]
async fn folders_show_their_index_or_what_is_in_them() {
    let site = Site::new();
    let answer = site.answer("GET /site/ HTTP/1.1").await;
    assert_eq!((answer.status, answer.text()), (200, "<p>front</p>"));
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let answer = site.answer("GET /site HTTP/1.1").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (301, Some("./site/"))
    );
    let listing = site.answer("GET /sub/ HTTP/1.1").await;
    assert!(
        listing
            .text()
            .contains("<a href=\"./a%20%3Cb%3E%26.txt\">a &lt;b&gt;&amp;.txt</a>")
    );
    let root = site.answer("GET / HTTP/1.1").await;
    assert!(root.text().contains("<a href=\"./sub/\">sub/</a>"));
    assert!(root.text().contains("1000003"));
}

#[tokio::test]
async fn a_slash_after_a_file_is_not_that_file() {
    let site = Site::new();
    assert_eq!(site.answer("GET /digits.txt/ HTTP/1.1").await.status, 404);
    assert_eq!(site.answer("GET /digits.txt/x HTTP/1.1").await.status, 404);
    assert_eq!(site.answer("GET /none HTTP/1.1").await.status, 404);
}
