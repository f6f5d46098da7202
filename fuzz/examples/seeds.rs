//! Writes the seeds into `seeds/`. What is signed or sealed in them cannot be written by hand.

use std::io;
use std::path::Path;

use favor_fuzz::{NOW, USED, body, envelope, headers, seal};
use http::HeaderMap;
use serde_json::{Value, json};

const LATER: &str = r#"{"what":["is","not",1,null,{"known":true}]}"#;
const FLOW: &str = "批次id,优惠id,优惠类型,优惠金额（元）,订单总金额（元）,交易类型,支付单号,消耗时间,消耗商户号,设备号,银行流水号,单品信息";

fn main() -> io::Result<()> {
    let used = body("COUPON.USE", USED.as_bytes());
    let signed = headers(&used);
    let request = |headers: &HeaderMap, body: &[u8]| {
        let mut text = Vec::new();
        for (name, value) in headers {
            text.extend_from_slice(name.as_str().as_bytes());
            text.extend_from_slice(b": ");
            text.extend_from_slice(value.as_bytes());
            text.push(b'\n');
        }
        [text.as_slice(), b"\n", body].concat()
    };
    let with = |name: &'static str, value: &str| {
        let mut headers = signed.clone();
        headers.insert(name, value.parse().expect("a text"));
        headers
    };
    let probe = format!("WECHATPAY/SIGNTEST/{}", "A".repeat(325));
    let mut twice = signed.clone();
    twice.append("wechatpay-nonce", "another".parse().expect("a text"));
    let without = {
        let mut headers = signed.clone();
        headers.remove("wechatpay-serial");
        headers
    };
    let certificate = "0C4A5F7700000000000000000000000000000A01";
    for folder in ["notification", "signature_headers"] {
        write(folder, "good", &request(&signed, &used))?;
        write(folder, "probe", &request(&with("wechatpay-signature", &probe), &used))?;
        write(folder, "certificate", &request(&with("wechatpay-serial", certificate), &used))?;
        write(folder, "unknown-key", &request(&with("wechatpay-serial", "0A"), &used))?;
        write(folder, "stale", &request(&with("wechatpay-timestamp", &(NOW - 300).to_string()), &used))?;
        write(folder, "type", &request(&with("wechatpay-signature-type", "WECHATPAY2-SM2-WITH-SM3"), &used))?;
        write(folder, "twice", &request(&twice, &used))?;
        write(folder, "missing", &request(&without, &used))?;
        write(folder, "empty", &request(&headers(b""), b""))?;
    }

    write("notification_signed", "used", &used)?;
    write("notification_signed", "later", &body("COUPON.LATER", LATER.as_bytes()))?;
    let changed = |pointer: &str, value: Value| {
        let mut envelope = envelope("COUPON.USE", USED.as_bytes());
        *envelope.pointer_mut(pointer).expect("a field") = value;
        envelope.to_string().into_bytes()
    };
    write("notification_signed", "digits", &changed("/create_time", json!("20300101075901")))?;
    write("notification_signed", "algorithm", &changed("/resource/algorithm", json!("AEAD_SM4_GCM")))?;
    write("notification_signed", "nonce", &changed("/resource/nonce", json!("a1b2c3d4e5f")))?;
    write("notification_signed", "no-data", &changed("/resource/associated_data", Value::Null))?;
    write("notification_signed", "deep", "[".repeat(200).as_bytes())?;

    for (name, event, text) in [("used", 0, USED), ("sent", 1, USED), ("later", 2, LATER)] {
        write("notification_sealed", name, &[&[event], text.as_bytes()].concat())?;
    }
    let other = USED.replace(r#""status":"USED""#, r#""state":"EXPIRED""#).replace("true", "null");
    write("notification_sealed", "old", &[&[0], other.as_bytes()].concat())?;
    let another = USED.replace("1900000109", "1900000110");
    write("notification_sealed", "another-merchant", &[&[0], another.as_bytes()].concat())?;

    let sealed = |text: &str| {
        json!({
            "algorithm": "AEAD_AES_256_GCM", "nonce": "a1b2c3d4e5f6", "associated_data": "coupon",
            "ciphertext": seal("a1b2c3d4e5f6", "coupon", text.as_bytes()),
        })
        .to_string()
    };
    write("aead", "text", sealed("text").as_bytes())?;
    write("aead", "empty", sealed("").as_bytes())?;
    write("aead", "plain", USED.as_bytes())?;

    let row = |number: u8| {
        format!(
            "`15300001,`1818000000000{number},`全场代金券,`1.00,`2.00,`支付,`420000000020261127000000000{number},\
             `2026-11-27 16:23:05,`1900000109,\"POS-{number}\",\"\",\"[{{\"\"goods\"\":1}}]\""
        )
    };
    let file = |end: &str| {
        [String::from("~") + FLOW, row(1), row(2), "总条数".to_owned(), "`2".to_owned(), String::new()]
            .join(end)
    };
    write("flow_rows", "use.csv", file("\r\n").as_bytes())?;
    write("flow_rows", "lines.csv", file("\n").as_bytes())?;
    let refund = format!(
        "\x03\u{feff}{FLOW},退款单号,退款时间\r\n{},`5030000000,`2026-11-28 09:00:00\r\n总条数\r\n`1\r\n",
        row(1).replace("支付", "退款")
    );
    write("flow_rows", "refund.csv", refund.as_bytes())?;
    write(
        "flow_rows",
        "bad.csv",
        file("\r\n").replace("`1.00", "`1.001").replace("`2\r\n", "`3\r\n").as_bytes(),
    )?;
    write("flow_rows", "cut.csv", &file("\r\n").as_bytes()[..500])?;

    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/it/keys");
    for name in [
        "merchant.pem",
        "merchant-pkcs1.pem",
        "merchant-public.pem",
        "merchant-certificate.pem",
        "merchant-encrypted.pem",
        "merchant-encrypted-pkcs1.pem",
        "small.pem",
        "small-public.pem",
        "ec.pem",
        "ec-sec1.pem",
        "ec-public.pem",
        "ec-certificate.pem",
        "merchant.der",
    ] {
        write("key_files", name, &std::fs::read(keys.join(name))?)?;
    }
    write("key_files", "api-v3-key", favor_fuzz::API_V3_KEY.as_bytes())
}

fn write(target: &str, name: &str, content: &[u8]) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(name), content)
}
