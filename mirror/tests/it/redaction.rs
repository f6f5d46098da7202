//! No secret and no user in log output, and no credential in the request log.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::harness::{USER, World, stock_body};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Captured {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn tracing_names_no_user_no_key_and_no_body() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(captured.clone())
        .finish();
    // For the whole process: what the other tests log meanwhile must hold no secret either.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let world = World::new().await;
    let id = world.running_stock(&stock_body("Number1", 10, 1)).await;
    world.give(&id, USER, "Number2").await.ok();
    world.give(&id, USER, "Number3").await.refused(403, "REQUEST_BLOCKED", "用户被限领拦截");
    world.mirror.mark_user_abnormal(USER).await.unwrap();
    let merchant = world.mirror.merchant().clone();
    let debugged = format!("{:?} {:?}", world.mirror, merchant);
    let logged = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    let own: String = logged.lines().filter(|line| line.contains("favor_mirror")).collect();
    assert!(own.contains("coupon.send"));
    let key_line = merchant.private_key_pem.lines().nth(3).unwrap();
    for secret in [USER, "Number2", "Tea 5 off 30", key_line, &merchant.api_v3_key, "signature=\""] {
        assert!(!own.contains(secret), "{secret} is in the log");
    }
    for secret in [key_line, merchant.api_v3_key.as_str(), merchant.app_secret.as_str()] {
        assert!(!debugged.contains(secret), "{secret} is in Debug");
    }
}

#[tokio::test]
async fn the_request_log_keeps_no_credentials() {
    let world = World::new().await;
    let now = world.mirror.now().timestamp();
    let authorization = world.credentials().authorization("GET", "/v3/certificates", now, "");
    let signature = authorization.split("signature=\"").nth(1).unwrap().trim_end_matches('"').to_owned();
    world.get("/v3/certificates").await;
    let log = world.control("GET", "/_mirror/requests", &json!(null)).await;
    let text = String::from_utf8(log.body).unwrap();
    assert!(text.contains("certificates.list"));
    assert!(!text.contains(&signature));
    assert!(!text.contains("WECHATPAY2-SHA256-RSA2048 mchid"));
}
