//! What a notification says: every documented field, and tolerance for what comes later.

use favor_callback::{CouponEvent, EventType, Payload};
use favor_core::{BusinessType, CouponStatus, CouponType, time};
use serde_json::{Value, json};

use crate::platform::USED;
use crate::world::{MERCHANT, PUBLIC_KEY_ID, receive_signed, sealing, used};

/// Every field that the specification names, for no coupon that could exist.
fn everything() -> Value {
    json!({
        "stock_creator_mchid": MERCHANT,
        "stock_id": "15300001",
        "coupon_id": "18180000000001",
        "singleitem_discount_off": {"single_price_max": 9900},
        "discount_to": {"cut_to_price": 100, "max_price": 8800},
        "coupon_name": "茶叶满减",
        "status": "EXPIRED",
        "description": "规则",
        "create_time": "2026-08-02T09:00:00+08:00",
        "coupon_type": "CUT_TO",
        "no_cash": false,
        "available_begin_time": "2026-08-01T00:00:00+08:00",
        "available_end_time": "2026-08-31T23:59:59+08:00",
        "singleitem": true,
        "normal_coupon_information": {"coupon_amount": 500, "transaction_minimum": 3000},
        "consume_information": {
            "consume_time": "2026-08-03T12:30:00.120+08:00",
            "consume_mchid": "1900000208",
            "transaction_id": "4200000000202608030000000001",
            "consume_amount": 321,
            "goods_detail": [
                {"goods_id": "a_goods1", "quantity": 2, "price": 150, "discount_amount": 20},
                {"goods_id": "a_goods2", "quantity": 1, "price": 250, "discount_amount": 30},
            ],
        },
        "business_type": "MULTIUSE",
    })
}

async fn coupon(event_type: &str, text: &str) -> CouponEvent {
    let notification = receive_signed(sealing(event_type, text)).await.unwrap();
    notification.payload.coupon().unwrap().clone()
}

#[tokio::test]
async fn the_samples_redemption_is_read_whole() {
    let notification = receive_signed(used().to_string()).await.unwrap();
    assert_eq!(notification.id.as_str(), "EV-2026080300000000001");
    assert_eq!(time::to_wire(&notification.create_time), "2026-08-03T12:30:01+08:00");
    assert_eq!(notification.event_type, EventType::CouponUse);
    assert_eq!(notification.summary.as_deref(), Some("用券成功"));
    assert_eq!(notification.merchant_id.as_ref().unwrap().as_str(), MERCHANT);
    assert_eq!(notification.signed_by.as_str(), PUBLIC_KEY_ID);
    assert_eq!(notification.raw(), USED);
    assert_eq!(notification.dedup_id().as_str(), "EV-2026080300000000001");
    let (coupon, transaction) = notification.dedup_use().unwrap();
    assert_eq!((coupon.as_str(), transaction.as_str()), ("18180000000001", "4200000000202608030000000001"));

    let Payload::CouponUsed(coupon) = notification.payload else { panic!("{:?}", notification.payload) };
    assert_eq!(coupon.coupon_name, "Tea 5 off 30");
    assert_eq!(coupon.status, CouponStatus::Used);
    assert_eq!(coupon.coupon_type, CouponType::Normal);
    assert_eq!((coupon.no_cash, coupon.singleitem), (Some(true), Some(false)));
    let terms = coupon.normal_coupon_information.unwrap();
    assert_eq!((terms.coupon_amount.get(), terms.transaction_minimum.get()), (500, 3000));
    assert!(coupon.discount_to.is_none() && coupon.singleitem_discount_off.is_none());
    assert!(coupon.business_type.is_none());
}

/// Each field under its own name: what is read and written again is what came.
#[tokio::test]
async fn every_field_has_its_place() {
    let coupon = coupon("COUPON.USE", &everything().to_string()).await;
    assert_eq!(serde_json::to_value(&coupon).unwrap(), everything());
    let prices = coupon.discount_to.as_ref().unwrap();
    assert_eq!((prices.cut_to_price.get(), prices.max_price.get()), (100, 8800));
    assert_eq!(coupon.singleitem_discount_off.as_ref().unwrap().single_price_max.get(), 9900);
    assert_eq!(coupon.business_type, Some(BusinessType::ConsumptionCredit));
    let consumed = coupon.consume_information.unwrap();
    assert_eq!(consumed.consume_amount.unwrap().get(), 321);
    assert_eq!(consumed.goods_detail.len(), 2);
    assert_eq!((consumed.goods_detail[1].quantity, consumed.goods_detail[1].price.get()), (1, 250));
}

#[tokio::test]
async fn forms_seen_in_samples_are_taken() {
    let text = json!({
        "stock_creator_mchid": MERCHANT, "stock_id": 15_300_001, "coupon_id": "18180000000001",
        "singleitem_discount_off": null, "discount_to": null, "coupon_name": null,
        "state": "TAKEN_TO_THE_MOON", "description": null, "create_time": "2026-08-02T01:00:00Z",
        "coupon_type": "LATER", "no_cash": null, "singleitem": null,
        "available_begin_time": "2026-08-01T00:00:00+08:00", "available_end_time": "2026-08-31T23:59:59+08:00",
        "normal_coupon_information": {"coupon_amount": "500", "transaction_minimum": "3000", "new": {}},
        "consume_information": null, "business_type": null, "a_field_of_the_future": [{"deep": [1, 2]}],
    });
    let coupon = coupon("COUPON.USE", &text.to_string()).await;
    assert_eq!(coupon.status, CouponStatus::Unknown("TAKEN_TO_THE_MOON".into()));
    assert_eq!(coupon.coupon_type, CouponType::Unknown("LATER".into()));
    assert_eq!((coupon.stock_id.as_str(), coupon.coupon_name.as_str()), ("15300001", ""));
    assert_eq!((coupon.no_cash, coupon.singleitem), (None, None));
    assert_eq!(coupon.normal_coupon_information.unwrap().coupon_amount.get(), 500);
}

#[tokio::test]
async fn a_coupon_given_out_reads_the_same_and_has_no_second_key() {
    let mut text: Value = serde_json::from_str(USED).unwrap();
    text["status"] = "SENDED".into();
    text.as_object_mut().unwrap().remove("consume_information");
    let notification = receive_signed(sealing("COUPON.SEND", &text.to_string())).await.unwrap();
    assert_eq!(notification.event_type, EventType::CouponSend);
    assert_eq!(notification.dedup_use(), None);
    let Payload::CouponSent(coupon) = notification.payload else { panic!("{:?}", notification.payload) };
    assert_eq!(coupon.status, CouponStatus::Sent);
    let spent = receive_signed(sealing("COUPON.SEND", USED)).await.unwrap();
    assert_eq!(spent.dedup_use(), None, "whatever else it tells, it tells of no redemption");
}

#[tokio::test]
async fn other_events_come_with_their_json() {
    let mut body: Value = serde_json::from_str(&sealing("TRANSACTION.SUCCESS", r#"{"openid":"x"}"#)).unwrap();
    body["resource"]["original_type"] = "transaction".into();
    let notification = receive_signed(body.to_string()).await.unwrap();
    assert_eq!(notification.event_type, EventType::Unknown("TRANSACTION.SUCCESS".into()));
    assert_eq!(notification.payload, Payload::Unknown);
    assert_eq!(notification.raw(), r#"{"openid":"x"}"#);
    assert_eq!(notification.dedup_use(), None);
    assert_eq!(notification.merchant_id.unwrap().as_str(), MERCHANT);
}

/// Whether a good notification is still taken after `change`.
async fn taken(change: impl FnOnce(&mut Value)) -> bool {
    let mut body = used();
    change(&mut body);
    receive_signed(body.to_string()).await.is_ok()
}

#[tokio::test]
async fn the_envelope_may_lack_what_it_need_not_have() {
    assert!(taken(|body| body["create_time"] = "20260803123001".into()).await);
    assert!(taken(|body| body["summary"] = Value::Null).await);
    assert!(taken(|body| body["resource"]["original_type"] = Value::Null).await);
    assert!(taken(|body| body["a_field_of_the_future"] = json!({"x": [1, {}]})).await);
    for field in ["summary", "resource_type"] {
        assert!(taken(|body| drop(body.as_object_mut().unwrap().remove(field))).await, "{field}");
    }
    assert!(taken(|body| drop(body["resource"].as_object_mut().unwrap().remove("original_type"))).await);
    for field in ["id", "create_time", "event_type", "resource"] {
        assert!(!taken(|body| drop(body.as_object_mut().unwrap().remove(field))).await, "{field}");
        assert!(!taken(|body| body[field] = Value::Null).await, "{field}");
    }
    for field in ["algorithm", "ciphertext", "nonce"] {
        assert!(
            !taken(|body| drop(body["resource"].as_object_mut().unwrap().remove(field))).await,
            "{field}"
        );
    }
}

#[tokio::test]
async fn associated_data_may_be_empty_null_or_missing() {
    let ciphertext = crate::platform::seal(crate::world::API_V3_KEY, "a1b2c3d4e5f6", "", USED.as_bytes());
    for associated_data in [Some(json!("")), Some(Value::Null), None] {
        let fits = taken(|body| {
            let resource = body["resource"].as_object_mut().unwrap();
            resource.insert("ciphertext".into(), ciphertext.clone().into());
            match associated_data.clone() {
                Some(value) => drop(resource.insert("associated_data".into(), value)),
                None => drop(resource.remove("associated_data")),
            }
        });
        assert!(fits.await, "{associated_data:?}");
    }
}

#[tokio::test]
async fn every_way_to_write_the_same_json_is_read() {
    let pretty = serde_json::to_string_pretty(&used()).unwrap();
    let expected = receive_signed(used().to_string()).await.unwrap();
    assert_eq!(receive_signed(format!("\r\n{pretty}\n")).await.unwrap(), expected);
    let escaped = used().to_string().replace('/', "\\/").replace("COUPON.USE", "\\u0043OUPON.USE");
    assert_eq!(receive_signed(escaped).await.unwrap(), expected);
}

#[tokio::test]
async fn a_field_of_the_wrong_form_is_named_and_not_quoted() {
    for (field, at) in [
        ("/coupon_id", "coupon_id"),
        ("/available_end_time", "available_end_time"),
        ("/consume_information/transaction_id", "consume_information.transaction_id"),
        ("/normal_coupon_information/coupon_amount", "normal_coupon_information.coupon_amount"),
    ] {
        let mut text: Value = serde_json::from_str(USED).unwrap();
        *text.pointer_mut(field).unwrap() = json!(["hunter2"]);
        let rejection = receive_signed(sealing("COUPON.USE", &text.to_string())).await.unwrap_err();
        assert_eq!(
            crate::world::chain(&rejection),
            format!(
                "it is malformed < the opened resource, field {at}: a value is missing, repeated or of an unexpected form"
            )
        );
        assert!(!format!("{rejection:?}").contains("hunter2"));
    }
    let mut negative: Value = serde_json::from_str(USED).unwrap();
    negative["normal_coupon_information"]["coupon_amount"] = json!(-1);
    assert!(receive_signed(sealing("COUPON.USE", &negative.to_string())).await.is_err());
}
