//! `POST …/media/image-upload`, and the pictures for a browser.

pub(crate) mod multipart;

use aws_lc_rs::digest::{SHA256, digest};
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::exchange::Call;
use crate::fields::Fields;
use crate::ledger::images::{self, NewImage};
use crate::random;
use crate::rules::Refusal;
use crate::rules::image::{self, MULTIPART};
use crate::rules::parameter::{Field, JSON};
use crate::state::App;

/// Where a browser finds a picture. The path is that of production's addresses.
pub(crate) const MEDIA: &str = "/wxpaylogo/{id}/0";

const FILENAME: Field = Field::new("filename", "文件名称");
const SHA256_TEXT: Field = Field::new("sha256", "文件摘要");
/// Hexadecimal digits of the hash that name a picture.
const ID_DIGITS: usize = 40;

/// `POST …/media/image-upload`
pub(crate) async fn upload(
    State(app): State<App>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    let content_type = call.content_type.as_deref().unwrap_or_default();
    let form = multipart::read(content_type, &call.body)
        .map_err(|reason| Answer::from(Refusal::from(&MULTIPART)).with_note(reason))?;
    let meta: Value = serde_json::from_slice(&form.meta).map_err(|_| Refusal::from(&JSON))?;
    let meta = meta.as_object().ok_or_else(|| Refusal::from(&JSON))?;
    let fields = Fields::body(meta);
    let filename = fields.required_text(FILENAME, 256)?;
    let announced = fields.required_text(SHA256_TEXT, 64)?;
    let sha256 = random::encode_hex(digest(&SHA256, &form.file).as_ref()).to_lowercase();
    let looks = image::Looks {
        filename,
        part_filename: &form.filename,
        announced,
        sha256: &sha256,
        content: &form.file,
    };
    let content_type = image::check(call.merchant.product_permission, &looks)?;
    let id = sha256[..ID_DIGITS].to_owned();
    let media_url = format!("{}{}", call.base_url, MEDIA.replace("{id}", &id));
    let image = NewImage {
        id,
        mchid: call.merchant.mchid().to_owned(),
        filename: filename.to_owned(),
        content_type,
        content: form.file,
    };
    let now = app.clocks.now();
    app.ledger.write(move |db| images::keep(db, &image, now)).await?;
    Ok(Answer::ok(&json!({ "media_url": media_url })))
}

/// The picture itself, for anybody.
pub(crate) async fn show(State(app): State<App>, Path(id): Path<String>) -> Response {
    match app.ledger.read(move |db| images::find(db, &id)).await {
        Ok(Some((content_type, content))) => {
            let content_type = HeaderValue::from_str(&content_type)
                .unwrap_or(HeaderValue::from_static("application/octet-stream"));
            let headers = [
                (header::CONTENT_TYPE, content_type),
                (header::CACHE_CONTROL, HeaderValue::from_static("max-age=2592000")),
                (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            ];
            (headers, content).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
