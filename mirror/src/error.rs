//! What can go wrong when a mirror is started or told to do something.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::seed::SeedError;

pub(crate) type Source = Box<dyn StdError + Send + Sync>;

/// Why a mirror could not start, or could not do what it was told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MirrorError {
    /// The address could not be bound.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The data file was written by a newer version.
    #[error("the data file has schema version {found}, this version knows {known}")]
    SchemaTooNew {
        /// The version in the file.
        found: i64,
        /// The newest version this build can read.
        known: i64,
    },
    /// Another mirror works with the data file.
    #[error("another mirror works with {}: stop it, or take another file", .file.display())]
    InUse {
        /// The data file.
        file: PathBuf,
    },
    /// The data file could not be read or written.
    #[error("storage failed: {0}")]
    Storage(#[source] Source),
    /// A key or certificate could not be read or made.
    #[error("key is not usable: {reason}")]
    Key {
        /// What is wrong with it; never the key itself.
        reason: String,
    },
    /// A merchant seed contradicts itself or another one.
    #[error("merchant seed {mchid} is not usable: {reason}")]
    Seed {
        /// The merchant id of the seed.
        mchid: String,
        /// What is wrong with it.
        reason: String,
    },
    /// What an account of the card API is to become is not usable.
    #[error("card account {appid} is not usable: {reason}")]
    CardAccount {
        /// Its appid.
        appid: String,
        /// What is wrong with the change; never a secret.
        reason: String,
    },
    /// A seed file has a mistake.
    #[error(transparent)]
    SeedFile(#[from] SeedError),
    /// A fault rule cannot be carried out.
    #[error("fault rule is not usable: {reason}")]
    Fault {
        /// What is wrong with it.
        reason: String,
    },
    /// A file of fault rules holds something that is none.
    #[error("{path}, line {line}: {reason}")]
    FaultFile {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A file could not be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A snapshot cannot be written or restored.
    #[error("{}: {reason}", .file.display())]
    Snapshot {
        /// The file.
        file: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The thing that was named does not exist.
    #[error("no such {what}")]
    NotFound {
        /// What was looked for, e.g. `stock`.
        what: &'static str,
    },
    /// It cannot be done as things stand, e.g. an expired coupon cannot be redeemed.
    #[error("refused: {reason}")]
    Refused {
        /// Why not.
        reason: String,
    },
    /// A file could not be written.
    #[error("cannot write {path}")]
    Files {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The mirror has been shut down.
    #[error("the mirror has stopped")]
    Stopped,
}

impl MirrorError {
    pub(crate) fn key(reason: impl Into<String>) -> Self {
        Self::Key { reason: reason.into() }
    }
}
