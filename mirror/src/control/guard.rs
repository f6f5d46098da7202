//! Who may make control calls. They are not authenticated, so only this machine may, and no page of another
//! site in a browser on it.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderName, request};

use super::failure::Failure;
use crate::reached;
use crate::state::App;

const FROM_HERE: &str = "control calls are taken from this machine only";
const TO_HERE: &str = "the Host header names another machine; use the address the mirror printed";
const FROM_A_PAGE: &str = "a page of another site may not make control calls";

pub(crate) async fn local_only(State(app): State<App>, request: Request, next: Next) -> Response {
    let open = app.settings.open_control;
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    if !open && !peer.is_some_and(|peer| peer.is_loopback()) {
        return Failure::forbidden(FROM_HERE).into_response();
    }
    let (parts, body) = request.into_parts();
    if reached::as_platform(&parts) {
        let message = format!(
            "WeChat has no {}; the mirror's own calls are at {}/_mirror",
            parts.uri.path(),
            app.base_url()
        );
        return Failure::not_found(message).into_response();
    }
    if let Err(reason) = check(&parts, app.base_url(), open) {
        return Failure::forbidden(reason).into_response();
    }
    next.run(Request::from_parts(parts, body)).await
}

/// A browser names the host it believes to be calling and the site whose page it shows; other clients name the
/// host alone, or nothing.
fn check(parts: &request::Parts, base_url: &str, open: bool) -> Result<(), &'static str> {
    // A target that is a whole URL goes before the header, as HTTP wants it.
    let host = match (parts.uri.authority(), header(parts, &HOST)) {
        (_, Given::Unreadable) => return Err(TO_HERE),
        (Some(authority), _) => Some(authority.clone()),
        (None, Given::Once(text)) => Some(text.parse::<Authority>().map_err(|_| TO_HERE)?),
        (None, Given::Nothing) => None,
    };
    if let Some(host) = &host
        && !open
        && !is_ours(host, base_url)
    {
        return Err(TO_HERE);
    }
    match header(parts, &ORIGIN) {
        Given::Nothing => Ok(()),
        Given::Unreadable => Err(FROM_A_PAGE),
        Given::Once(origin) => {
            let site = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            let same = site.zip(host).is_some_and(|(site, host)| site.eq_ignore_ascii_case(host.as_str()));
            if same { Ok(()) } else { Err(FROM_A_PAGE) }
        }
    }
}

enum Given<'a> {
    Nothing,
    Once(&'a str),
    Unreadable,
}

fn header<'a>(parts: &'a request::Parts, name: &HeaderName) -> Given<'a> {
    let mut values = parts.headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Given::Nothing,
        (Some(value), None) => value.to_str().map_or(Given::Unreadable, Given::Once),
        (Some(_), Some(_)) => Given::Unreadable,
    }
}

/// A loopback address, a name of this machine that no other can take, or the address the mirror listens on. A
/// foreign name that leads here is a trick of a page to get past the browser.
fn is_ours(host: &Authority, base_url: &str) -> bool {
    let name = host.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
        || name == "localhost"
        || name.ends_with(".localhost")
        || base_url.split_once("://").is_some_and(|(_, ours)| ours.eq_ignore_ascii_case(host.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(headers: &[(&HeaderName, &str)], open: bool) -> Result<(), &'static str> {
        let mut request = http::Request::builder().uri("/_mirror/clock");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        check(&parts, "http://192.168.0.5:7700", open)
    }

    #[test]
    fn hosts_of_this_machine_pass_and_others_do_not() {
        for host in
            ["127.0.0.1:7700", "localhost", "[::1]:80", "127.9.9.9", "a.localhost:1", "192.168.0.5:7700"]
        {
            assert_eq!(checked(&[(&HOST, host)], false), Ok(()), "{host}");
        }
        assert_eq!(checked(&[], false), Ok(()));
        for host in
            ["evil.example:7700", "192.168.0.6:7700", "localhost.evil.example", "a b", "127.0.0.1.nip.io"]
        {
            assert_eq!(checked(&[(&HOST, host)], false), Err(TO_HERE), "{host}");
        }
        assert_eq!(checked(&[(&HOST, "mirror:7700")], true), Ok(()));
        assert_eq!(checked(&[(&HOST, "localhost"), (&HOST, "localhost")], false), Err(TO_HERE));
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let from = |origin: &str, open| checked(&[(&HOST, "localhost:7700"), (&ORIGIN, origin)], open);
        assert_eq!(from("http://localhost:7700", false), Ok(()));
        assert_eq!(from("https://LOCALHOST:7700", false), Ok(()));
        for origin in ["http://localhost:7701", "http://127.0.0.1:7700", "https://evil.example", "null", ""] {
            assert_eq!(from(origin, false), Err(FROM_A_PAGE), "{origin}");
            assert_eq!(from(origin, true), Err(FROM_A_PAGE), "{origin}");
        }
    }
}
