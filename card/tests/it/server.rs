//! The platform's side: it gives out tokens, refuses stale ones, and answers each path as a test says.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use favor_card::{AppId, AppSecret, CardId, Client, ClientBuilder, Code, OpenId};
use serde_json::{Value, json};

/// How long a request may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const APP_ID: &str = "wx1234567890abcdef";
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const OPENID: &str = "oTESTopenid00000000000000001";

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

type Answer = Arc<dyn Fn(&Seen) -> (u16, Bytes) + Send + Sync>;

#[derive(Default)]
struct Desk {
    answers: Mutex<HashMap<String, Answer>>,
    seen: Mutex<Vec<Seen>>,
    /// The number of the only good token; 0 before the first.
    good: AtomicU64,
    /// How many tokens were given out.
    given: AtomicU64,
}

/// The server. It ends with the test's runtime.
pub(crate) struct Server {
    pub(crate) url: String,
    desk: Arc<Desk>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let desk = Arc::new(Desk::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(serve).with_state(Arc::clone(&desk));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, desk }
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        let secret = AppSecret::new(SECRET).unwrap();
        Client::builder(AppId::new(APP_ID).unwrap(), secret).base_url(&self.url).timeout(PATIENCE)
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    /// Answers a path with 200 and this body from now on.
    pub(crate) fn answer(&self, path: &str, body: impl Into<String>) {
        let body = body.into();
        self.direct(path, move |_| (200, body.clone()));
    }

    /// Answers a path as `director` says from now on, whatever token it carries.
    pub(crate) fn direct(
        &self,
        path: &str,
        director: impl Fn(&Seen) -> (u16, String) + Send + Sync + 'static,
    ) {
        let director = move |seen: &Seen| {
            let (status, body) = director(seen);
            (status, Bytes::from(body))
        };
        self.desk.answers.lock().unwrap().insert(path.to_owned(), Arc::new(director));
    }

    /// Answers a path with 200 and these bytes from now on.
    pub(crate) fn raw(&self, path: &str, body: &'static [u8]) {
        let director = move |_: &Seen| (200, Bytes::from_static(body));
        self.desk.answers.lock().unwrap().insert(path.to_owned(), Arc::new(director));
    }

    /// Makes the token of now stale.
    pub(crate) fn forget_token(&self) {
        self.desk.good.store(0, Ordering::SeqCst);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.desk.seen.lock().unwrap().clone()
    }

    /// How many requests a path has had.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.seen().iter().filter(|seen| seen.path == path).count()
    }

    /// The last request that was not for a token.
    pub(crate) fn last(&self) -> Seen {
        let seen = self.seen();
        seen.into_iter().rfind(|seen| !seen.path.ends_with("token")).unwrap()
    }
}

async fn serve(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 16 << 20).await.unwrap();
    let content_type = head.headers.get("content-type").map(|value| value.to_str().unwrap().to_owned());
    let seen = Seen {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        content_type: content_type.unwrap_or_default(),
        body,
    };
    desk.seen.lock().unwrap().push(seen.clone());
    let director = desk.answers.lock().unwrap().get(&seen.path).cloned();
    let (status, body) = match (seen.path.as_str(), director) {
        ("/cgi-bin/token" | "/cgi-bin/stable_token", None) => (200, give(&desk, &seen).into()),
        (path, Some(director)) if path.ends_with("token") || path.ends_with("showqrcode") => director(&seen),
        (_, Some(director)) if is_good(&desk, &seen) => director(&seen),
        (_, Some(_)) => {
            let errmsg = "invalid credential, access_token is invalid or not latest rid: 1-2-3";
            (200, json!({"errcode": 40001, "errmsg": errmsg}).to_string().into())
        }
        (_, None) => (404, Bytes::from_static(b"no such path in this test")),
    };
    (StatusCode::from_u16(status).unwrap(), [("content-type", "text/plain")], body).into_response()
}

/// A new token each time by the basic call, the same by the stable one unless it is forced.
fn give(desk: &Desk, seen: &Seen) -> String {
    let good = desk.good.load(Ordering::SeqCst);
    let is_new = good == 0 || seen.path == "/cgi-bin/token" || seen.json()["force_refresh"] == true;
    let number = if is_new { desk.given.fetch_add(1, Ordering::SeqCst) + 1 } else { good };
    desk.good.store(number, Ordering::SeqCst);
    json!({"access_token": token(number), "expires_in": 7200}).to_string()
}

/// A token that needs percent-encoding.
pub(crate) fn token(number: u64) -> String {
    format!("68_TOKEN+{number}/=")
}

fn is_good(desk: &Desk, seen: &Seen) -> bool {
    let encoded =
        token(desk.good.load(Ordering::SeqCst)).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    seen.query.split('&').any(|pair| pair == format!("access_token={encoded}"))
}

pub(crate) fn card_id(number: u32) -> CardId {
    CardId::new(format!("pTESTcard{number:019}")).unwrap()
}

pub(crate) fn code(text: &str) -> Code {
    Code::new(text).unwrap()
}

pub(crate) fn openid() -> OpenId {
    OpenId::new(OPENID).unwrap()
}

pub(crate) const OK: &str = r#"{"errcode":0,"errmsg":"ok"}"#;

/// An error with all its causes, as a report prints it.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
