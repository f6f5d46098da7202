//! Guesses what a caller did wrong, for the request log.

use crate::auth::Signed;
use crate::authorization::Authorization;
use crate::directory::Directory;
use crate::merchant::KnownMerchant;
use crate::moment::Moment;

const HOST: &str = "https://api.mch.weixin.qq.com";

/// Why a timestamp is outside the window.
pub(crate) fn explain_timestamp(timestamp: i64, now: Moment) -> String {
    if (timestamp / 1_000).abs_diff(now.seconds()) < 300 {
        return "the timestamp is in milliseconds, it must be in seconds".to_owned();
    }
    let side = if timestamp < now.seconds() { "behind" } else { "ahead of" };
    let apart = timestamp.abs_diff(now.seconds());
    format!("the client's clock is {apart} seconds {side} the server's ({})", now.rfc3339())
}

/// Which message, or whose key, would have fitted a signature.
pub(crate) fn explain_signature(
    authorization: &Authorization<'_>,
    signed: Signed<'_>,
    merchant: &KnownMerchant,
    merchants: &Directory,
) -> Vec<String> {
    let message = |signed: Signed<'_>| signed.message(authorization.timestamp_text, authorization.nonce);
    let path = signed.target.split('?').next().unwrap_or_default();
    let decoded = percent_encoding::percent_decode_str(signed.target).decode_utf8_lossy().into_owned();
    let lower = signed.method.to_lowercase();
    let with_host = format!("{HOST}{}", signed.target);
    let full = message(signed);
    let no_final_line_feed = full[..full.len() - 1].to_vec();
    let variants = [
        ("without the final line feed", no_final_line_feed),
        ("without the query", message(Signed { target: path, ..signed })),
        ("without the body", message(Signed { body: b"", ..signed })),
        ("with the path and query percent-decoded", message(Signed { target: &decoded, ..signed })),
        ("with the method in lower case", message(Signed { method: &lower, ..signed })),
        ("with scheme and host in front of the path", message(Signed { target: &with_host, ..signed })),
        ("with line ends of CR LF", String::from_utf8_lossy(&full).replace('\n', "\r\n").into_bytes()),
    ];
    let fits = |merchant: &KnownMerchant, message: &[u8]| {
        let certificate = merchant.certificate.as_ref();
        certificate.is_some_and(|certificate| certificate.key.verifies(message, authorization.signature))
    };
    let mut notes: Vec<String> = variants
        .iter()
        .filter(|(_, variant)| *variant != full && fits(merchant, variant))
        .map(|(how, _)| format!("the signature fits the message {how}"))
        .collect();
    notes.extend(
        merchants
            .all()
            .filter(|other| other.mchid() != merchant.mchid() && fits(other, &full))
            .map(|other| format!("the signature was made with the key of merchant {}", other.mchid())),
    );
    if notes.is_empty() {
        notes.push(
            "the signature fits no message that is easy to get wrong; compare the message the client signed \
             with the one shown here byte by byte, above all the body"
                .to_owned(),
        );
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_recognised() {
        let now = Moment::from_millis_const(1_790_000_000_000);
        assert!(explain_timestamp(1_790_000_000_123, now).contains("milliseconds"));
        assert!(explain_timestamp(1_789_999_000, now).contains("1000 seconds behind"));
        assert!(explain_timestamp(1_790_001_000, now).contains("1000 seconds ahead of"));
    }
}
