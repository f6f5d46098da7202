//! Rows of the platform's keys.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::certificate::Validity;
use crate::error::MirrorError;
use crate::moment::Moment;
use crate::platform_keys::{CertifiedKey, PlatformKeys, PublicKeyMove, PublicKeyPhase, Rotation};
use crate::rsa_key::SigningKey;

/// The keys that are kept, if any.
pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Option<Result<PlatformKeys, MirrorError>>> {
    let found = connection
        .query_row(
            "SELECT phase, certificates_void, grey_since, rotate_every, rotate_lead, rotate_overlap, rotate_next
             FROM platform",
            [],
            read,
        )
        .optional()?;
    let Some((migration, rotation)) = found else { return Ok(None) };
    Ok(Some(PlatformKeys::restore(certificates(connection)?, migration, rotation)))
}

fn read(row: &Row<'_>) -> rusqlite::Result<(PublicKeyMove, Option<Rotation>)> {
    let phase = match row.get::<_, String>(0)?.as_str() {
        "grey" => PublicKeyPhase::Grey,
        "on" => PublicKeyPhase::On,
        _ => PublicKeyPhase::Off,
    };
    let grey_since = row.get::<_, Option<i64>>(2)?.map(Moment::from_millis);
    let rotation = match (row.get(3)?, row.get(6)?) {
        (Some(every), Some(next)) => Some(Rotation { every, lead: row.get(4)?, overlap: row.get(5)?, next }),
        _ => None,
    };
    Ok((PublicKeyMove { phase, certificates_void: row.get(1)?, grey_since }, rotation))
}

fn certificates(connection: &Connection) -> rusqlite::Result<Vec<CertifiedKey>> {
    let mut statement = connection.prepare(
        "SELECT position, serial_no, private_key_pem, certificate_pem, not_before, not_after, signs_from,
            listed_until
         FROM platform_certificates ORDER BY position",
    )?;
    let rows = statement.query_map([], |row| {
        let pem: String = row.get(2)?;
        let key = SigningKey::from_pem(&pem).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, Box::new(error))
        })?;
        Ok(CertifiedKey {
            position: row.get(0)?,
            serial_no: row.get(1)?,
            certificate_pem: row.get(3)?,
            validity: Validity {
                not_before: Moment::from_millis(row.get(4)?),
                not_after: Moment::from_millis(row.get(5)?),
            },
            key: Arc::new(key),
            signs_from: row.get::<_, Option<i64>>(6)?.map(Moment::from_millis),
            listed_until: row.get::<_, Option<i64>>(7)?.map(Moment::from_millis),
        })
    })?;
    rows.collect()
}

/// Puts these keys into the place of those that are kept.
pub(crate) fn save(connection: &Connection, keys: &PlatformKeys) -> rusqlite::Result<()> {
    let PublicKeyMove { phase, certificates_void, grey_since } = keys.migration;
    let phase = match phase {
        PublicKeyPhase::Off => "off",
        PublicKeyPhase::Grey => "grey",
        PublicKeyPhase::On => "on",
    };
    let rotation = keys.rotation;
    connection.execute(
        "INSERT OR REPLACE INTO platform (one, phase, certificates_void, grey_since, rotate_every, rotate_lead,
            rotate_overlap, rotate_next)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            phase,
            certificates_void,
            grey_since.map(Moment::millis),
            rotation.map(|rotation| rotation.every),
            rotation.map_or(0, |rotation| rotation.lead),
            rotation.map_or(0, |rotation| rotation.overlap),
            rotation.map(|rotation| rotation.next),
        ],
    )?;
    connection.execute("DELETE FROM platform_certificates", [])?;
    keys.certificates.iter().try_for_each(|known| insert(connection, known))
}

fn insert(connection: &Connection, known: &CertifiedKey) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO platform_certificates (position, serial_no, private_key_pem, certificate_pem,
                not_before, not_after, signs_from, listed_until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            known.position,
            known.serial_no,
            known.key.private_pem(),
            known.certificate_pem,
            known.validity.not_before.millis(),
            known.validity.not_after.millis(),
            known.signs_from.map(Moment::millis),
            known.listed_until.map(Moment::millis),
        ])
        .map(drop)
}
