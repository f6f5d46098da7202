//! What is left of a stock while a campaign runs, asked now and then.

use std::time::Duration;

use favor_campaign::Manifest;
use favor_core::Client;
use favor_stock::Stocks;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const BETWEEN: Duration = Duration::from_secs(60);

/// Asks the platform in the background; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Budget {
    left: watch::Receiver<Option<u64>>,
    asking: JoinHandle<()>,
    /// What was left at the last answer, and how many the campaign had sent then.
    known: Option<(u64, u64)>,
}

impl Budget {
    pub(crate) fn ask(client: &Client, manifest: &Manifest) -> Self {
        let stocks = Stocks::created_by(client, manifest.stock_creator_mchid.clone());
        let stock_id = manifest.stock_id.clone();
        let (tell, left) = watch::channel(None);
        let asking = tokio::spawn(async move {
            loop {
                // Only shown: where it cannot be had, nothing is.
                if let Ok(stock) = stocks.get(&stock_id).await {
                    let most = stock.stock_use_rule.as_ref().and_then(|rule| rule.max_coupons);
                    let left = most.map(|most| most.saturating_sub(stock.distributed_coupons));
                    tell.send_replace(left);
                }
                tokio::time::sleep(BETWEEN).await;
            }
        });
        Self { left, asking, known: None }
    }

    /// How many coupons the stock still has, when the campaign has sent so many.
    pub(crate) fn left(&mut self, sent: u64) -> Option<u64> {
        if self.left.has_changed().unwrap_or(false) {
            self.known = self.left.borrow_and_update().map(|left| (left, sent));
        }
        let (left, then) = self.known?;
        Some(left.saturating_sub(sent.saturating_sub(then)))
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        self.asking.abort();
    }
}
