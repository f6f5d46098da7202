//! The campaign of a name.

use anyhow::bail;
use favor_campaign::{Books, Campaign, CampaignName, LedgerError};

/// The campaign of this name. Where there is none, the error names those that there are.
pub(crate) async fn find(books: &dyn Books, name: &CampaignName) -> anyhow::Result<Campaign> {
    match books.campaign(name).await {
        Err(LedgerError::NoCampaign(_)) => {
            let known: Vec<_> =
                books.campaigns().await?.into_iter().map(|one| one.manifest.name.to_string()).collect();
            if known.is_empty() {
                bail!(
                    "there is no campaign {name} in this ledger, and no other: favor campaign plan makes one"
                );
            }
            bail!("there is no campaign {name} in this ledger; it has: {}", known.join(", "));
        }
        found => Ok(found?),
    }
}
