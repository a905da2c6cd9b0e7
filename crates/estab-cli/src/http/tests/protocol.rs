//! Methods, ranges, conditions, keep-alive.

use super::support::{Answer, Site, big, set_modified};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn head_has_the_length_and_no_body() {
    let site = Site::new();
    for path in ["/digits.txt", "/big.bin", "/", "/none"] {
        let get = site.answer(&format!("GET {path} HTTP/1.1")).await;
        let head = site.answer(&format!("HEAD {path} HTTP/1.1")).await;
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(
            head.header("content-length"),
            get.header("content-length"),
            "{path}"
        );
        assert!(head.body.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn other_methods_are_told_what_is_allowed() {
    let site = Site::new();
    let answer = site.answer("DELETE /digits.txt HTTP/1.1").await;
    assert_eq!(
        (answer.status, answer.header("allow")),
        (405, Some("GET, HEAD, OPTIONS"))
    );
    let answer = site.answer("OPTIONS / HTTP/1.1").await;
    assert_eq!(
        (answer.status, answer.header("allow")),
        (204, Some("GET, HEAD, OPTIONS"))
    );
    assert!(site.root().join("digits.txt").exists());
}

#[tokio::test]
async fn one_range() {
    let site = Site::new();
    let answer = site
        .answer("GET /digits.txt HTTP/1.1\r\nRange: bytes=2-5")
        .await;
    assert_eq!((answer.status, answer.text()), (206, "2345"));
    assert_eq!(answer.header("content-range"), Some("bytes 2-5/10"));
    let answer = site
        .answer("GET /big.bin HTTP/1.1\r\nRange: bytes=262143-600000")
        .await;
    assert_eq!(answer.status, 206);
    assert!(answer.body == big()[262_143..=600_000]);
    let answer = site
        .answer("GET /digits.txt HTTP/1.1\r\nRange: bytes=10-")
        .await;
    assert_eq!(
        (answer.status, answer.header("content-range")),
        (416, Some("bytes */10"))
    );
    let answer = site
        .answer("HEAD /digits.txt HTTP/1.1\r\nRange: bytes=2-5")
        .await;
    assert_eq!(
        (answer.status, answer.header("content-length")),
        (200, Some("10"))
    );
}

#[tokio::test]
async fn several_ranges_are_parts() {
    let site = Site::new();
    let answer = site
        .answer("GET /digits.txt HTTP/1.1\r\nRange: bytes=0-1,-2")
        .await;
    assert_eq!(answer.status, 206);
    let kind = answer.header("content-type").unwrap();
    let boundary = kind
        .strip_prefix("multipart/byteranges; boundary=")
        .unwrap();
    let part = |range, text| {
        let head = "Content-Type: text/plain; charset=utf-8";
        format!("\r\n--{boundary}\r\n{head}\r\nContent-Range: bytes {range}/10\r\n\r\n{text}")
    };
    let expected = part("0-1", "01") + &part("8-9", "89") + &format!("\r\n--{boundary}--\r\n");
    assert_eq!(answer.text(), expected);
    assert_eq!(
        answer.header("content-length"),
        Some(expected.len().to_string().as_str())
    );
}

#[tokio::test]
async fn conditions_by_entity_tag() {
    let site = Site::new();
    let first = site.answer("GET /digits.txt HTTP/1.1").await;
    let tag = first.header("etag").unwrap();
    let ask = async |condition: String| {
        site.answer(&format!("GET /digits.txt HTTP/1.1\r\n{condition}"))
            .await
    };
    let same = ask(format!("If-None-Match: \"x\", W/{tag}")).await;
    assert_eq!(
        (same.status, same.text(), same.header("etag")),
        (304, "", Some(tag))
    );
    assert_eq!(ask("If-None-Match: \"x\"".into()).await.status, 200);
    assert_eq!(ask("If-None-Match: *".into()).await.status, 304);
    assert_eq!(ask(format!("If-Match: {tag}")).await.status, 200);
    assert_eq!(ask(format!("If-Match: W/{tag}")).await.status, 412);
    assert_eq!(
        ask(format!("If-Range: {tag}\r\nRange: bytes=0-0"))
            .await
            .status,
        206
    );
    assert_eq!(
        ask("If-Range: \"x\"\r\nRange: bytes=0-0".into())
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_changed_file_has_another_tag() {
    let site = Site::new();
    let path = site.root().join("digits.txt");
    set_modified(&path, 784_111_777);
    let before = site.answer("HEAD /digits.txt HTTP/1.1").await;
    set_modified(&path, 784_111_778);
    let after = site.answer("HEAD /digits.txt HTTP/1.1").await;
    assert_ne!(before.header("etag"), after.header("etag"));
}

#[tokio::test]
async fn conditions_by_date() {
    let site = Site::new();
    set_modified(&site.root().join("digits.txt"), 784_111_777);
    let ask = async |condition: &str, secs: u32| {
        let date = format!("Sun, 06 Nov 1994 08:49:{secs} GMT");
        site.answer(&format!(
            "GET /digits.txt HTTP/1.1\r\n{condition}: {date}\r\nRange: bytes=0-0"
        ))
        .await
    };
    assert_eq!(
        ask("X-None", 37).await.header("last-modified"),
        Some("Sun, 06 Nov 1994 08:49:37 GMT")
    );
    assert_eq!(ask("If-Modified-Since", 37).await.status, 304);
    assert_eq!(ask("If-Modified-Since", 36).await.status, 206);
    assert_eq!(ask("If-Unmodified-Since", 37).await.status, 206);
    assert_eq!(ask("If-Unmodified-Since", 36).await.status, 412);
    assert_eq!(ask("If-Range", 37).await.status, 206);
    assert_eq!(ask("If-Range", 38).await.status, 200);
}

#[tokio::test]
async fn times_that_http_cannot_say_are_left_out() {
    let site = Site::new();
    let path = site.root().join("digits.txt");
    let before_1970 = std::time::UNIX_EPOCH - std::time::Duration::from_secs(86_400);
    std::fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(before_1970)
        .unwrap();
    let answer = site.answer("GET /digits.txt HTTP/1.1").await;
    assert_eq!((answer.status, answer.header("last-modified")), (200, None));
}

#[tokio::test]
async fn many_requests_over_one_connection_also_pipelined() {
    let site = Site::new();
    let (mut client, _stop, task) = site.connect();
    let one = "GET /digits.txt HTTP/1.1\r\nHost: x\r\n\r\n";
    let last = "GET /digits.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    client
        .write_all(format!("{one}{one}{last}").as_bytes())
        .await
        .unwrap();
    let mut bytes = Vec::new();
    client.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 3);
    assert_eq!(text.matches("0123456789").count(), 3);
    assert!(task.await.unwrap());
}

#[tokio::test]
async fn a_client_that_half_closes_after_its_request_is_answered() {
    let site = Site::new();
    let (mut client, _stop, task) = site.connect();
    client
        .write_all(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    client.shutdown().await.unwrap();
    let mut bytes = Vec::new();
    client.read_to_end(&mut bytes).await.unwrap();
    assert!(Answer::parse(&bytes).body == big());
    assert!(task.await.unwrap());
}

#[tokio::test]
async fn stopping_finishes_the_answer_that_is_under_way() {
    let site = Site::new();
    let (mut client, stop, task) = site.connect();
    client
        .write_all(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut bytes = vec![0; 1000];
    client.read_exact(&mut bytes).await.unwrap();
    stop.send(()).unwrap();
    client.read_to_end(&mut bytes).await.unwrap();
    assert!(Answer::parse(&bytes).body == big());
    assert!(task.await.unwrap());
}

#[tokio::test]
async fn stopping_ends_an_idle_connection() {
    let site = Site::new();
    let (mut client, stop, task) = site.connect();
    stop.send(()).unwrap();
    let mut bytes = Vec::new();
    assert_eq!(client.read_to_end(&mut bytes).await.unwrap(), 0);
    assert!(task.await.unwrap());
}

#[tokio::test]
async fn noise_is_answered_with_an_error() {
    let site = Site::new();
    for noise in [
        "\u{1}\u{2}\u{3}\r\n\r\n".to_owned(),
        "GET /".to_owned() + &"x".repeat(200_000),
    ] {
        let (client, _stop, task) = site.connect();
        let (mut reader, mut writer) = tokio::io::split(client);
        let writing = tokio::spawn(async move { writer.write_all(noise.as_bytes()).await });
        let mut bytes = Vec::new();
        // It may be cut off while it still talks.
        let _ = reader.read_to_end(&mut bytes).await;
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("HTTP/1.1 4"), "{text}");
        assert!(!task.await.unwrap());
        let _ = writing.await.unwrap();
    }
}

#[tokio::test]
async fn a_file_that_shrinks_while_it_is_sent_is_not_completed() {
    let site = Site::new();
    let (mut client, _stop, task) = site.connect();
    client
        .write_all(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut bytes = vec![0; 1000];
    client.read_exact(&mut bytes).await.unwrap();
    let file = std::fs::File::options()
        .write(true)
        .open(site.root().join("big.bin"))
        .unwrap();
    file.set_len(5000).unwrap();
    client.read_to_end(&mut bytes).await.unwrap();
    assert!(Answer::parse(&bytes).body.len() < 1_000_003);
    assert!(!task.await.unwrap());
}
