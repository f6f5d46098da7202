//! Uploading an image for a coupon's looks (spec §3.18).

use std::fmt;
use std::io::Read as _;
use std::path::Path;

use bytes::Bytes;
use favor_core::{Call, Client, Error, InvalidRequest, Multipart, Reply};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{limits, operations};

/// A JPG, BMP or PNG image of at most 2 MB, checked by its content.
#[derive(Clone)]
pub struct Image {
    meta: ImageMeta,
    kind: ImageKind,
    content: Bytes,
}

/// What is said of an image, and signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImageMeta {
    /// The file's name; ends in `.jpg`, `.bmp` or `.png`.
    pub filename: String,
    /// SHA-256 of the content, lower-case hexadecimal.
    pub sha256: String,
}

/// The formats that are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageKind {
    /// JPEG.
    Jpg,
    /// Windows bitmap.
    Bmp,
    /// PNG.
    Png,
}

impl ImageKind {
    /// The format by the first bytes of the content.
    pub fn of(content: &[u8]) -> Option<Self> {
        match content {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpg),
            [b'B', b'M', ..] => Some(Self::Bmp),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            _ => None,
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Jpg => "jpg",
            Self::Bmp => "bmp",
            Self::Png => "png",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Jpg => "image/jpg",
            Self::Bmp => "image/bmp",
            Self::Png => "image/png",
        }
    }
}

impl Image {
    /// An image from its bytes.
    ///
    /// # Errors
    /// [`InvalidRequest`] when it is empty, larger than 2 MB, of another format, or its name does not end as its
    /// content is, or holds anything but visible ASCII.
    pub fn new(filename: impl Into<String>, content: impl Into<Bytes>) -> Result<Self, InvalidRequest> {
        let (filename, content) = (filename.into(), content.into());
        let wrong = |field: &str, rule: String| Err(InvalidRequest::of(field, rule));
        if content.is_empty() {
            return wrong("file", "must not be empty".to_owned());
        }
        if content.len() > limits::IMAGE_BYTES {
            return wrong("file", "must have at most 2 MB".to_owned());
        }
        let Some(kind) = ImageKind::of(&content) else {
            return wrong("file", "must be a JPG, BMP or PNG image".to_owned());
        };
        let extension = filename.rsplit_once('.').map_or("", |(_, extension)| extension);
        if !extension.eq_ignore_ascii_case(kind.extension()) {
            return wrong("filename", format!("must end in .{}, as the content is", kind.extension()));
        }
        if !filename.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            return wrong("filename", "must hold only visible ASCII characters".to_owned());
        }
        let sha256 = data_encoding::HEXLOWER.encode(&Sha256::digest(&content));
        Ok(Self { meta: ImageMeta { filename, sha256 }, kind, content })
    }

    /// An image from a file. No more than 2 MB is read, whatever the file's size.
    ///
    /// # Errors
    /// [`InvalidRequest`] as [`new`](Self::new), and when the file cannot be read.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, InvalidRequest> {
        let path = path.as_ref();
        let cannot_read = |error: std::io::Error| {
            InvalidRequest::of("file", format!("{} cannot be read: {error}", path.display()))
        };
        let mut content = Vec::new();
        let limit = u64::try_from(limits::IMAGE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        let file = std::fs::File::open(path).map_err(cannot_read)?;
        file.take(limit).read_to_end(&mut content).map_err(cannot_read)?;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        Self::new(name, content)
    }

    /// What is said of it, and signed.
    pub fn meta(&self) -> &ImageMeta {
        &self.meta
    }

    /// Its format.
    pub fn kind(&self) -> ImageKind {
        self.kind
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("meta", &self.meta)
            .field("kind", &self.kind)
            .field("bytes", &self.content.len())
            .finish()
    }
}

/// Where an uploaded image is, to be named in a [`PatternInfo`](crate::PatternInfo).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct UploadedImage {
    /// The image's URL.
    pub media_url: String,
}

/// Images for coupons. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Images {
    client: Client,
}

impl Images {
    /// Images, uploaded by the calling merchant.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Uploads an image. Only what is said of it is signed, not its bytes (spec §2.7).
    ///
    /// # Errors
    /// [`Error`]. An upload may be repeated without harm.
    pub async fn upload(&self, image: &Image) -> Result<Reply<UploadedImage>, Error> {
        let meta = serde_json::to_vec(&image.meta)
            .map_err(|error| InvalidRequest::of("meta", format!("cannot be written as JSON: {error}")))?;
        let form = Multipart::new(meta, &image.meta.filename, image.kind.media_type(), &image.content)?;
        self.client.fetch(&Call::to(&operations::UPLOAD_IMAGE).multipart(form).finish()?).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

    #[test]
    fn the_content_decides_what_an_image_is() {
        let image = Image::new("Logo.PNG", PNG).unwrap();
        assert_eq!(image.kind(), ImageKind::Png);
        assert_eq!(image.meta().sha256, data_encoding::HEXLOWER.encode(&Sha256::digest(PNG)));
        assert_eq!(Image::new("a.jpg", &b"\xff\xd8\xff\xe0"[..]).unwrap().kind(), ImageKind::Jpg);
        assert_eq!(Image::new("a.bmp", &b"BM.."[..]).unwrap().kind(), ImageKind::Bmp);
    }

    #[test]
    fn what_is_no_image_is_refused_with_its_field() {
        let refused =
            |name: &str, content: &[u8]| Image::new(name, content.to_vec()).unwrap_err().to_string();
        assert_eq!(refused("a.png", b""), "file must not be empty");
        assert_eq!(refused("a.png", b"GIF89a"), "file must be a JPG, BMP or PNG image");
        assert_eq!(refused("a.jpg", PNG), "filename must end in .png, as the content is");
        assert_eq!(refused("a.jpeg", b"\xff\xd8\xff"), "filename must end in .jpg, as the content is");
        assert_eq!(refused("png", PNG), "filename must end in .png, as the content is");
        assert_eq!(refused("图.png", PNG), "filename must hold only visible ASCII characters");
        let large = [PNG, &vec![0; limits::IMAGE_BYTES][..]].concat();
        assert_eq!(refused("a.png", &large), "file must have at most 2 MB");
        assert_eq!(
            Image::new("a.png", large[..limits::IMAGE_BYTES].to_vec()).unwrap().kind(),
            ImageKind::Png
        );
        assert!(Image::from_file("no/such.png").unwrap_err().to_string().contains("no/such.png"));
    }
}
