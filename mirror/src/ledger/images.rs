//! Rows of pictures.

use axum::body::Bytes;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::moment::Moment;

/// A picture to be kept.
#[derive(Debug)]
pub(crate) struct NewImage {
    /// Made from its hash, so that the same picture has the same address.
    pub(crate) id: String,
    pub(crate) mchid: String,
    pub(crate) filename: String,
    pub(crate) content_type: &'static str,
    pub(crate) content: Bytes,
}

pub(crate) fn keep(connection: &Connection, image: &NewImage, now: Moment) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO images VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![
            image.id,
            image.mchid,
            image.filename,
            image.content_type,
            now.millis(),
            &image.content[..]
        ])
        .map(drop)
}

/// Type and content.
pub(crate) fn find(connection: &Connection, id: &str) -> rusqlite::Result<Option<(String, Vec<u8>)>> {
    connection
        .prepare_cached("SELECT content_type, content FROM images WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}
