//! The suite that every ledger must pass.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use favor_campaign::{Books, PostgresLedger};
use favor_core::{Timestamp, time};
use favor_store::postgres::tokio_postgres::Client;
use futures_util::future::BoxFuture;

use super::place::{admin, connect, database};
use crate::ledger::contract::{Place, contract};

struct Shared {
    ledger: Arc<PostgresLedger>,
    admin: Client,
}

impl Shared {
    async fn new() -> Self {
        let address = database().await;
        Self { ledger: connect(&address).await, admin: admin(&address).await }
    }
}

impl Place for Shared {
    fn books(&self) -> Arc<dyn Books> {
        self.ledger.clone()
    }

    /// Nobody can move the server's clock, but everything that it is compared with.
    fn pass(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let earlier = format!("interval '{} microseconds'", time.as_micros());
            let sql = format!(
                "UPDATE favor_chunks SET due = due - {earlier};
                UPDATE favor_campaigns SET paused_until = paused_until - {earlier};
                UPDATE favor_limits SET next_at = next_at - {earlier}, slowed_at = slowed_at - {earlier}"
            );
            self.admin.batch_execute(&sql).await.unwrap();
        })
    }

    fn now(&self) -> BoxFuture<'_, Timestamp> {
        Box::pin(async move {
            let row = self.admin.query_one("SELECT clock_timestamp()", &[]).await.unwrap();
            time::beijing(&row.get::<_, DateTime<Utc>>(0))
        })
    }
}

contract! { Shared::new() }
