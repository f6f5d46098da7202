//! The mirror as a proxy: it answers for WeChat's hosts itself and lets nothing through to any other.

use std::net::SocketAddr;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Method, StatusCode, Version, header};

use crate::control::failure::Failure;
use crate::platform_host::{PLATFORM_HOSTS, is_platform_host};
use crate::reached::{self, Channel};
use crate::request_log::{Recording, Verdict};
use crate::state::State;

/// What is to be done with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plan {
    /// It is for the mirror: answer it.
    Answer,
    /// Open a tunnel, and be the host at its end.
    Tunnel,
    /// It is for somebody else, for this reason not to be had here.
    Refuse(String),
}

/// Decides by the target. `own` is the mirror's own address.
pub(crate) fn plan(parts: &Parts, channel: Channel, own: SocketAddr) -> Plan {
    if parts.method == Method::CONNECT {
        return connect(parts.uri.authority(), channel, own);
    }
    match parts.uri.authority().filter(|_| reached::is_absolute(parts)) {
        Some(authority) => forward(authority, parts.uri.scheme() == Some(&Scheme::HTTPS), own),
        None => Plan::Answer,
    }
}

fn connect(authority: Option<&Authority>, channel: Channel, own: SocketAddr) -> Plan {
    let Some((authority, port)) = authority.and_then(|one| Some((one, one.port_u16()?))) else {
        return Plan::Refuse("CONNECT needs a host and a port, such as api.mch.weixin.qq.com:443".to_owned());
    };
    if channel.tunnel {
        return Plan::Refuse("there is no tunnel inside a tunnel".to_owned());
    }
    match is_platform_host(authority.host()) {
        true if port == 443 => Plan::Tunnel,
        true => Plan::Refuse(format!("{authority}: WeChat's hosts are served on port 443 only")),
        false => Plan::Refuse(elsewhere(authority, own)),
    }
}

fn forward(authority: &Authority, https: bool, own: SocketAddr) -> Plan {
    let usual = if https { 443 } else { 80 };
    let port = authority.port_u16().unwrap_or(usual);
    match is_platform_host(authority.host()) {
        true if port == usual => Plan::Answer,
        true => Plan::Refuse(format!("{authority}: WeChat's hosts are served on ports 80 and 443 only")),
        false if is_own(authority.host(), port, own) => Plan::Answer,
        false => Plan::Refuse(elsewhere(authority, own)),
    }
}

/// Whether a name is the mirror's own, as far as the mirror can know it.
fn is_own(host: &str, port: u16, own: SocketAddr) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_local = host.eq_ignore_ascii_case("localhost")
        || bare.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback() || ip == own.ip());
    port == own.port() && is_local
}

fn elsewhere(authority: &Authority, own: SocketAddr) -> String {
    if is_own(authority.host(), authority.port_u16().unwrap_or(0), own) {
        return format!(
            "{authority} is this mirror: call it without the proxy (NO_PROXY={})",
            authority.host()
        );
    }
    format!(
        "{authority} is not reached through the mirror: its proxy answers for {} and lets nothing else pass, so \
         that no test touches the real world; what is to be reached directly belongs into NO_PROXY",
        PLATFORM_HOSTS.join(", ")
    )
}

/// The answer to a request for somebody else. It is in the request log too.
pub(crate) fn refuse(app: &State, parts: &Parts, reason: String) -> Response {
    // Not the whole target: its query may be anybody's secret.
    let host = parts.uri.authority().map_or("", Authority::as_str);
    tracing::warn!(method = %parts.method, host, "the proxy refused a request: {reason}");
    let mut recording = Recording::begin(&app.log, app.clocks.wire_now(), parts.method.as_str(), host);
    recording.judge(Verdict::Refused);
    let entry = recording.entry();
    entry.status = Some(StatusCode::FORBIDDEN.as_u16());
    entry.notes.push(reason.clone());
    recording.finish();
    let mut response = Failure::forbidden(reason).into_response();
    if parts.version < Version::HTTP_2 {
        // The client has nothing else to say to this proxy, and a body it sends is not read.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Says to a client that its tunnel is there.
pub(crate) fn established() -> Response {
    Response::new(Body::empty())
}

/// Logs a connection that ended before a request could be read.
pub(crate) fn log_failure(app: &State, host: &str, note: String) {
    let mut recording = Recording::begin(&app.log, app.clocks.wire_now(), Method::CONNECT.as_str(), host);
    recording.entry().notes.push(note);
    recording.finish();
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn own() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 8_080))
    }

    fn planned(method: &str, target: &str) -> Plan {
        let request = Request::builder().method(method).uri(target).body(()).unwrap();
        plan(&request.into_parts().0, Channel::default(), own())
    }

    #[test]
    fn tunnels_lead_to_the_platform_only() {
        for host in PLATFORM_HOSTS {
            assert_eq!(planned("CONNECT", &format!("{host}:443")), Plan::Tunnel, "{host}");
        }
        for (target, word) in [
            ("example.com:443", "NO_PROXY"),
            ("api.mch.weixin.qq.com:80", "port 443 only"),
            ("api.mch.weixin.qq.com.example.com:443", "NO_PROXY"),
            ("127.0.0.1:8080", "is this mirror"),
            ("[::1]:8080", "is this mirror"),
            ("127.0.0.1:8081", "not reached"),
            ("api.mch.weixin.qq.com", "needs a host and a port"),
        ] {
            let Plan::Refuse(reason) = planned("CONNECT", target) else { panic!("{target}") };
            assert!(reason.contains(word), "{reason}");
        }
    }

    #[test]
    fn there_is_no_tunnel_in_a_tunnel() {
        let request = Request::builder().method("CONNECT").uri("api.wechatpay.cn:443").body(()).unwrap();
        let channel = Channel { tls: true, tunnel: true };
        assert!(matches!(plan(&request.into_parts().0, channel, own()), Plan::Refuse(_)));
    }

    #[test]
    fn whole_urls_are_answered_for_the_platform_and_for_the_mirror_itself() {
        for target in [
            "/v3/certificates",
            "http://api.mch.weixin.qq.com/v3/certificates",
            "http://api2.wechatpay.cn:80/",
            "https://api.mch.weixin.qq.com/v3/certificates",
            "http://127.0.0.1:8080/v3/certificates",
            "http://localhost:8080/",
        ] {
            assert_eq!(planned("GET", target), Plan::Answer, "{target}");
        }
        for target in ["http://example.com/", "http://api.mch.weixin.qq.com:443/", "http://localhost/"] {
            assert!(matches!(planned("GET", target), Plan::Refuse(_)), "{target}");
        }
    }
}
