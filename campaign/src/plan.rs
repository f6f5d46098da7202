//! Whether a campaign can do what it is to do: looked at before it starts, against the live stock.

mod estimate;
mod finding;
mod manifest_check;
mod people_check;
mod stock_check;

use std::time::Duration;

use favor_core::{Client, ErrorCode, Fen};
use favor_stock::{Stock, Stocks};

pub use estimate::{Estimate, estimate};
pub use finding::{Finding, Severity};
pub use manifest_check::check_manifest;
pub use people_check::check_people;
pub use stock_check::judge_stock;

use crate::list::{ListError, SortedList};
use crate::manifest::Manifest;

/// How many people of the list are looked up.
const SAMPLE: usize = 3;

/// A campaign that was looked at and is not in a ledger yet. Nothing was sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// What it does, with the face value that the stock says.
    pub manifest: Manifest,
    /// The stock as it stood; none when it could not be read.
    pub stock: Option<Stock>,
    /// What was noticed, the worst first.
    pub findings: Vec<Finding>,
    /// How many coupons, what they are worth, how long they take.
    pub estimate: Estimate,
}

impl Plan {
    /// Looks at the manifest, the stock and a few people of the list. Only reads.
    ///
    /// # Errors
    /// [`ListError`] when the list cannot be read again. What is wrong with the rest is a finding.
    pub async fn make(
        client: &Client,
        mut manifest: Manifest,
        list: &mut SortedList,
    ) -> Result<Self, ListError> {
        let mut findings = check_manifest(&manifest);
        let stock = match read_stock(client, &manifest).await {
            Ok(stock) => Some(stock),
            Err(finding) => {
                findings.push(finding);
                None
            }
        };
        if let Some(stock) = &stock {
            manifest.face_value = stock_check::face_value(stock, &manifest);
            findings.extend(judge_stock(stock, &manifest, client.merchant_id(), client.now()));
            let sample: Result<Vec<_>, _> =
                list.people()?.take(SAMPLE).map(|person| person.map(|person| person.openid)).collect();
            findings.extend(check_people(client, &manifest, &sample?).await);
        }
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let estimate = estimate(&manifest, stock.as_ref());
        Ok(Self { manifest, stock, findings, estimate })
    }

    /// Whether nothing that was noticed keeps it from starting.
    pub fn may_start(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity < Severity::Error)
    }
}

/// Looks at the live stock: state, window, budget, counts, limits, who sends. Only reads. That the stock cannot be read
/// is a finding too.
pub async fn check_stock(client: &Client, manifest: &Manifest) -> Vec<Finding> {
    let mut findings = match read_stock(client, manifest).await {
        Ok(stock) => judge_stock(&stock, manifest, client.merchant_id(), client.now()),
        Err(finding) => vec![finding],
    };
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

async fn read_stock(client: &Client, manifest: &Manifest) -> Result<Stock, Finding> {
    let stocks = Stocks::created_by(client, manifest.stock_creator_mchid.clone());
    let (stock, creator) = (&manifest.stock_id, &manifest.stock_creator_mchid);
    let error = match stocks.get(stock).await {
        Ok(stock) => return Ok(stock.into_value()),
        Err(error) => error,
    };
    let code = error.api().and_then(|api| api.code());
    Err(match code {
        Some(ErrorCode::ResourceNotExists) => Finding::error(
            "stock.not-found",
            format!("there is no stock {stock} of merchant {creator}"),
            "check the stock's id and its creator",
        ),
        Some(ErrorCode::RequestBlocked | ErrorCode::NoAuth) => Finding::error(
            "stock.not-allowed",
            format!("merchant {} is neither creator nor sender of stock {stock}", client.merchant_id()),
            "have the creator authorise this merchant as a sender",
        ),
        _ => Finding::error(
            "stock.unreadable",
            format!("stock {stock} could not be read: {}", describe(&error)),
            "try again; `favor doctor` checks the profile",
        ),
    })
}

/// An error in one line, with what the platform said.
fn describe(error: &favor_core::Error) -> String {
    match error.api() {
        Some(api) => {
            let code = api.code().map(ToString::to_string).unwrap_or_default();
            format!("{error} {code} {}", api.message()).trim_end().to_owned()
        }
        None => error.to_string(),
    }
}

/// A duration in words: the two largest units.
fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// An amount of coupons at a face value.
fn worth(face: Fen, coupons: u64) -> Option<Fen> {
    face.checked_mul(coupons).ok()
}
