//! What there is under `/_mirror`.

use axum::Json;
use http::{Method, Uri};
use serde_json::{Value, json};

use super::failure::Failure;
use crate::rules;

const CALLS: [(&str, &str, &str); 24] = [
    ("GET", "/_mirror", "this list"),
    ("GET", "/_mirror/audit", "recounts everything from the coupons and reports what does not add up"),
    ("GET", "/_mirror/clock", "the test clock"),
    (
        "POST",
        "/_mirror/clock",
        "moves it: {\"advance_seconds\":90}, {\"set\":\"2026-01-01T00:00:00+08:00\"}, {\"freeze\":true}",
    ),
    (
        "GET",
        "/_mirror/coupons/{coupon_id}",
        "a coupon with its user and all that was paid with it and refunded",
    ),
    (
        "POST",
        "/_mirror/coupons/{coupon_id}/redeem",
        "pays with it: {\"total_amount\":3850,\"consume_mchid\":\"1900000109\",\"transaction_id\":\"T1\",\"goods_detail\":[],\"device_no\":\"POS-7\",\"bank_serial\":\"1\"}, each optional",
    ),
    (
        "POST",
        "/_mirror/coupons/{coupon_id}/refund",
        "refunds the order, or a part of it: {\"amount\":1000}; with all of it the coupon is free again",
    ),
    ("GET", "/_mirror/faults", "planned faults and how often each struck"),
    (
        "POST",
        "/_mirror/faults",
        "plans a fault, or a list of them: {\"kind\":\"cut\",\"operation\":\"coupon.send\",\"place\":\"after_commit\"}",
    ),
    ("DELETE", "/_mirror/faults", "takes all faults back"),
    ("DELETE", "/_mirror/faults/{id}", "takes one fault back"),
    ("GET", "/_mirror/healthz", "whether the mirror and its store work"),
    ("GET", "/_mirror/keys", "serials now served, public key, phase"),
    (
        "POST",
        "/_mirror/keys/public-key",
        "{\"phase\":\"off\"|\"grey\"|\"on\"}, and \"certificates_void\":true at the end of the move",
    ),
    (
        "POST",
        "/_mirror/keys/rotate",
        "a new platform certificate that signs from now on; the old ones stay valid",
    ),
    ("GET", "/_mirror/merchants", "merchants and their balances, without secrets"),
    (
        "POST",
        "/_mirror/merchants",
        "adds a merchant and answers its keys: {\"mchid\":\"1900000110\",\"balance_fen\":100000}",
    ),
    ("GET", "/_mirror/requests", "the last requests, newest first; limit, after"),
    (
        "POST",
        "/_mirror/reset",
        "forgets stocks, coupons, users and the log; faults are those of the start, keys and merchants stay",
    ),
    ("GET", "/_mirror/rules", "every rule with its provenance"),
    (
        "POST",
        "/_mirror/stocks/{stock_id}/fill",
        "gives coupons to as many new users and redeems them, in one transaction: {\"rows\":100000}",
    ),
    (
        "POST",
        "/_mirror/stocks/{stock_id}/senders",
        "allows another merchant to send a stock: {\"mchid\":\"1900000110\"}",
    ),
    (
        "POST",
        "/_mirror/users",
        "{\"openid\":\"o1\",\"abnormal\":true,\"risky\":true,\"person\":\"p1\",\"appid\":\"wx1\"}, each optional but the openid",
    ),
    ("*", "/v3/…", "the API itself, signed in both directions"),
];

pub(crate) async fn list() -> Json<Value> {
    let calls: Vec<_> = CALLS
        .iter()
        .map(|(method, path, what)| json!({ "method": method, "path": path, "what": what }))
        .collect();
    Json(json!({ "name": "favor-mirror", "version": env!("CARGO_PKG_VERSION"), "calls": calls }))
}

pub(crate) async fn rules() -> Json<Value> {
    Json(json!({ "rules": rules::all().collect::<Vec<_>>() }))
}

pub(crate) async fn unknown(method: Method, uri: Uri) -> Failure {
    Failure::not_found(format!("there is no {method} {}; GET /_mirror lists what there is", uri.path()))
}
