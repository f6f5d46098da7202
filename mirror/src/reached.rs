//! How a client reached the mirror, and so how it names it.

use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Version, header};

use crate::platform_host::{DOWNLOAD_HOST, is_platform_host};

/// What a connection is, put into each of its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Channel {
    /// Whether TLS is spoken on it.
    pub(crate) tls: bool,
    /// Whether it was opened through the proxy, to one of WeChat's hosts.
    pub(crate) tunnel: bool,
}

/// The mirror as the client of a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// `scheme://host[:port]`
    pub(crate) base_url: String,
    /// Where links to files of a day lead: in production another host than the API's.
    pub(crate) download_url: String,
}

/// The name in a request: that in its target, else that in its `Host`.
pub(crate) fn named(parts: &Parts) -> Option<Named> {
    let authority = authority(parts)?;
    let channel = channel(parts);
    let proxied = is_absolute(parts);
    let https = if proxied { parts.uri.scheme() == Some(&Scheme::HTTPS) } else { channel.tls };
    let (scheme, usual_port) = if https { ("https", 443) } else { ("http", 80) };
    let base_url = format!("{scheme}://{authority}");
    let is_usual_port = authority.port_u16().is_none_or(|port| port == usual_port);
    let as_in_production = (https || proxied) && is_usual_port && is_platform_host(authority.host());
    let download_url =
        if as_in_production { format!("{scheme}://{DOWNLOAD_HOST}") } else { base_url.clone() };
    Some(Named { base_url, download_url })
}

/// Whether the client believes that it talks to WeChat, which has no `/_mirror`.
pub(crate) fn as_platform(parts: &Parts) -> bool {
    channel(parts).tunnel || authority(parts).is_some_and(|authority| is_platform_host(authority.host()))
}

/// Whether the target is a whole URL, as clients send it to a proxy. In HTTP/2 it always is.
pub(crate) fn is_absolute(parts: &Parts) -> bool {
    parts.version < Version::HTTP_2 && parts.uri.scheme().is_some()
}

fn channel(parts: &Parts) -> Channel {
    parts.extensions.get::<Channel>().copied().unwrap_or_default()
}

fn authority(parts: &Parts) -> Option<Authority> {
    parts.uri.authority().cloned().or_else(|| host(&parts.headers)?.parse().ok())
}

/// The `Host` header, where there is exactly one.
fn host(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::HOST).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    const TLS: Channel = Channel { tls: true, tunnel: false };
    const TUNNEL: Channel = Channel { tls: true, tunnel: true };

    fn parts(target: &str, host: &str, channel: Channel) -> Parts {
        let request = Request::builder().uri(target).header("host", host).extension(channel);
        request.body(()).unwrap().into_parts().0
    }

    fn urls(target: &str, host: &str, channel: Channel) -> (String, String) {
        let named = named(&parts(target, host, channel)).unwrap();
        (named.base_url, named.download_url)
    }

    #[test]
    fn links_lead_to_where_the_client_came_from() {
        let same = |url: &str| (url.to_owned(), url.to_owned());
        let plain = Channel::default();
        let api = "api.mch.weixin.qq.com";
        assert_eq!(urls("/a", "127.0.0.1:80", plain), same("http://127.0.0.1:80"));
        assert_eq!(urls("/a", "localhost:8443", TLS), same("https://localhost:8443"));
        assert_eq!(urls("/a", api, plain), same("http://api.mch.weixin.qq.com"));
        assert_eq!(urls("/a", "api.wechatpay.cn:8443", TLS), same("https://api.wechatpay.cn:8443"));

        let download = |scheme: &str| format!("{scheme}://download-service.wechatpay.cn");
        assert_eq!(urls("/a", api, TLS), (format!("https://{api}"), download("https")));
        assert_eq!(urls("/a", api, TUNNEL), (format!("https://{api}"), download("https")));
        let target = format!("http://{api}/a");
        assert_eq!(urls(&target, "elsewhere", plain), (format!("http://{api}"), download("http")));
        let target = format!("https://{api}/a");
        assert_eq!(urls(&target, api, plain), (format!("https://{api}"), download("https")));
    }

    #[test]
    fn a_request_with_no_usable_name_names_nothing() {
        let named = |request: http::request::Builder| named(&request.body(()).unwrap().into_parts().0);
        assert_eq!(named(Request::builder().uri("/a")), None);
        assert_eq!(named(Request::builder().uri("/a").header("host", "a b")), None);
        assert_eq!(named(Request::builder().uri("/a").header("host", "a").header("host", "b")), None);
    }

    #[test]
    fn the_platform_has_its_names_and_its_tunnels() {
        assert!(as_platform(&parts("/_mirror", "api2.mch.weixin.qq.com:443", TLS)));
        assert!(as_platform(&parts("http://api.weixin.qq.com/_mirror", "localhost", Channel::default())));
        assert!(as_platform(&parts("/_mirror", "localhost", TUNNEL)));
        assert!(!as_platform(&parts("/_mirror", "localhost", TLS)));
    }
}
