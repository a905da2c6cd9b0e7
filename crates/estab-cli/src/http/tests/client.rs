//! The client, against our server and against servers that misbehave.

use super::support::{Site, big};
use crate::http::client::{Answer, Target, get, save};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

fn target(path: &str) -> Target {
    Target::parse(&format!("http://x:8080{path}")).unwrap()
}

/// What comes of an answer that is given as it is.
async fn against(answer: &'static str) -> anyhow::Result<Vec<u8>> {
    let (client, mut server) = duplex(4096);
    tokio::spawn(async move {
        let mut request = vec![0; 4096];
        let _ = server.read(&mut request).await;
        let _ = server.write_all(answer.as_bytes()).await;
    });
    match get(client, &target("/"), None).await? {
        Answer::Content { response, .. } => {
            let mut out = Vec::new();
            save(response, &mut out, |_, _| {}).await?;
            Ok(out)
        }
        other => anyhow::bail!("{other:?}"),
    }
}

#[tokio::test]
async fn a_file_is_fetched_with_progress() {
    let site = Site::new();
    let (client, _stop, _task) = site.connect();
    let Answer::Content {
        response,
        appends: false,
    } = get(client, &target("/big.bin"), None).await.unwrap()
    else {
        panic!("no content")
    };
    let (mut out, mut seen) = (Vec::new(), Vec::new());
    let len = save(response, &mut out, |len, total| seen.push((len, total)))
        .await
        .unwrap();
    assert!(out == big());
    assert_eq!(len, 1_000_003);
    assert_eq!(seen.last(), Some(&(1_000_003, Some(1_000_003))));
    assert!(seen.is_sorted());
}

#[tokio::test]
async fn a_file_goes_on_where_it_ended() {
    let site = Site::new();
    let (client, _stop, _task) = site.connect();
    let answer = get(client, &target("/digits.txt"), Some(4)).await.unwrap();
    let Answer::Content {
        response,
        appends: true,
    } = answer
    else {
        panic!("{answer:?}")
    };
    let mut out = Vec::new();
    save(response, &mut out, |_, _| {}).await.unwrap();
    assert_eq!(out, b"456789");
    let (client, _stop, _task) = site.connect();
    let answer = get(client, &target("/digits.txt"), Some(10)).await.unwrap();
    assert!(matches!(answer, Answer::Complete), "{answer:?}");
    let (client, _stop, _task) = site.connect();
    let answer = get(client, &target("/digits.txt"), Some(11)).await.unwrap();
    assert!(
        matches!(answer, Answer::Failed(status) if status == 416),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_truncated_body_is_an_error() {
    let error = against("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234")
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("after 5 of 10 bytes"),
        "{error:#}"
    );
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n";
    let error = against(chunked).await.unwrap_err();
    assert!(
        error.to_string().contains("before the end of the body"),
        "{error:#}"
    );
    assert!(against("HTTP/1.1 200 OK\r\nContent-Le").await.is_err());
    assert!(against("").await.is_err());
}

#[tokio::test]
async fn bodies_of_each_kind() {
    let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
    assert_eq!(against(chunked).await.unwrap(), b"abcd");
    assert_eq!(
        against("HTTP/1.0 200 OK\r\n\r\nuntil the end")
            .await
            .unwrap(),
        b"until the end"
    );
    assert_eq!(
        against("HTTP/1.1 204 No Content\r\n\r\n").await.unwrap(),
        b""
    );
}

#[tokio::test]
async fn errors_and_redirects_are_told_apart() {
    let error = against("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("404"), "{error:#}");
    let moved = "HTTP/1.1 301 Moved\r\nLocation: https://x/\r\nContent-Length: 0\r\n\r\n";
    let error = against(moved).await.unwrap_err();
    assert!(error.to_string().contains("only http://"), "{error:#}");
}

#[test]
fn urls() {
    let target = Target::parse("http://[2001:db8::1]:81/a?b").unwrap();
    assert_eq!((target.host(), target.port()), ("2001:db8::1", 81));
    let target = Target::parse("10.0.0.1/x").unwrap();
    assert_eq!((target.host(), target.port()), ("10.0.0.1", 80));
    for bad in [
        "https://x/",
        "ftp://x/",
        "http://",
        "http:///x",
        "",
        "http://a b/",
    ] {
        assert!(Target::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn redirects_lead_where_they_say() {
    let from = Target::parse("http://h:81/a/b?q").unwrap();
    for (location, expected) in [
        ("http://o/x", "http://o/x"),
        ("/x", "http://h:81/x"),
        ("./c/", "http://h:81/a/c/"),
        ("c", "http://h:81/a/c"),
        ("//o:82/x", "http://o:82/x"),
        ("/x#part", "http://h:81/x"),
    ] {
        assert_eq!(
            from.follow(location).unwrap(),
            Target::parse(expected).unwrap(),
            "{location}"
        );
    }
    assert!(from.follow("https://h/").is_err());
}
