//! Whom two campaigns have in common.

use std::cmp::Ordering;

use serde::Serialize;

use crate::ledger::{Books, Campaign, CampaignId, LedgerError, OutcomeState, Row, State};
use crate::name::CampaignName;
use crate::row_cursor::RowCursor;

/// Another campaign of the same ledger on the same stock, and whom it has in common with this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Overlap {
    /// The other campaign.
    pub name: CampaignName,
    /// How it stands.
    pub state: &'static str,
    /// People in both.
    pub people: u64,
    /// Of these, those who have a coupon by the other campaign.
    pub have_coupons: u64,
    /// Both derive the same request numbers, so that a person in both gets the same coupons by both. Otherwise a
    /// person in both gets the coupons of both, as far as the stock's limit per user allows.
    pub same_numbers: bool,
    /// Why the people could not be compared: the openids are of another appid, or were purged.
    pub not_comparable: Option<&'static str>,
}

/// Compares a campaign with all others of the ledger on the same stock, in the order in which they were begun.
/// Memory stays the same for any number of people.
///
/// # Errors
/// [`LedgerError`].
pub async fn overlap(books: &dyn Books, campaign: CampaignId) -> Result<Vec<Overlap>, LedgerError> {
    let campaigns = books.campaigns().await?;
    let Some(this) = campaigns.iter().find(|one| one.id == campaign) else {
        return Err(LedgerError::NoCampaign(campaign.0.to_string()));
    };
    let mut overlaps = Vec::new();
    for other in campaigns.iter().filter(|other| other.id != campaign) {
        if other.manifest.stock_id == this.manifest.stock_id {
            overlaps.push(compare(books, this, other).await?);
        }
    }
    Ok(overlaps)
}

async fn compare(books: &dyn Books, this: &Campaign, other: &Campaign) -> Result<Overlap, LedgerError> {
    let (mine, theirs) = (&this.manifest, &other.manifest);
    let mut overlap = Overlap {
        name: theirs.name.clone(),
        state: other.standing.state.as_str(),
        people: 0,
        have_coupons: 0,
        same_numbers: mine.key == theirs.key
            && mine.merchant_id == theirs.merchant_id
            && mine.appid == theirs.appid,
        not_comparable: None,
    };
    if mine.appid != theirs.appid {
        overlap.not_comparable = Some("its openids are of another appid");
        return Ok(overlap);
    }
    let mut left = RowCursor::new(books, this.id);
    let mut right = RowCursor::new(books, other.id);
    let (mut one, mut two) = (left.next().await?, right.next().await?);
    while let (Some(mine), Some(theirs)) = (&one, &two) {
        let (Some(openid), Some(their_openid)) = (&mine.openid, &theirs.openid) else {
            overlap.not_comparable = Some("its openids, or this campaign's, were purged");
            break;
        };
        // Places follow the bytes of the openids.
        match openid.as_str().as_bytes().cmp(their_openid.as_str().as_bytes()) {
            Ordering::Less => one = left.next().await?,
            Ordering::Greater => two = right.next().await?,
            Ordering::Equal => {
                overlap.people += 1;
                overlap.have_coupons += u64::from(has_coupon(theirs));
                (one, two) = (left.next().await?, right.next().await?);
            }
        }
    }
    if other.standing.state == State::Importing && overlap.not_comparable.is_none() {
        overlap.not_comparable = Some("its list is not complete yet");
    }
    Ok(overlap)
}

fn has_coupon(row: &Row) -> bool {
    row.outcomes.iter().any(|outcome| outcome.state == OutcomeState::Sent)
}
