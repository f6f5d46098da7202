//! Uploads, the platform's picture of a QR code, and the one drawn here.

use favor_card::{Distribution, ErrorKind, Media, Picture, QrImage, picture_url};

use crate::server::{Server, chain};

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a picture";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n a picture";

#[tokio::test]
async fn pictures_go_up_as_one_form_part() {
    let server = Server::start().await;
    let media = Media::new(&server.client());
    server.answer("/cgi-bin/media/uploadimg", r#"{"url":"http://mmbiz.qpic.cn/mmbiz_png/INVENTED/0"}"#);
    let picture = Picture::new("logo 券.png", PNG).unwrap();
    let uploaded = media.upload_image(&picture).await.unwrap();
    assert_eq!(uploaded.url, "http://mmbiz.qpic.cn/mmbiz_png/INVENTED/0");
    let sent = server.last();
    let boundary = sent.content_type.strip_prefix("multipart/form-data; boundary=").unwrap().to_owned();
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"buffer\"; filename=\"logo 券.png\"\r\nContent-Type: image/png\r\n\r\n"
    );
    let tail = format!("\r\n--{boundary}--\r\n");
    assert_eq!(sent.body, [head.as_bytes(), PNG, tail.as_bytes()].concat());

    server.answer(
        "/cgi-bin/media/upload",
        r#"{"type":"image","media_id":"INVENTED_MEDIA","created_at":1700000000}"#,
    );
    let uploaded = media.upload_media(&Picture::new("paper.jpg", JPEG).unwrap()).await.unwrap();
    assert_eq!((uploaded.media_id.as_str(), uploaded.kind.as_deref()), ("INVENTED_MEDIA", Some("image")));
    let sent = server.last();
    assert!(sent.query.ends_with("&type=image"));
    assert!(
        String::from_utf8_lossy(&sent.body)
            .contains("name=\"media\"; filename=\"paper.jpg\"\r\nContent-Type: image/jpeg")
    );
}

#[tokio::test]
async fn what_is_no_picture_or_too_large_is_not_sent() {
    for (name, bytes) in
        [("a.gif", &b"GIF89a"[..]), ("", PNG), ("a\"b.png", PNG), ("a\r\nb.png", PNG), ("a.png", b"")]
    {
        assert!(Picture::new(name, bytes).is_err(), "{name:?}");
    }
    let server = Server::start().await;
    let mut large = PNG.to_vec();
    large.resize((1 << 20) + 1, 0);
    let picture = Picture::new("large.png", large).unwrap();
    let error = Media::new(&server.client()).upload_image(&picture).await.unwrap_err();
    assert!(chain(&error).contains("at most 1048576 bytes, but has 1048577"), "{}", chain(&error));
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn the_platforms_picture_comes_without_a_token() {
    let server = Server::start().await;
    let distribution = Distribution::new(&server.client());
    // The server answers text; the JPEG's first bytes are no UTF-8, so they are written by number.
    server.direct("/cgi-bin/showqrcode", |_| (404, String::new()));
    let error = distribution.qr_picture("gQH_test+A/B==").await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(404)));
    let sent = server.last();
    assert_eq!((sent.method.as_str(), sent.query.as_str()), ("GET", "ticket=gQH_test%2BA%2FB%3D%3D"));
    assert_eq!(server.seen().len(), 1, "no token is fetched");
    server.direct("/cgi-bin/showqrcode", |_| (200, "<html>expired</html>".to_owned()));
    let error = distribution.qr_picture("gone").await.unwrap_err();
    assert!(chain(&error).contains("no JPEG picture"), "{}", chain(&error));
    server.raw("/cgi-bin/showqrcode", JPEG);
    assert_eq!(distribution.qr_picture("gQH").await.unwrap(), JPEG);
    assert_eq!(
        picture_url("gQH_test+A/B=="),
        "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=gQH_test%2BA%2FB%3D%3D"
    );
}

/// Reads a QR code from its modules, by another library than the one that draws it.
fn read(width: usize, is_dark: impl Fn(usize, usize) -> bool) -> String {
    // Four pixels a module, with a quiet zone of four modules.
    let size = (width + 8) * 4;
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(size, size, |x, y| {
        let (column, row) = ((x / 4).wrapping_sub(4), (y / 4).wrapping_sub(4));
        if column < width && row < width && is_dark(column, row) { 0 } else { 255 }
    });
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one QR code is seen");
    grids[0].decode().unwrap().1
}

#[test]
fn a_drawn_code_is_read_by_another_library() {
    for text in ["http://weixin.qq.com/q/INVENTED", "https://w.url.cn/s/AbC-123?x=1&y=券", &"x".repeat(500)]
    {
        let image = QrImage::of(&format!(" {text}\n")).unwrap();
        assert_eq!(read(image.width(), |column, row| image.is_dark(column, row)), text);

        // The terminal shows light modules as blocks: two rows in one line.
        let lines: Vec<Vec<char>> = image.terminal().lines().map(|line| line.chars().collect()).collect();
        let quiet = (lines[0].len() - image.width()) / 2;
        assert!(quiet >= 2, "a quiet zone");
        let is_light = |column: usize, row: usize| {
            let shown = lines[(row + quiet) / 2][column + quiet];
            if (row + quiet).is_multiple_of(2) {
                matches!(shown, '█' | '▀')
            } else {
                matches!(shown, '█' | '▄')
            }
        };
        assert_eq!(read(image.width(), |column, row| !is_light(column, row)), text);

        let svg = image.svg(300);
        assert!(
            svg.contains("<svg") && svg.contains("<path") && svg.trim_end().ends_with("</svg>"),
            "{svg:.200}"
        );
    }
    assert!(
        QrImage::of("").is_err() && QrImage::of("  ").is_err() && QrImage::of(&"x".repeat(3_000)).is_err()
    );
}
