//! Uploading pictures.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::harness::{FAVOR, Reply, World, fetch};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\r\n--not the boundary\r\n";

fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An upload, ready to be bent.
struct Upload {
    content_type: String,
    meta: String,
    body: Vec<u8>,
    /// What is signed; by default the meta text.
    signed: Option<String>,
}

impl Upload {
    fn of(filename: &str, content: &[u8]) -> Self {
        let meta = json!({"filename": filename, "sha256": sha256(content)}).to_string();
        Self::with_meta(&meta, filename, content)
    }

    fn with_meta(meta: &str, filename: &str, content: &[u8]) -> Self {
        let mut body = format!(
            "--BOUNDARY\r\nContent-Disposition: form-data; name=\"meta\"\r\n\
             Content-Type: application/json\r\n\r\n{meta}\r\n--BOUNDARY\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n\
             Content-Type: image/jpg\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n--BOUNDARY--\r\n");
        Self {
            content_type: "multipart/form-data; boundary=BOUNDARY".into(),
            meta: meta.into(),
            body,
            signed: None,
        }
    }

    async fn send(&self, world: &World) -> Reply {
        let target = format!("{FAVOR}/media/image-upload");
        let signed = self.signed.as_ref().unwrap_or(&self.meta);
        let now = world.mirror.now().timestamp();
        let request = world
            .request("POST", &target, "")
            .header("Authorization", world.credentials().authorization("POST", &target, now, signed))
            .header("Content-Type", &self.content_type)
            .body(self.body.clone());
        fetch(request).await.unwrap()
    }
}

#[tokio::test]
async fn a_picture_is_kept_and_shown() {
    let world = World::new().await;
    let reply = Upload::of("logo.png", PNG).send(&world).await;
    assert!(reply.is_signed_by(&world.mirror.platform_certificates()[0].pem));
    let url = reply.ok()["media_url"].as_str().unwrap().to_owned();
    assert!(url.starts_with(world.mirror.base_url()) && url.len() <= 128, "{url}");
    let shown = fetch(world.http.get(&url)).await.unwrap();
    assert_eq!((shown.status, shown.header("content-type")), (200, Some("image/png")));
    assert_eq!(shown.body, PNG);
    assert_eq!(shown.header("x-content-type-options"), Some("nosniff"));
    // Harmless to repeat.
    assert_eq!(Upload::of("logo.png", PNG).send(&world).await.ok()["media_url"], url);
    let jpeg = Upload::of("LOGO.JPG", b"\xff\xd8\xff\xe0 jpeg").send(&world).await.ok();
    let shown = fetch(world.http.get(jpeg["media_url"].as_str().unwrap())).await.unwrap();
    assert_eq!(shown.header("content-type"), Some("image/jpeg"));
    let missing =
        fetch(world.http.get(format!("{}/wxpaylogo/abc/0", world.mirror.base_url()))).await.unwrap();
    assert_eq!(missing.status, 404);
    // The address is one a stock can carry.
    let mut body = crate::harness::stock_body("n1", 10, 1);
    body["pattern_info"] = json!({"description": "x", "merchant_logo": url, "coupon_image": url});
    world.created_stock(&body).await;
}

#[tokio::test]
async fn what_sdks_send_is_taken() {
    let world = World::new().await;
    let good = || Upload::of("logo.png", PNG);
    let replaced = |from: &str, to: &str| {
        let upload = good();
        let at = upload.body.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        let body = [&upload.body[..at], to.as_bytes(), &upload.body[at + from.len()..]].concat();
        Upload { body, ..upload }
    };
    let quoted = Upload { content_type: "multipart/form-data; boundary=\"BOUNDARY\"".into(), ..good() };
    let semicolon = replaced("name=\"meta\"", "name=\"meta\";");
    let no_final_line_end = replaced("--BOUNDARY--\r\n", "--BOUNDARY--");
    let swapped = {
        let upload = good();
        let body = upload.body.strip_suffix(b"--BOUNDARY--\r\n").unwrap();
        let middle = body.windows(12).rposition(|window| window == b"--BOUNDARY\r\n").unwrap();
        let body = [&body[middle..], &body[..middle], b"--BOUNDARY--\r\n"].concat();
        Upload { body, ..upload }
    };
    for (name, upload) in [
        ("quoted", quoted),
        ("semicolon", semicolon),
        ("no final line end", no_final_line_end),
        ("swapped", swapped),
    ] {
        assert_eq!(upload.send(&world).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn only_the_meta_text_is_signed() {
    let world = World::new().await;
    let whole = Upload::of("logo.png", b"BM bitmap");
    let whole = Upload { signed: Some(String::from_utf8(whole.body.clone()).unwrap()), ..whole };
    let reply = whole.send(&world).await;
    reply.refused(401, "SIGN_ERROR", "错误的签名，验签失败");
    let reading = favor_mirror::Readings {
        image_signature: favor_mirror::ImageSignature::RequestBlocked,
        ..favor_mirror::Readings::default()
    };
    world.mirror.set_readings(reading);
    whole.send(&world).await.refused(403, "REQUEST_BLOCKED", "签名信息不匹配");
    world.mirror.set_readings(favor_mirror::Readings::default());
    whole.send(&world).await;
    let notes = world.mirror.requests(1, 0)[0].notes.clone();
    assert!(notes.iter().any(|note| note.contains("whole multipart body")), "{notes:?}");
    let nothing = Upload { signed: Some(String::new()), ..Upload::of("logo.png", PNG) };
    assert_eq!(nothing.send(&world).await.status, 401);
    // Byte for byte: blanks count.
    let meta = format!("{{ \"filename\": \"logo.png\",\n\"sha256\": \"{}\" }}", sha256(PNG));
    assert_eq!(Upload::with_meta(&meta, "logo.png", PNG).send(&world).await.status, 200);
    let reprinted = serde_json::from_str::<Value>(&meta).unwrap().to_string();
    let other = Upload { signed: Some(reprinted), ..Upload::with_meta(&meta, "logo.png", PNG) };
    assert_eq!(other.send(&world).await.status, 401);
}

#[tokio::test]
async fn rules() {
    let world = World::new().await;
    let refused = |upload: Upload, status: u16, code: &'static str, message: &'static str| {
        let world = &world;
        async move { upload.send(world).await.refused(status, code, message) }
    };
    refused(Upload::of("logo.png", b""), 400, "PARAM_ERROR", "图片文件为空").await;
    refused(Upload::of("logo.gif", b"GIF89a"), 403, "REQUEST_BLOCKED", "未知图片类型").await;
    refused(Upload::of("logo.png", b"GIF89a"), 403, "REQUEST_BLOCKED", "未知图片类型").await;
    refused(Upload::of("logo.jpeg", PNG), 403, "REQUEST_BLOCKED", "未知图片类型").await;
    let mut large = PNG.to_vec();
    large.resize(2 * 1024 * 1024, 0);
    assert_eq!(Upload::of("logo.png", &large).send(&world).await.status, 200);
    large.push(0);
    refused(Upload::of("logo.png", &large), 400, "PARAM_ERROR", "图片文件过大").await;
    let meta = |name: &str, hash: &str| json!({"filename": name, "sha256": hash}).to_string();
    let inconsistent = "图片meta信息不一致";
    let wrong_hash = Upload::with_meta(&meta("logo.png", &sha256(b"x")), "logo.png", PNG);
    refused(wrong_hash, 403, "REQUEST_BLOCKED", inconsistent).await;
    let wrong_name = Upload::with_meta(&meta("other.png", &sha256(PNG)), "logo.png", PNG);
    refused(wrong_name, 403, "REQUEST_BLOCKED", inconsistent).await;
    let upper = Upload::with_meta(&meta("logo.png", &sha256(PNG).to_uppercase()), "logo.png", PNG);
    assert_eq!(upper.send(&world).await.status, 200);
    for (meta, message) in [
        ("{\"sha256\":\"0\"}", "参数“文件名称”是必填项"),
        ("{\"filename\":\"logo.png\"}", "参数“文件摘要”是必填项"),
        ("[]", "请求内容不是合法的JSON对象"),
    ] {
        refused(Upload::with_meta(meta, "logo.png", PNG), 400, "PARAM_ERROR", message).await;
    }
    // Not a form at all: then the body itself is signed.
    let text = "{}".to_owned();
    let plain = Upload {
        content_type: "application/json".into(),
        body: text.clone().into_bytes(),
        signed: Some(text.clone()),
        meta: text,
    };
    refused(plain, 400, "PARAM_ERROR", "请求内容不是合法的multipart/form-data").await;
}
