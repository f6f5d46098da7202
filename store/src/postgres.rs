//! A PostgreSQL database that many processes on many machines share.

mod address;
mod batcher;
mod connector;
mod database;
mod listener;
mod schema;

use std::error::Error as _;
use std::fmt;
use std::io;

pub use address::Address;
pub use batcher::Batcher;
pub use database::{Client, Database};
pub use deadpool_postgres::Transaction;
pub use listener::Listener;
pub use schema::Schema;
pub use tokio_postgres;

use crate::error::StoreError;

/// What a server said, without the rows it quotes.
#[derive(Debug)]
struct Fault(String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(said) = error.as_db_error() {
            let code = said.code().code();
            // The details may quote a row, and rows are nobody's business here.
            let fault = Fault(format!("{} (SQLSTATE {code})", said.message()));
            return match code {
                // A standby that takes no writes may be promoted; a statement may have been too slow.
                "25006" | "40001" | "40P01" | "55P03" | "57014" | "57P01" | "57P02" | "57P03" | "57P05" => {
                    Self::unavailable(fault)
                }
                _ if ["08", "53", "58"].iter().any(|class| code.starts_with(class)) => {
                    Self::unavailable(fault)
                }
                "3D000" | "42501" => Self::Unusable(format!("the database cannot be used: {fault}")),
                _ if code.starts_with("28") => {
                    Self::Unusable(format!("the database does not let us in: {fault}"))
                }
                _ => Self::failed(fault),
            };
        }
        let is_connection = match error.source() {
            Some(cause) => cause.is::<io::Error>(),
            None => true,
        };
        let fault = Fault(match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        });
        if is_connection { Self::unavailable(fault) } else { Self::failed(fault) }
    }
}
