//! `favor sign`: a signature by hand.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use favor_core::sign::{Stamp, authorization, request_message};
use favor_core::{Clock as _, Signer as _, SystemClock};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::output::Output;
use crate::settings::Settings;

/// Later than this in seconds is most likely milliseconds.
const FAR_FUTURE: i64 = 100_000_000_000;

pub(crate) async fn run(args: &args::Sign, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let signer = Settings::load(global)?.signer()?;
    let (message, stamp) = match &args.message {
        Some(file) => (read(file)?, None),
        None => {
            let (message, stamp) = request(args, output)?;
            (message, Some(stamp))
        }
    };
    if args.show_message {
        output.talk(visible(&message).trim_end());
    }
    let signature = signer.sign(&message).await?;
    let header = stamp.as_ref().map(|stamp| {
        authorization(signer.scheme(), signer.merchant_id(), signer.serial(), stamp, &signature)
    });
    let signature = STANDARD.encode(signature);
    if output.is_json() {
        let digest: String = Sha256::digest(&message).iter().map(|byte| format!("{byte:02x}")).collect();
        output.json(&json!({
            "mchid": signer.merchant_id(),
            "serial_no": signer.serial().as_str(),
            "timestamp": stamp.as_ref().map(|stamp| stamp.timestamp),
            "nonce_str": stamp.as_ref().map(|stamp| &stamp.nonce),
            "signature": signature,
            "authorization": header,
            "message_bytes": message.len(),
            "message_sha256": digest,
            "message": args.show_message.then(|| String::from_utf8_lossy(&message)),
        }))?;
    } else {
        match header {
            Some(header) => output.line(&format!("Authorization: {header}"))?,
            None => output.line(&signature)?,
        }
    }
    Ok(Exit::Done)
}

/// The message of a request, and its time and nonce.
fn request(args: &args::Sign, output: &Output) -> anyhow::Result<(Vec<u8>, Stamp)> {
    let (method, url) =
        args.method.as_deref().zip(args.url.as_deref()).context("a method and a URL are needed")?;
    let target = target(url)?;
    let body = args.body.as_deref().map(read).transpose()?.unwrap_or_default();
    if body.ends_with(b"\n") {
        output.talk("note: the body ends in a line feed, which is signed with it; send the same bytes (curl --data-binary)");
    }
    let mut stamp = Stamp::at(args.timestamp.unwrap_or_else(|| SystemClock::new().now().timestamp()))?;
    if stamp.timestamp >= FAR_FUTURE {
        output.talk("note: the timestamp counts seconds, and this looks like milliseconds");
    }
    if let Some(nonce) = &args.nonce {
        stamp.nonce.clone_from(nonce);
    }
    Ok((request_message(method, &target, &stamp, &body), stamp))
}

/// Path and query of a URL, byte for byte: nothing is normalised, since the bytes that are sent are signed.
fn target(url: &str) -> anyhow::Result<String> {
    let rest = match url.split_once("://") {
        Some((scheme, rest))
            if scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http") =>
        {
            let host = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            if host == 0 {
                bail!("{url:?} has no host");
            }
            &rest[host..]
        }
        _ => url,
    };
    let path = match rest.as_bytes().first() {
        None => "/".to_owned(),
        Some(b'?') => format!("/{rest}"),
        Some(b'/') => rest.to_owned(),
        Some(_) => bail!("{url:?} is neither a URL nor a path that begins with a slash"),
    };
    if path.contains('#') {
        bail!("a fragment (#…) is never sent and never signed: leave it out");
    }
    if !path.bytes().all(|b| b.is_ascii_graphic()) {
        bail!(
            "{url:?} holds blanks or other characters that cannot be sent: write them percent-encoded, as they will be sent"
        );
    }
    Ok(path)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("cannot read stdin")?;
        return Ok(bytes);
    }
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The message with a mark before each line feed, and other invisible bytes as escapes.
fn visible(message: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in message.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\n' => shown.push_str("⏎\n"),
                letter if letter.is_control() || letter == '\u{feff}' => {
                    shown.extend(letter.escape_default());
                }
                letter => shown.push(letter),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a text cannot fail.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_query_are_taken_byte_for_byte() {
        for (url, target_wanted) in [
            ("https://api.mch.weixin.qq.com/v3/certificates", "/v3/certificates"),
            ("HTTP://127.0.0.1:1/v3/x?b=%2B&a=1", "/v3/x?b=%2B&a=1"),
            ("/v3//x/../y?", "/v3//x/../y?"),
            ("https://host", "/"),
            ("https://host?a=1", "/?a=1"),
            ("/v3/x?to=https://host/y", "/v3/x?to=https://host/y"),
        ] {
            assert_eq!(target(url).unwrap(), target_wanted, "{url}");
        }
        for url in ["v3/x", "https:///x", "/v3/x#a", "/v3/a b", "/v3/券", "", "ftp://host/x"] {
            assert_eq!(target(url).is_err(), !url.is_empty(), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(visible("GET\n/x\n\n券\r\n\u{feff}".as_bytes()), "GET⏎\n/x⏎\n⏎\n券\\r⏎\n\\u{feff}");
        assert_eq!(visible(b"\xffa\0"), "\\xffa\\u{0}");
    }
}
