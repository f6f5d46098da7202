//! Notifications of a running mirror.

use super::Mirror;
use crate::control::callbacks;
use crate::error::MirrorError;
use crate::notify::{self, NotificationDraft, NotificationRecord, SignedNotification};

impl Mirror {
    /// Notifications with their deliveries, newest first: at most `limit` (and 10,000), and only those after the one
    /// numbered `after`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn notifications(
        &self,
        limit: usize,
        after: u64,
    ) -> Result<Vec<NotificationRecord>, MirrorError> {
        callbacks::page(&self.app, limit, after).await
    }

    /// Delivers a notification once more, whatever has become of it, and returns it afterwards. `id` is its number or
    /// its `EV-` id. Its schedule goes on unless the receiver acknowledges.
    ///
    /// # Errors
    ///
    /// [`MirrorError::NotFound`] when there is no such notification; or storage fails.
    pub async fn replay(&self, id: &str) -> Result<NotificationRecord, MirrorError> {
        callbacks::replay_one(&self.app, id).await
    }

    /// Whether coupons given are notified too, from now on, until the mirror stops.
    pub fn set_notify_sends(&self, notified: bool) {
        self.app.notify.set_sends(notified);
    }

    /// Seals a notification for a merchant and signs it by the key the platform would use at this moment, without
    /// sending or keeping it.
    ///
    /// # Errors
    ///
    /// [`MirrorError::NotFound`] when there is no such merchant.
    pub fn seal_notification(
        &self,
        mchid: &str,
        draft: &NotificationDraft,
    ) -> Result<SignedNotification, MirrorError> {
        let merchant = self.known(mchid)?;
        let created = self.app.clocks.now().rfc3339();
        let sealed = notify::seal(draft, &created, &merchant, &self.app.platform(), self.app.clocks.both());
        Ok(SignedNotification::new(&sealed))
    }

    /// Signs a body as it is, as the platform would sign a notification to this merchant at this moment.
    ///
    /// # Errors
    ///
    /// [`MirrorError::NotFound`] when there is no such merchant.
    pub fn sign_notification(
        &self,
        mchid: &str,
        body: impl Into<Vec<u8>>,
    ) -> Result<SignedNotification, MirrorError> {
        let merchant = self.known(mchid)?;
        let (platform, now) = (self.app.platform(), self.app.clocks.both());
        Ok(SignedNotification::new(&notify::sign(body.into(), "", 1, &merchant, &platform, now)))
    }
}
