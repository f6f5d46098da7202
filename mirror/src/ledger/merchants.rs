//! Rows of merchants.

use rusqlite::{Connection, named_params, params};

use crate::error::MirrorError;
use crate::merchant::{KnownCertificate, KnownMerchant, Merchant, Standing};
use crate::moment::Moment;
use crate::rsa_key::SigningKey;

/// All merchants, the default one first.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<KnownMerchant>> {
    let mut statement = connection.prepare(
        "SELECT mchid, serial_no, private_key_pem, certificate_pem, certificate_not_after, api_v3_key,
            app_secret, product_permission, public_key_only, brand, event_permission, service_provider
         FROM merchants ORDER BY position",
    )?;
    let rows = statement.query_map([], |row| {
        let mchid: String = row.get(0)?;
        let appids = appids(connection, &mchid)?;
        let public = Merchant {
            serial_no: row.get(1)?,
            private_key_pem: row.get(2)?,
            certificate_pem: row.get(3)?,
            api_v3_key: row.get(5)?,
            appid: appids.first().cloned().unwrap_or_default(),
            appids,
            app_secret: row.get(6)?,
            mchid,
        };
        let not_after: Option<i64> = row.get(4)?;
        let certificate = match not_after {
            Some(not_after) => {
                let key = SigningKey::from_pem(&public.private_key_pem).map_err(unreadable)?.verifying_key();
                Some(KnownCertificate { key, not_after: Moment::from_millis(not_after) })
            }
            None => None,
        };
        let standing = Standing {
            product_permission: row.get(7)?,
            public_key_only: row.get(8)?,
            brand: row.get(9)?,
            event_permission: row.get(10)?,
            service_provider: row.get(11)?,
        };
        KnownMerchant::restore(public, certificate, standing).map_err(unreadable)
    })?;
    rows.collect()
}

fn unreadable(error: MirrorError) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, Box::new(error))
}

fn appids(connection: &Connection, mchid: &str) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached("SELECT appid FROM merchant_appids WHERE mchid = ?1 ORDER BY position")?
        .query_map([mchid], |row| row.get(0))?
        .collect()
}

pub(crate) fn insert(
    connection: &Connection,
    merchant: &KnownMerchant,
    deposit: i64,
) -> rusqlite::Result<()> {
    let public = &merchant.public;
    let not_after = merchant.certificate.as_ref().map(|certificate| certificate.not_after.millis());
    connection.execute(
        "INSERT INTO merchants (mchid, position, serial_no, private_key_pem, certificate_pem,
            certificate_not_after, api_v3_key, app_secret, product_permission, public_key_only, brand,
            event_permission, service_provider, deposited, balance)
         VALUES (:mchid, (SELECT coalesce(max(position) + 1, 0) FROM merchants), :serial_no, :private_key_pem,
            :certificate_pem, :not_after, :api_v3_key, :app_secret, :product_permission, :public_key_only,
            :brand, :event_permission, :service_provider, :deposit, :deposit)",
        named_params! {
            ":mchid": public.mchid,
            ":serial_no": public.serial_no,
            ":private_key_pem": public.private_key_pem,
            ":certificate_pem": public.certificate_pem,
            ":not_after": not_after,
            ":api_v3_key": public.api_v3_key,
            ":app_secret": public.app_secret,
            ":product_permission": merchant.product_permission,
            ":public_key_only": merchant.public_key_only,
            ":brand": merchant.brand,
            ":event_permission": merchant.event_permission,
            ":service_provider": merchant.service_provider,
            ":deposit": deposit,
        },
    )?;
    insert_appids(connection, public)
}

fn insert_appids(connection: &Connection, merchant: &Merchant) -> rusqlite::Result<()> {
    for (position, appid) in (0i64..).zip(&merchant.appids) {
        connection.execute(
            "INSERT INTO merchant_appids VALUES (?1, ?2, ?3)",
            params![merchant.mchid, position, appid],
        )?;
    }
    Ok(())
}

/// Writes what may change about a merchant, and puts money on its account.
pub(crate) fn update(connection: &Connection, merchant: &KnownMerchant, top_up: i64) -> rusqlite::Result<()> {
    let public = &merchant.public;
    let not_after = merchant.certificate.as_ref().map(|certificate| certificate.not_after.millis());
    connection.execute(
        "UPDATE merchants SET serial_no = :serial_no, app_secret = :app_secret, certificate_pem = :certificate_pem,
            certificate_not_after = :not_after, product_permission = :product_permission,
            event_permission = :event_permission, public_key_only = :public_key_only, brand = :brand,
            service_provider = :service_provider, deposited = deposited + :top_up, balance = balance + :top_up
         WHERE mchid = :mchid",
        named_params! {
            ":mchid": public.mchid,
            ":serial_no": public.serial_no,
            ":app_secret": public.app_secret,
            ":certificate_pem": public.certificate_pem,
            ":not_after": not_after,
            ":product_permission": merchant.product_permission,
            ":event_permission": merchant.event_permission,
            ":public_key_only": merchant.public_key_only,
            ":brand": merchant.brand,
            ":service_provider": merchant.service_provider,
            ":top_up": top_up,
        },
    )?;
    connection.execute("DELETE FROM merchant_appids WHERE mchid = ?1", [&public.mchid])?;
    insert_appids(connection, public)
}

/// Money on account of every merchant.
pub(crate) fn balances(connection: &Connection) -> rusqlite::Result<Vec<(String, i64)>> {
    connection
        .prepare("SELECT mchid, balance FROM merchants ORDER BY position")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}
