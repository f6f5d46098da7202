//! Pictures (P4, P6, spec §2.7, §2.9).

use std::fmt;

use bytes::Bytes;
use favor_core::{InvalidRequest, Timestamp};
use http::HeaderValue;
use sha1::{Digest, Sha1};

use crate::client::{Call, Client};
use crate::endpoint;
use crate::error::Error;
use crate::macros::answer;
use crate::reply::Reply;
use crate::sign::hex;

/// The calls that upload pictures. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Media {
    client: Client,
}

/// A picture to upload: JPG or PNG.
#[derive(Clone)]
pub struct Picture {
    filename: String,
    bytes: Bytes,
    media_type: &'static str,
}

impl Picture {
    /// The most bytes of a logo or another picture on a card.
    pub const LARGEST_IMAGE: usize = 1 << 20;
    /// The most bytes of a sub-merchant's paper.
    pub const LARGEST_PAPER: usize = 10 << 20;

    /// Takes a picture by its bytes, which say what it is.
    ///
    /// # Errors
    /// [`InvalidRequest`] when it is neither JPG nor PNG, or the name is empty, longer than 255 bytes, or holds a quote,
    /// a backslash or a control character.
    pub fn new(filename: impl Into<String>, bytes: impl Into<Bytes>) -> Result<Self, InvalidRequest> {
        let (filename, bytes) = (filename.into(), bytes.into());
        let is_odd = |c: char| c.is_control() || matches!(c, '"' | '\\');
        if filename.is_empty() || filename.len() > 255 || filename.chars().any(is_odd) {
            let rule =
                "must be a name of at most 255 bytes without quotes, backslashes and control characters";
            return Err(InvalidRequest::of("filename", rule));
        }
        let media_type = if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            "image/jpeg"
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            "image/png"
        } else {
            return Err(InvalidRequest::of("picture", "must be a JPG or PNG picture"));
        };
        Ok(Self { filename, bytes, media_type })
    }

    fn check(&self, most: usize) -> Result<(), InvalidRequest> {
        let size = self.bytes.len();
        if size <= most {
            return Ok(());
        }
        Err(InvalidRequest::of("picture", format!("must have at most {most} bytes, but has {size}")))
    }

    /// One form part of this name. The boundary comes from the content's hash, so that the same upload always has the
    /// same bytes; that a picture holds its own hash is out of reach for anybody.
    fn form(&self, part: &str) -> Result<(HeaderValue, Bytes), Error> {
        let boundary = hex(&Sha1::digest(&self.bytes));
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{part}\"; filename=\"{}\"\r\nContent-Type: {}\r\n\r\n",
            self.filename, self.media_type
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        let content_type = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}"))
            .map_err(|_| InvalidRequest::of("picture", "cannot be framed"))?;
        Ok((content_type, [head.as_bytes(), &self.bytes, tail.as_bytes()].concat().into()))
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picture")
            .field("filename", &self.filename)
            .field("media_type", &self.media_type)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

answer! {
    /// A picture that cards can use.
    pub struct UploadedImage {
        required {
            /// Where it is. Good inside WeChat alone.
            url: String,
        }
    }
}

answer! {
    /// A picture kept for three days, for the papers of a sub-merchant.
    pub struct UploadedMedia {
        required {
            /// Its id.
            media_id: String,
        }
        optional {
            /// What it is: `image`.
            #[serde(rename = "type")]
            kind: String,
            /// When it was uploaded.
            created_at: Timestamp,
        }
    }
}

impl Media {
    /// The uploads of an account.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Uploads a logo or another picture of at most 1 MiB for cards (P4).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn upload_image(&self, picture: &Picture) -> Result<Reply<UploadedImage>, Error> {
        picture.check(Picture::LARGEST_IMAGE)?;
        let (content_type, body) = picture.form("buffer")?;
        self.client.call(&Call::to(&endpoint::UPLOAD_IMAGE).form(content_type, body)).await
    }

    /// Uploads a picture of at most 10 MiB of a sub-merchant's papers (P6).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn upload_media(&self, picture: &Picture) -> Result<Reply<UploadedMedia>, Error> {
        picture.check(Picture::LARGEST_PAPER)?;
        let (content_type, body) = picture.form("media")?;
        let call = Call::to(&endpoint::UPLOAD_MEDIA).query("type", "image").form(content_type, body);
        self.client.call(&call).await
    }
}
