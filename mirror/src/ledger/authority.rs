//! The row that keeps the mirror's certificate authority.

use rusqlite::{Connection, OptionalExtension as _, params};

/// Private key and certificate, both PEM.
pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Option<(String, String)>> {
    connection
        .query_row("SELECT private_key_pem, certificate_pem FROM authority", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
}

pub(crate) fn save(
    connection: &Connection,
    private_key_pem: &str,
    certificate_pem: &str,
) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT OR REPLACE INTO authority VALUES (1, ?1, ?2)",
            params![private_key_pem, certificate_pem],
        )
        .map(drop)
}
