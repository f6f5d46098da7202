//! What the log says about requests that could not be authenticated, and what it keeps of all.

use favor_mirror::{DifferencePart, Verdict};
use serde_json::{Value, json};

use crate::harness::{FAVOR, World, fetch, stock_body};

const NONCE: &str = "Qw3Er5Ty7Ui9Op1As3Df5Gh7Jk9Lz1Xc";

/// Sends one thing and signs another; answers the log's entry.
async fn refused(world: &World, method: &str, target: &str, body: &str, message: &str) -> Value {
    let now = world.mirror.now().timestamp();
    let credentials = world.credentials();
    let good = credentials.authorization(method, target, now, body);
    let (head, _) = good.split_once("signature=\"").unwrap();
    let header = format!("{head}signature=\"{}\"", credentials.sign(message.as_bytes()));
    let reply = fetch(world.request(method, target, body).header("Authorization", header)).await.unwrap();
    reply.refused(401, "SIGN_ERROR", "错误的签名，验签失败");
    let id = world.mirror.requests(1, 0)[0].id;
    world.control("GET", &format!("/_mirror/requests/{id}"), &Value::Null).await.ok()
}

#[tokio::test]
async fn a_query_left_out_is_found_and_marked() {
    let world = World::new().await;
    let target = format!("{FAVOR}/stocks/1?stock_creator_mchid=1900000109");
    let now = world.mirror.now().timestamp();
    let signed = format!("GET\n{FAVOR}/stocks/1\n{now}\n{NONCE}\n\n");
    let entry = refused(&world, "GET", &target, "", &signed).await;
    let signature = &entry["signature"];
    assert_eq!(signature["cause"]["code"], "query_missing");
    assert!(signature["cause"]["en"]["advice"].as_str().unwrap().contains("request line"));
    assert!(signature["cause"]["zh"]["what"].as_str().unwrap().contains("查询参数"));
    assert_eq!(signature["client_message"], signed);
    assert_eq!(signature["server_message"], format!("GET\n{target}\n{now}\n{NONCE}\n\n"));
    assert_eq!(signature["key_of"], "merchant 1900000109");
    assert_eq!(signature["seconds_apart"], 0);
    assert_eq!(
        signature["difference"][1],
        json!({"in": "server", "text": "?stock_creator_mchid=1900000109"})
    );
    // The same by the library.
    let logged = world.mirror.request(entry["id"].as_u64().unwrap()).unwrap();
    let diagnosis = logged.signature.unwrap();
    assert_eq!(diagnosis.cause.code, "query_missing");
    assert!(matches!(&diagnosis.difference[1], DifferencePart::Server(text) if text.starts_with('?')));
    assert_eq!(logged.verdict, Verdict::Unauthenticated);
    assert!(logged.notes.iter().any(|note| note.contains("query was left out")), "{:?}", logged.notes);
}

#[tokio::test]
async fn a_body_written_anew_is_found() {
    let world = World::new().await;
    let target = format!("{FAVOR}/coupon-stocks");
    let sent = stock_body("Number1", 10, 1).to_string();
    let python = serde_json::to_string_pretty(&stock_body("Number1", 10, 1)).unwrap();
    let now = world.mirror.now().timestamp();
    let message = format!("POST\n{target}\n{now}\n{NONCE}\n{python}\n");
    let entry = refused(&world, "POST", &target, &sent, &message).await;
    assert_eq!(entry["signature"]["cause"]["code"], "body_pretty");
    assert_eq!(entry["received"]["body"], sent);
}

#[tokio::test]
async fn the_whole_upload_signed_is_found() {
    let world = World::new().await;
    let target = format!("{FAVOR}/media/image-upload");
    let meta = r#"{"filename":"a.png","sha256":"00"}"#;
    let form = format!(
        "--b\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{meta}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\
         x\r\n--b--\r\n"
    );
    let header = world.credentials().authorization("POST", &target, world.mirror.now().timestamp(), &form);
    let request = world
        .request("POST", &target, "")
        .header("Authorization", header)
        .header("Content-Type", "multipart/form-data; boundary=b")
        .body(form);
    assert_eq!(fetch(request).await.unwrap().status, 401);
    let logged = &world.mirror.requests(1, 0)[0];
    assert_eq!(logged.signature.as_ref().unwrap().cause.code, "whole_form");
}

#[tokio::test]
async fn causes_before_the_signature_are_told_too() {
    let world = World::new().await;
    let last = || world.mirror.requests(1, 0).remove(0).signature.unwrap().cause.code;
    let target = "/v3/certificates";
    fetch(world.request("GET", target, "")).await.unwrap();
    assert_eq!(last(), "header_missing");
    let late = world.credentials().authorization("GET", target, world.mirror.now().timestamp() - 301, "");
    fetch(world.request("GET", target, "").header("Authorization", late)).await.unwrap();
    assert_eq!(last(), "clock_behind");
    // What is fine has no diagnosis.
    world.get(target).await;
    assert!(world.mirror.requests(1, 0)[0].signature.is_none());
}

#[tokio::test]
async fn what_went_over_the_wire_is_kept_without_the_signature() {
    let world = World::new().await;
    let id = world.running_stock(&stock_body("Number1", 10, 1)).await;
    let reply = world.give(&id, "oUser1", "Number2").await;
    let coupon = reply.ok()["coupon_id"].as_str().unwrap().to_owned();
    let logged = world.mirror.requests(1, 0).remove(0);
    assert_eq!(logged.received.body(), world.send_body(&id, "Number2").to_string().as_bytes());
    let header = |name: &str| {
        logged.received.headers().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
    };
    let authorization = header("authorization").unwrap();
    assert!(authorization.contains("mchid=\"1900000109\"") && authorization.contains('…'), "{authorization}");
    assert!(authorization.len() < 260);
    assert_eq!(logged.sent.body(), reply.body);
    assert!(logged.sent.headers().any(|(name, _)| name == "wechatpay-signature"));
    let shown = world.control("GET", &format!("/_mirror/requests/{}", logged.id), &Value::Null).await.ok();
    assert!(shown["sent"]["body"].as_str().unwrap().contains(&coupon));
    assert_eq!(shown["sent"]["cut"], false);
    assert_eq!(shown["received"]["headers"].as_array().unwrap().len(), logged.received.headers().count());
    // The list stays small.
    let list = world.control("GET", "/_mirror/requests?limit=1", &Value::Null).await.ok();
    assert!(list["requests"][0].get("sent").is_none());
    // A large body is kept in part.
    let large = json!({"stock_name": "x".repeat(100_000)});
    world.call("POST", &format!("{FAVOR}/coupon-stocks"), &large).await;
    let logged = world.mirror.requests(1, 0).remove(0);
    assert_eq!((logged.received.body().len(), logged.received.body_bytes()), (8_192, 100_017));
    assert!(logged.canonical.unwrap().len() <= 8_192);
    let shown = world.control("GET", &format!("/_mirror/requests/{}", logged.id), &Value::Null).await.ok();
    assert_eq!(shown["received"]["cut"], true);
}

#[tokio::test]
async fn the_list_can_be_narrowed() {
    let world = World::new().await;
    world.get("/v3/certificates").await;
    world.get("/v3/certificates?algorithm_type=DSA").await;
    fetch(world.request("GET", "/v3/certificates", "")).await.unwrap();
    world.call("POST", &format!("{FAVOR}/coupon-stocks"), &json!({"stock_name": "Oolong"})).await;
    let ids = async |query: &str| -> Vec<u64> {
        let list = world.control("GET", &format!("/_mirror/requests?{query}"), &Value::Null).await.ok();
        list["requests"].as_array().unwrap().iter().map(|entry| entry["id"].as_u64().unwrap()).collect()
    };
    assert_eq!(ids("verdict=unauthenticated").await, [3]);
    assert_eq!(ids("verdict=accepted").await, [1]);
    assert_eq!(ids("operation=stock.*").await, [4]);
    assert_eq!(ids("operation=certificates.list&limit=2").await, [3, 2]);
    assert_eq!(ids("mchid=1900000109&verdict=&q=").await, [4, 2, 1]);
    assert_eq!(ids("q=oolong").await, [4]);
    assert_eq!(ids("q=DSA&after=2").await, [0; 0]);
    let bad = world.control("GET", "/_mirror/requests?verdict=odd", &Value::Null).await;
    assert_eq!(bad.status, 400);
    let gone = world.control("GET", "/_mirror/requests/99", &Value::Null).await;
    assert_eq!((gone.status, gone.json()["code"].as_str()), (404, Some("NOT_FOUND")));
}
