//! Which inbox, and opening it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use favor_callback::{Inbox, SqliteInbox};

use crate::args::{Global, InboxPlace};
use crate::env;
use crate::profile;

const DEFAULT: &str = "favor-inbox.sqlite";

/// Where an inbox is.
#[derive(Debug)]
pub(crate) enum Place {
    File(PathBuf),
}

/// An inbox that is open.
#[derive(Debug)]
pub(crate) enum Opened {
    Sqlite(Arc<SqliteInbox>),
}

impl Place {
    /// The flag, then the environment, then the profile, then a file in this folder.
    pub(crate) fn of(args: &InboxPlace, global: &Global) -> anyhow::Result<Self> {
        if let Some(given) = &args.inbox {
            refuse_password(given).context("--inbox")?;
            return Self::parse(given);
        }
        if let Some(set) = env::read(env::INBOX) {
            return Self::parse(&set);
        }
        let profile = profile::load(global.config.as_deref(), global.profile.as_deref())?;
        match profile.inbox() {
            Some(inbox) => {
                refuse_password(&inbox).context("inbox of the profile")?;
                Self::parse(&inbox)
            }
            None => Ok(Self::File(PathBuf::from(DEFAULT))),
        }
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        if is_database(text) {
            bail!("an inbox in PostgreSQL is not supported by this build; name a file");
        }
        Ok(Self::File(PathBuf::from(text)))
    }

    /// Opens it for work, and makes it where there is none.
    pub(crate) async fn open(&self) -> anyhow::Result<Opened> {
        match self {
            Self::File(file) => {
                let inbox = SqliteInbox::open(file).await.with_context(|| self.to_string())?;
                Ok(Opened::Sqlite(Arc::new(inbox)))
            }
        }
    }

    /// Opens it to look at it, also while another process works with it.
    pub(crate) async fn open_read_only(&self) -> anyhow::Result<Opened> {
        match self {
            Self::File(file) => {
                self.demand()?;
                let inbox = SqliteInbox::open_read_only(file).await.with_context(|| self.to_string())?;
                Ok(Opened::Sqlite(Arc::new(inbox)))
            }
        }
    }

    /// Opens it for work, where it is there.
    pub(crate) async fn open_existing(&self) -> anyhow::Result<Opened> {
        self.demand()?;
        self.open().await
    }

    fn demand(&self) -> anyhow::Result<()> {
        match self {
            Self::File(file) if !file.exists() => {
                bail!(
                    "there is no inbox {}: favor callback listen makes one; name it with --inbox",
                    file.display()
                )
            }
            Self::File(_) => Ok(()),
        }
    }
}

/// As people may see it.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => file.display().fmt(f),
        }
    }
}

impl Opened {
    pub(crate) fn inbox(&self) -> Arc<dyn Inbox> {
        match self {
            Self::Sqlite(inbox) => inbox.clone(),
        }
    }

    /// Finishes what is under way.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(inbox) => inbox.close().await,
        }
    }
}

/// Whether it names a database rather than a file.
pub(crate) fn is_database(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

/// A place from the profile: a file is relative to the settings file.
pub(crate) fn beside(folder: &Path, inbox: &str) -> String {
    if is_database(inbox) {
        return inbox.to_owned();
    }
    folder.join(inbox).to_string_lossy().into_owned()
}

fn refuse_password(place: &str) -> anyhow::Result<()> {
    let Some((scheme, rest)) = place.split_once("://").filter(|_| is_database(place)) else {
        return Ok(());
    };
    let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
    let user = authority.rsplit_once('@').map(|(user, _)| user).unwrap_or_default();
    let in_query =
        query.split('&').any(|pair| pair.starts_with("password=") || pair.starts_with("sslpassword="));
    if user.contains(':') || in_query {
        bail!(
            "a password has no place here, where others can see it: write {scheme}://USER@HOST/DATABASE and put the \
             password into PGPASSWORD, or put the whole address into {}",
            env::INBOX
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        for bad in [
            "postgres://shop:sesame@db/favor",
            "postgresql://shop:sesame@db:5432/favor?sslmode=require",
            "postgres://db/favor?user=shop&password=sesame",
            "postgres://:sesame@/favor",
        ] {
            let error = refuse_password(bad).unwrap_err().to_string();
            assert!(error.contains("PGPASSWORD") && !error.contains("sesame"), "{error}");
        }
        for good in ["postgres://shop@db:5432/favor", "postgres:///favor", "a:b@c.sqlite", "x.sqlite"] {
            assert!(refuse_password(good).is_ok(), "{good}");
        }
    }
}
