//! `favor verify`: a saved message judged by hand.

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use favor_core::{
    Certificate, Clock, KeySet, PublicKey, Refresh, Serial, SignatureHeaders, SystemClock, VerifyError,
    WINDOW_SECONDS, time,
};
use serde_json::json;

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::key_files;
use crate::output::Output;
use crate::profile::{self, Profile};
use crate::saved::Saved;
use crate::settings::Settings;
use crate::stock::local;

pub(crate) async fn run(args: args::Verify, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let saved = Saved::read(&args.message)?;
    let verdict = match SignatureHeaders::read(&saved.headers) {
        Ok(signature) => {
            let keys = keys(&args, signature.serial(), global, output).await?;
            judge(&args, &saved, &signature, &keys)
        }
        Err(error) => Verdict { failure: Some(error), ..Verdict::default() },
    };
    verdict.print(&saved, output)
}

/// What was found.
#[derive(Debug, Default)]
struct Verdict {
    failure: Option<VerifyError>,
    serial: Option<Serial>,
    signed_at: Option<DateTime<Utc>>,
    judged_at: Option<DateTime<Utc>>,
    key: Option<String>,
    note: Option<String>,
}

fn judge(args: &args::Verify, saved: &Saved, signature: &SignatureHeaders<'_>, keys: &KeySet) -> Verdict {
    let signed_at = signed_at(saved);
    let now = SystemClock::new().now();
    let judged_at = match (args.ignore_window, args.at) {
        (true, _) => signed_at.unwrap_or(now),
        (false, Some(at)) => at.with_timezone(&Utc),
        (false, None) => now,
    };
    let mut note = None;
    let mut result = signature.verify(&saved.body, keys, judged_at);
    if let Err(VerifyError::WrongSignature) = result
        && let Some((_, change)) = variants(&saved.body)
            .into_iter()
            .find(|(body, _)| signature.verify(body, keys, judged_at).is_ok())
    {
        note = Some(format!("it holds for the body {change}; as saved it does not"));
        result = Ok(());
    } else if let (Err(VerifyError::OutsideWindow { .. }), Some(then)) = (&result, signed_at) {
        note = Some(match signature.verify(&saved.body, keys, then) {
            Ok(()) => "apart from the time it holds; --ignore-window judges as of then".to_owned(),
            Err(error) => format!("apart from the time: {error}"),
        });
    } else if let Err(VerifyError::WrongSignature) = result {
        note = Some(cause(saved));
    }
    Verdict {
        failure: result.err(),
        serial: Some(signature.serial().clone()),
        signed_at,
        judged_at: Some(judged_at),
        key: describe(keys, signature.serial()),
        note,
    }
}

fn signed_at(saved: &Saved) -> Option<DateTime<Utc>> {
    let seconds = saved.headers.get("wechatpay-timestamp")?.to_str().ok()?.parse().ok()?;
    DateTime::from_timestamp(seconds, 0)
}

/// The body as it may have been before an editor or a copy by hand changed its line ends.
fn variants(body: &[u8]) -> Vec<(Vec<u8>, &'static str)> {
    let ends = |c: &u8| *c == b'\n' || *c == b'\r';
    let cut = body.len() - body.iter().rev().take_while(|byte| ends(byte)).count();
    let without_end = body[..cut].to_vec();
    let without_mark = body.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec);
    let unix: Vec<u8> = body
        .iter()
        .enumerate()
        .filter(|(at, byte)| **byte != b'\r' || body.get(at + 1) != Some(&b'\n'))
        .map(|(_, byte)| *byte)
        .collect();
    let unix_without_end =
        unix[..unix.len() - unix.iter().rev().take_while(|byte| ends(byte)).count()].to_vec();
    let last = body.strip_suffix(b"\n").map(|body| body.strip_suffix(b"\r").unwrap_or(body).to_vec());
    let mut variants = Vec::new();
    variants.extend(last.map(|last| (last, "without the line end at its end, which an editor adds")));
    variants.push((without_end, "without the line ends at its end"));
    variants.push((unix, "with LF where the file has CRLF"));
    variants.push((unix_without_end, "with LF where the file has CRLF, and none at its end"));
    variants.push(([body, b"\n"].concat(), "with a line end at its end, which is lost in the file"));
    variants.extend(without_mark.map(|body| (body, "without the byte order mark at its beginning")));
    variants.retain(|(variant, _)| variant != body);
    variants
}

/// What may have happened to a body whose signature does not hold.
fn cause(saved: &Saved) -> String {
    let encoded = saved.headers.get("content-encoding").is_some_and(|coding| coding != "identity");
    if encoded {
        return "it has a Content-Encoding, and the signature covers the bytes before that".to_owned();
    }
    if saved.body.is_empty() {
        return "the body is empty; is it missing in the file?".to_owned();
    }
    if saved.body.windows(2).any(|pair| pair == b"\n " || pair == b"\n\t") {
        return "the body looks printed for people, and the signature covers the bytes as they came"
            .to_owned();
    }
    "the body, the timestamp or the nonce is not what was signed, or another key has this serial".to_owned()
}

fn describe(keys: &KeySet, serial: &Serial) -> Option<String> {
    if keys.public_key_id() == Some(serial) {
        return Some("the WeChat Pay public key".to_owned());
    }
    let certificate = keys.certificates().find(|held| held.serial() == serial)?;
    let day = |moment: DateTime<Utc>| time::beijing(&moment).format("%Y-%m-%d").to_string();
    let (from, to) = (day(certificate.not_before()), day(certificate.not_after()));
    Some(format!("a platform certificate, valid from {from} to {to}"))
}

impl Verdict {
    fn print(&self, saved: &Saved, output: &Output) -> anyhow::Result<Exit> {
        let ahead =
            self.signed_at.zip(self.judged_at).map(|(signed, judged)| (signed - judged).num_seconds());
        if output.is_json() {
            output.json(&json!({
                "holds": self.failure.is_none(),
                "reason": self.failure.as_ref().map(ToString::to_string),
                "probe": self.failure == Some(VerifyError::Probe),
                "serial": self.serial.as_ref().map(Serial::as_str),
                "key": self.key,
                "signed_at": self.signed_at.as_ref().map(time::to_wire),
                "seconds_ahead": ahead,
                "within_window": ahead.map(|ahead| ahead.unsigned_abs() < WINDOW_SECONDS),
                "body_bytes": saved.body.len(),
                "note": self.note,
            }))?;
        } else {
            output.facts(self.facts(ahead, saved))?;
        }
        match &self.failure {
            None => Ok(Exit::Done),
            Some(failure) => {
                output.complain("error", &failure.to_string());
                Ok(Exit::Untrusted)
            }
        }
    }

    fn facts(&self, ahead: Option<i64>, saved: &Saved) -> Vec<(&'static str, String)> {
        let verdict = match &self.failure {
            None => "holds".to_owned(),
            Some(error) => format!("does not hold: {error}"),
        };
        let mut facts = vec![("signature", verdict)];
        if let Some(serial) = &self.serial {
            facts.push(("key", serial.to_string()));
        }
        if let Some(key) = &self.key {
            facts.push(("which is", key.clone()));
        }
        if let Some(signed_at) = &self.signed_at {
            facts.push(("signed", local(&time::beijing(signed_at))));
        }
        if let Some(ahead) = ahead {
            let words = match ahead {
                0 => "none".to_owned(),
                1.. => format!("{ahead} s ahead"),
                _ => format!("{} s ago", ahead.unsigned_abs()),
            };
            facts.push(("time difference", words));
        }
        facts.push(("body", format!("{} bytes", saved.body.len())));
        if let Some(note) = &self.note {
            facts.push(("note", note.clone()));
        }
        facts
    }
}

/// The keys given, or those of the profile; downloaded when nothing at hand has the serial.
async fn keys(
    args: &args::Verify,
    serial: &Serial,
    global: &Global,
    output: &Output,
) -> anyhow::Result<KeySet> {
    let profile = profile::load(global.config.as_deref(), global.profile.as_deref())?;
    if !args.key.is_empty() {
        return given(&args.key, serial, &profile, output);
    }
    let mut held = KeySet::new();
    if let Some((id, key)) = key_files::public_key(&profile)? {
        held = held.with_public_key(id, key)?;
    }
    if held.public_key_id() == Some(serial) || key_files::api_v3_key(&profile)?.is_none() {
        if held.is_empty() {
            bail!(
                "there is no platform key to verify with: give one with --key FILE, or set up a profile with \
                 api_v3_key_file, or with public_key_id and public_key_file"
            );
        }
        return Ok(held);
    }
    let settings =
        Settings::load(global).context("the platform certificates have to be downloaded; or give --key")?;
    let client = settings.client()?;
    output.talk(format!("downloading the platform certificates from {}", settings.host()));
    client.key_store().refresh(Refresh::NoKeys).await?;
    Ok(KeySet::clone(&client.keys()))
}

fn given(
    files: &[std::path::PathBuf],
    serial: &Serial,
    profile: &Profile,
    output: &Output,
) -> anyhow::Result<KeySet> {
    let mut keys = KeySet::new();
    for file in files {
        let name = || file.display().to_string();
        let pem = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        if pem.windows(16).any(|part| part == b"BEGIN PUBLIC KEY") {
            let key = PublicKey::from_pem(&pem).with_context(name)?;
            let id = match key_files::public_key_id(profile) {
                Some(id) => id,
                None if serial.is_public_key_id() => {
                    output.talk(format!("{} is taken for {serial}, which the message names", file.display()));
                    serial.to_string()
                }
                None => bail!(
                    "{} is a public key, and the message names the certificate {serial}: give that certificate",
                    file.display()
                ),
            };
            keys = keys.with_public_key(id, key).with_context(name)?;
        } else {
            let certificate = Certificate::from_pem(&pem).with_context(name)?;
            keys = keys.with_certificate(certificate).with_context(name)?;
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_tried_with_other_line_ends() {
        let tried =
            |body: &[u8]| -> Vec<Vec<u8>> { variants(body).into_iter().map(|(body, _)| body).collect() };
        assert!(tried(b"{}\n").contains(&b"{}".to_vec()));
        assert!(tried(b"{}\r\n\r\n").contains(&b"{}".to_vec()));
        assert!(tried(b"{\r\n}\r\n").contains(&b"{\n}".to_vec()));
        assert!(tried(b"{}").contains(&b"{}\n".to_vec()));
        assert!(tried(b"\xef\xbb\xbf{}").contains(&b"{}".to_vec()));
        assert!(tried(b"").iter().all(|body| !body.is_empty()));
    }
}
