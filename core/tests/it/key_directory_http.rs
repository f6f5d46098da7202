//! Keys read from the daemon's endpoint, on a scripted network.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use favor_core::{
    HttpKeys, HttpRequest, HttpResponse, KeyStore, Lookup, ManualClock, Refresh, Release, ResponseBody,
    Serial, Transport, TransportError, TransportFailure,
};
use futures_util::future::BoxFuture;
use http::{HeaderMap, StatusCode};

use crate::key_directory::{merchant, publish};
use crate::platform::{SERIAL_1, SERIAL_2, certificate_1, certificate_2};
use crate::world::{settle, start};

/// A daemon that answers with the last thing it was given, and notes what it was asked.
#[derive(Clone, Debug, Default)]
struct Daemon {
    answer: Arc<Mutex<Option<(u16, String)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Daemon {
    fn answers(&self, status: u16, body: impl Into<String>) {
        *self.answer.lock().unwrap() = Some((status, body.into()));
    }

    fn is_away(&self) {
        *self.answer.lock().unwrap() = None;
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl Transport for Daemon {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        self.asked.lock().unwrap().push(request.path_and_query);
        let answer = self.answer.lock().unwrap().clone();
        Box::pin(async move {
            let (status, body) = answer.ok_or_else(|| TransportError::new(TransportFailure::Connect))?;
            let status = StatusCode::from_u16(status).unwrap();
            Ok(HttpResponse::new(status, HeaderMap::new(), ResponseBody::from(Bytes::from(body))))
        })
    }
}

fn release(generation: u64, pems: &[&str]) -> Release {
    let root = tempfile::tempdir().unwrap();
    publish(root.path(), generation, pems, false);
    Release::read(root.path(), &merchant()).unwrap()
}

fn knows(keys: &HttpKeys, serial: &str) -> bool {
    keys.keys().find(&Serial::new(serial), start()) != Lookup::Unknown
}

#[tokio::test]
async fn a_reader_waits_at_the_daemon_and_keeps_what_it_has() {
    let (first, second) = (certificate_1(-1, 100), certificate_2(-1, 100));
    let daemon = Daemon::default();
    daemon.answers(200, release(7, &[&first]).to_json());
    let clock = Arc::new(ManualClock::new(start()));
    let open = || HttpKeys::builder("http://127.0.0.1:9180", merchant(), daemon.clone()).clock(clock.clone());
    let keys = open().open().await.unwrap();
    assert_eq!(daemon.asked(), ["/v1/keys?mchid=1900000109"]);
    daemon.answers(304, "");
    assert!(knows(&keys, SERIAL_1));
    clock.wait_for_sleepers(1).await;
    let content = keys.release().unwrap().manifest().content.clone();
    let waiting = format!("/v1/keys?mchid=1900000109&generation=7&content={content}&wait=25");
    assert_eq!(daemon.asked(), [waiting]);

    let poll = async || {
        clock.advance(Duration::from_secs(3));
        settle().await;
        clock.wait_for_sleepers(1).await;
    };
    for (status, body) in [(200, "nonsense"), (500, ""), (404, ""), (200, "{\"manifest\":{},\"files\":{}}")] {
        daemon.answers(status, body);
        poll().await;
        assert!(knows(&keys, SERIAL_1), "{status} {body}");
    }
    daemon.is_away();
    poll().await;
    assert!(knows(&keys, SERIAL_1));
    daemon.answers(200, release(6, &[&second]).to_json());
    poll().await;
    assert!(!knows(&keys, SERIAL_2), "went back");
    daemon.answers(200, release(8, &[&second, &first]).to_json());
    poll().await;
    assert!(knows(&keys, SERIAL_1) && knows(&keys, SERIAL_2));

    daemon.asked();
    keys.refresh(Refresh::UnknownSerial(Serial::new("A&B"))).await.unwrap();
    keys.refresh(Refresh::UnknownSerial(Serial::new("CD"))).await.unwrap();
    let asked = daemon.asked();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert_eq!(asked[1], "/v1/keys?mchid=1900000109&serial=A%26B", "once a minute, and encoded");
}

#[tokio::test]
async fn a_reader_refuses_plain_http_to_another_machine() {
    let open = |url: &str| HttpKeys::builder(url, merchant(), Daemon::default()).open_empty();
    let error = open("http://10.0.0.9:9180").unwrap_err().to_string();
    assert!(error.contains("plain http"), "{error}");
    open("https://keys.internal:9180").unwrap();
    let keys = open("http://localhost:9180").unwrap();
    assert!(keys.refresh(Refresh::NoKeys).await.is_err());
    assert!(keys.keys().is_empty());
}
