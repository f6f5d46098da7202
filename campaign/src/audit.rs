//! The ledger against what the platform says of each person. Only reads.

mod compare;
mod options;
mod people;
mod report;
mod sample;

use std::ops::ControlFlow;
use std::time::Duration;

use favor_core::{Client, CouponStatus, Error, ErrorCode, Rate};
use favor_coupon::{Coupon, Coupons, ListCoupons};
use futures_util::{StreamExt as _, TryStreamExt as _};

pub use options::{AuditOptions, Sample};
pub use report::{AuditDifference, AuditProgress, AuditReport, DifferenceKind, Unreadable};

use crate::ledger::{Books, Campaign, LedgerError, Row};
use crate::manifest::Manifest;
use compare::{Compared, compare};
use people::People;

/// When so many people in a row cannot be read, the rest will not be either.
const GIVE_UP_AFTER: u64 = 50;

/// Reads the coupons of the campaign's people from the platform and compares them with the ledger: all of them, or a
/// random sample. It sends nothing and changes nothing.
///
/// A coupon that the platform does not list, since it expired or was used up, is asked for by its id before it counts
/// as missing. What differs is looked up in the ledger again, since the campaign may be running.
///
/// # Errors
/// [`AuditError`]. That people cannot be read is in the report, as is where it ended before its end.
pub async fn audit(
    books: &dyn Books,
    campaign: &Campaign,
    client: &Client,
    options: AuditOptions,
) -> Result<AuditReport, AuditError> {
    let looker = Looker::new(campaign, client, &options);
    let mut report = AuditReport::default();
    let in_flight = usize::try_from(options.in_flight.max(1)).unwrap_or(1);
    let people = People::new(books, campaign, &options);
    let rows = futures_util::stream::try_unfold(people, async |mut people| {
        Ok::<_, LedgerError>(people.next().await?.map(|row| (row, people)))
    });
    let looked = rows.map(|row| async { Ok::<_, LedgerError>(looker.look(row?).await) }).buffered(in_flight);
    let mut looked = std::pin::pin!(looked);
    let mut in_a_row = 0;
    while let Some((mut row, found)) = looked.try_next().await? {
        let Some(openid) = row.openid.clone() else { return Err(AuditError::Purged) };
        let place = row.place;
        match found {
            Ok(coupons) => {
                in_a_row = 0;
                let numbers = campaign.manifest.numbers();
                let mut compared = compare(&row, &coupons, &numbers, &openid);
                if !compared.differences.is_empty() {
                    if let Some(now) = books.find(campaign.id, &openid).await? {
                        row = now;
                        compared = compare(&row, &coupons, &numbers, &openid);
                    }
                    looker.look_for_missing(&openid, &mut compared).await;
                }
                report.take(&options, &row, compared);
            }
            Err(error) => {
                in_a_row += 1;
                report.take_unreadable(&options, &row, &error);
            }
        }
        report.last_place = Some(place);
        report.people += 1;
        let given_up = in_a_row >= GIVE_UP_AFTER;
        if options.tell(&report.progress()) == ControlFlow::Break(()) || given_up {
            report.ended_early = true;
            report.given_up = given_up;
            return Ok(report);
        }
    }
    Ok(report)
}

/// Reads people's coupons, at an even rate.
struct Looker<'a> {
    client: Client,
    coupons: Coupons,
    manifest: &'a Manifest,
    request: ListCoupons,
    spacing: Duration,
    /// When the next call is due.
    due: tokio::sync::Mutex<Duration>,
}

impl<'a> Looker<'a> {
    fn new(campaign: &'a Campaign, client: &Client, options: &AuditOptions) -> Self {
        let manifest = &campaign.manifest;
        let request = ListCoupons::created_by(manifest.appid.clone(), manifest.stock_creator_mchid.clone())
            .stock(manifest.stock_id.clone())
            // This lists the usable ones too.
            .status(CouponStatus::Used);
        Self {
            client: client.clone(),
            coupons: Coupons::new(client),
            manifest,
            request: request.into(),
            spacing: Rate::per_second(options.per_second).spacing(),
            due: tokio::sync::Mutex::default(),
        }
    }

    async fn look(&self, row: Row) -> (Row, Result<Vec<Coupon>, Error>) {
        let Some(openid) = &row.openid else { return (row, Ok(Vec::new())) };
        let mut all = Vec::new();
        let mut page = Some(0);
        while let Some(number) = page {
            self.turn().await;
            match self.coupons.list(openid, &self.request, number).await {
                Ok(listed) => {
                    let listed = listed.into_value();
                    page = listed.next();
                    all.extend(listed.data);
                }
                // A page past the end is not an empty page everywhere.
                Err(error) if number > 0 && is_past_the_end(&error) => break,
                Err(error) => return (row, Err(error)),
            }
        }
        (row, Ok(all))
    }

    /// Asks for each coupon that was not listed, and takes the difference back when it is there.
    async fn look_for_missing(&self, openid: &favor_core::OpenId, compared: &mut Compared) {
        let mut missing = Vec::new();
        for difference in std::mem::take(&mut compared.differences) {
            let (DifferenceKind::SentNotThere, Some(coupon_id)) = (difference.kind, &difference.coupon_id)
            else {
                missing.push(difference);
                continue;
            };
            self.turn().await;
            match self.coupons.get(openid, coupon_id, &self.manifest.appid).await {
                Ok(coupon) if coupon.stock_id == self.manifest.stock_id => compared.not_listed += 1,
                Ok(_) => missing.push(difference.with_text("the coupon is one of another stock")),
                Err(error) if is_not_found(&error) => missing.push(difference),
                Err(error) => {
                    let text = format!("not listed, and asking for it failed: {error}");
                    missing.push(difference.with_text(text));
                }
            }
        }
        compared.differences = missing;
    }

    /// Waits until the next call is due.
    async fn turn(&self) {
        let clock = self.client.clock();
        let now = clock.elapsed();
        let start = {
            let mut due = self.due.lock().await;
            let start = (*due).max(now);
            *due = start + self.spacing;
            start
        };
        if start > now {
            clock.sleep(start - now).await;
        }
    }
}

fn is_not_found(error: &Error) -> bool {
    error.api().and_then(|api| api.code()) == Some(&ErrorCode::ResourceNotExists)
}

fn is_past_the_end(error: &Error) -> bool {
    is_not_found(error) || error.api().and_then(|api| api.code()) == Some(&ErrorCode::MerchantNotExists)
}

/// Why an audit could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The campaign's openids were purged.
    #[error("the campaign's openids were purged, so nobody can be looked up")]
    Purged,
}
