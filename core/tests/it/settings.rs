//! What the builder accepts and refuses.

use favor_core::{BACKUP_URL, Client, ErrorKind, MAIN_URL, Outcome, PlatformKeys};

use crate::calls::get;
use crate::platform::public_key_set;
use crate::script::Play;
use crate::world::{BACKUP, World, assert_error, signer};

/// Where a call goes with this base URL.
async fn base_url_for(url: &str) -> String {
    let world = World::playing([Play::ok("{}")]);
    let client = world.builder().base_url(url).build().unwrap_or_else(|error| panic!("{url}: {error}"));
    client.execute(&get()).await.unwrap();
    world.script.only().base_url
}

#[tokio::test]
async fn a_base_url_is_scheme_host_and_port_in_its_normal_form() {
    for (url, expected) in [
        ("https://api.mch.weixin.qq.com", "https://api.mch.weixin.qq.com"),
        (" https://api.mch.weixin.qq.com/ ", "https://api.mch.weixin.qq.com"),
        ("https://API.Mch.weixin.qq.com:8443", "https://api.mch.weixin.qq.com:8443"),
        ("https://api.mch.weixin.qq.com:443", "https://api.mch.weixin.qq.com"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://localhost:80", "http://localhost"),
        ("http://LOCALHOST", "http://localhost"),
        ("http://localhost:443", "http://localhost:443"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ] {
        assert_eq!(base_url_for(url).await, expected, "{url}");
    }
}

#[test]
fn a_base_url_that_cannot_work_is_refused() {
    for (url, what) in [
        ("", "is malformed"),
        ("https://", "needs a scheme and a host"),
        ("https://api.mch.weixin.qq.com:99999", "is malformed"),
        ("https://a b", "is malformed"),
        ("https://支付.example", "is malformed"),
        ("api.mch.weixin.qq.com", "needs a scheme and a host"),
        ("/v3", "needs a scheme and a host"),
        ("https://api.mch.weixin.qq.com/v3", "must have no path, query or user name"),
        ("https://api.mch.weixin.qq.com?a=1", "must have no path, query or user name"),
        ("https://user:hunter2@api.mch.weixin.qq.com", "must have no path, query or user name"),
        ("ftp://api.mch.weixin.qq.com", "must be https"),
        (
            "http://api.mch.weixin.qq.com",
            "is plain http to another machine, which would show the coupons to everybody",
        ),
        (
            "http://10.0.0.7:8080",
            "is plain http to another machine, which would show the coupons to everybody",
        ),
        (
            "http://localhost.example.com",
            "is plain http to another machine, which would show the coupons to everybody",
        ),
        (
            "http://127.0.0.1.example.com",
            "is plain http to another machine, which would show the coupons to everybody",
        ),
    ] {
        let expected = format!("the base URL {what}; it should look like https://api.mch.weixin.qq.com");
        let world = World::jumping();
        let error = world.builder().base_url(url).build().unwrap_err();
        assert_error(&error, ErrorKind::Config, Outcome::NotSent, &expected);
        assert_eq!(error.hint(), "correct the settings");
        let error = world.builder().backup_url(url).build().unwrap_err();
        assert_error(&error, ErrorKind::Config, Outcome::NotSent, &expected);
    }
}

#[tokio::test]
async fn plain_http_to_another_machine_must_be_asked_for() {
    let world = World::playing([Play::ok("{}")]);
    let builder = world.builder().base_url("http://10.0.0.7:8080").dangerous_plain_http();
    builder.build().unwrap().execute(&get()).await.unwrap();
    assert_eq!(world.script.only().base_url, "http://10.0.0.7:8080");
}

/// The hosts of two attempts.
async fn hosts(builder: favor_core::ClientBuilder, world: &World) -> Vec<String> {
    world.script.play([Play::fail(favor_core::TransportFailure::Connect), Play::ok("{}")]);
    let client = builder.transport(world.script.clone()).clock(world.clock.clone()).build().unwrap();
    client.execute(&get()).await.unwrap();
    world.script.seen().into_iter().map(|seen| seen.base_url).collect()
}

#[tokio::test]
async fn production_has_its_backup_host_and_others_only_what_is_set() {
    let builder = || Client::builder(signer(), PlatformKeys::fixed(public_key_set()));
    let own = "https://mirror.test";
    for (builder, expected) in [
        (builder(), [MAIN_URL, BACKUP_URL]),
        (builder().base_url(own), [own, own]),
        (builder().base_url(own).backup_url(BACKUP), [own, BACKUP]),
        (builder().backup_url(BACKUP), [MAIN_URL, BACKUP]),
    ] {
        assert_eq!(hosts(builder, &World::jumping()).await, expected);
    }
}

#[test]
fn header_values_are_checked_when_the_client_is_built() {
    let world = World::jumping();
    for (builder, what) in [
        (world.builder().user_agent("shop\r\nX: y"), "user agent"),
        (world.builder().language("en\n"), "language"),
    ] {
        let expected = format!("the {what} cannot be a header value");
        assert_error(&builder.build().unwrap_err(), ErrorKind::Config, Outcome::NotSent, &expected);
    }
}

#[cfg(not(feature = "http-transport"))]
#[test]
fn a_build_without_a_transport_says_so() {
    let error = Client::builder(signer(), PlatformKeys::fixed(public_key_set())).build().unwrap_err();
    assert_error(
        &error,
        ErrorKind::Config,
        Outcome::NotSent,
        "this build has no transport: enable the feature `reqwest`, or set a transport",
    );
}
