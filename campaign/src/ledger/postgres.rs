//! A ledger in a PostgreSQL database, for workers on many machines.

mod chunks;
mod keeping;
mod limits;
mod orders;
mod outcomes;
mod people;
mod recording;
mod values;

use std::time::Duration;

use favor_core::OpenId;
use favor_store::postgres::tokio_postgres;
use favor_store::postgres::{Address, Client, Database, Schema};
use futures_util::future::BoxFuture;

use super::{
    Books, Campaign, CampaignId, Claimed, Finish, HistoryEntry, Lease, Ledger, LimitKey, Order, Recipient,
    Recorded, Reopen, Reservation, Result, Row, Settlement, Standing, WorkerId,
};
use crate::manifest::Manifest;
use crate::name::CampaignName;

const SCHEMA: Schema = Schema {
    what: "a ledger of campaigns",
    name: "campaigns",
    steps: &[include_str!("postgres/schema.sql")],
};

/// What work on a connection comes to: the server's error is the first to be looked at.
type Answered<T> = std::result::Result<T, tokio_postgres::Error>;

/// Work on a connection that may be done again.
type Work<'c, T> = BoxFuture<'c, Answered<T>>;

/// A ledger in a PostgreSQL database that many workers on many machines share.
///
/// All times are the database's, so the machines' clocks do not matter. To record and to reserve are one statement each,
/// and a claim passes over what somebody else has locked: no worker that is frozen or cut off in the middle of something
/// holds up the others. Its tables begin with `favor_`.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use favor_campaign::{Books as _, PostgresAddress, PostgresLedger};
///
/// let address = PostgresAddress::new("postgres://shop@db.example/shop?sslmode=require")?
///     .password(&std::fs::read_to_string("/etc/shop/database-password")?);
/// let ledger = PostgresLedger::connect(&address).await?;
/// for campaign in ledger.campaigns().await? {
///     println!("{} is {}", campaign.manifest.name, campaign.standing.state);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PostgresLedger {
    database: Database,
}

impl PostgresLedger {
    /// Connects, and creates the tables where there are none. Must be called in the tokio runtime that it is used in.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`](crate::LedgerError::Unavailable) when the server cannot be reached, [`LedgerError::Unusable`](crate::LedgerError::Unusable) when it does not let
    /// us in, or its tables are of a newer version.
    pub async fn connect(address: &Address) -> Result<Self> {
        let database = Database::connect(address, &SCHEMA).await.map_err(values::trouble)?;
        Ok(Self { database })
    }

    /// Closes the connections; later calls fail.
    pub fn close(&self) {
        self.database.close();
    }

    /// Does work with what it is given, again when it met a deadlock.
    async fn ask<A, T>(&self, given: A, work: for<'c> fn(&'c mut Client, A) -> Work<'c, T>) -> Result<T>
    where
        A: Clone + Send + Sync + 'static,
    {
        self.database.run(move |client| work(client, given.clone())).await.map_err(values::trouble)
    }
}

impl Ledger for PostgresLedger {
    fn campaign<'a>(&'a self, name: &'a CampaignName) -> BoxFuture<'a, Result<Campaign>> {
        Box::pin(async move { self.ask(name.clone(), orders::by_name).await? })
    }

    fn claim<'a>(
        &'a self,
        campaign: CampaignId,
        worker: &'a WorkerId,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Claimed>> {
        Box::pin(
            async move { self.ask((campaign, worker.clone(), values::micros(lease)), chunks::claim).await? },
        )
    }

    fn record<'a>(
        &'a self,
        lease: &'a Lease,
        settled: &'a [Settlement],
        extend: Duration,
    ) -> BoxFuture<'a, Result<Recorded>> {
        Box::pin(async move {
            // One statement changes a row once: a second word on the same coupon is for the next round.
            for round in recording::rounds(settled) {
                let given = (lease.clone(), round, values::micros(extend));
                if self.ask(given, recording::record).await?? == Recorded::Lost {
                    return Ok(Recorded::Lost);
                }
            }
            Ok(Recorded::Done)
        })
    }

    fn finish<'a>(&'a self, lease: &'a Lease, how: Finish) -> BoxFuture<'a, Result<Recorded>> {
        Box::pin(self.ask((lease.clone(), how), chunks::finish))
    }

    fn set_rate<'a>(&'a self, limit: &'a LimitKey, per_second: u32) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.ask((limit.clone(), per_second), limits::set_rate))
    }

    fn reserve<'a>(&'a self, limit: &'a LimitKey, most: u32) -> BoxFuture<'a, Result<Reservation>> {
        Box::pin(async move { self.ask((limit.clone(), most), limits::reserve).await? })
    }

    fn slow_down<'a>(&'a self, limit: &'a LimitKey) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.ask(limit.clone(), limits::slow_down))
    }

    fn standing(&self, campaign: CampaignId) -> BoxFuture<'_, Result<Standing>> {
        Box::pin(async move { self.ask(campaign, orders::standing).await? })
    }

    fn order(&self, campaign: CampaignId, order: Order) -> BoxFuture<'_, Result<Standing>> {
        Box::pin(async move { self.ask((campaign, order), orders::order).await? })
    }
}

impl Books for PostgresLedger {
    fn begin<'a>(&'a self, manifest: &'a Manifest) -> BoxFuture<'a, Result<(CampaignId, u64)>> {
        Box::pin(async move { self.ask(manifest.clone(), people::begin).await? })
    }

    fn add_people<'a>(&'a self, campaign: CampaignId, people: &'a [Recipient]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            for some in people.chunks(people::COPIED) {
                self.ask((campaign, some.into()), people::add).await??;
            }
            Ok(())
        })
    }

    fn seal(&self, campaign: CampaignId, people: u64, chunk: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.ask((campaign, people, chunk), people::seal).await? })
    }

    fn discard(&self, campaign: CampaignId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            while !self.ask(campaign, keeping::discard_some).await?? {}
            Ok(())
        })
    }

    fn campaigns(&self) -> BoxFuture<'_, Result<Vec<Campaign>>> {
        Box::pin(async move { self.ask((), orders::all).await? })
    }

    fn rows(&self, campaign: CampaignId, after: Option<u64>, most: usize) -> BoxFuture<'_, Result<Vec<Row>>> {
        Box::pin(async move { self.ask((campaign, after, most), outcomes::rows).await? })
    }

    fn find<'a>(&'a self, campaign: CampaignId, openid: &'a OpenId) -> BoxFuture<'a, Result<Option<Row>>> {
        Box::pin(async move { self.ask((campaign, openid.clone()), outcomes::find).await? })
    }

    fn reopen<'a>(&'a self, campaign: CampaignId, which: &'a Reopen) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            if !self.ask((campaign, which.clone()), keeping::begin_reopen).await?? {
                return Ok(0);
            }
            let (mut next, mut reopened) = (Some(0), 0);
            while let Some(first) = next {
                let some = self.ask((campaign, which.clone(), first), keeping::reopen_some).await??;
                next = some.next;
                reopened += some.coupons;
            }
            Ok(reopened)
        })
    }

    fn history(&self, campaign: CampaignId) -> BoxFuture<'_, Result<Vec<HistoryEntry>>> {
        Box::pin(async move { self.ask(campaign, orders::history).await? })
    }

    fn purge(&self, campaign: CampaignId) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move {
            let (mut next, mut purged) = (Some(0), 0);
            while let Some(first) = next {
                let some = self.ask((campaign, first), keeping::purge_some).await??;
                next = some.next;
                purged += some.people;
            }
            Ok(purged)
        })
    }
}
