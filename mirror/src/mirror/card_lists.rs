//! Cards and codes of all accounts in a running mirror, as displays show them.

use super::CardDesk;
use crate::card::desk;
use crate::card::shown::{CardList, CodeFilter, ShownCard, ShownCode};
use crate::error::MirrorError;

/// Cards and codes of all accounts, as displays show them.
impl CardDesk {
    /// Cards of an account, or of all where none is named, newest first, deleted ones too: at most `limit`, and 1,000.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn cards(&self, appid: Option<&str>, limit: u32) -> Result<CardList, MirrorError> {
        desk::cards(&self.app, appid.map(str::to_owned), limit).await
    }

    /// One card with its fields, settings, QR codes and the states of its codes.
    ///
    /// # Errors
    ///
    /// [`MirrorError::NotFound`] when there is no such card; or storage fails.
    pub async fn card(&self, card_id: &str) -> Result<ShownCard, MirrorError> {
        desk::card(&self.app, card_id.to_owned()).await
    }

    /// Codes that somebody has or had, newest first: at most `limit`, and 500.
    ///
    /// # Errors
    ///
    /// [`MirrorError::NotFound`] when the filter names a card that is not there; or storage fails.
    pub async fn held_codes(&self, filter: CodeFilter, limit: u32) -> Result<Vec<ShownCode>, MirrorError> {
        desk::held_codes(&self.app, filter, limit).await
    }
}
