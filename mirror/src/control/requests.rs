//! The request log.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde_json::{Value, json};

use super::failure::Failure;
use crate::request_log::{LogFilter, Verdict};
use crate::state::App;
use crate::wire_copy::WireCopy;

#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    limit: Option<usize>,
    after: Option<u64>,
    verdict: Option<String>,
    operation: Option<String>,
    mchid: Option<String>,
    q: Option<String>,
}

pub(crate) async fn list(State(app): State<App>, Query(page): Query<Page>) -> Result<Json<Value>, Failure> {
    // An empty field of a form is no condition.
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let filter = LogFilter {
        after: page.after.unwrap_or(0),
        verdict: given(page.verdict).map(|name| verdict(&name)).transpose()?,
        operation: given(page.operation),
        mchid: given(page.mchid),
        text: given(page.q),
    };
    let requests = app.log.filtered(page.limit.unwrap_or(100), &filter);
    let requests: Vec<_> = requests.iter().map(AsRef::as_ref).collect();
    Ok(Json(json!({ "requests": requests })))
}

fn verdict(name: &str) -> Result<Verdict, Failure> {
    let deserializer: StrDeserializer<'_, ValueError> = name.into_deserializer();
    Verdict::deserialize(deserializer).map_err(|error| Failure::bad_request(format!("verdict: {error}")))
}

/// One request, with what went over the wire.
pub(crate) async fn show(State(app): State<App>, Path(id): Path<u64>) -> Result<Json<Value>, Failure> {
    let entry = app.log.find(id).ok_or_else(|| Failure::not_found(format!("the log has no request {id}")))?;
    let mut shown = json!(*entry);
    shown["received"] = wire(&entry.received);
    shown["sent"] = wire(&entry.sent);
    Ok(Json(shown))
}

fn wire(copy: &WireCopy) -> Value {
    let whole = u64::try_from(copy.body().len()).is_ok_and(|kept| kept == copy.body_bytes());
    json!({
        "headers": copy.headers().collect::<Vec<_>>(),
        "body": String::from_utf8_lossy(copy.body()),
        "body_bytes": copy.body_bytes(),
        "cut": !whole,
    })
}
