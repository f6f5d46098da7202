//! Fault rules in JSON: one flat object, with unknown keys refused so that a slip is noticed.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ALWAYS, CARDS, FaultKind, FaultPlace, FaultRule, GzipHash, chance};
use crate::error::MirrorError;

const DEFAULT_OVERSIZE: usize = 16 * 1024 * 1024;
const DEFAULT_REDIRECT: u16 = 302;

/// The names of all kinds, for who guessed wrong.
const KINDS: [&str; 25] = [
    "status",
    "errcode",
    "delay",
    "cut",
    "reset",
    "hang",
    "truncated_body",
    "corrupt_signature",
    "missing_signature",
    "wrong_serial",
    "probe",
    "html_error",
    "not_json",
    "corrupt_body",
    "oversized_body",
    "cut_after",
    "slow",
    "redirect",
    "wrong_hash",
    "link_to",
    "expired_link",
    "gzip",
    "duplicate",
    "hold",
    "rate_limited",
];

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Flat {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<FaultPlace>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    delay_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    every: Option<u64>,
    /// 0 to 1 with at most six decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
    #[serde(default, skip_serializing_if = "is_zero")]
    seed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    openid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    errcode: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    header: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes_per_second: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<GzipHash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    copies: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seconds: Option<u64>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Flat {
    /// A page of a proxy, which is what `status` means in the card API, has no code.
    fn needs_no_code(&self) -> bool {
        self.operation.as_deref().is_some_and(|operation| operation.starts_with(CARDS))
    }

    fn kind(&mut self) -> Result<FaultKind, String> {
        Ok(match self.kind.as_str() {
            "status" => FaultKind::Status {
                status: self.status.take().ok_or("kind status needs a status")?,
                code: match self.code.take() {
                    None if self.needs_no_code() => String::new(),
                    code => code.ok_or("kind status needs a code")?,
                },
                message: self.message.take(),
            },
            "errcode" => FaultKind::ErrCode {
                errcode: self.errcode.take().ok_or("kind errcode needs an errcode")?,
                message: self.message.take(),
            },
            "delay" => FaultKind::Delay,
            "cut" => FaultKind::Cut,
            "reset" => FaultKind::Reset,
            "hang" => FaultKind::Hang,
            "truncated_body" => FaultKind::TruncatedBody,
            "corrupt_signature" => FaultKind::CorruptSignature,
            "missing_signature" => FaultKind::MissingSignature { header: self.header.take() },
            "wrong_serial" => FaultKind::WrongSerial,
            "probe" => FaultKind::Probe,
            "html_error" => FaultKind::HtmlError,
            "not_json" => FaultKind::NotJson,
            "corrupt_body" => FaultKind::CorruptBody,
            "oversized_body" => {
                let bytes = self.bytes.take().map_or(Ok(DEFAULT_OVERSIZE), usize::try_from);
                FaultKind::OversizedBody { bytes: bytes.map_err(|error| error.to_string())? }
            }
            "cut_after" => {
                FaultKind::CutAfter { bytes: self.bytes.take().ok_or("kind cut_after needs bytes")? }
            }
            "slow" => FaultKind::Slow {
                bytes_per_second: self.bytes_per_second.take().ok_or("kind slow needs bytes_per_second")?,
            },
            "redirect" => FaultKind::Redirect {
                status: self.status.take().unwrap_or(DEFAULT_REDIRECT),
                location: self.location.take().ok_or("kind redirect needs a location")?,
            },
            "wrong_hash" => FaultKind::WrongHash,
            "link_to" => FaultKind::LinkTo { url: self.url.take().ok_or("kind link_to needs a url")? },
            "expired_link" => FaultKind::ExpiredLink,
            "gzip" => FaultKind::Gzip { hash: self.hash.take().unwrap_or(GzipHash::Unpacked) },
            "duplicate" => FaultKind::Duplicate { copies: self.copies.take().unwrap_or(2) },
            "hold" => FaultKind::Hold { seconds: self.seconds.take().ok_or("kind hold needs seconds")? },
            "rate_limited" => FaultKind::RateLimited { retry_after: self.retry_after.take() },
            other => return Err(format!("no fault is named {other}; there are {}", KINDS.join(", "))),
        })
    }

    /// A parameter that the kind has no use for.
    fn left_over(&self) -> Option<&'static str> {
        [
            ("status", self.status.is_some()),
            ("code", self.code.is_some()),
            ("errcode", self.errcode.is_some()),
            ("message", self.message.is_some()),
            ("header", self.header.is_some()),
            ("bytes", self.bytes.is_some()),
            ("retry_after", self.retry_after.is_some()),
            ("bytes_per_second", self.bytes_per_second.is_some()),
            ("location", self.location.is_some()),
            ("url", self.url.is_some()),
            ("hash", self.hash.is_some()),
            ("copies", self.copies.is_some()),
            ("seconds", self.seconds.is_some()),
        ]
        .into_iter()
        .find_map(|(name, given)| given.then_some(name))
    }
}

impl TryFrom<Flat> for FaultRule {
    type Error = String;

    fn try_from(mut flat: Flat) -> Result<Self, String> {
        let kind = flat.kind()?;
        if let Some(name) = flat.left_over() {
            return Err(format!("kind {} has no {name}", flat.kind));
        }
        let mut rule = Self::new(kind);
        if let Some(probability) = flat.probability {
            rule = rule.probability_ppm(chance::read(probability)?);
        }
        Ok(Self {
            place: flat.place.unwrap_or(rule.place),
            operation: flat.operation.unwrap_or(rule.operation),
            delay: Duration::from_millis(flat.delay_ms),
            count: flat.count.unwrap_or(rule.count),
            every: flat.every.unwrap_or(rule.every),
            probability_ppm: rule.probability_ppm,
            seed: flat.seed,
            openid: flat.openid,
            kind: rule.kind,
        })
    }
}

impl<'de> Deserialize<'de> for FaultRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(Flat::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A checked rule, or what is wrong with it as a whole. A fault in one of its fields is an error of the
/// deserializer, which knows the place.
#[derive(Deserialize)]
#[serde(from = "Flat")]
pub(super) struct Tried(pub(super) Result<FaultRule, String>);

impl From<Flat> for Tried {
    fn from(flat: Flat) -> Self {
        Self(FaultRule::try_from(flat).and_then(|rule| match rule.check() {
            Ok(()) => Ok(rule),
            Err(MirrorError::Fault { reason }) => Err(reason),
            Err(other) => Err(other.to_string()),
        }))
    }
}

impl Serialize for FaultRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut flat = Flat {
            kind: self.kind.name().to_owned(),
            place: Some(self.place),
            operation: Some(self.operation.clone()),
            delay_ms: u64::try_from(self.delay.as_millis()).unwrap_or(u64::MAX),
            count: Some(self.count),
            every: Some(self.every),
            probability: (self.probability_ppm != ALWAYS).then(|| chance::shown(self.probability_ppm)),
            seed: self.seed,
            openid: self.openid.clone(),
            status: None,
            code: None,
            errcode: None,
            message: None,
            header: None,
            bytes: None,
            retry_after: None,
            bytes_per_second: None,
            location: None,
            url: None,
            hash: None,
            copies: None,
            seconds: None,
        };
        match &self.kind {
            FaultKind::Status { status, code, message } => {
                flat.status = Some(*status);
                flat.code = Some(code.clone()).filter(|code| !code.is_empty() || !flat.needs_no_code());
                flat.message.clone_from(message);
            }
            FaultKind::ErrCode { errcode, message } => {
                flat.errcode = Some(*errcode);
                flat.message.clone_from(message);
            }
            FaultKind::MissingSignature { header } => flat.header.clone_from(header),
            FaultKind::OversizedBody { bytes } => flat.bytes = u64::try_from(*bytes).ok(),
            FaultKind::CutAfter { bytes } => flat.bytes = Some(*bytes),
            FaultKind::Slow { bytes_per_second } => flat.bytes_per_second = Some(*bytes_per_second),
            FaultKind::Redirect { status, location } => {
                flat.status = Some(*status);
                flat.location = Some(location.clone());
            }
            FaultKind::LinkTo { url } => flat.url = Some(url.clone()),
            FaultKind::Gzip { hash } => flat.hash = Some(*hash),
            FaultKind::Duplicate { copies } => flat.copies = Some(*copies),
            FaultKind::Hold { seconds } => flat.seconds = Some(*seconds),
            FaultKind::RateLimited { retry_after } => flat.retry_after = *retry_after,
            _ => {}
        }
        flat.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<FaultRule, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_rule_survives_the_way_there_and_back() {
        for rule in [
            FaultRule::new(FaultKind::Cut).operation("coupon.send").place(FaultPlace::AfterCommit),
            FaultRule::new(FaultKind::Status { status: 500, code: "SYSTEM_ERROR".into(), message: None }),
            FaultRule::new(FaultKind::Status { status: 502, code: String::new(), message: None })
                .operation("card.*"),
            FaultRule::new(FaultKind::ErrCode { errcode: -1, message: None }),
            FaultRule::new(FaultKind::ErrCode { errcode: 48_001, message: Some("no".into()) })
                .operation("card.create"),
            FaultRule::new(FaultKind::MissingSignature { header: Some("Wechatpay-Nonce".into()) }),
            FaultRule::new(FaultKind::OversizedBody { bytes: 9 }).times(0).every(2),
            FaultRule::new(FaultKind::RateLimited { retry_after: Some(3) }).openid("o1"),
            FaultRule::new(FaultKind::Delay).delay(Duration::from_millis(5)),
            FaultRule::new(FaultKind::CutAfter { bytes: 3 }),
            FaultRule::new(FaultKind::Reset).place(FaultPlace::AfterAnswer),
            FaultRule::new(FaultKind::Hang).probability_ppm(1),
            FaultRule::new(FaultKind::Probe).probability_ppm(123_456).seed(u64::MAX).times(7),
            FaultRule::new(FaultKind::Slow { bytes_per_second: 9 }),
            FaultRule::new(FaultKind::Redirect { status: 307, location: "https://evil.example/".into() }),
            FaultRule::new(FaultKind::WrongHash),
            FaultRule::new(FaultKind::LinkTo { url: "download://example.csv".into() }),
            FaultRule::new(FaultKind::ExpiredLink),
            FaultRule::new(FaultKind::Gzip { hash: GzipHash::Packed }),
            FaultRule::new(FaultKind::Duplicate { copies: 3 }).operation("callback.notify"),
            FaultRule::new(FaultKind::Hold { seconds: 60 }).openid("o1"),
        ] {
            let text = serde_json::to_string(&rule).unwrap();
            assert_eq!(read(&text).unwrap(), rule, "{text}");
            assert!(KINDS.contains(&rule.kind.name()), "{text}");
        }
    }

    #[test]
    fn who_guesses_a_kind_is_told_which_there_are() {
        for kind in KINDS {
            let told = read(&format!("{{\"kind\":\"{kind}\"}}")).err().unwrap_or_default();
            assert!(!told.contains("no fault is named"), "{told}");
        }
        let told = read(r#"{"kind":"error"}"#).unwrap_err();
        assert!(
            told.contains("no fault is named error; there are status, ") && told.contains("html_error"),
            "{told}"
        );
    }

    #[test]
    fn slips_are_noticed() {
        assert!(read(r#"{"kind":"cut","plaec":"after_commit"}"#).unwrap_err().contains("plaec"));
        assert!(read(r#"{"kind":"cutt"}"#).unwrap_err().contains("cutt"));
        assert!(read(r#"{"kind":"cut","status":500}"#).unwrap_err().contains("has no status"));
        assert!(read(r#"{"kind":"link_to"}"#).unwrap_err().contains("needs a url"));
        assert!(read(r#"{"kind":"gzip","hash":"both"}"#).is_err());
        assert!(read(r#"{"kind":"status","status":500}"#).unwrap_err().contains("needs a code"));
        assert!(read(r#"{"kind":"errcode","code":"-1"}"#).unwrap_err().contains("needs an errcode"));
        assert!(read(r#"{"kind":"errcode","errcode":-1,"code":"-1"}"#).unwrap_err().contains("has no code"));
    }

    #[test]
    fn a_probability_is_read_to_the_millionth() {
        let ppm = |text: &str| {
            read(&format!(r#"{{"kind":"cut","probability":{text}}}"#)).map(|rule| rule.probability_ppm)
        };
        for (text, expected) in [
            ("0.01", 10_000),
            ("0.3", 300_000),
            ("0.000001", 1),
            ("1e-6", 1),
            ("0.999999", 999_999),
            ("0.29", 290_000),
            ("1", 1_000_000),
            ("1.0", 1_000_000),
        ] {
            assert_eq!(ppm(text), Ok(expected), "{text}");
        }
        for text in ["0", "0.0", "1.000001", "2", "-0.5", "0.0000001", "1e-9", "1e300", "\"0.5\""] {
            assert!(ppm(text).is_err(), "{text}");
        }
        let always = read(r#"{"kind":"cut","probability":0.5}"#).unwrap();
        assert_eq!(always.count, 0, "by rate means without end");
        assert_eq!(read(r#"{"kind":"cut","probability":0.5,"count":3}"#).unwrap().count, 3);
    }

    #[test]
    fn only_the_kind_is_needed() {
        assert_eq!(read(r#"{"kind":"cut"}"#).unwrap(), FaultRule::new(FaultKind::Cut));
    }
}
