//! Authorization headers that are wrong in every way: each a 401 with its message, and none reaches the endpoint.

use favor_mirror::Verdict;
use serde_json::Value;

use crate::harness::{Credentials, USER, World, coupons_of, stock_body};

const HEADER: &str = "Authorization不合法";
const MERCHANT: &str = "商户号不存在";
const SERIAL: &str = "商户证书序列号有误";
const TIMESTAMP: &str = "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟";
const SIGNATURE: &str = "错误的签名，验签失败";

const ITEMS: [&str; 5] = ["mchid", "nonce_str", "timestamp", "serial_no", "signature"];

/// A header by its parts, in the usual order.
#[derive(Clone)]
struct Header {
    scheme: String,
    items: Vec<(String, String)>,
}

impl Header {
    fn of(text: &str) -> Self {
        let (scheme, items) = text.split_once(' ').unwrap();
        let item = |item: &str| {
            let (name, value) = item.split_once('=').unwrap();
            (name.to_owned(), value.trim_matches('"').to_owned())
        };
        Self { scheme: scheme.to_owned(), items: items.split(',').map(item).collect() }
    }

    fn text(&self) -> String {
        let items: Vec<_> = self.items.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        format!("{} {}", self.scheme, items.join(","))
    }

    /// The text with one value replaced.
    fn with(&self, name: &str, value: &str) -> String {
        let mut changed = self.clone();
        changed.items.iter_mut().find(|(item, _)| item == name).unwrap().1 = value.to_owned();
        changed.text()
    }

    fn value(&self, name: &str) -> &str {
        &self.items.iter().find(|(item, _)| item == name).unwrap().1
    }
}

/// What is wrong, the header, and the message of its 401.
type Case = (String, Vec<u8>, &'static str);

fn cases(header: &Header) -> Vec<Case> {
    let good = header.text();
    let (scheme, items) = good.split_once(' ').unwrap();
    let mut cases: Vec<Case> = Vec::new();
    let mut add = |what: &str, text: String, message: &'static str| {
        cases.push((what.to_owned(), text.into_bytes(), message));
    };
    for (what, text) in [
        ("empty", String::new()),
        ("the scheme alone", scheme.to_owned()),
        ("nothing after the scheme", format!("{scheme} ")),
        ("scheme in lower case", good.replace(scheme, &scheme.to_lowercase())),
        ("the other scheme", good.replace(scheme, "WECHATPAY2-SM2-WITH-SM3")),
        ("bearer", format!("Bearer {items}")),
        ("basic", "Basic dXNlcjpwYXNz".to_owned()),
        ("no scheme", items.to_owned()),
        ("a tab after the scheme", format!("{scheme}\t{items}")),
        ("two blanks after the scheme", format!("{scheme}  {items}")),
        ("a comma after the scheme", format!("{scheme},{items}")),
        ("semicolons", good.replace("\",", "\";")),
        ("no separators", good.replace("\",", "\"")),
        ("blanks before commas", good.replace("\",", "\" ,")),
        ("blanks around equal signs", good.replace("=\"", " = \"")),
        ("single quotes", good.replace('"', "'")),
        ("no closing quote", good.trim_end_matches('"').to_owned()),
        ("a comma at the end", format!("{good},")),
        ("a comma at the beginning", format!("{scheme} ,{items}")),
        ("text at the end", format!("{good} and more")),
        ("an item that nobody knows", format!("{good},version=\"2\"")),
        ("names in upper case", good.replace("mchid=", "MCHID=")),
        ("an escaped quote", header.with("nonce_str", "a\\\"b")),
        ("quotes twice", good.replace('"', "\"\"")),
        ("JSON", r#"{"mchid":"1900000109"}"#.to_owned()),
        ("very long", "A".repeat(8_000)),
        ("many items", format!("{scheme} {}", "mchid=\"1\",".repeat(700))),
    ] {
        add(what, text, HEADER);
    }
    for name in ITEMS {
        let without: Vec<_> = header.items.iter().filter(|(item, _)| item != name).cloned().collect();
        add(&format!("without {name}"), Header { items: without, ..header.clone() }.text(), HEADER);
        add(&format!("{name} empty"), header.with(name, ""), HEADER);
        let twice = format!("{good},{name}=\"{}\"", header.value(name));
        add(&format!("{name} twice"), twice, HEADER);
        let quoted = format!("{name}=\"{}\"", header.value(name));
        add(&format!("{name} unquoted"), good.replace(&quoted, &quoted.replace('"', "")), HEADER);
    }
    let now: i64 = header.value("timestamp").parse().unwrap();
    for (what, value) in [
        ("a word", "now".to_owned()),
        ("negative", format!("-{now}")),
        ("with a sign", format!("+{now}")),
        ("with a fraction", format!("{now}.0")),
        ("with an exponent", "1.7e9".to_owned()),
        ("hexadecimal", format!("0x{now:x}")),
        ("with a blank", format!(" {now}")),
        ("one above 64 bits", "9223372036854775808".to_owned()),
        ("of a thousand digits", "9".repeat(1_000)),
        ("RFC 3339", "2026-08-10T12:00:00+08:00".to_owned()),
        ("in full-width digits", "１７９０００００００".to_owned()),
    ] {
        add(&format!("timestamp {what}"), header.with("timestamp", &value), HEADER);
    }
    for (what, value) in [
        ("in milliseconds", (now * 1_000).to_string()),
        ("zero", "0".to_owned()),
        ("the last of 64 bits", i64::MAX.to_string()),
        ("five minutes old", (now - 300).to_string()),
        ("five minutes ahead", (now + 300).to_string()),
    ] {
        add(&format!("timestamp {what}"), header.with("timestamp", &value), TIMESTAMP);
    }
    for (what, value) in [
        ("unknown", "1900009999".to_owned()),
        ("with a leading zero", format!("0{}", header.value("mchid"))),
        ("with a blank", format!("{} ", header.value("mchid"))),
        ("very long", "1".repeat(4_000)),
        ("not ASCII", "商户号".to_owned()),
        ("SQL", "1' OR '1'='1".to_owned()),
    ] {
        add(&format!("mchid {what}"), header.with("mchid", &value), MERCHANT);
    }
    for (what, value) in [
        ("unknown", "AB".repeat(20)),
        ("cut short", header.value("serial_no")[..20].to_owned()),
        ("too long", format!("{}00", header.value("serial_no"))),
        ("a word", "serial".to_owned()),
        ("of another merchant", "of-no-merchant".to_owned()),
    ] {
        add(&format!("serial {what}"), header.with("serial_no", &value), SERIAL);
    }
    let signature = header.value("signature").to_owned();
    for (what, name, value) in [
        ("no Base64", "signature", "*".repeat(344)),
        ("Base64 of another alphabet", "signature", signature.replace(['+', '/'], "-")),
        ("cut short", "signature", signature[..340].to_owned()),
        ("without padding", "signature", signature.trim_end_matches('=').to_owned()),
        ("with a blank in it", "signature", format!("{} {}", &signature[..10], &signature[10..])),
        ("padding alone", "signature", "====".to_owned()),
        ("of another length", "signature", "AAAA".to_owned()),
        ("a probe", "signature", format!("WECHATPAY/SIGNTEST/{}", "A".repeat(64))),
        ("for another nonce", "nonce_str", "x".repeat(32)),
        ("for a nonce of 4,000 letters", "nonce_str", "x".repeat(4_000)),
        ("for a second later", "timestamp", (now + 1).to_string()),
    ] {
        add(&format!("signature {what}"), header.with(name, &value), SIGNATURE);
    }
    // Bytes that are no text at all.
    let mut bytes = good.clone().into_bytes();
    bytes.extend([0xC3, 0x28, 0xFF]);
    cases.push(("bytes that are not UTF-8".to_owned(), bytes, HEADER));
    cases
}

fn message_of(answer: &[u8]) -> (String, Value) {
    let text = String::from_utf8_lossy(answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    (head.lines().next().unwrap_or_default().to_owned(), serde_json::from_str(body).unwrap_or_default())
}

#[tokio::test]
async fn each_is_a_401_with_its_message_and_none_reaches_the_endpoint() {
    let world = World::new().await;
    let stock_id = world.running_stock(&stock_body("n1", 100, 60)).await;
    let target = coupons_of(USER);
    let body = world.send_body(&stock_id, "s1").to_string();
    let now = world.mirror.now().timestamp();
    let header = Header::of(&world.credentials().authorization("POST", &target, now, &body));
    let request = |lines: &[u8]| {
        let mut request =
            format!("POST {target} HTTP/1.1\r\nHost: x\r\nUser-Agent: t\r\nConnection: close\r\n")
                .into_bytes();
        request.extend(lines);
        let rest = format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        request.extend(rest.as_bytes());
        request
    };
    let line = |value: &[u8]| [b"Authorization: ", value, b"\r\n"].concat();
    let mut cases: Vec<Case> =
        cases(&header).into_iter().map(|(what, value, message)| (what, line(&value), message)).collect();
    let good = line(header.text().as_bytes());
    cases.push(("no header".to_owned(), Vec::new(), HEADER));
    cases.push(("the header twice".to_owned(), [good.clone(), good.clone()].concat(), HEADER));
    cases.push((
        "a good and a bad header".to_owned(),
        [&good[..], b"authorization: Bearer x\r\n"].concat(),
        HEADER,
    ));
    cases.push(("under another name".to_owned(), [b"X-", &good[..]].concat(), HEADER));
    assert!(cases.len() >= 80, "{}", cases.len());
    for (what, lines, message) in cases {
        let answer = world.raw(&request(&lines)).await;
        let (status, body) = message_of(&answer);
        assert_eq!(status, "HTTP/1.1 401 Unauthorized", "{what}");
        assert_eq!((&body["code"], &body["message"]), (&"SIGN_ERROR".into(), &message.into()), "{what}");
        assert!(
            !String::from_utf8_lossy(&answer).contains("Wechatpay-Signature"),
            "{what}: a 401 is not signed"
        );
        let logged = &world.mirror.requests(1, 0)[0];
        assert_eq!(logged.verdict, Verdict::Unauthenticated, "{what}");
        assert!(!logged.notes.is_empty(), "{what}: the log says why");
        assert_eq!(world.mirror.audit().await.stocks[0].coupons, 0, "{what} reached the endpoint");
    }
    let (status, _) = message_of(&world.raw(&request(&good)).await);
    assert_eq!(status, "HTTP/1.1 200 OK", "the header itself was good");
}

/// What is odd and still right.
#[tokio::test]
async fn odd_headers_that_are_right_are_taken() {
    let world = World::new().await;
    let target = "/v3/certificates";
    let now = world.mirror.now().timestamp();
    let good = world.credentials();
    let lower = Credentials { serial_no: good.serial_no.to_lowercase(), ..world.credentials() };
    let padded = Credentials { serial_no: format!("00{}", good.serial_no), ..world.credentials() };
    let header = |credentials: &Credentials| credentials.authorization("GET", target, now, "");
    let nonce = "n".repeat(2_000);
    let message = format!("GET\n{target}\n{now}\n{nonce}\n\n");
    let mut long = Header::of(&header(&good));
    long.items[1].1 = nonce;
    long.items[4].1 = good.sign(message.as_bytes());
    let message = format!("GET\n{target}\n00{now}\nn\n\n");
    let mut zeros = Header::of(&header(&good));
    zeros.items[1].1 = "n".to_owned();
    zeros.items[2].1 = format!("00{now}");
    zeros.items[4].1 = good.sign(message.as_bytes());
    for (what, text) in [
        ("a serial in lower case", header(&lower)),
        ("a serial with leading zeros", header(&padded)),
        ("a long nonce", long.text()),
        ("a timestamp with leading zeros, signed as written", zeros.text()),
        ("blanks after commas", header(&good).replace(',', ",   ")),
    ] {
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: x\r\nUser-Agent: t\r\nConnection: close\r\nAuthorization:   {text}  \r\n\r\n"
        );
        let (status, body) = message_of(&world.raw(request.as_bytes()).await);
        assert_eq!(status, "HTTP/1.1 200 OK", "{what}: {body}");
    }
}
