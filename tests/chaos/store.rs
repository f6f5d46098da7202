//! Where the campaign is kept, and plain SQL on its tables: nothing here goes through the product.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use favor_campaign::{Books, PostgresAddress, PostgresLedger, SqliteLedger};
use rusqlite::Connection;

const LEDGER: &str = "campaign.sqlite";
/// Holds the address of the database, where the ledger is one.
const ADDRESS: &str = "postgres";

#[derive(Clone, Debug)]
pub enum Store {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Store {
    /// A campaign in a database instead of a file.
    pub fn put_into_postgres(folder: &Path, address: &str) {
        std::fs::write(folder.join(ADDRESS), address).unwrap();
    }

    pub fn in_folder(folder: &Path) -> Self {
        match std::fs::read_to_string(folder.join(ADDRESS)) {
            Ok(address) => Self::Postgres(address),
            Err(_) => Self::Sqlite(folder.join(LEDGER)),
        }
    }

    /// The product's ledger over it.
    pub async fn open(&self) -> Arc<dyn Books> {
        match self {
            Self::Sqlite(file) => Arc::new(SqliteLedger::open(file).await.unwrap()),
            Self::Postgres(address) => {
                let address = PostgresAddress::new(address).unwrap();
                loop {
                    // The server may be down at this moment.
                    match PostgresLedger::connect(&address).await {
                        Ok(ledger) => return Arc::new(ledger),
                        Err(error) if error.is_temporary() => {
                            tokio::time::sleep(Duration::from_millis(50)).await;
                        }
                        Err(error) => panic!("{error:?}"),
                    }
                }
            }
        }
    }

    /// Beside whoever works with the file.
    pub fn file(&self) -> Connection {
        let Self::Sqlite(file) = self else { panic!("not a file") };
        let connection = Connection::open(file).unwrap();
        connection.busy_timeout(Duration::from_secs(60)).unwrap();
        connection
    }

    /// Beside whoever works with the database.
    pub async fn database(&self) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
        let Self::Postgres(address) = self else { panic!("not a database") };
        let (client, connection) = tokio_postgres::connect(address, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Why the campaign is paused, if it is.
    pub async fn paused(&self) -> Option<String> {
        let (state, reason): (String, Option<String>) = match self {
            Self::Sqlite(_) => {
                let sql = "SELECT state, reason FROM campaigns";
                self.file().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
            }
            Self::Postgres(_) => {
                let database = self.database().await.unwrap();
                let row = database.query_one("SELECT state, reason FROM favor_campaigns", &[]).await.unwrap();
                (row.get(0), row.get(1))
            }
        };
        (state == "paused").then(|| reason.unwrap_or_default())
    }

    /// Open chunks whose last claim was this worker's, with their fences.
    pub async fn held_by(&self, worker: &str) -> Vec<(i32, i64)> {
        let sql = "SELECT chunk, fence FROM favor_chunks WHERE is_open AND owner = $1";
        let rows = self.database().await.unwrap().query(sql, &[&worker]).await.unwrap();
        rows.into_iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Whether one of these chunks is open and was not claimed since.
    pub async fn still_held(&self, chunks: &[(i32, i64)]) -> bool {
        let sql = "SELECT chunk, fence FROM favor_chunks WHERE is_open AND chunk = ANY($1)";
        let numbers: Vec<i32> = chunks.iter().map(|(chunk, _)| *chunk).collect();
        let rows = self.database().await.unwrap().query(sql, &[&numbers]).await.unwrap();
        rows.into_iter().any(|row| chunks.contains(&(row.get(0), row.get(1))))
    }

    /// The fence of a chunk.
    pub async fn fence(&self, chunk: u32) -> i64 {
        let database = self.database().await.unwrap();
        let chunk = i32::try_from(chunk).unwrap();
        let row = database.query_one("SELECT fence FROM favor_chunks WHERE chunk = $1", &[&chunk]).await;
        row.unwrap().get(0)
    }

    pub fn close_chunk(&self, chunk: u32) {
        self.file().execute("UPDATE chunks SET is_open = 0 WHERE chunk = ?1", [chunk]).unwrap();
    }

    pub fn end_campaign(&self) {
        self.file().execute("UPDATE campaigns SET state = 'finished', finished_at = 0", []).unwrap();
    }

    /// Replaces a coupon.
    pub fn correct(&self, wrong: &str, right: &str) {
        let sql = "UPDATE outcomes SET coupon_id = ?2 WHERE coupon_id = ?1";
        self.file().execute(sql, [wrong, right]).unwrap();
    }
}
