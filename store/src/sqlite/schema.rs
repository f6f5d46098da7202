//! What a file is, and the way from one version to the next.

use std::path::Path;

use rusqlite::Connection;

use crate::error::StoreError;

/// What a database file holds: a mark that tells it from every other file, and the steps that lead from an empty
/// file to the newest version. A released step is never changed; a new one is added behind it.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// What it is called in errors, such as `an inbox of notifications`.
    pub what: &'static str,
    /// SQLite's `application_id`: any number but 0, the same forever.
    pub application_id: i32,
    /// SQL for each version, the first from an empty file to version 1.
    pub steps: &'static [&'static str],
}

impl Schema {
    /// Its newest version.
    pub fn version(&self) -> i64 {
        i64::try_from(self.steps.len()).unwrap_or(i64::MAX)
    }

    /// Looks at what the file is and changes nothing: its version, 0 when it is empty.
    pub(super) fn check(&self, connection: &Connection, file: &Path) -> Result<i64, StoreError> {
        let (what, file) = (self.what, file.display());
        let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let look = || -> rusqlite::Result<(i64, i64, bool)> {
            let tables = number("SELECT count(*) FROM sqlite_schema")?;
            Ok((number("PRAGMA application_id")?, number("PRAGMA user_version")?, tables == 0))
        };
        let (id, version, is_empty) = look().map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => StoreError::Unusable(format!(
                "{file} is not a database, so it is not {what}; name another file"
            )),
            Some(rusqlite::ErrorCode::DatabaseCorrupt) => {
                StoreError::Unusable(format!("{file} is damaged ({error}); put its last backup in its place"))
            }
            _ => StoreError::from(error),
        })?;
        if id == 0 && is_empty {
            return Ok(0);
        }
        if id != i64::from(self.application_id) {
            return Err(StoreError::Unusable(format!(
                "{file} is a database of something else, not {what}; name another file"
            )));
        }
        if version > self.version() {
            return Err(StoreError::Unusable(format!(
                "{file} was written by a newer favor (its version is {version}, this program knows up to {}); \
                 use that one",
                self.version()
            )));
        }
        Ok(version)
    }

    /// Leads from `version` to the newest, all or nothing.
    pub(super) fn migrate(&self, connection: &mut Connection, version: i64) -> Result<(), StoreError> {
        if version == self.version() {
            return Ok(());
        }
        let transaction = connection.transaction()?;
        for step in self.steps.iter().skip(usize::try_from(version).unwrap_or(0)) {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "application_id", self.application_id)?;
        transaction.pragma_update(None, "user_version", self.version())?;
        Ok(transaction.commit()?)
    }
}
