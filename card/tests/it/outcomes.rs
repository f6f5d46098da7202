//! What each kind of failure says about what was done.

use favor_card::{
    CardExt, CardMessage, CardTicket, Cards, CodeRef, Codes, CreateQrCode, Distribution, ErrCode, Error,
    ErrorKind, GetCode, Messages, Outcome, PreviewTo, QrCard,
};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::server::{OPENID, SECRET, Server, card_id, chain, code, openid, token};

const CONSUME: &str = "/card/code/consume";

async fn consume(server: &Server) -> Error {
    Codes::new(&server.client()).consume(&CodeRef::new(code("880012345678"))).await.unwrap_err()
}

#[tokio::test]
async fn an_error_number_is_a_refusal_and_a_busy_platform_is_not() {
    let server = Server::start().await;
    server.answer(
        CONSUME,
        r#"{"errcode":40099,"errmsg":"invalid code, this code has consumed hint: [aB3dE5]"}"#,
    );
    let error = consume(&server).await;
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Api, Outcome::Refused));
    assert_eq!(error.code(), Some(ErrCode::CodeConsumed));
    assert!(!error.is_retryable() && error.is_write());
    assert_eq!(
        chain(&error),
        "code.consume: the platform answered with an error: errcode 40099, the code is already redeemed: \
         invalid code, this code has consumed hint: [aB3dE5]"
    );
    assert_eq!(server.count(CONSUME), 1, "not repeated");

    server.answer(CONSUME, r#"{"errcode":-1,"errmsg":"system error"}"#);
    let error = consume(&server).await;
    assert_eq!((error.code(), error.outcome()), (Some(ErrCode::SystemBusy), Outcome::Unknown));
    assert!(error.is_retryable());
    assert_eq!(server.count(CONSUME), 2, "what may have been done is not repeated");

    for odd in [r#"{"errcode":"40073","errmsg":"x"}"#, r#"{"errmsg":"x","errcode":40073.0}"#] {
        server.answer(CONSUME, odd);
        assert_eq!(consume(&server).await.code(), Some(ErrCode::InvalidCardId));
    }
    server.answer(CONSUME, r#"{"errcode":99999,"errmsg":"of tomorrow"}"#);
    assert_eq!(consume(&server).await.code(), Some(ErrCode::Unknown(99_999)));
}

#[tokio::test]
async fn an_answer_that_is_none_leaves_the_outcome_unknown_and_says_what_came() {
    let server = Server::start().await;
    let ok = r#"{"errcode":0,"card":{"card_id":"pTESTcard0000000000000000001"},"openid":"o"}"#;
    for (status, body, kind, word) in [
        (200, String::new(), ErrorKind::Decode, "the answer has no body"),
        (200, "  \n".to_owned(), ErrorKind::Decode, "the answer has no body"),
        (200, "<html><body>502</body></html>".to_owned(), ErrorKind::Decode, "a web page, not JSON"),
        (200, "[]".to_owned(), ErrorKind::Decode, "not a JSON object"),
        (200, "{\"errcode\":0".to_owned(), ErrorKind::Decode, "not a JSON object"),
        (200, "{\"errcode\":0}".to_owned(), ErrorKind::Decode, "the field `card` is missing"),
        (200, r#"{"errcode":[]}"#.to_owned(), ErrorKind::Decode, "errcode of the answer is not a number"),
        (200, ok.replace("{\"card_id\":\"p", "[\"p").replace("},\"o", "],\"o"), ErrorKind::Decode, "at card"),
        (500, "oops".to_owned(), ErrorKind::Status, "HTTP 500"),
        (404, "<html>".to_owned(), ErrorKind::Status, "HTTP 404"),
        (302, String::new(), ErrorKind::Status, "HTTP 302"),
        (200, format!("{{\"errcode\":0,\"x\":\"{}\"}}", "x".repeat(5 << 20)), ErrorKind::TooLarge, "larger"),
    ] {
        server.direct(CONSUME, move |_| (status, body.clone()));
        let error = consume(&server).await;
        assert_eq!((error.kind(), error.outcome()), (kind, Outcome::Unknown), "{}", chain(&error));
        assert!(chain(&error).contains(word), "{}", chain(&error));
        assert!(error.hint().contains("query its object before"), "{}", error.hint());
        assert_eq!(error.endpoint().unwrap().number, "E18");
    }
    server.direct(CONSUME, move |_| (200, format!("\u{feff}{ok}")));
    Codes::new(&server.client())
        .consume(&CodeRef::new(code("1")))
        .await
        .expect("a byte-order mark does no harm");
}

#[tokio::test]
async fn a_text_with_html_is_shown_as_one_plain_line() {
    let server = Server::start().await;
    let errmsg = "<div onclick=\"x()\">invalid <b>card</b> id</div>\n\u{7}rid: 1";
    server.answer(CONSUME, json!({"errcode": 40073, "errmsg": errmsg}).to_string());
    let error = consume(&server).await;
    assert_eq!(error.api().unwrap().message(), "invalid card id  rid: 1");
    assert_eq!(error.code(), Some(ErrCode::InvalidCardId));
}

#[tokio::test]
async fn the_platforms_text_shows_neither_token_nor_secret_nor_openid() {
    let server = Server::start().await;
    let errmsg = format!("bad {} {SECRET} {OPENID} end", token(1));
    server.answer("/card/user/getcardlist", json!({"errcode": 40003, "errmsg": errmsg}).to_string());
    let error = Codes::new(&server.client()).list_of_user(&openid(), Some(&card_id(1))).await.unwrap_err();
    assert_eq!(error.api().unwrap().message(), "bad **** **** **** end");
}

#[tokio::test]
async fn the_platforms_text_shows_no_code_however_deep_the_request_holds_it() {
    let server = Server::start().await;
    let errmsg = format!("bad 880012345678 of {OPENID}, code 1 of 40056");
    server.answer("/card/qrcode/create", json!({"errcode": 40056, "errmsg": errmsg}).to_string());
    let card = QrCard::new(card_id(1)).code(code("880012345678")).openid(openid());
    let request = CreateQrCode::one(card);
    let error = Distribution::new(&server.client()).create_qr_code(&request).await.unwrap_err();
    assert_eq!(error.api().unwrap().message(), "bad **** of ****, code 1 of 40056");
}

/// Takes one connection, reads a request, and does nothing more or breaks off.
async fn broken(answer: &'static [u8]) -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let token = head.starts_with(b"POST /cgi-bin/stable_token");
            let given: &[u8] = if token {
                b"HTTP/1.1 200 OK\r\ncontent-length: 39\r\nconnection: close\r\n\r\n{\"access_token\":\"T\",\"expires_in\":7200} "
            } else {
                answer
            };
            stream.write_all(given).await.unwrap();
        }
    });
    (url, serving)
}

#[tokio::test]
async fn a_connection_that_breaks_is_unknown_and_none_at_all_is_not_sent() {
    let server = Server::start().await;
    let (url, serving) = broken(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"errcode\":0").await;
    let client = server.builder().base_url(url).build().unwrap();
    let error = Codes::new(&client).consume(&CodeRef::new(code("1"))).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Interrupted, Outcome::Unknown),
        "{}",
        chain(&error)
    );
    assert!(error.is_retryable());
    serving.abort();

    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let client = server.builder().base_url(url).build().unwrap();
    let error = Codes::new(&client).get(&GetCode::new(code("1"), true)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Connect, Outcome::NotSent), "{}", chain(&error));
    let text = format!("{} {error:?}", chain(&error));
    assert!(!text.contains("access_token") && !text.contains(SECRET), "{text}");
}

#[test]
fn settings_that_cannot_be_are_refused() {
    use favor_card::{AppId, AppSecret, Client};
    let builder = || Client::builder(AppId::new("wx1").unwrap(), AppSecret::new(SECRET).unwrap());
    for url in ["nonsense", "https://x/y", "http://shop.example", "ftp://127.0.0.1", "https://a@b"] {
        assert_eq!(builder().base_url(url).build().unwrap_err().kind(), ErrorKind::Config, "{url}");
        assert_eq!(builder().picture_url(url).build().unwrap_err().kind(), ErrorKind::Config, "{url}");
    }
    assert_eq!(builder().user_agent("a\nb").build().unwrap_err().kind(), ErrorKind::Config);
    assert!(builder().dangerous_plain_http().base_url("http://shop.example").build().is_ok());
    for bad in ["", " ", "a b", &"x".repeat(129)] {
        let error = AppSecret::new(bad).unwrap_err().to_string();
        assert_eq!(error, "the app secret must be 1 to 128 visible ASCII characters");
    }
    assert!(AppSecret::new(format!("{SECRET}\n")).is_ok(), "the newline of a file");
}

/// Half a token would not be found, so what is hidden is hidden before a long text is cut.
#[tokio::test]
async fn a_token_at_the_end_of_a_long_text_is_not_shown_in_part() {
    let server = Server::start().await;
    for before in [280, 295, 299] {
        let errmsg = format!("{}{} {OPENID}", "x".repeat(before), token(1));
        server.answer("/card/user/getcardlist", json!({"errcode": 40003, "errmsg": errmsg}).to_string());
        let error = Codes::new(&server.client()).list_of_user(&openid(), None).await.unwrap_err();
        let shown = error.api().unwrap().message().to_owned();
        assert!(shown.chars().skip(before).all(|c| "* ".contains(c)) && shown.len() <= 300, "{shown}");
    }
}

#[tokio::test]
async fn the_platforms_text_shows_nothing_of_a_card_message() {
    let server = Server::start().await;
    let errmsg = format!("bad card_ext of {OPENID} with 880012345678");
    server.answer("/cgi-bin/message/mass/preview", json!({"errcode": 40080, "errmsg": errmsg}).to_string());
    let client = server.client();
    let at = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap().fixed_offset();
    let ext = CardExt::new(card_id(1)).code(code("880012345678")).openid(openid());
    let signed = ext.sign(&CardTicket::new("ticket").unwrap(), at, "abc").unwrap();
    let message = CardMessage::new(card_id(1)).signed(&signed);
    let error = Messages::new(&client).preview(&PreviewTo::OpenId(openid()), &message).await.unwrap_err();
    assert_eq!(error.api().unwrap().message(), "bad card_ext of **** with ****");
}

#[tokio::test]
async fn an_endless_tag_does_not_hold_the_client_up() {
    let server = Server::start().await;
    let errmsg = "<a".repeat(1 << 20);
    server.answer(CONSUME, json!({"errcode": 40073, "errmsg": errmsg}).to_string());
    assert_eq!(consume(&server).await.api().unwrap().message().len(), 300);
}

#[tokio::test]
async fn only_what_cannot_count_twice_is_safe_to_repeat() {
    let server = Server::start().await;
    server.answer(CONSUME, r#"{"errcode":-1,"errmsg":"system busy"}"#);
    let error = consume(&server).await;
    assert!(error.is_retryable() && !error.is_safe_to_repeat(), "it may have been redeemed");
    server.answer("/card/delete", r#"{"errcode":-1,"errmsg":"system busy"}"#);
    let error = Cards::new(&server.client()).delete(&card_id(1)).await.unwrap_err();
    assert!(error.is_retryable() && error.is_safe_to_repeat());
}
