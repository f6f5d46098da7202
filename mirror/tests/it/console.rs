//! The console's files, and who may make control calls.

use serde_json::Value;

use crate::harness::{Reply, World, builder, fetch};

async fn page(world: &World, target: &str) -> Reply {
    let request = world.http.get(format!("{}{target}", world.mirror.base_url()));
    fetch(request.header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")).await.unwrap()
}

/// The quoted addresses in a file.
fn references(text: &str) -> Vec<String> {
    let quoted = text.split(['"', '\'']).map(str::to_owned);
    quoted.filter(|part| part.starts_with("/_mirror/console/") || part.starts_with("./")).collect()
}

#[tokio::test]
async fn a_browser_gets_pages_and_others_the_list() {
    let world = World::new().await;
    let html = page(&world, "/_mirror/").await;
    assert_eq!(html.header("content-type"), Some("text/html; charset=utf-8"));
    let text = String::from_utf8(html.body.clone()).unwrap();
    assert!(text.starts_with("<!doctype html>"));
    // Without the slash it is the list for everybody.
    assert!(page(&world, "/_mirror").await.ok()["calls"].is_array());
    for target in ["/_mirror", "/_mirror/"] {
        let list = world.control("GET", target, &Value::Null).await.ok();
        assert!(list["calls"].as_array().unwrap().len() > 20);
    }
    let plain = fetch(world.http.get(format!("{}/_mirror/", world.mirror.base_url()))).await.unwrap();
    assert!(plain.json()["calls"].is_array());
}

/// Every file that a page or a script names is there, of its type, and asks for nothing from elsewhere.
#[tokio::test]
async fn the_console_is_whole_and_keeps_to_itself() {
    let world = World::new().await;
    let mut waiting = vec!["/_mirror/".to_owned()];
    let mut seen = Vec::new();
    while let Some(target) = waiting.pop() {
        let reply = page(&world, &target).await;
        assert_eq!(reply.status, 200, "{target}");
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        let text = String::from_utf8(reply.body.clone()).unwrap();
        let foreign = text.replace("http://www.w3.org/2000/svg", "");
        assert!(!foreign.contains("http://") && !foreign.contains("https://"), "{target} names another site");
        let content_type = match target.rsplit_once('.').map(|(_, end)| end) {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "text/html; charset=utf-8",
        };
        assert_eq!(reply.header("content-type"), Some(content_type), "{target}");
        for found in references(&text) {
            let found = found.replace("./", "/_mirror/console/");
            if !seen.contains(&found) {
                seen.push(found.clone());
                waiting.push(found);
            }
        }
    }
    assert!(seen.len() >= 15, "{seen:?}");
    let unknown = page(&world, "/_mirror/console/secret.js").await;
    assert_eq!((unknown.status, unknown.json()["code"].as_str()), (404, Some("NOT_FOUND")));
}

async fn with_headers(world: &World, headers: &[(&str, &str)]) -> u16 {
    let mut request = world.http.post(format!("{}/_mirror/clock", world.mirror.base_url()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    fetch(request.body("{\"advance_seconds\":1}")).await.unwrap().status
}

#[tokio::test]
async fn pages_of_other_sites_make_no_control_calls() {
    let world = World::new().await;
    let before = world.mirror.now();
    let own = world.mirror.base_url().to_owned();
    let port = own.rsplit(':').next().unwrap();
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", &format!("http://localhost:{port}")]
    {
        assert_eq!(with_headers(&world, &[("Origin", origin)]).await, 403, "{origin}");
    }
    for host in ["evil.example", &format!("rebound.example:{port}"), "10.0.0.1"] {
        assert_eq!(with_headers(&world, &[("Host", host)]).await, 403, "{host}");
        let origin = format!("http://{host}");
        assert_eq!(with_headers(&world, &[("Host", host), ("Origin", &origin)]).await, 403, "{host}");
    }
    assert_eq!(world.mirror.now(), before, "nothing that was refused was done");
    // A client without a browser, and the console itself.
    assert_eq!(with_headers(&world, &[]).await, 200);
    assert_eq!(with_headers(&world, &[("Origin", &own)]).await, 200);
    let localhost = format!("localhost:{port}");
    let origin = format!("http://{localhost}");
    assert_eq!(with_headers(&world, &[("Host", &localhost), ("Origin", &origin)]).await, 200);
    // Reading is refused as well: the log shows what was signed.
    let read = world.http.get(format!("{own}/_mirror/requests")).header("Host", "rebound.example");
    let read = fetch(read).await.unwrap();
    assert_eq!((read.status, read.json()["code"].as_str()), (403, Some("FORBIDDEN")));
    // The API itself is for any host: clients come through proxies.
    let api = world.http.get(format!("{own}/v3/certificates")).header("Host", "api.mch.weixin.qq.com");
    assert_eq!(fetch(api).await.unwrap().status, 401);
}

#[tokio::test]
async fn an_open_mirror_has_any_name_but_still_no_foreign_pages() {
    let world = World::with(builder().open_control(true)).await;
    assert_eq!(with_headers(&world, &[("Host", "mirror:7700")]).await, 200);
    let page = [("Host", "mirror:7700"), ("Origin", "http://evil.example")];
    assert_eq!(with_headers(&world, &page).await, 403);
}
