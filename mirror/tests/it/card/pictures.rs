//! Pictures of QR codes.

use std::time::Duration;

use serde_json::{Value, json};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;

use super::{Cards, base, coupon};
use crate::harness::{Reply, fetch};

/// The `path?query` of an address of WeChat's.
fn target(url: &Value) -> String {
    url.as_str().unwrap().strip_prefix("https://mp.weixin.qq.com").unwrap().to_owned()
}

async fn show(cards: &Cards, target: &str) -> Reply {
    fetch(cards.world.request("GET", target, "")).await.unwrap()
}

/// What a phone reads from a picture.
fn read(jpeg: &[u8]) -> String {
    let mut decoder = JpegDecoder::new(ZCursor::new(jpeg));
    let points = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    assert_eq!(width, height);
    let step = points.len() / (width * height);
    let light = |x: usize, y: usize| points[(y * width + x) * step];
    assert_eq!(light(0, 0), 255, "the margin is white");
    assert!(points.iter().all(|point| matches!(point, 0 | 255)), "black and white, without any shade");
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, light);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap().1
}

#[tokio::test]
async fn the_picture_of_a_ticket_says_its_url_to_everybody() {
    let cards = Cards::new().await;
    let id = cards.card(&coupon(base())).await;
    for _ in 0..3 {
        let wanted = json!({"action_name": "QR_CARD", "action_info": {"card": {"card_id": id}}});
        let made = cards.ok("/card/qrcode/create", &wanted).await;
        let target = target(&made["show_qrcode_url"]);
        let reply = show(&cards, &target).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("image/jpg")));
        assert_eq!(read(&reply.body), made["url"].as_str().unwrap());
        let encoded = target.split_once("ticket=").unwrap().1;
        assert!(encoded.contains('%'), "tickets have to be encoded: {encoded}");
        let logged = cards.world.control("GET", "/_mirror/requests?limit=1", &Value::Null).await.ok();
        assert_eq!(logged["requests"][0]["operation"], "card.qr_picture");
    }
}

#[tokio::test]
async fn a_ticket_that_is_wrong_or_over_has_no_picture() {
    let cards = Cards::new().await;
    let id = cards.card(&coupon(base())).await;
    let wanted =
        json!({"action_name": "QR_CARD", "expire_seconds": 60, "action_info": {"card": {"card_id": id}}});
    let made = cards.ok("/card/qrcode/create", &wanted).await;
    let target = target(&made["show_qrcode_url"]);
    assert_eq!(show(&cards, &target).await.status, 200);
    cards.world.mirror.advance(Duration::from_secs(60)).await.unwrap();
    for target in [&target, "/cgi-bin/showqrcode?ticket=gQHno", "/cgi-bin/showqrcode"] {
        let reply = show(&cards, target).await;
        assert_eq!((reply.status, reply.body.len()), (404, 0), "{target}");
    }
    let posted = fetch(cards.world.request("POST", &target, "{}")).await.unwrap();
    assert_eq!(posted.ok()["errcode"], 43001);
}
