//! A receiver of notifications that verifies and opens them on its own.

use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use favor_mirror::{DeliveryRecord, Mirror, NotificationRecord};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::harness::{FAVOR, Reply, World, open};

/// What the receiver answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    Status(u16),
    /// Nothing, ever.
    Hang,
    /// After so many milliseconds, 204.
    Slow(u64),
    /// 200 with a body of so many bytes.
    Long(usize),
}

#[derive(Debug, Default)]
struct Book {
    arrived: Mutex<Vec<Reply>>,
    /// What is answered first; then `usual`.
    script: Mutex<VecDeque<Answer>>,
    usual: Mutex<Option<Answer>>,
    peers: Mutex<HashSet<SocketAddr>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

pub(crate) struct Receiver {
    book: Arc<Book>,
    pub(crate) address: SocketAddr,
    server: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Receiver {
    /// One that answers this, unless told otherwise.
    pub(crate) async fn start(usual: Answer) -> Self {
        let book = Arc::new(Book { usual: Mutex::new(Some(usual)), ..Book::default() });
        let app = Router::new().fallback(take).with_state(Arc::clone(&book));
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { book, address, server }
    }

    pub(crate) fn usually(&self, answer: Answer) {
        *self.book.usual.lock().unwrap() = Some(answer);
    }

    /// What it answers to the next ones, in this order.
    pub(crate) fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.book.script.lock().unwrap().extend(answers);
    }

    /// What has arrived since the last time.
    pub(crate) fn take(&self) -> Vec<Arrival> {
        std::mem::take(&mut *self.book.arrived.lock().unwrap()).into_iter().map(Arrival).collect()
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.book.most_at_once.load(Ordering::SeqCst)
    }

    /// How many connections were used.
    pub(crate) fn connections(&self) -> usize {
        self.book.peers.lock().unwrap().len()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/notify", self.address)
    }

    /// Makes itself the default merchant's address.
    pub(crate) async fn listen_for(&self, world: &World) {
        let body = serde_json::json!({
            "mchid": world.mirror.merchant().mchid, "notify_url": self.url(), "switch": true
        });
        world.call("POST", &format!("{FAVOR}/callbacks"), &body).await.ok();
    }
}

struct AtOnce<'a>(&'a Book);

impl Drop for AtOnce<'_> {
    fn drop(&mut self) {
        self.0.at_once.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn take(
    State(book): State<Arc<Book>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    book.peers.lock().unwrap().insert(peer);
    let now = book.at_once.fetch_add(1, Ordering::SeqCst) + 1;
    book.most_at_once.fetch_max(now, Ordering::SeqCst);
    let _leaves = AtOnce(&book);
    let (parts, body) = request.into_parts();
    assert_eq!((parts.method.as_str(), parts.uri.path()), ("POST", "/notify"));
    let body: Bytes = to_bytes(body, 1 << 20).await.unwrap();
    book.arrived.lock().unwrap().push(Reply { status: 0, headers: parts.headers, body: body.to_vec() });
    let planned = book.script.lock().unwrap().pop_front();
    let answer = planned.or(*book.usual.lock().unwrap()).unwrap();
    match answer {
        Answer::Status(status @ 300..400) => {
            (StatusCode::from_u16(status).unwrap(), [("location", "/elsewhere")]).into_response()
        }
        Answer::Status(status) => (StatusCode::from_u16(status).unwrap(), "ok").into_response(),
        Answer::Long(bytes) => "x".repeat(bytes).into_response(),
        Answer::Hang => std::future::pending().await,
        Answer::Slow(millis) => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            StatusCode::NO_CONTENT.into_response()
        }
    }
}

/// A notification as it arrived.
#[derive(Debug)]
pub(crate) struct Arrival(pub(crate) Reply);

impl Arrival {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.0.header(name).unwrap_or_default()
    }

    pub(crate) fn id(&self) -> String {
        self.0.json()["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn timestamp(&self) -> i64 {
        self.header("wechatpay-timestamp").parse().unwrap()
    }

    /// Whether the key named by the serial has signed it, and is one that merchants can know.
    pub(crate) fn is_genuine(&self, mirror: &Mirror) -> bool {
        let serial = self.header("wechatpay-serial");
        let public = mirror.public_key();
        if serial == public.id {
            return self.0.is_signed_by(&public.pem);
        }
        let known = mirror.platform_certificates();
        known.iter().any(|known| known.serial_no == serial && self.0.is_signed_by(&known.pem))
    }

    /// The sealed part.
    pub(crate) fn resource(&self, world: &World) -> Value {
        let key = &world.mirror.merchant().api_v3_key;
        serde_json::from_str(&open(key, &self.0.json()["resource"]).unwrap()).unwrap()
    }
}

/// The newest notification in the log.
pub(crate) async fn newest(world: &World) -> NotificationRecord {
    world.mirror.notifications(1, 0).await.unwrap().remove(0)
}

/// Seconds after the first delivery of each.
pub(crate) fn offsets(deliveries: &[DeliveryRecord]) -> Vec<i64> {
    let first = deliveries[0].time;
    deliveries.iter().map(|delivery| (delivery.time - first).num_seconds()).collect()
}
