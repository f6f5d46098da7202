//! The upload form: a signed `meta` part and an unsigned file (spec §2.7, §3.18).

use std::fmt;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::check::InvalidRequest;

/// A `multipart/form-data` body of a JSON part `meta`, which is what gets signed, and a part `file`.
#[derive(Clone)]
pub struct Multipart {
    meta: Bytes,
    wire: Bytes,
    boundary: String,
}

impl Multipart {
    /// Frames `meta` (JSON text) and `file`.
    ///
    /// The boundary comes from the content's hash, so the same upload always has the same bytes.
    ///
    /// # Errors
    /// [`InvalidRequest`] when `filename` is empty or holds a quote, a backslash or a control character, or
    /// `content_type` is not visible ASCII.
    pub fn new(
        meta: impl Into<Bytes>,
        filename: &str,
        content_type: &str,
        file: &[u8],
    ) -> Result<Self, InvalidRequest> {
        let meta = meta.into();
        if filename.is_empty() || filename.chars().any(|c| c.is_control() || matches!(c, '"' | '\\')) {
            return Err(InvalidRequest::of(
                "filename",
                "must be a name without quotes, backslashes and control characters",
            ));
        }
        if content_type.is_empty() || !content_type.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(InvalidRequest::of("content_type", "must be a media type"));
        }
        let boundary = boundary(&meta, file);
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n"
        );
        let middle = format!(
            "\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\nContent-Type: {content_type}\r\n\r\n"
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        let wire = [head.as_bytes(), &meta, middle.as_bytes(), file, tail.as_bytes()].concat();
        Ok(Self { meta, wire: wire.into(), boundary })
    }

    /// The text of the `meta` part: what is signed.
    pub fn meta(&self) -> &[u8] {
        &self.meta
    }

    pub(crate) fn wire(&self) -> Bytes {
        self.wire.clone()
    }

    pub(crate) fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }
}

impl fmt::Debug for Multipart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Multipart").field("bytes", &self.wire.len()).finish_non_exhaustive()
    }
}

/// A boundary of 32 hexadecimal digits. That a file holds its own hash is out of reach for anybody.
fn boundary(meta: &[u8], file: &[u8]) -> String {
    let digest = Sha256::new().chain_update(meta).chain_update([0]).chain_update(file).finalize();
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Call, Operation, Verb};
    use crate::sign::Stamp;

    static UPLOAD: Operation =
        Operation::new("image.upload", Verb::Post, "/v3/marketing/favor/media/image-upload");

    #[test]
    fn only_the_meta_text_is_signed() {
        let meta = r#"{"filename":"logo.png","sha256":"ab"}"#;
        let form = Multipart::new(meta, "logo.png", "image/png", b"\x89PNG\r\n--x").unwrap();
        let call = Call::to(&UPLOAD).multipart(form).finish().unwrap();
        let boundary = call.content_type().unwrap().split_once("boundary=").unwrap().1.to_owned();
        let body = call.body();
        let expected = [
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{meta}\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"logo.png\"\r\nContent-Type: image/png\r\n\r\n").into_bytes(),
            b"\x89PNG\r\n--x".to_vec(),
            format!("\r\n--{boundary}--\r\n").into_bytes(),
        ]
        .concat();
        assert_eq!(body, expected);
        let stamp = Stamp { timestamp: 1, nonce: "n".into() };
        let signed = format!("POST\n/v3/marketing/favor/media/image-upload\n1\nn\n{meta}\n");
        assert_eq!(call.message(&stamp), signed.into_bytes());
    }

    #[test]
    fn a_name_that_would_break_the_form_is_refused() {
        for name in ["", "a\"b.png", "a\r\nb.png", "a\\b.png"] {
            assert!(Multipart::new("{}", name, "image/png", b"").is_err(), "{name:?}");
        }
        assert!(Multipart::new("{}", "a.png", "image/png\r\nX: y", b"").is_err());
    }
}
