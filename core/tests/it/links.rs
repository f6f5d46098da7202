//! Files behind links: who may be asked, who may see the signature, and how the bytes come.

use std::time::Duration;

use favor_core::{
    Client, Error, ErrorKind, FileStream, Operation, Outcome, RetryPolicy, TransportFailure, Verb,
};

use crate::script::Play;
use crate::world::{HOST, World, assert_error};

static FILE: Operation = Operation::new("bill.download", Verb::Get, "/v3/billdownload/file");
const TOKEN: &str = "a-token-that-opens-the-file";

async fn open(client: &Client, url: &str) -> Result<FileStream, Error> {
    client.open(&FILE, url, &["files.example".to_owned()]).await
}

fn link(base: &str) -> String {
    format!("{base}/v3/billdownload/file?token={TOKEN}&tartype=%67zip")
}

async fn read(mut stream: FileStream) -> Result<Vec<u8>, Error> {
    let mut all = Vec::new();
    while let Some(chunk) = stream.chunk().await? {
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

#[tokio::test]
async fn a_link_is_followed_byte_for_byte_and_signed_for_the_platforms_hosts_only() {
    for (base, signed) in [
        (HOST, true),
        ("https://api.mch.weixin.qq.com", true),
        ("https://api2.mch.weixin.qq.com", true),
        ("https://api.wechatpay.cn", true),
        ("https://api2.wechatpay.cn", true),
        ("https://download-service.wechatpay.cn", true),
        ("https://files.example", false),
    ] {
        let world = World::playing([Play::unsigned(200, "bytes").header("content-length", "5")]);
        let stream = open(&world.client(), &link(base)).await.unwrap();
        assert_eq!(stream.total(), Some(5));
        assert_eq!(read(stream).await.unwrap(), b"bytes");
        let seen = world.script.only();
        assert_eq!((seen.method.as_str(), seen.base_url.as_str()), ("GET", base));
        assert_eq!(seen.path_and_query, format!("/v3/billdownload/file?token={TOKEN}&tartype=%67zip"));
        assert_eq!(seen.header("authorization").is_some(), signed, "{base}");
    }
}

#[tokio::test]
async fn a_link_elsewhere_is_not_followed() {
    let world = World::playing([]);
    for base in [
        "https://evil.example",
        "https://api.mch.weixin.qq.com.evil.example",
        "https://evil.example:443",
        "http://api.mch.weixin.qq.com",
        "http://files.example",
        "https://sub.files.example",
    ] {
        let error = open(&world.client(), &link(base)).await.unwrap_err();
        let expected = format!(
            "the platform's link leads to {base}, which is not a host of WeChat Pay; allow it by name if it is right"
        );
        assert_error(&error, ErrorKind::Config, Outcome::NotSent, &expected);
    }
    for nonsense in [
        "",
        "download://example.csv",
        "/v3/billdownload/file",
        "https://api.mch.weixin.qq.com@evil.example/x",
    ] {
        let error = open(&world.client(), nonsense).await.unwrap_err();
        assert_error(
            &error,
            ErrorKind::Decode,
            Outcome::Unknown,
            "the platform's link is not an http or https URL",
        );
    }
    assert_eq!(world.script.requests(), 0);
}

#[tokio::test]
async fn an_answer_other_than_the_file_is_an_error() {
    for (status, outcome) in
        [(400, Outcome::Refused), (404, Outcome::Refused), (302, Outcome::Unknown), (500, Outcome::Unknown)]
    {
        let play =
            Play::error(status, "PARAM_ERROR", "链接已失效").header("location", "https://evil.example/");
        let world = World::playing([play]);
        let error = open(&world.client(), &link(HOST)).await.unwrap_err();
        let expected = format!("bill.download: the platform answered {status} < PARAM_ERROR: 链接已失效");
        assert_error(&error, ErrorKind::Api, outcome, &expected);
        assert_eq!(world.script.requests(), 1, "one attempt, no redirect");
    }
}

#[tokio::test]
async fn a_file_that_breaks_off_is_an_error_and_not_an_end() {
    let world = World::playing([Play::unsigned(200, "half").cut()]);
    let error = read(open(&world.client(), &link(HOST)).await.unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Interrupted, Outcome::Unknown));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_never_answers_is_given_up() {
    let world = World::playing([Play::never(), Play::fail(TransportFailure::Connect)]);
    let client =
        world.builder().retry(RetryPolicy::DEFAULT).attempt_timeout(Duration::from_secs(5)).build().unwrap();
    let error = open(&client, &link(HOST)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let error = open(&client, &link(HOST)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Connect, Outcome::NotSent));
    assert!(!format!("{error:?}").contains(TOKEN));
}
