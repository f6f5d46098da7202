//! `/_mirror`.

use favor_mirror::MerchantSeed;
use serde_json::{Value, json};

use crate::harness::{Credentials, START, World, builder};

#[tokio::test]
async fn the_index_lists_calls_that_exist() {
    let world = World::new().await;
    let index = world.control("GET", "/_mirror", &Value::Null).await.ok();
    let calls = index["calls"].as_array().unwrap();
    for call in calls.iter().filter(|call| call["method"] == "GET") {
        let path = call["path"].as_str().unwrap();
        if path.contains('{') {
            continue;
        }
        assert_eq!(world.control("GET", path, &Value::Null).await.status, 200, "{path}");
    }
    let unknown = world.control("GET", "/_mirror/nothing", &Value::Null).await;
    assert_eq!((unknown.status, unknown.json()["code"].as_str()), (404, Some("NOT_FOUND")));
    let method = world.control("DELETE", "/_mirror/clock", &Value::Null).await;
    assert_eq!((method.status, method.json()["code"].as_str()), (404, Some("NOT_FOUND")));
}

#[tokio::test]
async fn the_clock() {
    let world = World::new().await;
    let shown = world.control("GET", "/_mirror/clock", &Value::Null).await.ok();
    assert_eq!((shown["now"].as_str(), shown["frozen"].as_bool()), (Some(START), Some(true)));
    let clock = |body: Value| {
        let world = &world;
        async move { world.control("POST", "/_mirror/clock", &body).await }
    };
    assert_eq!(clock(json!({"advance_seconds": 90})).await.ok()["now"], "2026-08-10T12:01:30+08:00");
    let set = clock(json!({"set": "2026-01-01T00:00:00+08:00"})).await.ok();
    assert_eq!(set["now"], "2026-01-01T00:00:00+08:00");
    assert_eq!(clock(json!({"freeze": false})).await.ok()["frozen"], false);
    assert_eq!(clock(json!({"freeze": true})).await.ok()["frozen"], true);
    for bad in [json!({}), json!({"set": "noon"}), json!({"advance": 1}), json!({"advance_seconds": -1})] {
        let reply = clock(bad).await;
        assert_eq!((reply.status, reply.json()["code"].as_str()), (400, Some("BAD_REQUEST")));
    }
}

#[tokio::test]
async fn merchants_can_be_added_and_called_with() {
    let world = World::new().await;
    let body = json!({"mchid": "1900000130", "appids": ["wx9"], "balance_fen": 5});
    let added = world.control("POST", "/_mirror/merchants", &body).await.ok();
    let text = |key: &str| added[key].as_str().unwrap().to_owned();
    let credentials = Credentials {
        mchid: text("mchid"),
        serial_no: text("serial_no"),
        private_key_pem: text("private_key_pem"),
    };
    let reply = world.call_as(&credentials, "GET", "/v3/certificates", &Value::Null).await;
    assert_eq!(reply.status, 200);
    assert_eq!(world.control("POST", "/_mirror/merchants", &body).await.status, 400);
    assert_eq!(world.control("POST", "/_mirror/merchants", &json!({"mchid": "x"})).await.status, 400);
    let list = world.control("GET", "/_mirror/merchants", &Value::Null).await;
    assert_eq!(list.json()["merchants"][1]["balance_fen"], 5);
    assert!(!String::from_utf8(list.body).unwrap().contains("PRIVATE KEY"));
}

#[tokio::test]
async fn the_request_log_pages_and_names_rules() {
    let world = World::new().await;
    for _ in 0..3 {
        world.get("/v3/certificates?algorithm_type=DSA").await;
    }
    let page = world.control("GET", "/_mirror/requests?limit=2", &Value::Null).await.ok();
    let requests = page["requests"].as_array().unwrap();
    assert_eq!(requests.iter().map(|entry| entry["id"].as_u64().unwrap()).collect::<Vec<_>>(), [3, 2]);
    let entry = &requests[0];
    assert_eq!(entry["operation"], "certificates.list");
    assert_eq!(entry["mchid"], "1900000109");
    assert_eq!(entry["verdict"], "refused");
    assert_eq!(entry["rule"]["id"], "certificates.algorithm_type");
    assert_eq!(entry["rule"]["provenance"], "documented");
    assert_eq!((entry["status"].as_u64(), entry["code"].as_str()), (Some(400), Some("PARAM_ERROR")));
    assert!(entry["canonical"].as_str().unwrap().starts_with("GET\n/v3/certificates?algorithm_type=DSA\n"));
    let newer = world.control("GET", "/_mirror/requests?after=2", &Value::Null).await.ok();
    assert_eq!(newer["requests"].as_array().unwrap().len(), 1);
    let bad = world.control("GET", "/_mirror/requests?limit=x", &Value::Null).await;
    assert_eq!((bad.status, bad.json()["code"].as_str()), (400, Some("BAD_REQUEST")));
    assert!(bad.json()["message"].as_str().unwrap().contains("limit"));
}

#[tokio::test]
async fn users_and_senders() {
    let world = World::with(builder().merchant(MerchantSeed::new("1900000110"))).await;
    let body = json!({"openid": "o1", "appid": "wx1", "abnormal": true, "person": "p1"});
    let user = world.control("POST", "/_mirror/users", &body).await.ok();
    assert_eq!(user["person"], "p1");
    let user =
        world.control("POST", "/_mirror/users", &json!({"openid": "o1", "abnormal": false})).await.ok();
    assert_eq!((user["abnormal"].as_bool(), user["appid"].as_str()), (Some(false), Some("wx1")));
    assert_eq!(world.control("POST", "/_mirror/users", &json!({"openid": ""})).await.status, 400);
    let sender = json!({"mchid": "1900000110"});
    let missing = world.control("POST", "/_mirror/stocks/1/senders", &sender).await;
    assert_eq!(missing.status, 404);
    let id = world.created_stock(&crate::harness::stock_body("n1", 10, 1)).await;
    let target = format!("/_mirror/stocks/{id}/senders");
    world.control("POST", &target, &sender).await.ok();
}

#[tokio::test]
async fn health_and_rules() {
    let world = World::new().await;
    let health = world.control("GET", "/_mirror/healthz", &Value::Null).await.ok();
    assert_eq!(health["ok"], true);
    let rules = world.control("GET", "/_mirror/rules", &Value::Null).await.ok();
    let rules = rules["rules"].as_array().unwrap();
    assert!(
        rules.iter().any(|rule| rule["id"] == "send.per_user_limit" && rule["provenance"] == "documented")
    );
}

/// The files and the line that a client in any language starts from.
#[tokio::test]
async fn ready_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let ready = world.mirror.write_files(folder.path().join("new")).unwrap();
    let mode = std::fs::metadata(&ready.private_key_file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let line = serde_json::to_value(&ready).unwrap();
    let mut keys: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "api_v3_key",
            "app_secret",
            "appid",
            "base_url",
            "ca_file",
            "certificate_file",
            "mchid",
            "private_key_file",
            "proxy_url",
            "public_key_file",
            "public_key_id",
            "serial_no"
        ]
    );
    let credentials = Credentials {
        mchid: ready.mchid.clone(),
        serial_no: ready.serial_no.clone(),
        private_key_pem: std::fs::read_to_string(&ready.private_key_file).unwrap(),
    };
    let reply = world.call_as(&credentials, "GET", "/v3/certificates", &Value::Null).await;
    assert_eq!(reply.status, 200);
    let public = std::fs::read_to_string(&ready.public_key_file).unwrap();
    assert_eq!(public, world.mirror.public_key().pem);
}
