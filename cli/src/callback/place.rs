//! Which inbox, and opening it.

use std::fmt;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use favor_callback::{Inbox, PostgresAddress, PostgresInbox, SqliteInbox};

use crate::args::{Global, InboxPlace};
use crate::env;
use crate::place::{self, Named};
use crate::profile::Profile;

const NAMED: Named = Named {
    flag: "--inbox",
    variable: env::INBOX,
    setting: "inbox",
    in_profile: Profile::inbox,
    default: "favor-inbox.sqlite",
};

/// Where an inbox is.
#[derive(Debug)]
pub(crate) struct Place(place::Place);

/// An inbox that is open.
#[derive(Debug)]
pub(crate) enum Opened {
    Sqlite(Arc<SqliteInbox>),
    Postgres(Arc<PostgresInbox>),
}

impl Place {
    /// The one that was named; else the default.
    pub(crate) fn of(args: &InboxPlace, global: &Global) -> anyhow::Result<Self> {
        Ok(Self(place::Place::of(&NAMED, args.inbox.as_deref(), global)?))
    }

    /// Opens it for work, and makes it where there is none.
    pub(crate) async fn open(&self) -> anyhow::Result<Opened> {
        match &self.0 {
            place::Place::File(file) => {
                let inbox = SqliteInbox::open(file).await.with_context(|| self.to_string())?;
                Ok(Opened::Sqlite(Arc::new(inbox)))
            }
            place::Place::Database(address) => connect(address).await,
        }
    }

    /// Opens it to look at it, also while another process works with it.
    pub(crate) async fn open_read_only(&self) -> anyhow::Result<Opened> {
        match &self.0 {
            place::Place::File(file) => {
                self.demand()?;
                let inbox = SqliteInbox::open_read_only(file).await.with_context(|| self.to_string())?;
                Ok(Opened::Sqlite(Arc::new(inbox)))
            }
            place::Place::Database(address) => connect(address).await,
        }
    }

    /// Opens it for work, where it is there.
    pub(crate) async fn open_existing(&self) -> anyhow::Result<Opened> {
        self.demand()?;
        self.open().await
    }

    fn demand(&self) -> anyhow::Result<()> {
        match &self.0 {
            place::Place::File(file) if !file.exists() => {
                bail!(
                    "there is no inbox {}: favor callback listen makes one; name it with --inbox",
                    file.display()
                )
            }
            place::Place::File(_) | place::Place::Database(_) => Ok(()),
        }
    }
}

/// As people may see it.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Opened {
    pub(crate) fn inbox(&self) -> Arc<dyn Inbox> {
        match self {
            Self::Sqlite(inbox) => inbox.clone(),
            Self::Postgres(inbox) => inbox.clone(),
        }
    }

    /// Finishes what is under way.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(inbox) => inbox.close().await,
            Self::Postgres(inbox) => inbox.close(),
        }
    }
}

async fn connect(address: &PostgresAddress) -> anyhow::Result<Opened> {
    let inbox = PostgresInbox::connect(address).await;
    Ok(Opened::Postgres(Arc::new(inbox.with_context(|| format!("PostgreSQL at {address}"))?)))
}
