//! The same work by the libraries alone: aws-lc verifies, aes-gcm opens, serde decodes. Keys are prepared; nothing else
//! is checked.

use std::borrow::Cow;
use std::error::Error;
use std::hint::black_box;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use favor::callback::CouponEvent;
use serde::Deserialize;

use crate::notifications::{API_V3_KEY, PUBLIC_KEY, Request};

pub(crate) struct Bare {
    key: ParsedPublicKey,
    cipher: Aes256Gcm,
}

/// The fields of a notification.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    create_time: Cow<'a, str>,
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    summary: Cow<'a, str>,
    #[serde(borrow)]
    resource: Resource<'a>,
}

#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow)]
    algorithm: Cow<'a, str>,
    #[serde(borrow)]
    ciphertext: Cow<'a, str>,
    #[serde(borrow)]
    nonce: Cow<'a, str>,
    #[serde(borrow)]
    associated_data: Cow<'a, str>,
}

impl Bare {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let spki = pem::parse(PUBLIC_KEY)?.into_contents();
        let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &spki).map_err(|_| "the key")?;
        let cipher = Aes256Gcm::new_from_slice(API_V3_KEY.as_bytes()).map_err(|_| "the APIv3 key")?;
        Ok(Self { key, cipher })
    }

    pub(crate) fn receive(&self, request: &Request) -> Result<(), Box<dyn Error>> {
        let mut message = Vec::with_capacity(request.body.len() + 64);
        for line in [&request.headers["wechatpay-timestamp"], &request.headers["wechatpay-nonce"]] {
            message.extend_from_slice(line.as_bytes());
            message.push(b'\n');
        }
        message.extend_from_slice(&request.body);
        message.push(b'\n');
        let signature = STANDARD.decode(&request.headers["wechatpay-signature"])?;
        self.key.verify_sig(&message, &signature).map_err(|_| "the signature does not hold")?;
        let envelope: Envelope<'_> = serde_json::from_slice(&request.body)?;
        let sealed = &envelope.resource;
        let ciphertext = STANDARD.decode(&*sealed.ciphertext)?;
        let nonce = Nonce::try_from(sealed.nonce.as_bytes())?;
        let payload = Payload { msg: &ciphertext, aad: sealed.associated_data.as_bytes() };
        let plaintext = self.cipher.decrypt(&nonce, payload).map_err(|_| "the tag does not hold")?;
        let coupon: CouponEvent = serde_json::from_slice(&plaintext)?;
        black_box((&envelope.id, &envelope.create_time, &envelope.event_type, &envelope.summary));
        black_box((&sealed.algorithm, coupon));
        Ok(())
    }
}
