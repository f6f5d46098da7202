//! Where a store is: a file of this machine, or a PostgreSQL database that many share.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use favor_callback::PostgresAddress;

use crate::args::Global;
use crate::env;
use crate::profile::{self, Profile};

/// Where a store is.
#[derive(Debug)]
pub(crate) enum Place {
    File(PathBuf),
    Database(Box<PostgresAddress>),
}

/// Who may name the place of a kind of store.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) flag: &'static str,
    pub(crate) variable: &'static str,
    pub(crate) setting: &'static str,
    pub(crate) in_profile: fn(&Profile) -> Option<String>,
    pub(crate) default: &'static str,
}

impl Place {
    /// The flag, then the environment, then the profile, then a file in this folder.
    pub(crate) fn of(named: &Named, given: Option<&str>, global: &Global) -> anyhow::Result<Self> {
        if let Some(given) = given {
            return Self::in_sight(given, named).context(named.flag);
        }
        if let Some(set) = env::read(named.variable) {
            return Self::parse(&set).context(named.variable);
        }
        let profile = profile::load(global.config.as_deref(), global.profile.as_deref())?;
        match (named.in_profile)(&profile) {
            Some(place) => {
                Self::in_sight(&place, named).with_context(|| format!("{} of the profile", named.setting))
            }
            None => Ok(Self::File(PathBuf::from(named.default))),
        }
    }

    /// A place named where others can see it.
    fn in_sight(text: &str, named: &Named) -> anyhow::Result<Self> {
        if is_database(text) && PostgresAddress::new(text)?.has_password() {
            bail!(
                "a password has no place here, where others can see it: leave it out and put it into {}, or put the \
                 whole address into {}",
                env::PGPASSWORD,
                named.variable
            );
        }
        Self::parse(text)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        if !is_database(text) {
            return Ok(Self::File(PathBuf::from(text)));
        }
        let address = PostgresAddress::new(text)?;
        Ok(Self::Database(Box::new(match env::read(env::PGPASSWORD) {
            Some(password) if !address.has_password() => address.password(&password),
            _ => address,
        })))
    }
}

/// As people may see it.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => file.display().fmt(f),
            Self::Database(address) => write!(f, "PostgreSQL at {address}"),
        }
    }
}

/// Whether it names a database rather than a file.
pub(crate) fn is_database(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

/// A place from the profile: a file is relative to the settings file.
pub(crate) fn beside(folder: &Path, place: &str) -> String {
    if is_database(place) {
        return place.to_owned();
    }
    folder.join(place).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        let named = Named {
            flag: "--inbox",
            variable: env::INBOX,
            setting: "inbox",
            in_profile: Profile::inbox,
            default: "x.sqlite",
        };
        for bad in [
            "postgres://shop:sesame@db/favor",
            "postgresql://shop:sesame@db:5432/favor?sslmode=require",
            "postgres://db/favor?user=shop&password=sesame",
        ] {
            let error = Place::in_sight(bad, &named).unwrap_err().to_string();
            assert!(error.contains("PGPASSWORD") && error.contains("FAVOR_INBOX"), "{error}");
            assert!(!error.contains("sesame"), "{error}");
        }
        for good in ["postgres://shop@db:5432/favor", "a:b@c.sqlite", "x.sqlite"] {
            assert!(Place::in_sight(good, &named).is_ok(), "{good}");
        }
    }
}
