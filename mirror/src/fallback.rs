//! Paths that are no endpoint.

use http::{Method, Uri};

use crate::answer::Answer;
use crate::nearest_path::nearest;
use crate::operation::{Match, OPERATIONS};
use crate::parameters;
use crate::rules::Refusal;
use crate::rules::edge::NO_SUCH_PATH;
use crate::rules::parameter::Field;

/// Says what is wrong with the path: a part of it is empty, or there is no such endpoint.
pub(crate) async fn not_found(method: Method, uri: Uri) -> Answer {
    let path = uri.path();
    let empty =
        OPERATIONS.iter().filter(|operation| operation.method == method).find_map(
            |operation| match operation.matches(path) {
                Match::EmptyParameter(name) => Some(name),
                Match::Exact | Match::Different => None,
            },
        );
    match empty {
        Some(name) => parameters::empty_path(field(name)).into(),
        None => {
            let nearest = nearest(&method, path);
            let mut refusal = Refusal::from(&NO_SUCH_PATH);
            if let Some(endpoint) = nearest.endpoint {
                let message = format!("{}，最接近的接口是 {endpoint}", refusal.message());
                refusal = refusal.with_message(message);
            }
            Answer::from(refusal).with_note(nearest.note)
        }
    }
}

fn field(name: &'static str) -> Field {
    match name {
        "stock_id" => Field::new(name, "批次id"),
        "openid" => Field::new(name, "用户openid"),
        "coupon_id" => Field::new(name, "券id"),
        other => Field::new(other, other),
    }
}
