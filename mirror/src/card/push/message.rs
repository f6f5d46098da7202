//! What is sent: plain, compatible or secure, and spoiled where a fault wants it.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::card::account_change::PushMode;
use crate::card::cipher::{self, sorted_sha1};
use crate::card::event::push_text;
use crate::fault::FaultKind;
use crate::ledger::card::accounts::Account;
use crate::ledger::card::events::StoredEvent;
use crate::merchant::account_name;
use crate::moment::Moment;
use crate::random;

/// The three values that every request carries, as a query.
pub(super) fn signed(account: &Account, now: Moment) -> (String, String, String) {
    let timestamp = now.seconds().to_string();
    let nonce = random::alphanumeric(10);
    let signature = sorted_sha1(&[account.token.clone(), timestamp.clone(), nonce.clone()]);
    (format!("signature={signature}&timestamp={timestamp}&nonce={nonce}"), timestamp, nonce)
}

/// Query and body of an event, as the account wants them.
pub(super) fn message(
    event: &StoredEvent,
    account: &Account,
    now: Moment,
) -> Result<(String, String), String> {
    let (mut query, timestamp, nonce) = signed(account, now);
    let openid = utf8_percent_encode(&event.openid, NON_ALPHANUMERIC);
    query.push_str(&format!("&openid={openid}"));
    if account.mode == PushMode::Plain {
        return Ok((query, event.xml.clone()));
    }
    let start = random::alphanumeric(16).into_bytes().try_into().map_err(|_| "no randomness")?;
    let key = cipher::key(&account.aes_key).ok_or("the EncodingAESKey has not 43 characters of base64")?;
    let sealed = cipher::encrypt(key, start, &event.xml, &event.appid).ok_or("it cannot be encrypted")?;
    let signature = sorted_sha1(&[account.token.clone(), timestamp, nonce, sealed.clone()]);
    query.push_str(&format!("&encrypt_type=aes&msg_signature={signature}"));
    let mut encrypt = String::new();
    push_text(&mut encrypt, "Encrypt", &sealed);
    let body = if account.mode == PushMode::Compatible {
        // A text inside may hold the same characters.
        format!("{}{encrypt}</xml>", event.xml.strip_suffix("</xml>").unwrap_or(&event.xml))
    } else {
        let mut body = String::from("<xml>");
        push_text(&mut body, "ToUserName", &account_name(&event.appid));
        format!("{body}{encrypt}</xml>")
    };
    Ok((query, body))
}

/// Carries a fault out on what is about to be sent.
pub(super) fn spoil(kind: &FaultKind, query: &mut String, body: &mut String) {
    let is_signature = |pair: &str| pair.starts_with("signature=") || pair.starts_with("msg_signature=");
    match kind {
        FaultKind::CorruptSignature => {
            let pairs = query.split('&').map(|pair| match pair.strip_suffix('0') {
                Some(front) if is_signature(pair) => format!("{front}1"),
                _ if is_signature(pair) => format!("{}0", &pair[..pair.len() - 1]),
                _ => pair.to_owned(),
            });
            *query = pairs.collect::<Vec<_>>().join("&");
        }
        FaultKind::MissingSignature { .. } => {
            *query = query.split('&').filter(|pair| !is_signature(pair)).collect::<Vec<_>>().join("&");
        }
        // What is sealed is not what was signed any more; what is in clear is cut off, since nothing signs it.
        FaultKind::CorruptBody => match body.find("<Encrypt><![CDATA[") {
            Some(start) => {
                let place = start + "<Encrypt><![CDATA[".len();
                let first = body[place..].chars().next();
                let other = if first == Some('A') { "B" } else { "A" };
                body.replace_range(place..place + first.map_or(0, char::len_utf8), other);
            }
            None => body.truncate(body.len().saturating_sub("</xml>".len())),
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_change_signature_or_body() {
        let spoiled = |kind: FaultKind, body: &str| {
            let mut query = "signature=a0&timestamp=1&msg_signature=b7".to_owned();
            let mut body = body.to_owned();
            spoil(&kind, &mut query, &mut body);
            (query, body)
        };
        let (query, body) = spoiled(FaultKind::CorruptSignature, "<xml></xml>");
        assert_eq!(
            (query.as_str(), body.as_str()),
            ("signature=a1&timestamp=1&msg_signature=b0", "<xml></xml>")
        );
        let (query, _) = spoiled(FaultKind::MissingSignature { header: None }, "");
        assert_eq!(query, "timestamp=1");
        assert_eq!(spoiled(FaultKind::CorruptBody, "<xml><A>1</A></xml>").1, "<xml><A>1</A>");
        let sealed = "<xml><Encrypt><![CDATA[Axy]]></Encrypt></xml>";
        assert_eq!(spoiled(FaultKind::CorruptBody, sealed).1, sealed.replace("Axy", "Bxy"));
    }
}
