//! The OpenAPI document, held against the answers of a mirror that runs.

use favor_mirror::{FaultKind, FaultRule, Redeem, Refund};
use serde_json::{Value, json};

use crate::card::gift_pages::shop;
use crate::card::{ANNA, BELA, Cards, base, coupon, member_card};
use crate::harness::{USER, World, builder, stock_body};

/// What of a value does not fit its schema: the part of JSON Schema that the document uses.
fn misfits(value: &Value, schema: &Value, document: &Value, place: &str, found: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).unwrap();
        return misfits(value, target, document, place, found);
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[key].as_array() {
            let fits = |choice: &&Value| {
                let mut wrong = Vec::new();
                misfits(value, choice, document, place, &mut wrong);
                wrong.is_empty()
            };
            if !choices.iter().any(|choice| fits(&choice)) {
                found.push(format!("{place}: fits none of the choices: {value}"));
            }
        }
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(list) => list.iter().map(|one| one.as_str().unwrap()).collect(),
        _ => Vec::new(),
    };
    let is = |kind: &&str| match *kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    };
    if !types.is_empty() && !types.iter().any(is) {
        found.push(format!("{place}: {value} is not {types:?}"));
        return;
    }
    if schema["format"] == "date-time"
        && value.as_str().is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_err())
    {
        found.push(format!("{place}: {value} is no time"));
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        found.push(format!("{place}: {value} is not in {allowed:?}"));
    }
    if let Value::Object(object) = value {
        for required in schema["required"].as_array().into_iter().flatten() {
            if !object.contains_key(required.as_str().unwrap()) {
                found.push(format!("{place}: {required} is missing"));
            }
        }
        for (key, inner) in object {
            match &schema["properties"][key] {
                Value::Null if schema["additionalProperties"] == false => {
                    found.push(format!("{place}: {key} is not described"));
                }
                Value::Null => {}
                described => misfits(inner, described, document, &format!("{place}/{key}"), found),
            }
        }
    }
    if let (Value::Array(list), true) = (value, schema["items"].is_object()) {
        for (index, inner) in list.iter().enumerate() {
            misfits(inner, &schema["items"], document, &format!("{place}/{index}"), found);
        }
    }
}

struct Judge {
    document: Value,
    seen: Vec<String>,
}

impl Judge {
    async fn call(
        &mut self,
        world: &World,
        method: &str,
        template: &str,
        target: &str,
        body: &Value,
    ) -> Value {
        let described = self.document["paths"][template][method.to_lowercase()].clone();
        assert!(described.is_object(), "{method} {template} is not described");
        self.seen.push(format!("{method} {template}"));
        let mut wrong = Vec::new();
        let wanted = &described["requestBody"]["content"]["application/json"]["schema"];
        if !body.is_null() {
            assert!(wanted.is_object(), "{method} {template} takes no body");
            misfits(body, wanted, &self.document, "request", &mut wrong);
        }
        let reply = world.control(method, target, body).await;
        let answered = &described["responses"]["200"]["content"];
        assert_eq!(reply.status, 200, "{method} {target}: {}", String::from_utf8_lossy(&reply.body));
        if answered["application/json"].is_null() {
            return Value::Null;
        }
        let json = reply.json();
        misfits(&json, &answered["application/json"]["schema"], &self.document, "answer", &mut wrong);
        assert!(wrong.is_empty(), "{method} {target}: {wrong:#?}");
        json
    }

    async fn refused(&self, world: &World, method: &str, target: &str, body: &Value) {
        let reply = world.control(method, target, body).await;
        assert!(reply.status >= 400, "{method} {target}");
        let mut wrong = Vec::new();
        let error = json!({"$ref": "#/components/schemas/Error"});
        misfits(&reply.json(), &error, &self.document, "error", &mut wrong);
        assert!(wrong.is_empty(), "{method} {target}: {wrong:#?}");
    }
}

#[tokio::test]
async fn every_call_answers_as_described() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::with(builder()).await;
    let document = world.control("GET", "/_mirror/openapi.json", &Value::Null).await.ok();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], world.mirror.base_url());
    let mut judge = Judge { document, seen: Vec::new() };

    let id = world.running_stock(&stock_body("n1", 10, 3)).await;
    let coupon = world.coupon(&id, USER, "s1").await;
    let other = world.coupon(&id, USER, "s2").await;
    world.give("1", USER, "s2").await;
    world.raw(b"GET /v3/certificates HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    world.mirror.plan(FaultRule::new(FaultKind::Cut).openid("nobody").times(0)).unwrap();
    let number = world.mirror.faults()[0].id;

    let null = &Value::Null;
    for path in [
        "/_mirror",
        "/_mirror/audit",
        "/_mirror/callbacks",
        "/_mirror/clock",
        "/_mirror/faults",
        "/_mirror/healthz",
        "/_mirror/keys",
        "/_mirror/merchants",
        "/_mirror/metrics",
        "/_mirror/openapi.json",
        "/_mirror/rates",
        "/_mirror/readings",
        "/_mirror/requests",
        "/_mirror/rules",
        "/_mirror/stocks",
        "/_mirror/users",
    ] {
        judge.call(&world, "GET", path, path, null).await;
    }
    let coupons = "/_mirror/coupons/{coupon_id}";
    let of = |coupon: &str, rest: &str| format!("/_mirror/coupons/{coupon}{rest}");
    judge.call(&world, "GET", coupons, &of(&coupon, ""), null).await;
    let pay = json!({"total_amount": 3850, "device_no": {"base64": "/w=="}, "goods_detail": []});
    judge.call(&world, "POST", &format!("{coupons}/redeem"), &of(&coupon, "/redeem"), &pay).await;
    judge
        .call(&world, "POST", &format!("{coupons}/refund"), &of(&coupon, "/refund"), &json!({"amount": 10}))
        .await;
    world.mirror.redeem(&other, Redeem::default()).await.unwrap();
    world.mirror.refund(&other, Refund::default()).await.unwrap();
    let stock = "/_mirror/stocks/{stock_id}";
    let of_stock = |rest: &str| format!("/_mirror/stocks/{id}{rest}");
    judge.call(&world, "GET", stock, &of_stock(""), null).await;
    judge.call(&world, "GET", &format!("{stock}/coupons"), &of_stock("/coupons"), null).await;
    for press in ["/start", "/pause", "/restart"] {
        judge.call(&world, "POST", &format!("{stock}{press}"), &of_stock(press), null).await;
    }
    judge.call(&world, "GET", "/_mirror/requests/{id}", "/_mirror/requests/1", null).await;
    let fill = format!("/_mirror/stocks/{id}/fill");
    judge.call(&world, "POST", &format!("{stock}/fill"), &fill, &json!({"rows": 2})).await;

    for (path, body) in [
        ("/_mirror/merchants", json!({"mchid": "42", "balance_fen": 5, "brand": null})),
        ("/_mirror/users", json!({"openid": "o9", "risky": true})),
        ("/_mirror/clock", json!({"advance_seconds": 5})),
        ("/_mirror/faults", json!({"kind": "cut", "operation": "coupon.send", "openid": "nobody"})),
        ("/_mirror/faults", json!([{"kind": "cut", "openid": "nobody"}])),
        ("/_mirror/keys/public-key", json!({"phase": "grey"})),
        ("/_mirror/callbacks", json!({"notify_sends": true})),
        ("/_mirror/keys/rotate", Value::Null),
        ("/_mirror/keys/rotate", json!({"lead_seconds": 60, "overlap_seconds": 60})),
        ("/_mirror/keys/schedule", json!({"rotate_every_seconds": 86_400})),
        ("/_mirror/clock", json!({"rate": 60})),
        ("/_mirror/rates", json!({"enforced": false})),
        ("/_mirror/readings", json!({"ended_status": "kept"})),
        ("/_mirror/snapshot", json!({"file": folder.path().join("s.sqlite")})),
        ("/_mirror/restore", json!({"file": folder.path().join("s.sqlite")})),
    ] {
        judge.call(&world, "POST", path, path, &body).await;
    }
    let senders = format!("/_mirror/stocks/{id}/senders");
    judge.call(&world, "POST", &format!("{stock}/senders"), &senders, &json!({"mchid": "42"})).await;
    let change = json!({"top_up_fen": 100, "certificate": "renewed", "brand": "tea"});
    judge.call(&world, "PATCH", "/_mirror/merchants/{mchid}", "/_mirror/merchants/42", &change).await;
    judge.call(&world, "GET", "/_mirror/merchants", "/_mirror/merchants", null).await;
    judge.call(&world, "DELETE", "/_mirror/faults/{id}", &format!("/_mirror/faults/{number}"), null).await;
    judge.call(&world, "DELETE", "/_mirror/faults", "/_mirror/faults", null).await;
    world.assert_sound(&world.mirror.audit().await);
    judge.call(&world, "POST", "/_mirror/reset", "/_mirror/reset", null).await;

    for (method, target, body) in [
        ("GET", "/_mirror/nothing", Value::Null),
        ("GET", "/_mirror/coupons/1", Value::Null),
        ("PATCH", "/_mirror/merchants/77", json!({})),
        ("PATCH", "/_mirror/merchants/42", json!({"top_up_fen": -1})),
        ("POST", "/_mirror/rates", json!({})),
        ("POST", "/_mirror/snapshot", json!({"file": folder.path().join("s.sqlite")})),
        ("POST", "/_mirror/faults", json!({"kind": "no"})),
    ] {
        judge.refused(&world, method, target, &body).await;
    }
}

#[tokio::test]
async fn every_call_of_the_card_api_answers_as_described() {
    let cards = Cards::new().await;
    let world = &cards.world;
    let document = world.control("GET", "/_mirror/openapi.json", &Value::Null).await.ok();
    let mut judge = Judge { document, seen: Vec::new() };
    let null = &Value::Null;
    let review = "/_mirror/card/cards/{card_id}/review";
    let mut ids = Vec::new();
    for body in [coupon(base()), member_card()] {
        let id = cards.ok("/card/create", &body).await["card_id"].as_str().unwrap().to_owned();
        judge.call(world, "POST", review, &review.replace("{card_id}", &id), &json!({})).await;
        ids.push(id);
    }
    cards.ok("/card/paycell/set", &json!({"card_id": ids[0], "is_open": true})).await;
    let mut codes = Vec::new();
    for id in &ids {
        let claim = json!({"card_id": id, "openid": ANNA, "recommended": true});
        let path = "/_mirror/card/claim";
        codes.push(judge.call(world, "POST", path, path, &claim).await["code"].clone());
    }
    for (what, code, more) in [
        ("view", &codes[0], json!({})),
        ("enter-session", &codes[0], json!({})),
        ("pay", &codes[0], json!({"fee": 8500, "original_fee": 10000, "location_id": 300_001})),
        ("submit-form", &codes[1], json!({"common_field_list": []})),
        ("remove", &codes[1], json!({})),
        ("restore", &codes[1], json!({})),
        ("gift", &codes[0], json!({"chat_room": true})),
    ] {
        let mut body = more;
        body["code"] = code.clone();
        let path = format!("/_mirror/card/{what}");
        judge.call(world, "POST", &path, &path, &body).await;
    }
    gift_cards(&cards, &mut judge).await;
    let sub = cards.sub_merchant().await;
    let sub_review = "/_mirror/card/sub-merchants/{merchant_id}/review";
    judge
        .call(
            world,
            "POST",
            sub_review,
            &sub_review.replace("{merchant_id}", &sub),
            &json!({"refused": "why"}),
        )
        .await;
    world.mirror.advance(std::time::Duration::from_secs(24 * 60 * 60)).await.unwrap();
    for (what, more) in [
        ("reopen", json!({})),
        ("gift", json!({})),
        ("accept", json!({"openid": BELA})),
        ("redeem", json!({"source": "FROM_MOBILE_HELPER", "staff_openid": "o9"})),
    ] {
        let mut body = more;
        body["code"] = codes[0].clone();
        let path = format!("/_mirror/card/{what}");
        codes[0] = judge.call(world, "POST", &path, &path, &body).await["code"].clone();
    }
    let listed = "/_mirror/card/cards/{card_id}/codes";
    judge.call(world, "GET", listed, &listed.replace("{card_id}", &ids[0]), null).await;
    for path in ["/_mirror/card/accounts", "/_mirror/card/events", "/_mirror/card/gift-cards/orders"] {
        judge.call(world, "GET", path, path, null).await;
    }
    for (path, body) in [
        ("/_mirror/card/accounts", json!({"review": "manual", "review_seconds": 5, "pay": false})),
        ("/_mirror/card/tokens/stale", json!({})),
    ] {
        judge.call(world, "POST", path, path, &body).await;
    }
    judge.refused(world, "POST", "/_mirror/card/claim", &json!({"openid": ANNA})).await;
    judge.refused(world, "POST", "/_mirror/card/view", &json!({"code": "1"})).await;
    judge.refused(world, "GET", "/_mirror/card/cards/p1/codes", null).await;
    let described = judge.document["paths"].as_object().unwrap();
    for (path, methods) in described.iter().filter(|(path, _)| path.starts_with("/_mirror/card/")) {
        for method in methods.as_object().unwrap().keys() {
            let call = format!("{} {path}", method.to_uppercase());
            assert!(judge.seen.contains(&call), "{call} was not tried");
        }
    }
}

async fn gift_cards(cards: &Cards, judge: &mut Judge) {
    let (card, page) = shop(cards).await;
    let path = |what: &str| format!("/_mirror/card/gift-cards/{what}");
    let buy = json!({"page_id": page, "openid": ANNA, "theme": 0, "picture": 1, "card_ids": [card, card],
        "message": "Cheers", "outer_str": "web", "for_self": false});
    let bought = judge.call(&cards.world, "POST", &path("buy"), &path("buy"), &buy).await;
    let order = &bought["order_id"];
    for (what, body) in [
        ("send", json!({"order_id": order, "chat_room": true})),
        ("accept", json!({"order_id": order, "openid": BELA})),
        ("invoice", json!({"order_id": order, "user_field": {"title": "Anna"}})),
    ] {
        judge.call(&cards.world, "POST", &path(what), &path(what), &body).await;
    }
    cards.ok("/card/giftcard/order/refund", &json!({ "order_id": order })).await;
    judge.refused(&cards.world, "POST", &path("send"), &json!({ "order_id": order })).await;
}

#[test]
fn the_check_itself_finds_what_is_wrong() {
    let document = json!({"components": {"schemas": {"A": {
        "type": "object", "required": ["a"], "additionalProperties": false,
        "properties": {"a": {"type": ["string", "null"]}, "b": {"enum": [1]}, "c": {"items": {"type": "integer"}}}
    }}}});
    let schema = json!({"$ref": "#/components/schemas/A"});
    let wrong = |value: Value| {
        let mut found = Vec::new();
        misfits(&value, &schema, &document, "", &mut found);
        found.len()
    };
    assert_eq!(wrong(json!({"a": null, "b": 1, "c": [1]})), 0);
    for bad in [json!({}), json!({"a": 1}), json!({"a": "", "d": 1}), json!({"a": "", "b": 2}), json!([])] {
        assert_eq!(wrong(bad.clone()), 1, "{bad}");
    }
    assert_eq!(wrong(json!({"a": "", "c": [1, "x", 1.5]})), 2);
}
