//! Reading the rows of a campaign one after the other, a page at a time.

use std::collections::VecDeque;

use crate::ledger::{Books, CampaignId, LedgerError, Row};

/// Rows per page.
const PAGE: usize = 1_000;

/// The rows of a campaign in the order of their places.
#[derive(Debug)]
pub(crate) struct RowCursor<'a> {
    books: &'a dyn Books,
    campaign: CampaignId,
    page: VecDeque<Row>,
    after: Option<u64>,
    ended: bool,
}

impl<'a> RowCursor<'a> {
    pub(crate) fn new(books: &'a dyn Books, campaign: CampaignId) -> Self {
        Self::after(books, campaign, None)
    }

    /// Only rows behind a place.
    pub(crate) fn after(books: &'a dyn Books, campaign: CampaignId, after: Option<u64>) -> Self {
        Self { books, campaign, page: VecDeque::new(), after, ended: false }
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Row>, LedgerError> {
        if self.page.is_empty() && !self.ended {
            let page = self.books.rows(self.campaign, self.after, PAGE).await?;
            self.ended = page.len() < PAGE;
            self.after = page.last().map(|row| row.place).or(self.after);
            self.page = page.into();
        }
        Ok(self.page.pop_front())
    }

    /// The row at a place, which lies behind all that were read. Reads `most` rows at a time from there.
    pub(crate) async fn at(&mut self, place: u64, most: usize) -> Result<Option<Row>, LedgerError> {
        while self.page.front().is_some_and(|row| row.place < place) {
            self.page.pop_front();
        }
        if self.page.is_empty() {
            self.page = self.books.rows(self.campaign, place.checked_sub(1), most).await?.into();
        }
        match self.page.front() {
            Some(row) if row.place == place => Ok(self.page.pop_front()),
            _ => Ok(None),
        }
    }
}
