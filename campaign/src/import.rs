//! From a list to a campaign in a ledger.

use crate::ledger::{Books, CampaignId, LedgerError, State};
use crate::list::{ListError, SortedList};
use crate::manifest::{ListFacts, Manifest};

/// People per call to the ledger.
const BATCH: usize = 2_000;
/// People per chunk: at 400 sends a second, two and a half seconds of work for one worker.
const CHUNK: u32 = 1_000;

/// Puts a campaign and its people into a ledger, so that it can be started. It may be killed and repeated: it goes on
/// where it stopped, and on a campaign that is there already, by the same manifest, it changes nothing.
///
/// Reads the list's temporary file on the calling thread, some kilobytes at a time.
///
/// # Errors
/// [`ImportError`]; what was imported stays, and the same call goes on.
pub async fn import(
    books: &dyn Books,
    manifest: &Manifest,
    list: &mut SortedList,
) -> Result<CampaignId, ImportError> {
    import_with(books, manifest, list, |_| {}).await.map(|imported| imported.campaign)
}

/// What an import did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// The campaign.
    pub campaign: CampaignId,
    /// How many people it had before; all of them, when it was planned before.
    pub found: u64,
    /// How many came now.
    pub added: u64,
    /// Whether the very same campaign was planned before, so that nothing was done.
    pub was_planned: bool,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportProgress {
    /// People in the ledger.
    pub people: u64,
    /// People in the list.
    pub total: u64,
}

/// [`import`] that tells `progress` of each batch of people, and at its end what it did.
///
/// # Errors
/// As [`import`].
pub async fn import_with(
    books: &dyn Books,
    manifest: &Manifest,
    list: &mut SortedList,
    mut progress: impl FnMut(ImportProgress),
) -> Result<Imported, ImportError> {
    check(manifest, list.facts())?;
    let total = list.facts().people;
    if let Some(campaign) = planned_before(books, manifest).await? {
        return Ok(Imported { campaign, found: total, added: 0, was_planned: true });
    }
    let (campaign, found) = books.begin(manifest).await?;
    let mut people = list.people()?;
    let mut skipped = 0;
    while skipped < found {
        if people.next().transpose()?.is_none() {
            return Err(LedgerError::Incomplete { expected: total, found }.into());
        }
        skipped += 1;
    }
    let mut done = found;
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        batch.clear();
        for person in people.by_ref().take(BATCH) {
            batch.push(person?);
        }
        if batch.is_empty() {
            break;
        }
        books.add_people(campaign, &batch).await?;
        done += u64::try_from(batch.len()).unwrap_or(u64::MAX);
        progress(ImportProgress { people: done, total });
    }
    books.seal(campaign, total, CHUNK).await?;
    Ok(Imported { campaign, found, added: done.saturating_sub(found), was_planned: false })
}

/// The campaign that an equal manifest made, when its import ended.
async fn planned_before(books: &dyn Books, manifest: &Manifest) -> Result<Option<CampaignId>, ImportError> {
    match books.campaign(&manifest.name).await {
        Ok(there) => {
            let mut same = there.manifest;
            same.planned_at = manifest.planned_at;
            Ok((same == *manifest && there.standing.state != State::Importing).then_some(there.id))
        }
        Err(LedgerError::NoCampaign(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn check(manifest: &Manifest, facts: &ListFacts) -> Result<(), ImportError> {
    if manifest.list != *facts {
        return Err(ImportError::AnotherList);
    }
    if facts.people == 0 {
        return Err(ImportError::NoPeople);
    }
    if manifest.coupons_per_person == 0 {
        return Err(ImportError::NoCoupons);
    }
    Ok(())
}

/// Why an import ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The list is not the one that the manifest tells of.
    #[error("the list is not the one the campaign was planned for; plan it again")]
    AnotherList,
    /// Nobody is in the list.
    #[error("the list has no person in it; there is nothing to plan")]
    NoPeople,
    /// Each person would get no coupon.
    #[error("a person gets at least one coupon; set how many")]
    NoCoupons,
    /// The list cannot be read again.
    #[error(transparent)]
    List(#[from] ListError),
    /// The ledger could not take it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl ImportError {
    /// Whether the same call may succeed later, and goes on where this one stopped.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Ledger(error) if error.is_temporary())
    }
}
