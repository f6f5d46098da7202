//! Pictures that cards show, and media for a while.

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Bytes;
use rusqlite::Connection;
use serde_json::json;

use super::ask::{Told, ensure, told};
use crate::image::multipart;
use crate::ledger::card::things;
use crate::moment::Moment;
use crate::random;
use crate::rules::Refusal;
use crate::rules::card::{FILE_SIZE, FILE_TYPE, IMAGE_FORMAT, IMAGE_SIZE, MEDIA_SIZE};
use crate::rules::image::content_type;

const LARGEST_PICTURE: usize = 1_024 * 1_024;
const LARGEST_MEDIA: usize = 2 * LARGEST_PICTURE;

/// `POST /cgi-bin/media/uploadimg`, and with `temporary` `POST /cgi-bin/media/upload`.
pub(super) fn upload(
    db: &Connection,
    appid: &str,
    form: &str,
    body: &Bytes,
    temporary: bool,
    now: Moment,
) -> Told {
    let (_, content) = multipart::first_file(form, body).map_err(|reason| {
        Refusal::from(&FILE_TYPE).with_message(format!("{}: {reason}", FILE_TYPE.message))
    })?;
    ensure(!content.is_empty(), &FILE_SIZE)?;
    let kind = content_type(&content).filter(|kind| *kind != "image/bmp").ok_or(&IMAGE_FORMAT)?;
    if temporary {
        ensure(content.len() <= LARGEST_MEDIA, &MEDIA_SIZE)?;
        let id = things::next(db, appid, "media")?;
        let media_id = random::alphanumeric(64);
        let about = json!({ "type": "image", "bytes": content.len() });
        things::insert(db, appid, "media", (id, &media_id), &about, now)?;
        return Ok(told! {"type": "image", "media_id": media_id, "created_at": now.seconds()});
    }
    ensure(content.len() <= LARGEST_PICTURE, &IMAGE_SIZE)?;
    // The same picture has the same address. Nobody can fetch it from there: it leads to WeChat's own server.
    let name = random::encode_hex(&digest(&SHA256, &content).as_ref()[..20]).to_lowercase();
    let folder = if kind == "image/png" { "mmbiz_png" } else { "mmbiz_jpg" };
    Ok(told! {"url": format!("http://mmbiz.qpic.cn/{folder}/{name}/0")})
}
