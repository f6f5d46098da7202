//! The rows that an audit looks at.

use super::options::AuditOptions;
use super::sample::Chosen;
use crate::ledger::{Books, Campaign, LedgerError, Row};
use crate::row_cursor::RowCursor;

/// The rows that an audit looks at, in the order of their places.
pub(super) enum People<'a> {
    All(RowCursor<'a>),
    Some {
        rows: RowCursor<'a>,
        chosen: std::iter::Peekable<Chosen>,
        /// Rows to read at a time: few where the chosen lie far apart.
        most: usize,
    },
}

impl<'a> People<'a> {
    pub(super) fn new(books: &'a dyn Books, campaign: &Campaign, options: &AuditOptions) -> Self {
        let rows = RowCursor::after(books, campaign.id, options.after);
        let Some(sample) = options.sample else { return Self::All(rows) };
        let people = campaign.standing.people;
        let apart = people / sample.people.max(1);
        let most = if apart > 20 { 1 } else { 1_000 };
        let mut chosen = Chosen::new(sample, people).peekable();
        while chosen.next_if(|place| options.after.is_some_and(|after| *place <= after)).is_some() {}
        Self::Some { rows, chosen, most }
    }

    pub(super) async fn next(&mut self) -> Result<Option<Row>, LedgerError> {
        match self {
            Self::All(rows) => rows.next().await,
            Self::Some { rows, chosen, most } => match chosen.next() {
                Some(place) => rows.at(place, *most).await,
                None => Ok(None),
            },
        }
    }
}
