//! `GET /v3/certificates`.

use axum::Extension;
use axum::extract::State;
use serde::Serialize;

use crate::aead;
use crate::answer::Answer;
use crate::exchange::Call;
use crate::parameters;
use crate::rules::Refusal;
use crate::rules::parameter::Field;
use crate::rules::platform::{ALGORITHM, NO_CERTIFICATES};
use crate::state::App;

const ALGORITHM_TYPE: Field = Field::new("algorithm_type", "算法类型");
const ASSOCIATED_DATA: &str = "certificate";

#[derive(Serialize)]
struct List {
    data: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    serial_no: String,
    effective_time: String,
    expire_time: String,
    encrypt_certificate: Encrypted,
}

#[derive(Serialize)]
struct Encrypted {
    algorithm: &'static str,
    nonce: String,
    associated_data: &'static str,
    ciphertext: String,
}

/// The certificates in force, each sealed under the merchant's APIv3 key.
pub(crate) async fn list(State(app): State<App>, Extension(call): Extension<Call>) -> Result<Answer, Answer> {
    let rsa = match parameters::query(&call, ALGORITHM_TYPE).as_deref() {
        None | Some("RSA" | "ALL") => true,
        Some("SM2") => false,
        Some(_) => return Err(Refusal::from(&ALGORITHM).into()),
    };
    let merchant = &call.merchant;
    let platform = app.platform();
    let data: Vec<_> = platform
        .served(app.clocks.both())
        .filter(|_| rsa && !merchant.public_key_only)
        .map(|known| {
            let sealed = aead::seal(&merchant.api_v3_key, ASSOCIATED_DATA, &known.certificate_pem);
            Entry {
                serial_no: known.serial_no.clone(),
                effective_time: known.validity.not_before.rfc3339(),
                expire_time: known.validity.not_after.rfc3339(),
                encrypt_certificate: Encrypted {
                    algorithm: aead::ALGORITHM,
                    nonce: sealed.nonce,
                    associated_data: ASSOCIATED_DATA,
                    ciphertext: sealed.ciphertext,
                },
            }
        })
        .collect();
    if data.is_empty() {
        return Err(Refusal::from(&NO_CERTIFICATES).into());
    }
    Ok(Answer::ok(&List { data }))
}
