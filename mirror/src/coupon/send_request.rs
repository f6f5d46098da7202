//! The body of a send request.

use serde_json::{Map, Value};

use crate::canonical;
use crate::fields::Fields;
use crate::rules::parameter::{FORMAT, Field, REQUIRED, TYPE, is_request_number};
use crate::rules::send::VALUE_NOT_OPEN;
use crate::rules::{Refusal, ensure};
use crate::stock::stock_id;

const STOCK_ID: Field = Field::new("stock_id", "批次id");
const OUT_REQUEST_NO: Field = Field::new("out_request_no", "商户单据号");
const APPID: Field = Field::new("appid", "公众账号ID").with_required("appid必填");
const CREATOR: Field = Field::new("stock_creator_mchid", "创建批次的商户号").with_required("商户号必填");

/// A coupon asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SendRequest {
    pub(crate) openid: String,
    /// `None` when the text cannot be the id of any stock.
    pub(crate) stock_id: Option<i64>,
    pub(crate) out_request_no: String,
    pub(crate) appid: String,
    pub(crate) stock_creator_mchid: String,
    /// Equal for requests with the same content for the same user.
    pub(crate) digest: Vec<u8>,
}

impl SendRequest {
    pub(crate) fn read(openid: String, body: &Map<String, Value>) -> Result<Self, Refusal> {
        let fields = Fields::body(body);
        let stock = fields.required_text(STOCK_ID, 20).map_err(|refusal| {
            // Production was seen to call a number here a missing field.
            let missing = || fields.fault(&REQUIRED, STOCK_ID, "此字段为必填项");
            if refusal.rule == &TYPE { missing() } else { refusal }
        })?;
        let out_request_no = fields.required_text(OUT_REQUEST_NO, 128)?;
        if !is_request_number(out_request_no) {
            return Err(fields.fault(&FORMAT, OUT_REQUEST_NO, "只能含字母、数字和|_*-"));
        }
        let appid = fields.required_text(APPID, 128)?;
        let creator = fields.required_text(CREATOR, 20)?;
        ensure(!fields.has("coupon_value") && !fields.has("coupon_minimum"), &VALUE_NOT_OPEN)?;
        Ok(Self {
            stock_id: stock_id(stock),
            out_request_no: out_request_no.to_owned(),
            appid: appid.to_owned(),
            stock_creator_mchid: creator.to_owned(),
            digest: canonical::digest(&openid, &Value::Object(body.clone())),
            openid,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body() -> Value {
        json!({"stock_id": "15300001", "out_request_no": "1900000109_1", "appid": "wx1",
               "stock_creator_mchid": "1900000109"})
    }

    fn read(body: &Value) -> Result<SendRequest, Refusal> {
        SendRequest::read("o1".into(), body.as_object().unwrap())
    }

    #[test]
    fn every_field_is_required_each_with_its_own_words() {
        for (key, message) in [
            ("stock_id", "参数“批次id”是必填项"),
            ("out_request_no", "参数“商户单据号”是必填项"),
            ("appid", "appid必填"),
            ("stock_creator_mchid", "商户号必填"),
        ] {
            for missing in [Value::Null, json!("")] {
                let mut body = body();
                body[key] = missing;
                assert_eq!(read(&body).unwrap_err().message(), message);
            }
        }
    }

    #[test]
    fn a_stock_id_that_is_a_number_counts_as_missing() {
        let mut body = body();
        body["stock_id"] = json!(15_300_001);
        assert_eq!(read(&body).unwrap_err().message(), "参数“批次id”是必填项");
    }

    #[test]
    fn values_are_not_open() {
        for key in ["coupon_value", "coupon_minimum"] {
            let mut body = body();
            body[key] = json!(500);
            assert_eq!(read(&body).unwrap_err().rule, &VALUE_NOT_OPEN);
        }
    }

    #[test]
    fn the_user_is_part_of_the_content() {
        let body = body();
        let other = SendRequest::read("o2".into(), body.as_object().unwrap()).unwrap();
        assert_ne!(read(&body).unwrap().digest, other.digest);
    }

    #[test]
    fn numbers_have_an_alphabet() {
        let mut body = body();
        body["out_request_no"] = json!("a/b");
        assert_eq!(read(&body).unwrap_err().rule, &FORMAT);
    }
}
