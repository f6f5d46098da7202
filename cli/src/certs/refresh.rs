//! `favor certs refresh`: has a key daemon that runs check now.

use std::time::Duration;

use anyhow::{Context as _, bail};
use favor_core::{Clock as _, MerchantId, MerchantKeyStatus, SystemClock};
use reqwest::{Client, StatusCode};
use serde_json::json;

use super::status::ago;
use crate::args::{self, DaemonAt};
use crate::exit::Exit;
use crate::output::Output;

/// The daemon answers when the check has ended, or after twenty seconds.
const TIMEOUT: Duration = Duration::from_secs(40);

/// What came of it for one merchant.
struct Asked {
    merchant: MerchantId,
    came: Came,
}

enum Came {
    /// It was checked; the status says how that went.
    Checked(Box<MerchantKeyStatus>),
    /// The check goes on.
    UnderWay,
    /// The daemon would not, and says why.
    Refused(String),
}

pub(crate) async fn run(args: &args::RefreshCerts, output: &Output) -> anyhow::Result<Exit> {
    let (client, base_url) = connect(&args.daemon)?;
    let mut all = Vec::new();
    for merchant in &args.merchant {
        let url = format!("{base_url}/v1/refresh?mchid={merchant}");
        let came = match ask(&client, &url).await {
            Ok(came) => came,
            Err(Failed::NoDaemon(error)) => {
                let error =
                    anyhow::Error::new(error).context(format!("no key daemon answers at {}", args.daemon));
                let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
                output.complain("error", &causes.join(": "));
                output.complain(
                    "hint",
                    "it listens where its settings say (listen = …) while favor certs watch runs",
                );
                return Ok(Exit::NotSent);
            }
            Err(Failed::Other(error)) => return Err(error.context(format!("at {}", args.daemon))),
        };
        all.push(Asked { merchant: merchant.clone(), came });
    }
    show(&all, output)?;
    let good = |asked: &Asked| matches!(&asked.came, Came::Checked(status) if status.failure.is_none());
    let doubtful = |asked: &Asked| matches!(asked.came, Came::UnderWay);
    Ok(match all.iter().all(good) {
        true => Exit::Done,
        false if all.iter().all(|asked| good(asked) || doubtful(asked)) => Exit::Unknown,
        false => Exit::Refused,
    })
}

fn connect(at: &DaemonAt) -> anyhow::Result<(Client, String)> {
    let mut builder =
        Client::builder().no_proxy().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none());
    let base_url = match at {
        DaemonAt::Url(url) => url.clone(),
        DaemonAt::Unix(path) => {
            builder = builder.unix_socket(path.clone());
            "http://localhost".to_owned()
        }
    };
    Ok((builder.build()?, base_url))
}

enum Failed {
    NoDaemon(reqwest::Error),
    Other(anyhow::Error),
}

async fn ask(client: &Client, url: &str) -> Result<Came, Failed> {
    let failed = |error: reqwest::Error| match error.is_connect() {
        true => Failed::NoDaemon(error.without_url()),
        false => Failed::Other(anyhow::Error::new(error.without_url()).context("the answer broke off")),
    };
    let answer = client.post(url).send().await.map_err(failed)?;
    let status = answer.status();
    let text = answer.text().await.map_err(failed)?;
    read(status, &text).map_err(Failed::Other)
}

fn read(status: StatusCode, text: &str) -> anyhow::Result<Came> {
    let said = || text.trim().to_owned();
    match status {
        StatusCode::OK => {
            let status = serde_json::from_str(text).context("what answers is no key daemon")?;
            Ok(Came::Checked(Box::new(status)))
        }
        StatusCode::ACCEPTED => Ok(Came::UnderWay),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::CONFLICT | StatusCode::SERVICE_UNAVAILABLE => {
            Ok(Came::Refused(said()))
        }
        // The daemon's own words, not those of another server's page.
        StatusCode::NOT_FOUND if text.starts_with("no such merchant") => Ok(Came::Refused(said())),
        other => bail!("what answers is no key daemon (HTTP {})", other.as_u16()),
    }
}

fn show(all: &[Asked], output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        let merchants: Vec<_> = all.iter().map(json).collect();
        return output.json(&json!({ "merchants": merchants }));
    }
    let now = SystemClock::new().now();
    let row = |asked: &Asked| {
        let (success, state) = match &asked.came {
            Came::Checked(status) => {
                let success =
                    status.last_success.map_or("never".to_owned(), |at| format!("{} ago", ago(now, at)));
                let state = match &status.failure {
                    Some(failure) => format!("failing: {} ({})", failure.message, failure.code),
                    None => "ok".to_owned(),
                };
                (success, state)
            }
            Came::UnderWay => ("-".to_owned(), "the check is under way".to_owned()),
            Came::Refused(why) => ("-".to_owned(), format!("not checked: {why}")),
        };
        [asked.merchant.to_string(), success, state]
    };
    output.rows(["merchant", "last success", "state"], all.iter().map(row).collect(), "no merchants")
}

fn json(asked: &Asked) -> serde_json::Value {
    let (result, status, message) = match &asked.came {
        Came::Checked(status) => ("checked", Some(status), None),
        Came::UnderWay => ("under_way", None, None),
        Came::Refused(why) => ("refused", None, Some(why)),
    };
    json!({ "mchid": asked.merchant, "result": result, "status": status, "message": message })
}
