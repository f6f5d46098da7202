//! Pictures.

use super::{NUMBER_UNKNOWN, Refusal, ensure, rules};

rules! {
    MULTIPART = "image.multipart", Assumed, "3.18", 400 "PARAM_ERROR"
        "请求内容不是合法的multipart/form-data", NUMBER_UNKNOWN,
        "the body is multipart/form-data with one part meta and one part file";
    PRODUCT = "image.product", Documented, "3.0", 403 "REQUEST_BLOCKED"
        "调用商户无权限", NUMBER_UNKNOWN,
        "the coupon product is opened for the caller";
    EMPTY = "image.empty", Documented, "3.18", 400 "PARAM_ERROR"
        "图片文件为空", NUMBER_UNKNOWN,
        "the file has content";
    SIZE = "image.size", Assumed, "3.18", 400 "PARAM_ERROR"
        "图片文件过大", NUMBER_UNKNOWN,
        "the file has at most 2 MB";
    TYPE = "image.type", Documented, "3.18", 403 "REQUEST_BLOCKED"
        "未知图片类型", NUMBER_UNKNOWN,
        "the file is named .jpg, .bmp or .png, and its content is one of these";
    META = "image.meta", Documented, "3.18", 403 "REQUEST_BLOCKED"
        "图片meta信息不一致", NUMBER_UNKNOWN,
        "meta.filename is the name of the file part, and meta.sha256 is the hash of its content";
    SIGNATURE = "image.signature", Documented, "3.18", 403 "REQUEST_BLOCKED"
        "签名信息不匹配", NUMBER_UNKNOWN,
        "the signature is over the text of the meta part; the reading image_signature asks for this answer";
}

const LARGEST: usize = 2 * 1024 * 1024;

/// What is known about a picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looks<'a> {
    /// As meta says.
    pub(crate) filename: &'a str,
    /// As the file part says.
    pub(crate) part_filename: &'a str,
    /// The hash as meta says.
    pub(crate) announced: &'a str,
    /// The true one.
    pub(crate) sha256: &'a str,
    pub(crate) content: &'a [u8],
}

/// Whether the picture can be kept, and its type.
pub(crate) fn check(product_permission: bool, looks: &Looks<'_>) -> Result<&'static str, Refusal> {
    ensure(product_permission, &PRODUCT)?;
    ensure(!looks.content.is_empty(), &EMPTY)?;
    ensure(looks.content.len() <= LARGEST, &SIZE)?;
    let name = looks.filename.to_ascii_lowercase();
    let named = [".jpg", ".bmp", ".png"].iter().any(|end| name.ends_with(end));
    let content_type = content_type(looks.content).filter(|_| named).ok_or(&TYPE)?;
    let same_hash = looks.announced.eq_ignore_ascii_case(looks.sha256);
    ensure(looks.filename == looks.part_filename && same_hash, &META)?;
    Ok(content_type)
}

/// What the first bytes say.
pub(crate) fn content_type(content: &[u8]) -> Option<&'static str> {
    if content.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if content.starts_with(b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if content.starts_with(b"BM") {
        Some("image/bmp")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

    fn looks(content: &[u8]) -> Looks<'_> {
        Looks { filename: "a.PNG", part_filename: "a.PNG", announced: "0A", sha256: "0a", content }
    }

    fn checked(looks: &Looks<'_>) -> Result<&'static str, &'static str> {
        check(true, looks).map_err(|refusal| refusal.rule.id)
    }

    #[test]
    fn the_content_decides_about_the_type() {
        assert_eq!(checked(&looks(PNG)), Ok("image/png"));
        assert_eq!(checked(&looks(b"\xff\xd8\xff\xe0")), Ok("image/jpeg"));
        assert_eq!(checked(&looks(b"BM.")), Ok("image/bmp"));
        assert_eq!(checked(&looks(b"GIF89a")), Err(TYPE.id));
        let named = |filename| checked(&Looks { filename, part_filename: filename, ..looks(PNG) });
        assert_eq!(named("a.jpg"), Ok("image/png"));
        assert_eq!(named("a.jpeg"), Err(TYPE.id));
        assert_eq!(named("png"), Err(TYPE.id));
    }

    #[test]
    fn sizes_names_and_hashes() {
        assert_eq!(checked(&looks(b"")), Err(EMPTY.id));
        let mut large = PNG.to_vec();
        large.resize(LARGEST, 0);
        assert!(checked(&looks(&large)).is_ok());
        large.push(0);
        assert_eq!(checked(&looks(&large)), Err(SIZE.id));
        assert_eq!(checked(&Looks { part_filename: "b.png", ..looks(PNG) }), Err(META.id));
        assert_eq!(checked(&Looks { announced: "0b", ..looks(PNG) }), Err(META.id));
        assert_eq!(check(false, &looks(PNG)).unwrap_err().rule, &PRODUCT);
    }
}
