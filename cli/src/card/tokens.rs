//! Where the access token is kept, so that a command does not fetch one each time.

use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use favor_card::{Begun, PostgresTokens, Right, SqliteTokens, TokenStore, TokenStoreError};
use favor_core::Secret;
use futures_util::future::BoxFuture;

use super::account::Account;
use crate::args::{CardAccount, Global};
use crate::env;
use crate::place::{Named, Place};
use crate::profile::Profile;

/// In this folder, when no place is named.
pub(crate) const FILE: &str = "favor-tokens.sqlite";
const NAMED: Named = Named {
    flag: "--tokens",
    variable: env::TOKENS,
    setting: "tokens",
    in_profile: Profile::tokens,
    default: FILE,
};

/// How long another command may have the file: longer than its calls can take.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// A store of tokens. Hosts other than WeChat's own have names of their own in it: what a mirror gave is not good in
/// production, and the other way round.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    store: Arc<dyn TokenStore>,
    host: Option<String>,
}

pub(crate) async fn open(args: &CardAccount, global: &Global, account: &Account) -> anyhow::Result<Tokens> {
    let place = Place::of(&NAMED, args.tokens.as_deref(), global)?;
    let store: Arc<dyn TokenStore> = match &place {
        Place::File(file) => {
            // A slip in the place, where the store sees what may be there later.
            let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
            if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
                bail!("{place}: there is no folder {}; make it, or name another file", folder.display());
            }
            Arc::new(file_of_its_turn(file).await.with_context(|| place.to_string())?)
        }
        Place::Database(address) => {
            Arc::new(PostgresTokens::connect(address).await.with_context(|| place.to_string())?)
        }
    };
    let host = account.host().trim_end_matches('/');
    let host = (!host.ends_with(".weixin.qq.com")).then(|| host.to_owned());
    Ok(Tokens { store, host })
}

/// Opens the file when no other command works with it any more.
async fn file_of_its_turn(file: &Path) -> Result<SqliteTokens, TokenStoreError> {
    let begun = Instant::now();
    loop {
        match SqliteTokens::open(file).await {
            // What fails for another reason than its owner says why.
            Err(error) if error.is_temporary() && error.source().is_none() && begun.elapsed() < PATIENCE => {
                tokio::time::sleep(PAUSE).await;
            }
            opened => return opened,
        }
    }
}

impl Tokens {
    fn name(&self, name: &str) -> String {
        match &self.host {
            Some(host) => format!("{name}@{host}"),
            None => name.to_owned(),
        }
    }
}

impl TokenStore for Tokens {
    fn begin<'a>(
        &'a self,
        name: &'a str,
        not: Option<i64>,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Begun, TokenStoreError>> {
        Box::pin(async move { self.store.begin(&self.name(name), not, lease).await })
    }

    fn finish<'a>(
        &'a self,
        name: &'a str,
        right: Right,
        value: &'a Secret<String>,
        good_for: Duration,
    ) -> BoxFuture<'a, Result<Option<i64>, TokenStoreError>> {
        Box::pin(async move { self.store.finish(&self.name(name), right, value, good_for).await })
    }

    fn abandon<'a>(&'a self, name: &'a str, right: Right) -> BoxFuture<'a, Result<(), TokenStoreError>> {
        Box::pin(async move { self.store.abandon(&self.name(name), right).await })
    }
}
