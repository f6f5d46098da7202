//! What there is under `/_mirror`.

use axum::Json;
use axum::extract::State;
use http::{Method, Uri};
use serde_json::{Value, json};

use super::failure::Failure;
use super::readings;
use super::routes::ROUTES;
use crate::rules;
use crate::state::App;

pub(crate) async fn list() -> Json<Value> {
    let api = ("*", "/v3/…", "the API itself, signed in both directions");
    let calls: Vec<_> = ROUTES
        .iter()
        .map(|route| (route.method, route.path, route.what))
        .chain([api])
        .map(|(method, path, what)| json!({ "method": method, "path": path, "what": what }))
        .collect();
    Json(json!({ "name": "favor-mirror", "version": env!("CARGO_PKG_VERSION"), "calls": calls }))
}

pub(crate) async fn rules(State(app): State<App>) -> Json<Value> {
    Json(json!({ "rules": rules::all().collect::<Vec<_>>(), "readings": readings::list(&app) }))
}

pub(crate) async fn unknown(method: Method, uri: Uri) -> Failure {
    Failure::not_found(format!("there is no {method} {}; GET /_mirror lists what there is", uri.path()))
}
