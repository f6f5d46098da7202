//! The client: the steps of a call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use favor_core::__private::encode_into;
use favor_core::{AppId, Clock, HttpRequest, Transport};
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::Instrument as _;

use crate::access::Access;
use crate::config::ClientBuilder;
use crate::endpoint::Endpoint;
use crate::errcode::ErrCode;
use crate::error::{Error, ErrorKind};
use crate::limits::{Checked, Limits};
use crate::reply::Reply;
use crate::secret::AppSecret;

/// A client for one account. Cheap to clone; clones share token, tickets and connections.
///
/// Each family of calls has a handle made from it, such as [`Cards`](crate::Cards) and [`Codes`](crate::Codes).
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) app_id: AppId,
    pub(crate) secret: AppSecret,
    pub(crate) base_url: String,
    pub(crate) picture_url: String,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timeout: Duration,
    pub(crate) largest_answer: usize,
    pub(crate) user_agent: HeaderValue,
    pub(crate) access: Access,
}

/// One request, ready to be sent: each attempt sends the same bytes.
pub(crate) struct Call {
    endpoint: &'static Endpoint,
    query: Vec<(&'static str, String)>,
    content_type: Option<HeaderValue>,
    body: Bytes,
}

impl Call {
    pub(crate) fn to(endpoint: &'static Endpoint) -> Self {
        Self { endpoint, query: Vec::new(), content_type: None, body: Bytes::new() }
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// A JSON body: raw UTF-8, which the platform insists on (spec §2.0).
    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let json = serde_json::to_vec(body).map_err(|error| {
            favor_core::InvalidRequest::of("body", format!("cannot be written as JSON: {error}"))
        })?;
        self.body = json.into();
        self.content_type = Some(HeaderValue::from_static("application/json; charset=utf-8"));
        Ok(self)
    }

    pub(crate) fn form(mut self, content_type: HeaderValue, body: Bytes) -> Self {
        self.content_type = Some(content_type);
        self.body = body;
        self
    }
}

impl Client {
    /// Begins a client for an account.
    pub fn builder(app_id: AppId, secret: AppSecret) -> ClientBuilder {
        ClientBuilder::new(app_id, secret)
    }

    /// The account.
    pub fn app_id(&self) -> &AppId {
        &self.0.app_id
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// Checks a request, sends it, and reads the answer.
    pub(crate) async fn post<B, T>(&self, endpoint: &'static Endpoint, body: &B) -> Result<Reply<T>, Error>
    where
        B: Checked + Serialize,
        T: DeserializeOwned,
    {
        self.check(body).map_err(|error| error.during(endpoint))?;
        self.call(&Call::to(endpoint).json(body)?).await
    }

    pub(crate) fn check(&self, request: &impl Checked) -> Result<(), Error> {
        let mut limits = Limits::new(self.now());
        request.check(&mut limits);
        Ok(limits.finish()?)
    }

    /// A call without a body.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        endpoint: &'static Endpoint,
    ) -> Result<Reply<T>, Error> {
        self.call(&Call::to(endpoint)).await
    }

    /// Sends a call with an access token; once more with a new one when the platform finds the token stale (spec
    /// §2.4): what it refuses for its token was not carried out.
    pub(crate) async fn call<T: DeserializeOwned>(&self, call: &Call) -> Result<Reply<T>, Error> {
        let span = tracing::info_span!("card call", op = call.endpoint.name);
        let work = async {
            let token = self.token().await.map_err(Error::before_the_call)?;
            match self.attempt(call, Some(token.value.expose())).await {
                Err(error) if error.code().is_some_and(ErrCode::is_stale_token) => {
                    tracing::info!(errcode = error.code().map(ErrCode::number), "the access token is stale");
                    let token = self.token_other_than(&token).await.map_err(Error::before_the_call)?;
                    self.attempt(call, Some(token.value.expose())).await
                }
                result => result,
            }
        };
        let result = work.instrument(span.clone()).await.map_err(|error| error.during(call.endpoint));
        span.in_scope(|| match &result {
            Ok(_) => tracing::debug!("done"),
            Err(error) => tracing::debug!(
                kind = ?error.kind(),
                outcome = %error.outcome(),
                errcode = error.code().map(ErrCode::number),
                "failed"
            ),
        });
        result
    }

    /// Sends once and reads the answer.
    pub(crate) async fn attempt<T: DeserializeOwned>(
        &self,
        call: &Call,
        token: Option<&str>,
    ) -> Result<Reply<T>, Error> {
        let body = self.fetch(&self.0.base_url, call, token, self.0.largest_answer).await?;
        Reply::decode(body, |text| mask(text, token, &self.0.secret, &call.body)).map_err(|error| {
            let error = error.during(call.endpoint);
            if error.kind() == ErrorKind::Decode && error.body().is_some_and(|body| body.is_empty()) {
                tracing::debug!("the answer is empty");
            }
            error
        })
    }

    /// Sends once and takes the bytes of an answer with status 200.
    pub(crate) async fn fetch(
        &self,
        base_url: &str,
        call: &Call,
        token: Option<&str>,
        largest: usize,
    ) -> Result<Bytes, Error> {
        let mut target = call.endpoint.path.to_owned();
        let token = token.map(|token| ("access_token", token));
        let query = token.into_iter().chain(call.query.iter().map(|(name, value)| (*name, value.as_str())));
        for (at, (name, value)) in query.enumerate() {
            target.push(if at == 0 { '?' } else { '&' });
            target.push_str(name);
            target.push('=');
            encode_into(&mut target, value);
        }
        let mut request = HttpRequest::new(call.endpoint.method.clone(), base_url, target);
        request.timeout = self.0.timeout;
        request.headers.insert(USER_AGENT, self.0.user_agent.clone());
        if let Some(content_type) = &call.content_type {
            request.headers.insert(CONTENT_TYPE, content_type.clone());
        }
        if call.endpoint.method == Method::POST {
            request.body = call.body.clone();
        }
        let failed = |error| Error::transport(error).during(call.endpoint);
        let response = self.0.transport.send(request).await.map_err(failed)?;
        let status = response.status.as_u16();
        let body = response.body.collect(largest).await.map_err(failed)?;
        if status == 200 { Ok(body) } else { Err(Error::status_of(status, body).during(call.endpoint)) }
    }
}

/// A text of the platform without what the request held in confidence: token, secret, openids and codes.
fn mask(text: &str, token: Option<&str>, secret: &AppSecret, body: &[u8]) -> String {
    let mut text = text.replace(secret.expose(), "****");
    if let Some(token) = token {
        text = text.replace(token, "****");
    }
    let mut personal = Vec::new();
    find_personal(&serde_json::from_slice(body).unwrap_or_default(), false, &mut personal);
    // The longest first, for one may be a part of another. What is shorter is in any text by chance.
    personal.sort_by_key(|one| std::cmp::Reverse(one.len()));
    for one in personal.iter().filter(|one| one.len() >= 4) {
        text = text.replace(one, "****");
    }
    text
}

const PERSONAL: [&str; 13] = [
    "openid",
    "touser",
    "username",
    "towxname",
    "code",
    "new_code",
    "encrypt_code",
    "membership_number",
    "card_number",
    "activate_ticket",
    "passenger_name",
    "etkt_bnr",
    "qrcode_data",
];

/// Texts of a body under the names of personal data, however deep they lie.
fn find_personal(value: &serde_json::Value, is_personal: bool, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) if is_personal => found.push(text.clone()),
        serde_json::Value::Array(all) => all.iter().for_each(|one| find_personal(one, is_personal, found)),
        serde_json::Value::Object(map) => {
            for (name, value) in map {
                match value {
                    // What `wx.addCard` takes, as JSON in a text.
                    serde_json::Value::String(text) if name == "card_ext" => {
                        find_personal(&serde_json::from_str(text).unwrap_or_default(), false, found);
                    }
                    value => find_personal(value, PERSONAL.contains(&name.as_str()), found),
                }
            }
        }
        _ => {}
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("app_id", &self.0.app_id)
            .field("base_url", &self.0.base_url)
            .finish_non_exhaustive()
    }
}
