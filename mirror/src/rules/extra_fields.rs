//! Fields of a body that the documentation does not name. They are ignored unless a reading asks otherwise.

use serde_json::{Map, Value, json};

use super::{Refusal, rules};

rules! {
    EXTRA_FIELD = "parameter.extra_field", Assumed, "5.1", 400 "PARAM_ERROR"
        "参数错误，请核对文档要求", 270_924_358,
        "a body has only documented fields; the reading extra_fields asks for this answer";
}

const CREATOR: &str = "stock_creator_mchid";

/// The fields of a body's outermost object, for endpoints that take JSON.
fn documented(operation: &str) -> Option<&'static [&'static str]> {
    Some(match operation {
        "stock.create" => &[
            "stock_name",
            "comment",
            "belong_merchant",
            "available_begin_time",
            "available_end_time",
            "stock_use_rule",
            "pattern_info",
            "coupon_use_rule",
            "no_cash",
            "stock_type",
            "out_request_no",
            "ext_info",
        ],
        "stock.start" | "stock.pause" | "stock.restart" | "stock.stop" => &[CREATOR],
        "stock.modify_items" => &[CREATOR, "add_goods_id_list", "delete_goods_id_list"],
        "stock.modify_merchants" => &[CREATOR, "add_mchid_list", "delete_mchid_list"],
        "stock.modify_budget" => &[CREATOR, "target_max_amount", "current_max_amount"],
        "stock.modify_daily_budget" => &[CREATOR, "max_amount_by_day"],
        "coupon.send" => &["stock_id", "out_request_no", "appid", CREATOR, "coupon_value", "coupon_minimum"],
        "callback.set" => &["mchid", "notify_url", "switch"],
        _ => return None,
    })
}

/// Refuses a body with a field that the endpoint does not document. What is no JSON is refused elsewhere.
pub(crate) fn check(operation: &str, body: &[u8]) -> Result<(), Refusal> {
    let Some(documented) = documented(operation) else { return Ok(()) };
    let Ok(fields) = serde_json::from_slice::<Map<String, Value>>(body) else { return Ok(()) };
    match fields.iter().find(|(key, _)| !documented.contains(&key.as_str())) {
        Some((key, value)) => Err(Refusal::from(&EXTRA_FIELD).with_detail(json!({
            "field": format!("/{key}"),
            "value": value,
            "issue": "illegal extra parameter",
            "location": "body",
        }))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::OPERATIONS;
    use http::Method;

    #[test]
    fn only_documented_fields_pass() {
        let of = |operation, body: &str| check(operation, body.as_bytes()).map_err(|refusal| refusal.detail);
        assert_eq!(of("stock.start", r#"{"stock_creator_mchid":"1"}"#), Ok(()));
        assert_eq!(of("stock.start", "not JSON"), Ok(()));
        assert_eq!(of("stock.get", r#"{"x":1}"#), Ok(()));
        let detail = of("coupon.send", r#"{"stock_id":"1","openid":"o"}"#).unwrap_err().unwrap();
        assert_eq!((&detail["field"], &detail["value"]), (&json!("/openid"), &json!("o")));
    }

    #[test]
    fn every_endpoint_that_takes_json_is_known() {
        for operation in OPERATIONS.iter().filter(|operation| operation.method != Method::GET) {
            assert!(
                documented(operation.name).is_some() || operation.name == "image.upload",
                "{operation:?}"
            );
        }
    }
}
