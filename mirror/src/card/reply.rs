//! What an account answers to a pushed event: `success`, nothing, or a message to the user.

use super::account_change::PushMode;
use super::cipher::{self, sorted_sha1};
use crate::ledger::card::accounts::Account;

/// What every message to a user says.
const ELEMENTS: [&str; 4] = ["ToUserName", "FromUserName", "CreateTime", "MsgType"];

/// Whether an answer acknowledges an event; if not, why. A message is sealed where the account's messages are; in
/// compatible mode it may be.
pub(super) fn check(answer: &str, account: &Account, appid: &str) -> Result<(), &'static str> {
    let answer = answer.trim();
    if matches!(answer, "" | "success") {
        return Ok(());
    }
    if !answer.starts_with("<xml>") {
        return Err("only success, an empty body or a message to the user acknowledges");
    }
    match element(answer, "Encrypt") {
        Some(_) if account.mode == PushMode::Plain => {
            Err("the answer is sealed, and this account's messages are not")
        }
        Some(sealed) => open(answer, sealed, account, appid),
        None if account.mode == PushMode::Secure => {
            Err("this account's messages are sealed, and the answer is not")
        }
        None => is_message(answer),
    }
}

fn open(answer: &str, sealed: &str, account: &Account, appid: &str) -> Result<(), &'static str> {
    let text = |name| element(answer, name).unwrap_or_default().to_owned();
    let signed = [account.token.clone(), text("TimeStamp"), text("Nonce"), sealed.to_owned()];
    if sorted_sha1(&signed) != text("MsgSignature") {
        return Err(
            "the MsgSignature of the answer is wrong: it is over Token, TimeStamp, Nonce and Encrypt",
        );
    }
    let key = cipher::key(&account.aes_key).ok_or("the EncodingAESKey has not 43 characters of base64")?;
    let (xml, from) =
        cipher::decrypt(key, sealed).ok_or("the answer cannot be opened with the EncodingAESKey")?;
    if from != appid {
        return Err("the answer is sealed for another appid");
    }
    is_message(&xml)
}

fn is_message(xml: &str) -> Result<(), &'static str> {
    let whole = ELEMENTS.iter().all(|name| element(xml, name).is_some_and(|text| !text.is_empty()));
    if whole { Ok(()) } else { Err("a message needs ToUserName, FromUserName, CreateTime and MsgType") }
}

/// The text of an element, in CDATA or bare.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let text = text.trim();
    let bare = text.strip_prefix("<![CDATA[").and_then(|text| text.strip_suffix("]]>"));
    Some(bare.unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = "<xml>\n<ToUserName> <![CDATA[o1]]> </ToUserName><FromUserName><![CDATA[gh_1]]></FromUserName>\
        <CreateTime>1700000000</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[x]]></Content></xml>";

    fn account(mode: PushMode) -> Account {
        Account {
            mode,
            token: "merchantToken01".to_owned(),
            aes_key: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG".to_owned(),
            ..Account::default()
        }
    }

    fn sealed(xml: &str, appid: &str) -> String {
        let account = account(PushMode::Secure);
        let sealed = cipher::encrypt(cipher::key(&account.aes_key).unwrap(), [b'0'; 16], xml, appid).unwrap();
        let parts = [account.token, "1".to_owned(), "n".to_owned(), sealed.clone()];
        let signature = sorted_sha1(&parts);
        format!(
            "<xml><Encrypt><![CDATA[{sealed}]]></Encrypt><MsgSignature>{signature}</MsgSignature>\
             <TimeStamp>1</TimeStamp><Nonce>n</Nonce></xml>"
        )
    }

    #[test]
    fn success_nothing_and_messages_acknowledge() {
        use PushMode::{Compatible, Plain, Secure};
        let good = sealed(XML, "wx1");
        for (mode, answer, is_good) in [
            (Plain, "success", true),
            (Secure, " \n", true),
            (Plain, "ok", false),
            (Plain, XML, true),
            (Compatible, XML, true),
            (Secure, XML, false),
            (Plain, &good, false),
            (Compatible, &good, true),
            (Secure, &good, true),
            (Secure, &sealed(XML, "wx2"), false),
            (Secure, &sealed("<xml></xml>", "wx1"), false),
            (Secure, &good.replace("<Nonce>n", "<Nonce>m"), false),
            (Plain, &XML.replace("MsgType", "Type"), false),
            (Plain, "<xml>", false),
        ] {
            assert_eq!(check(answer, &account(mode), "wx1").is_ok(), is_good, "{mode:?}: {answer}");
        }
    }

    #[test]
    fn what_is_broken_is_refused_without_a_panic() {
        for sealed in ["", "A", "AAAA", "!!!!", &"A".repeat(64), &"A".repeat(4_096)] {
            assert_eq!(cipher::decrypt([7; 32], sealed), None, "{sealed}");
        }
        let good = cipher::encrypt([7; 32], [b'0'; 16], "<xml/>", "wx1").unwrap();
        assert_eq!(cipher::decrypt([7; 32], &good), Some(("<xml/>".to_owned(), "wx1".to_owned())));
        assert_eq!(cipher::decrypt([8; 32], &good), None);
    }
}
