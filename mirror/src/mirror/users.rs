//! Users of a running mirror.

use super::Mirror;
use crate::control::users::{self, UserChange, UserRecord};
use crate::error::MirrorError;

impl Mirror {
    /// Users in the order of their openids: at most `limit`, and only those after the openid `after`; an empty one
    /// begins with the first.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn users(&self, limit: u32, after: &str) -> Result<Vec<UserRecord>, MirrorError> {
        users::page(&self.app, after.to_owned(), limit).await
    }

    /// Changes a user, or adds one who was never seen, and returns it as it is now.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when the openid is empty; or storage fails.
    pub async fn change_user(&self, change: UserChange) -> Result<UserRecord, MirrorError> {
        users::change_one(&self.app, change).await
    }

    /// Marks a user's account as restricted: it can receive no coupon.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn mark_user_abnormal(&self, openid: &str) -> Result<(), MirrorError> {
        let change = UserChange { openid: openid.to_owned(), abnormal: Some(true), ..UserChange::default() };
        users::change(&self.app, vec![change]).await
    }

    /// Marks a user's account as a risk: it can receive no coupon of a stock with `prevent_api_abuse`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn mark_user_risky(&self, openid: &str) -> Result<(), MirrorError> {
        let change = UserChange { openid: openid.to_owned(), risky: Some(true), ..UserChange::default() };
        users::change(&self.app, vec![change]).await
    }

    /// Makes these accounts one natural person.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn same_person(&self, openids: &[&str]) -> Result<(), MirrorError> {
        let person = openids.first().map(|openid| format!("person of {openid}"));
        let change = |openid: &&str| UserChange {
            openid: (*openid).to_owned(),
            person: person.clone(),
            ..UserChange::default()
        };
        users::change(&self.app, openids.iter().map(change).collect()).await
    }
}
