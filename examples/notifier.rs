//! What the receiving examples share: a receiver, and a platform that sends it one notification.

#[path = "../callback/tests/support/platform.rs"]
mod platform;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use favor::callback::{Receiver, Recipient};
use favor::core::{Clock, FixedKeys, KeySet, SystemClock};
use favor::prelude::*;

const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000001092026050100";
const API_V3_KEY: &str = "0123456789abcdef0123456789ABCDEF";

/// A receiver in public-key mode. With a client, `Receiver::for_client` is shorter.
pub(crate) fn receiver() -> Result<Receiver, Box<dyn Error>> {
    let key = PublicKey::from_pem(include_str!("../core/tests/it/keys/public-key-public.pem"))?;
    let keys = Arc::new(FixedKeys::new(KeySet::new().with_public_key(PUBLIC_KEY_ID, key)?));
    let merchant = Recipient::new(ApiV3Key::new(API_V3_KEY)?, keys).merchant_id("1900000109".parse()?);
    Ok(Receiver::builder(merchant).build())
}

/// Signs and seals a notification as the platform does, sends it, and gives the status and body of the answer.
pub(crate) async fn notify(address: SocketAddr) -> Result<(u16, String), Box<dyn Error>> {
    let key = include_str!("../core/tests/it/keys/public-key.pem");
    let body = platform::body(API_V3_KEY, "COUPON.USE", platform::USED);
    let now = SystemClock::new().now().timestamp();
    let headers = platform::Platform::new(key, PUBLIC_KEY_ID).headers(now, body.as_bytes());
    let url = format!("http://{address}/wechatpay/coupons");
    let response = reqwest::Client::new().post(url).headers(headers).body(body).send().await?;
    Ok((response.status().as_u16(), response.text().await?))
}
