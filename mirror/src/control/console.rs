//! The console: pages for a browser, part of the program.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::failure::Failure;
use super::index;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const ICON: &str = "image/svg+xml";
/// Nothing from elsewhere, no inline script or style, no frame around the console.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
);

/// Name, type and content of a file.
type File = (&'static str, &'static str, &'static [u8]);

macro_rules! files {
    ($($content_type:ident $name:literal,)*) => {
        [$(($name, $content_type, include_bytes!(concat!("../../console/", $name)))),*]
    };
}

const PAGE: &[u8] = include_bytes!("../../console/index.html");
const FILES: [File; 24] = files![
    ICON "icon.svg",
    CSS "style.css",
    SCRIPT "accounts.js",
    SCRIPT "acts.js",
    SCRIPT "api.js",
    SCRIPT "app.js",
    SCRIPT "callbacks.js",
    SCRIPT "card.js",
    SCRIPT "cards.js",
    SCRIPT "codes.js",
    SCRIPT "coupons.js",
    SCRIPT "diff.js",
    SCRIPT "dom.js",
    SCRIPT "events.js",
    SCRIPT "faults.js",
    SCRIPT "format.js",
    SCRIPT "notice.js",
    SCRIPT "overview.js",
    SCRIPT "request.js",
    SCRIPT "requests.js",
    SCRIPT "settings.js",
    SCRIPT "stock.js",
    SCRIPT "words.js",
    SCRIPT "words_cards.js",
];

/// The console for a browser, the list of calls for everybody else.
pub(crate) async fn page(headers: HeaderMap) -> Response {
    if wants_html(&headers) { served(HTML, PAGE) } else { index::list().await.into_response() }
}

pub(crate) async fn file(Path(name): Path<String>) -> Response {
    match FILES.iter().find(|(known, _, _)| *known == name) {
        Some((_, content_type, content)) => served(content_type, content),
        None => Failure::not_found(format!("the console has no file {name}")).into_response(),
    }
}

pub(crate) fn wants_html(headers: &HeaderMap) -> bool {
    let accepts = |value: &HeaderValue| value.to_str().is_ok_and(|value| value.contains("text/html"));
    headers.get_all(header::ACCEPT).iter().any(accepts)
}

fn served(content_type: &'static str, content: &'static [u8]) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        // The next version of the program has other files under the same names.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::OK, headers, content).into_response()
}
