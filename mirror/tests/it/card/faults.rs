//! Planned failures of the card API, as its clients see them.

use favor_mirror::{FaultKind, FaultPlace, FaultRule, Verdict};
use serde_json::{Value, json};

use super::{ANNA, Cards, base, coupon};
use crate::harness::{Reply, USER, World, builder, coupons_of, fetch, stock_body};

const SIGNATURE_HEADERS: [&str; 5] = [
    "wechatpay-timestamp",
    "wechatpay-nonce",
    "wechatpay-signature",
    "wechatpay-serial",
    "wechatpay-signature-type",
];

struct Till {
    cards: Cards,
    card_id: String,
}

impl Till {
    async fn open() -> Self {
        let cards = Cards::new().await;
        let mut base = base();
        base["get_limit"] = json!(100);
        base["sku"] = json!({ "quantity": 100 });
        let card_id = cards.card(&coupon(base)).await;
        Self { cards, card_id }
    }

    fn plan(&self, rule: FaultRule) {
        self.cards.world.mirror.plan(rule).unwrap();
    }

    /// What the control call says to a rule that it refuses.
    async fn refused(&self, rule: &Value) -> String {
        let reply = self.cards.world.control("POST", "/_mirror/faults", rule).await;
        assert_eq!(reply.status, 400, "{rule}");
        let (_, code, message) = reply.error();
        assert_eq!(code, "BAD_REQUEST");
        message
    }

    async fn code(&self) -> String {
        self.cards.claim(&self.card_id, ANNA).await
    }

    async fn consume(&self, code: &str, token: &str) -> Reply {
        let target = format!("/card/code/consume?access_token={token}");
        let body = json!({ "code": code }).to_string();
        fetch(self.cards.world.request("POST", &target, &body)).await.unwrap()
    }

    async fn status(&self, code: &str) -> Value {
        self.cards.status(code).await["user_card_status"].clone()
    }
}

fn errcode(errcode: i64) -> FaultKind {
    FaultKind::ErrCode { errcode, message: None }
}

#[tokio::test]
async fn an_errcode_at_each_place() {
    let till = Till::open().await;
    for (place, status) in [
        (FaultPlace::BeforeVerify, "NORMAL"),
        (FaultPlace::BeforeCommit, "NORMAL"),
        (FaultPlace::AfterCommit, "CONSUMED"),
    ] {
        let code = till.code().await;
        till.plan(FaultRule::new(errcode(45_009)).operation("card.code_consume").place(place));
        let reply = till.consume(&code, &till.cards.token).await;
        let body = reply.ok();
        assert_eq!(body["errcode"], 45_009);
        let errmsg = body["errmsg"].as_str().unwrap();
        assert!(errmsg.starts_with("reach max api daily quota limit hint: ["), "{errmsg}");
        assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
        assert!(SIGNATURE_HEADERS.iter().all(|name| reply.header(name).is_none()));
        let logged = &till.cards.world.mirror.requests(1, 0)[0];
        assert_eq!((logged.verdict, logged.code.as_deref()), (Verdict::Faulted, Some("45009")));
        assert_eq!(logged.faults, [format!("errcode@{}", place.name())]);
        assert_eq!(till.status(&code).await, status, "{place:?}");
    }
}

#[tokio::test]
async fn errcodes_by_control_call_have_their_texts() {
    let till = Till::open().await;
    for (errcode, text) in [
        (-1, "system error"),
        (40_001, "invalid credential, access_token is invalid or not latest"),
        (42_001, "access_token expired"),
        (45_011, "api minute-quota reach limit"),
        (48_001, "api unauthorized"),
        (61_501, "date range error"),
    ] {
        let rule = json!({"kind": "errcode", "errcode": errcode, "operation": "card.list"});
        let planned = till.cards.world.control("POST", "/_mirror/faults", &rule).await.ok();
        assert_eq!(planned["faults"].as_array().unwrap().last().unwrap()["errcode"], errcode);
        let told = till.cards.call("/card/batchget", &json!({"offset": 0, "count": 1})).await;
        assert_eq!(told["errcode"], errcode);
        assert!(told["errmsg"].as_str().unwrap().starts_with(&format!("{text} hint: [")), "{told}");
    }
    let rule = json!({"kind": "errcode", "errcode": 88_000, "message": "later", "operation": "card.*"});
    till.cards.world.control("POST", "/_mirror/faults", &rule).await.ok();
    let told = till.cards.call("/card/batchget", &json!({"offset": 0, "count": 1})).await;
    assert_eq!(told, json!({"errcode": 88_000, "errmsg": "later"}));

    let told = till.refused(&json!({"kind": "errcode", "errcode": 4_001, "operation": "card.*"})).await;
    assert!(told.contains("no errcode 4001 is documented"), "{told}");
    let told = till.refused(&json!({"kind": "errcode", "errcode": -1, "operation": "coupon.send"})).await;
    assert!(told.contains("does not concern coupon.send") && told.contains("card API"), "{told}");
}

/// Who plans a failure of everything gets it in the words of each API.
#[tokio::test]
async fn a_limit_is_told_in_the_words_of_each_api() {
    let till = Till::open().await;
    let code = till.code().await;
    let world = &till.cards.world;
    let stock_id = world.running_stock(&stock_body("n1", 100, 60)).await;
    till.plan(FaultRule::new(FaultKind::RateLimited { retry_after: Some(7) }).times(2));
    let reply = till.consume(&code, &till.cards.token).await;
    assert_eq!((reply.ok()["errcode"].as_i64(), reply.header("retry-after")), (Some(45_009), None));
    let body = world.send_body(&stock_id, "s1").to_string();
    let reply = world.send_as(&world.credentials(), "POST", &coupons_of(USER), &body).await.unwrap();
    reply.refused(429, "FREQUENCY_LIMIT_EXCEED", "接口限频");
    assert_eq!(reply.header("retry-after"), Some("7"));
    let rule = json!({"kind": "rate_limited", "retry_after": 7, "operation": "card.code_get"});
    assert!(till.refused(&rule).await.contains("without a Retry-After"));
}

#[tokio::test]
async fn a_status_is_a_page_of_something_in_between() {
    let till = Till::open().await;
    for (status, title, place, expected) in [
        (500, "500 Internal Server Error", "before_verify", "NORMAL"),
        (502, "502 Bad Gateway", "before_commit", "NORMAL"),
        (503, "503 Service Unavailable", "after_commit", "CONSUMED"),
        (499, "499", "after_commit", "CONSUMED"),
    ] {
        let code = till.code().await;
        let operation = "card.code_consume";
        let rule = json!({"kind": "status", "status": status, "place": place, "operation": operation});
        till.cards.world.control("POST", "/_mirror/faults", &rule).await.ok();
        let reply = till.consume(&code, &till.cards.token).await;
        assert_eq!((reply.status, reply.header("content-type")), (status, Some("text/html")));
        let page = String::from_utf8(reply.body.clone()).unwrap();
        assert!(page.contains(&format!("<title>{title}</title>")), "{page}");
        assert!(SIGNATURE_HEADERS.iter().all(|name| reply.header(name).is_none()));
        let logged = &till.cards.world.mirror.requests(1, 0)[0];
        assert_eq!((logged.status, logged.code.as_deref()), (Some(status), None));
        assert_eq!(till.status(&code).await, expected, "{place}");
    }
    let rule = json!({"kind": "status", "status": 200, "code": "45009", "operation": "card.*"});
    assert!(till.refused(&rule).await.contains("kind errcode"));
    let rule = json!({"kind": "status", "status": 503, "code": "-1", "operation": "card.*"});
    assert!(till.refused(&rule).await.contains("kind errcode"));
    // Elsewhere it needs a code, as before.
    assert!(till.refused(&json!({"kind": "status", "status": 503})).await.contains("needs a code"));
}

#[tokio::test]
async fn there_are_no_signatures_to_spoil() {
    let till = Till::open().await;
    for rule in [
        json!({"kind": "corrupt_signature"}),
        json!({"kind": "missing_signature"}),
        json!({"kind": "missing_signature", "header": "Wechatpay-Nonce"}),
        json!({"kind": "wrong_serial"}),
        json!({"kind": "probe"}),
    ] {
        for operation in ["card.*", "card.code_consume", "card.token"] {
            let mut rule = rule.clone();
            rule["operation"] = json!(operation);
            let told = till.refused(&rule).await;
            assert!(told.contains(&format!("does not concern {operation}")), "{told}");
        }
        // Of all operations it means those whose answers are signed.
        till.cards.world.control("POST", "/_mirror/faults", &rule).await.ok();
        for path in ["/card/batchget", "/card/nothing"] {
            let target = format!("{path}?access_token={}", till.cards.token);
            let body = r#"{"offset":0,"count":1}"#;
            let reply = fetch(till.cards.world.request("POST", &target, body)).await.unwrap();
            assert!(SIGNATURE_HEADERS.iter().all(|name| reply.header(name).is_none()), "{rule}");
        }
        let planned = &till.cards.world.mirror.faults()[0];
        assert_eq!((planned.seen, planned.struck), (0, 0), "{rule}");
        till.cards.world.mirror.clear_faults();
    }
}

#[tokio::test]
async fn an_openid_that_could_never_strike_is_refused() {
    let till = Till::open().await;
    for operation in ["card.*", "card.code_consume", "card.user_cards", "stock.*", "stock.get"] {
        let told = till.refused(&json!({"kind": "cut", "operation": operation, "openid": ANNA})).await;
        assert!(told.contains("tells of no user") && told.contains("card.event"), "{told}");
    }
    for rule in [
        json!({"kind": "cut", "openid": ANNA}),
        json!({"kind": "cut", "operation": "coupon.*", "openid": ANNA}),
        json!({"kind": "hold", "seconds": 60, "operation": "card.event", "openid": ANNA}),
    ] {
        till.cards.world.control("POST", "/_mirror/faults", &rule).await.ok();
    }
}

/// What stands before the work comes first: method, path, and the token or the secret.
#[tokio::test]
async fn before_the_work_is_after_the_token() {
    let till = Till::open().await;
    let code = till.code().await;
    let world = &till.cards.world;
    let rule = || FaultRule::new(errcode(-1)).place(FaultPlace::BeforeCommit).times(0);
    let untouched = |what: &str| {
        let planned = &world.mirror.faults()[0];
        assert_eq!((planned.seen, planned.struck), (0, 0), "{what}");
        assert_eq!(world.mirror.requests(1, 0)[0].faults, [""; 0], "{what}");
    };
    till.plan(rule());
    for (token, refusal) in [("", 41_001), ("junk", 40_014)] {
        assert_eq!(till.consume(&code, token).await.ok()["errcode"], refusal);
        assert_eq!(world.mirror.requests(1, 0)[0].verdict, Verdict::Unauthenticated);
        untouched(token);
    }
    let get = async |target: String| fetch(world.request("GET", &target, "")).await.unwrap().ok();
    let with_token = |path: &str| format!("{path}?access_token={}", till.cards.token);
    assert_eq!(get(with_token("/card/code/consume")).await["errcode"], 43_002);
    untouched("the method");
    assert_eq!(get(with_token("/card/nothing")).await["errcode"], 40_066);
    untouched("the path");
    let merchant = world.mirror.merchant();
    // The same appid and secret in a query and in a body.
    let secret = |secret: &str| {
        let appid = &merchant.appid;
        let target = format!("/cgi-bin/token?grant_type=client_credential&appid={appid}&secret={secret}");
        let body = json!({"grant_type": "client_credential", "appid": appid, "secret": secret});
        (target, body.to_string())
    };
    let stable = async |body: &str| {
        fetch(world.request("POST", "/cgi-bin/stable_token", body)).await.unwrap().ok()["errcode"].clone()
    };
    let (target, body) = secret("wrong");
    assert_eq!((&get(target).await["errcode"], &stable(&body).await), (&json!(40_125), &json!(40_125)));
    untouched("the secret");

    // Who is let in is struck, and nothing is done.
    assert_eq!(till.consume(&code, &till.cards.token).await.ok()["errcode"], -1);
    let (target, body) = secret(&merchant.app_secret);
    assert_eq!((&get(target).await["errcode"], &stable(&body).await), (&json!(-1), &json!(-1)));
    let tickets = get(format!("{}&type=jsapi", with_token("/cgi-bin/ticket/getticket"))).await;
    assert_eq!(tickets["errcode"], -1);
    assert_eq!(world.mirror.faults()[0].struck, 4);
    world.mirror.clear_faults();
    assert_eq!(till.status(&code).await, "NORMAL");

    // Before the token is looked at it strikes anybody.
    till.plan(rule().place(FaultPlace::BeforeVerify));
    assert_eq!(till.consume(&code, "junk").await.ok()["errcode"], -1);
}

/// A picture is no JSON: what is planned for everything else leaves it alone.
#[tokio::test]
async fn pictures_have_no_errcode() {
    let world = World::with(builder()).await;
    world.mirror.plan(FaultRule::new(errcode(-1)).times(0)).unwrap();
    let target = "/cgi-bin/showqrcode?ticket=nobody";
    let reply = fetch(world.request("GET", target, "")).await.unwrap();
    assert_eq!((reply.status, reply.body.len()), (404, 0));
    assert_eq!(world.mirror.faults()[0].seen, 0);
}
