//! Rows of the platform's keys.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::certificate::Validity;
use crate::moment::Moment;
use crate::platform_keys::{CertifiedKey, PublicKeyPhase};
use crate::rsa_key::SigningKey;

pub(crate) fn certificates(connection: &Connection) -> rusqlite::Result<Vec<CertifiedKey>> {
    let mut statement = connection.prepare(
        "SELECT serial_no, private_key_pem, certificate_pem, not_before, not_after
         FROM platform_certificates ORDER BY position",
    )?;
    let rows = statement.query_map([], |row| {
        let pem: String = row.get(1)?;
        let key = SigningKey::from_pem(&pem).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(error))
        })?;
        Ok(CertifiedKey {
            serial_no: row.get(0)?,
            certificate_pem: row.get(2)?,
            validity: Validity {
                not_before: Moment::from_millis(row.get(3)?),
                not_after: Moment::from_millis(row.get(4)?),
            },
            key: Arc::new(key),
        })
    })?;
    rows.collect()
}

pub(crate) fn insert_certificate(connection: &Connection, known: &CertifiedKey) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO platform_certificates
             VALUES ((SELECT coalesce(max(position) + 1, 0) FROM platform_certificates), ?1, ?2, ?3, ?4, ?5)",
            params![
                known.serial_no,
                known.key.private_pem(),
                known.certificate_pem,
                known.validity.not_before.millis(),
                known.validity.not_after.millis(),
            ],
        )
        .map(drop)
}

/// The phase, and whether the certificates are void.
pub(crate) fn phase(connection: &Connection) -> rusqlite::Result<Option<(PublicKeyPhase, bool)>> {
    connection
        .query_row("SELECT phase, certificates_void FROM platform", [], |row| {
            let phase = match row.get::<_, String>(0)?.as_str() {
                "grey" => PublicKeyPhase::Grey,
                "on" => PublicKeyPhase::On,
                _ => PublicKeyPhase::Off,
            };
            Ok((phase, row.get(1)?))
        })
        .optional()
}

pub(crate) fn save_phase(
    connection: &Connection,
    phase: PublicKeyPhase,
    certificates_void: bool,
) -> rusqlite::Result<()> {
    let text = match phase {
        PublicKeyPhase::Off => "off",
        PublicKeyPhase::Grey => "grey",
        PublicKeyPhase::On => "on",
    };
    connection
        .execute("INSERT OR REPLACE INTO platform VALUES (1, ?1, ?2)", params![text, certificates_void])
        .map(drop)
}
