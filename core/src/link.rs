//! Files behind links that the platform gives (spec §3.22, §7.1, §7.2).

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http::header::CONTENT_LENGTH;

use crate::api_error::{ApiError, Authenticity, request_id};
use crate::call::{Call, Operation};
use crate::client::Client;
use crate::error::Error;
use crate::exchange::Route;
use crate::transport::{ResponseBody, TransportError, TransportFailure};

/// The hosts that may see the Authorization header, beside the client's own (spec §2.1, Appendix A).
const AUTHORIZED_HOSTS: [&str; 5] = [
    "api.mch.weixin.qq.com",
    "api2.mch.weixin.qq.com",
    "api.wechatpay.cn",
    "api2.wechatpay.cn",
    "download-service.wechatpay.cn",
];

/// A file on its way. It carries no signature: check its hash before trusting it.
pub struct FileStream {
    body: ResponseBody,
    total: Option<u64>,
    longest_pause: Duration,
}

impl FileStream {
    /// The size the platform announces, where it does.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The next bytes, or none at the end.
    ///
    /// # Errors
    /// [`Error`] of kind `Interrupted` or `Timeout` when the connection breaks or pauses for too long.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        tokio::time::timeout(self.longest_pause, self.body.chunk())
            .await
            .unwrap_or_else(|_| Err(TransportError::new(TransportFailure::Timeout)))
            .map_err(Error::transport)
    }
}

impl fmt::Debug for FileStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStream").field("total", &self.total).finish_non_exhaustive()
    }
}

impl Client {
    /// Opens the file behind `url`, a link that the platform gave, in one attempt. The request is signed when the
    /// host is WeChat Pay's or the client's own. Any other host is refused, unless `further_hosts` names it: it is
    /// then asked without a signature. Redirects are not followed.
    ///
    /// # Errors
    /// [`Error`]: of kind `Config` for a host that is not allowed, `Decode` for a link that is no link, `Api` when
    /// the answer is an error or a redirect.
    pub async fn open(
        &self,
        operation: &'static Operation,
        url: &str,
        further_hosts: &[String],
    ) -> Result<FileStream, Error> {
        let link = Link::read(url)?;
        let authorize = self.shared.hosts.iter().any(|own| own.eq_ignore_ascii_case(&link.base_url))
            || AUTHORIZED_HOSTS.iter().any(|host| link.base_url.strip_prefix("https://") == Some(host));
        let allowed = link.is_https && further_hosts.iter().any(|host| host.eq_ignore_ascii_case(&link.host));
        if !authorize && !allowed {
            return Err(Error::config(format!(
                "the platform's link leads to {}, which is not a host of WeChat Pay; allow it by name if it is right",
                link.base_url
            )));
        }
        let call = Call::follow(operation, &link.path_and_query);
        let keys = self.keys();
        let exchange = &self.shared.exchange;
        let route = Route {
            base_url: &link.base_url,
            announce: keys.preferred(exchange.clock.now()).map(|(serial, _)| serial),
            language: self.options().language.as_ref(),
            timeout: self.options().attempt_timeout,
            authorize,
        };
        let opened = exchange.open(&call, &route).await;
        let (response, sent) = opened.map_err(|error| error.during(operation, 1))?;
        if response.status.is_success() {
            let length = response.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
            let total = length.and_then(|length| length.parse().ok());
            return Ok(FileStream { body: response.body, total, longest_pause: route.timeout });
        }
        let body = response.body.collect(exchange.largest_answer).await.unwrap_or_default();
        let (status, headers) = (response.status.as_u16(), response.headers);
        let api = ApiError::read(&call, status, &headers, &body, Authenticity::Unsigned);
        Err(Error::from_api(api).with_answer(body, request_id(&headers)).with_sent(sent).during(operation, 1))
    }
}

struct Link {
    base_url: String,
    host: String,
    path_and_query: String,
    is_https: bool,
}

impl Link {
    fn read(url: &str) -> Result<Self, Error> {
        let no_link = || Error::answer_without_meaning("the platform's link is not an http or https URL");
        let uri: Uri = url.parse().map_err(|_| no_link())?;
        let scheme =
            uri.scheme_str().filter(|scheme| matches!(*scheme, "https" | "http")).ok_or_else(no_link)?;
        let authority =
            uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(no_link)?;
        Ok(Self {
            base_url: format!("{scheme}://{}", authority.as_str().to_ascii_lowercase()),
            host: authority.host().to_ascii_lowercase(),
            path_and_query: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            is_https: scheme == "https",
        })
    }
}
