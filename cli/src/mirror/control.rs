//! `favor mirror audit|snapshot|restore|reset|advance|redeem|refund`: what is said to a mirror that runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use favor_mirror::Mirror;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::args::{Global, MirrorCommand, MirrorUrl};
use crate::env;
use crate::exit::Exit;
use crate::output::Output;

const TIMEOUT: Duration = Duration::from_secs(120);

pub(crate) async fn run(command: MirrorCommand, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    match command {
        MirrorCommand::Audit(args) => {
            let report = match &args.data {
                Some(file) => serde_json::to_value(Mirror::audit_file(file).await?)?,
                None => Remote::new(&args.at, global)?.call(Method::GET, "audit", None).await?,
            };
            return audit(&report, output);
        }
        MirrorCommand::Snapshot(args) => {
            let body = json!({ "file": absolute(&args.file)?, "overwrite": args.overwrite });
            let answer = Remote::new(&args.at, global)?.call(Method::POST, "snapshot", Some(body)).await?;
            show(&answer, &["file", "bytes"], output)?;
        }
        MirrorCommand::Restore(args) => {
            let body = json!({ "file": absolute(&args.file)? });
            let answer = Remote::new(&args.at, global)?.call(Method::POST, "restore", Some(body)).await?;
            show(&answer, &["file", "now"], output)?;
        }
        MirrorCommand::Reset(at) => {
            let answer = Remote::new(&at, global)?.call(Method::POST, "reset", None).await?;
            show(&answer, &[], output)?;
            output.talk("the mirror is as it was at the beginning; keys and merchants stay");
        }
        MirrorCommand::Advance(args) => {
            let body = json!({ "advance_seconds": args.by.as_secs() });
            let answer = Remote::new(&args.at, global)?.call(Method::POST, "clock", Some(body)).await?;
            show(&answer, &["now", "frozen"], output)?;
        }
        MirrorCommand::Redeem(args) => {
            let mut body = json!({});
            if let Some(total) = args.amount {
                body["total_amount"] = json!(total);
            }
            let path = format!("coupons/{}/redeem", args.coupon_id);
            let answer = Remote::new(&args.at, global)?.call(Method::POST, &path, Some(body)).await?;
            show(&answer, &["coupon_id", "status", "openid"], output)?;
        }
        MirrorCommand::Refund(args) => {
            let mut body = json!({});
            if let Some(amount) = args.amount {
                body["amount"] = json!(amount);
            }
            let path = format!("coupons/{}/refund", args.coupon_id);
            let answer = Remote::new(&args.at, global)?.call(Method::POST, &path, Some(body)).await?;
            show(&answer, &["coupon_id", "status", "openid"], output)?;
        }
    }
    Ok(Exit::Done)
}

/// The path as the mirror's process, which may work elsewhere, has to see it.
fn absolute(file: &Path) -> anyhow::Result<std::path::PathBuf> {
    std::path::absolute(file).with_context(|| format!("{} names no file", file.display()))
}

fn audit(report: &Value, output: &Output) -> anyhow::Result<Exit> {
    let sound = report["ok"] == true;
    if output.is_json() {
        output.json(report)?;
    } else {
        let empty = Vec::new();
        let findings = report["findings"].as_array().unwrap_or(&empty);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let rows = findings
            .iter()
            .map(|finding| [text(&finding["check"]), text(&finding["subject"]), text(&finding["message"])])
            .collect();
        let stocks = report["stocks"].as_array().map_or(0, Vec::len);
        let none = format!("everything adds up; {stocks} stock{}", if stocks == 1 { "" } else { "s" });
        output.rows(["check", "subject", "finding"], rows, &none)?;
    }
    if !sound {
        output.complain("error", "the audit found what does not add up");
    }
    Ok(if sound { Exit::Done } else { Exit::Refused })
}

fn show(answer: &Value, facts: &[&str], output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return output.json(answer);
    }
    if facts.is_empty() {
        return Ok(());
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    output.facts(facts.iter().map(|fact| (*fact, text(&answer[fact]))))
}

/// A mirror that runs.
pub(crate) struct Remote {
    client: Client,
    url: String,
}

impl Remote {
    pub(crate) fn new(at: &MirrorUrl, global: &Global) -> anyhow::Result<Self> {
        let given = at.url.clone().or_else(|| global.base_url.clone()).or_else(|| env::read(env::BASE_URL));
        let Some(url) = given else {
            bail!("which mirror? give its address with --url, or set {}", env::BASE_URL);
        };
        Self::at(&url, env::read(env::CA_FILE).map(PathBuf::from).as_deref())
    }

    /// The mirror at `url`, which a further root may vouch for.
    pub(crate) fn at(url: &str, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        if !url.starts_with("http://") && !url.starts_with("https://") {
            bail!("{url} is no address of a mirror: it begins with http:// or https://");
        }
        let mut builder = Client::builder().no_proxy().timeout(TIMEOUT);
        if let Some(file) = ca_file {
            let pem = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            for root in
                reqwest::Certificate::from_pem_bundle(&pem).with_context(|| file.display().to_string())?
            {
                builder = builder.add_root_certificate(root);
            }
        }
        Ok(Self { client: builder.build()?, url: url.trim_end_matches('/').to_owned() })
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<Value> {
        let url = &self.url;
        let mut request = self.client.request(method, format!("{url}/_mirror/{path}"));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let failed = |source: reqwest::Error| {
            let url = url.clone();
            match source.is_connect() {
                true => ControlError::NoMirror { url, source },
                false => ControlError::Broken { url, source },
            }
        };
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(failed)?;
        let json: Option<Value> = serde_json::from_slice(&bytes).ok();
        match json {
            Some(json) if status.is_success() => Ok(json),
            Some(json) if json["code"].is_string() && json["message"].is_string() => {
                Err(ControlError::Refused(json["message"].as_str().unwrap_or_default().to_owned()).into())
            }
            _ => bail!("what answers at {url} is no mirror (HTTP {})", status.as_u16()),
        }
    }
}

/// Why a mirror did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    /// It answered, and would not.
    #[error("the mirror says: {0}")]
    Refused(String),
    #[error("no mirror answers at {url}")]
    NoMirror { url: String, source: reqwest::Error },
    /// Whether it was done is not known.
    #[error("the answer of {url} broke off")]
    Broken { url: String, source: reqwest::Error },
}
