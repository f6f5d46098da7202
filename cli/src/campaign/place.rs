//! Which ledger, and opening it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use favor_campaign::{Books, PostgresAddress, PostgresLedger, SqliteLedger};

use crate::args::{Global, LedgerPlace};
use crate::env;
use crate::place::{self, Named};
use crate::profile::Profile;

const NAMED: Named = Named {
    flag: "--ledger",
    variable: env::LEDGER,
    setting: "ledger",
    in_profile: Profile::ledger,
    default: "favor-campaigns.sqlite",
};

/// Where a ledger is.
#[derive(Debug)]
pub(crate) struct Place(place::Place);

/// A ledger that is open.
#[derive(Debug)]
pub(crate) enum Opened {
    Sqlite(Arc<SqliteLedger>),
    Postgres(Arc<PostgresLedger>),
}

impl Place {
    /// The one that was named; else the default.
    pub(crate) fn of(args: &LedgerPlace, global: &Global) -> anyhow::Result<Self> {
        Ok(Self(place::Place::of(&NAMED, args.ledger.as_deref(), global)?))
    }

    /// Opens it for a runner. Of a file there is one runner's process at a time.
    pub(crate) async fn open(&self) -> anyhow::Result<Opened> {
        match &self.0 {
            place::Place::File(file) => {
                self.demand(file)?;
                let ledger = SqliteLedger::open(file).await.with_context(|| self.to_string())?;
                Ok(Opened::Sqlite(Arc::new(ledger)))
            }
            place::Place::Database(address) => connect(address).await,
        }
    }

    /// Opens it to give orders, also while runners work.
    pub(crate) async fn open_beside(&self) -> anyhow::Result<Opened> {
        match &self.0 {
            place::Place::File(file) => {
                self.demand(file)?;
                self.open_file_beside(file).await
            }
            place::Place::Database(address) => connect(address).await,
        }
    }

    /// The same, and makes it where there is none.
    pub(crate) async fn open_or_make(&self) -> anyhow::Result<Opened> {
        match &self.0 {
            place::Place::File(file) => self.open_file_beside(file).await,
            place::Place::Database(address) => connect(address).await,
        }
    }

    /// Opens it to look at it, also while runners work.
    pub(crate) async fn open_read_only(&self) -> anyhow::Result<Opened> {
        match &self.0 {
            place::Place::File(file) => {
                self.demand(file)?;
                let ledger = SqliteLedger::open_read_only(file).await.with_context(|| self.to_string())?;
                Ok(Opened::Sqlite(Arc::new(ledger)))
            }
            place::Place::Database(address) => connect(address).await,
        }
    }

    /// Whether there is nothing yet to look at.
    pub(crate) fn is_new(&self) -> bool {
        matches!(&self.0, place::Place::File(file) if !file.exists())
    }

    async fn open_file_beside(&self, file: &Path) -> anyhow::Result<Opened> {
        let ledger = SqliteLedger::open_beside(file).await.with_context(|| self.to_string())?;
        Ok(Opened::Sqlite(Arc::new(ledger)))
    }

    fn demand(&self, file: &Path) -> anyhow::Result<()> {
        if self.is_new() {
            bail!(
                "there is no ledger {}: favor campaign plan makes one; name it with --ledger",
                file.display()
            );
        }
        Ok(())
    }
}

/// As people may see it.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Opened {
    pub(crate) fn books(&self) -> Arc<dyn Books> {
        match self {
            Self::Sqlite(ledger) => ledger.clone(),
            Self::Postgres(ledger) => ledger.clone(),
        }
    }

    /// Finishes what is under way.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(ledger) => ledger.close().await,
            Self::Postgres(ledger) => ledger.close(),
        }
    }
}

async fn connect(address: &PostgresAddress) -> anyhow::Result<Opened> {
    let ledger = PostgresLedger::connect(address).await;
    Ok(Opened::Postgres(Arc::new(ledger.with_context(|| format!("PostgreSQL at {address}"))?)))
}
