//! QR codes and the signatures of pages.

use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use super::desk::{APPID, CARD, CODE, Desk, OPENID};

const QR: &str = "/card/qrcode/create";

fn qr() -> String {
    json!({
        "errcode": 0, "ticket": "gQH_test+A", "expire_seconds": 1800, "url": " http://weixin.qq.com/q/INVENTED ",
        "show_qrcode_url": "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=gQH_test%2BA",
    })
    .to_string()
}

#[test]
fn a_qr_code_is_drawn_in_the_terminal_and_as_svg() {
    let desk = Desk::start();
    desk.answer(QR, &qr());
    let drawn = desk.table(&["qrcode", CARD, "--channel", "table-7", "--expires", "30m"]);
    assert!(drawn.contains('█') && drawn.contains('▀'), "{drawn}");
    assert!(drawn.contains("http://weixin.qq.com/q/INVENTED"), "{drawn}");
    assert_eq!(
        desk.body(QR),
        json!({
            "action_name": "QR_CARD", "expire_seconds": 1800,
            "action_info": {"card": {"card_id": CARD, "outer_str": "table-7"}},
        })
    );
    let svg = desk.table(&["qrcode", CARD, "--svg"]);
    assert!(svg.starts_with("<?xml") && svg.trim_end().ends_with("</svg>"), "{svg}");
    let object = desk.json(&["qrcode", CARD, "--unique", "--code", CODE, "--openid", OPENID]);
    assert_eq!(object["ticket"], "gQH_test+A");
    let card = &desk.seen(QR)[2].json()["action_info"]["card"];
    assert_eq!(
        (&card["is_unique_code"], &card["code"], &card["openid"]),
        (&true.into(), &CODE.into(), &OPENID.into())
    );
    desk.json(&["qrcode", CARD, "pOther"]);
    assert_eq!(desk.seen(QR)[3].json()["action_name"], "QR_MULTIPLE_CARD");
}

#[test]
fn a_picture_goes_into_a_file_whole_and_replaces_none_unasked() {
    let desk = Desk::start();
    desk.answer(QR, &qr());
    desk.direct("/cgi-bin/showqrcode", |_| (200, vec![0xff, 0xd8, 1, 2, 3]));
    desk.table(&["qrcode", CARD, "--out", "q.svg"]);
    assert!(std::fs::read_to_string(desk.path().join("q.svg")).unwrap().contains("<svg"));
    assert_eq!(desk.json(&["qrcode", CARD, "--out", "q.jpg"])["file"], "q.jpg");
    assert_eq!(std::fs::read(desk.path().join("q.jpg")).unwrap(), [0xff, 0xd8, 1, 2, 3]);
    let calls = desk.seen(QR).len();
    for (arguments, words) in [
        (&["qrcode", CARD, "--out", "q.svg"][..], "--replace replaces it"),
        (&["qrcode", CARD, "--out", "q.png"], ".svg"),
        (&["qrcode", CARD, "pOther", "--code", CODE], "one card"),
        (&["qrcode", CARD, "--expires", "31m"], "expire_seconds"),
        (&["qrcode", "a", "b", "c", "d", "e", "f"], "no more were expected"),
    ] {
        let ran = desk.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(words), "{arguments:?}: {ran:?}");
    }
    assert_eq!(desk.seen(QR).len(), calls, "nothing was made for what cannot be drawn");
    desk.table(&["qrcode", CARD, "--out", "q.svg", "--replace"]);
    desk.direct("/cgi-bin/showqrcode", |_| (404, Vec::new()));
    let ran = desk.run(&["qrcode", CARD, "--out", "r.jpg"]);
    assert!(
        ran.code != Some(0) && ran.stderr.contains("is made and says http://weixin.qq.com/q/"),
        "{ran:?}"
    );
    assert!(!desk.path().join("r.jpg").exists());
    assert!(!ran.stderr.contains("nothing was sent"), "{ran:?}");
    desk.answer(QR, &json!({"errcode": 0, "ticket": "t"}).to_string());
    let ran = desk.run(&["qrcode", CARD]);
    assert!(ran.code == Some(2) && ran.stderr.contains("the platform's own is at"), "{ran:?}");
}

#[test]
fn a_qr_code_whose_file_cannot_be_written_is_not_lost() {
    let desk = Desk::start();
    desk.direct("/cgi-bin/showqrcode", |_| (200, vec![0xff, 0xd8, 1, 2, 3]));
    for name in ["q.svg", "q.jpg"] {
        let folder = desk.path().join("out");
        std::fs::create_dir(&folder).unwrap();
        // The folder goes while the QR code is made.
        desk.direct(QR, move |_| {
            std::fs::remove_dir(&folder).unwrap();
            (200, qr().into_bytes())
        });
        let ran = desk.run(&["qrcode", CARD, "--out", &format!("out/{name}"), "--quiet"]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        for words in [
            "is made and says http://weixin.qq.com/q/INVENTED",
            "its ticket is gQH_test+A",
            "showqrcode?ticket=gQH_test%2BA",
            &format!("cannot write out/{name}"),
        ] {
            assert!(ran.stderr.contains(words), "{words}: {ran:?}");
        }
    }
    let made = desk.seen(QR).len();
    let ran = desk.run(&["qrcode", CARD, "--out", "out/q.svg"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("out is no folder"), "{ran:?}");
    assert_eq!(desk.seen(QR).len(), made, "none is made for a folder that is not there");
}

/// The signature of the spec, made without the library: the values sorted, joined, and hashed.
fn sign(values: &[&str]) -> String {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    hex(&sorted.concat())
}

fn hex(text: &str) -> String {
    Sha1::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

#[test]
fn pages_are_signed_with_the_ticket_of_their_kind() {
    let desk = Desk::start();
    let ticket = "/cgi-bin/ticket/getticket";
    desk.direct(ticket, |seen| {
        let ticket = if seen.query.contains("type=wx_card") { "CARDticket" } else { "PAGEticket" };
        (200, json!({"errcode": 0, "errmsg": "ok", "ticket": ticket, "expires_in": 7200}).to_string().into())
    });
    let signed =
        desk.json(&["sign", "card-ext", CARD, "--code", CODE, "--openid", OPENID, "--channel", "t7"]);
    assert_eq!(signed["cardId"], CARD);
    let ext: Value = serde_json::from_str(text(&signed, "cardExt")).unwrap();
    let (time, nonce) = (text(&ext, "timestamp"), text(&ext, "nonce_str"));
    assert_eq!(text(&ext, "signature"), sign(&["CARDticket", time, CARD, CODE, OPENID, nonce]));
    assert_eq!(ext["outer_str"], "t7");

    let choice = desk.json(&["sign", "choose", "--shop", "300001", "--type", "CASH", "--card", CARD]);
    let (time, nonce) = (choice["timestamp"].to_string(), text(&choice, "nonceStr"));
    assert_eq!(text(&choice, "cardSign"), sign(&["CARDticket", APPID, "300001", &time, nonce, CARD, "CASH"]));

    let page = desk.json(&["sign", "page", "https://shop.example.com/a?b=c#d"]);
    let (time, nonce) = (page["timestamp"].to_string(), text(&page, "nonceStr"));
    let signed = format!(
        "jsapi_ticket=PAGEticket&noncestr={nonce}&timestamp={time}&url=https://shop.example.com/a?b=c"
    );
    assert_eq!(text(&page, "signature"), hex(&signed));
    assert_eq!(desk.seen(ticket).len(), 2, "tickets are kept between runs, each under its own name");
    let table = desk.table(&["sign", "page", "https://shop.example.com/"]);
    assert!(table.contains("nonceStr") && table.contains(APPID), "{table}");
    let ran = desk.run(&["sign", "page", "shop.example.com"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("http"), "{ran:?}");
}
