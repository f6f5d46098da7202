//! A transport that plays answers from a script and remembers what was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use favor_core::{
    Clock, HttpRequest, HttpResponse, ManualClock, ResponseBody, Transport, TransportError, TransportFailure,
};
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use tokio::sync::{Semaphore, watch};

use crate::platform::Platform;

/// One request as the transport got it.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) base_url: String,
    pub(crate) path_and_query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) timeout: Duration,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// An item of the `Authorization` header.
    pub(crate) fn authorization(&self, item: &str) -> String {
        let header = self.header("authorization").unwrap();
        let (_, rest) = header.split_once(&format!("{item}=\"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    }

    pub(crate) fn is_download(&self) -> bool {
        self.path_and_query == "/v3/certificates"
    }
}

/// What happens to one request.
pub(crate) struct Play {
    how: How,
    signer: Option<Platform>,
    status: u16,
    body: Bytes,
    edits: Vec<Edit>,
    gate: Option<Arc<Semaphore>>,
}

type Edit = Box<dyn FnOnce(&mut HeaderMap) + Send>;

enum How {
    Answer,
    Cut,
    Fail(TransportFailure),
    Never,
}

impl Play {
    fn new(how: How, status: u16, body: Bytes) -> Self {
        Self { how, signer: None, status, body, edits: Vec::new(), gate: None }
    }

    /// An answer signed when it is given.
    pub(crate) fn signed(platform: &Platform, status: u16, body: impl Into<Bytes>) -> Self {
        Self { signer: Some(platform.clone()), ..Self::new(How::Answer, status, body.into()) }
    }

    /// A good answer, signed by the public key.
    pub(crate) fn ok(body: &'static str) -> Self {
        Self::signed(&Platform::by_public_key(), 200, body)
    }

    /// An answer without signature headers.
    pub(crate) fn unsigned(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(How::Answer, status, body.into())
    }

    /// An error answer as the platform words it, unsigned.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({"code": code, "message": message});
        Self::unsigned(status, body.to_string())
    }

    /// The network fails.
    pub(crate) fn fail(failure: TransportFailure) -> Self {
        Self::new(How::Fail(failure), 0, Bytes::new())
    }

    /// Nothing ever comes back.
    pub(crate) fn never() -> Self {
        Self::new(How::Never, 0, Bytes::new())
    }

    /// The answer's body breaks off at its end.
    pub(crate) fn cut(mut self) -> Self {
        self.how = How::Cut;
        self
    }

    /// With a header set.
    pub(crate) fn header(self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        self.edit(move |headers| {
            headers.insert(HeaderName::from_static(name), value);
        })
    }

    /// With its headers changed after signing.
    pub(crate) fn edit(mut self, edit: impl FnOnce(&mut HeaderMap) + Send + 'static) -> Self {
        self.edits.push(Box::new(edit));
        self
    }

    /// Given only once the gate has a permit.
    pub(crate) fn behind(mut self, gate: &Arc<Semaphore>) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    async fn perform(self, now: i64) -> Result<HttpResponse, TransportError> {
        if let Some(gate) = &self.gate {
            gate.acquire().await.unwrap().forget();
        }
        let broken = || TransportError::new(TransportFailure::Interrupted);
        match self.how {
            How::Never => std::future::pending().await,
            How::Fail(failure) => return Err(TransportError::new(failure).caused_by("scripted")),
            How::Answer | How::Cut => {}
        }
        let mut headers = match &self.signer {
            Some(platform) => platform.headers(now, &self.body),
            None => HeaderMap::new(),
        };
        for edit in self.edits {
            edit(&mut headers);
        }
        let body = if matches!(self.how, How::Cut) {
            ResponseBody::from_stream(futures_util::stream::iter([Ok(self.body), Err(broken())]))
        } else {
            ResponseBody::from(self.body)
        };
        Ok(HttpResponse::new(StatusCode::from_u16(self.status).unwrap(), headers, body))
    }
}

/// The transport. Clones share the script.
#[derive(Clone)]
pub(crate) struct Script(Arc<Shared>);

struct Shared {
    clock: Arc<ManualClock>,
    director: Mutex<Director>,
    seen: watch::Sender<Vec<Seen>>,
}

type Director = Box<dyn FnMut(&Seen) -> Play + Send>;

impl Script {
    pub(crate) fn new(clock: Arc<ManualClock>) -> Self {
        Self(Arc::new(Shared {
            clock,
            director: Mutex::new(Box::new(|_| panic!("the script is empty"))),
            seen: watch::Sender::new(Vec::new()),
        }))
    }

    /// Plays these in order. A request beyond them is a failure of the test.
    pub(crate) fn play(&self, plays: impl IntoIterator<Item = Play>) {
        let mut plays: VecDeque<_> = plays.into_iter().collect();
        self.direct(move |_| plays.pop_front().expect("the client sent more requests than expected"));
    }

    /// Lets `director` choose for each request.
    pub(crate) fn direct(&self, director: impl FnMut(&Seen) -> Play + Send + 'static) {
        *self.0.director.lock().unwrap() = Box::new(director);
    }

    /// All requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.0.seen.borrow().clone()
    }

    /// The only request so far.
    pub(crate) fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "one request was expected");
        seen.into_iter().next().unwrap()
    }

    pub(crate) fn requests(&self) -> usize {
        self.0.seen.borrow().len()
    }

    pub(crate) fn downloads(&self) -> usize {
        self.0.seen.borrow().iter().filter(|seen| seen.is_download()).count()
    }

    /// Completes when there were `count` requests.
    pub(crate) async fn wait_for(&self, count: usize) {
        let mut seen = self.0.seen.subscribe();
        seen.wait_for(|seen| seen.len() >= count).await.unwrap();
    }

    /// How many parties hold the script: its owners, and the client with its background task.
    pub(crate) fn holders(&self) -> usize {
        Arc::strong_count(&self.0)
    }
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

impl Transport for Script {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        let seen = Seen {
            method: request.method,
            base_url: request.base_url,
            path_and_query: request.path_and_query,
            headers: request.headers,
            body: request.body,
            timeout: request.timeout,
        };
        let play = (self.0.director.lock().unwrap())(&seen);
        self.0.seen.send_modify(|all| all.push(seen));
        Box::pin(async move { play.perform(self.0.clock.now().timestamp()).await })
    }
}
