//! `GET /cgi-bin/showqrcode`: the picture of a QR code. It is public: the ticket is the only key to it.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use qrcode::{Color, EcLevel, QrCode};

use super::jpeg;
use crate::answer::Answer;
use crate::ledger::card::qrcodes;
use crate::outgoing::Outgoing;
use crate::rules::Refusal;
use crate::rules::card::QR_TICKET;
use crate::state::App;

/// Light squares around a code, which readers need.
const MARGIN: usize = 4;

/// The picture for a ticket, or 404 where there is none.
pub(super) async fn answer(app: &App, ticket: Option<String>) -> Answer {
    let now = app.clocks.now();
    let ticket = ticket.unwrap_or_default();
    let found = app.ledger.read(move |db| qrcodes::find(db, &ticket)).await;
    let code = match found {
        Ok(code) => code.filter(|code| now < code.expires),
        Err(error) => return error.into(),
    };
    let Some(code) = code else {
        // Browsers meet a page here, not JSON.
        return Answer { body: Bytes::new(), ..Refusal::from(&QR_TICKET).into() };
    };
    match draw(&code.url) {
        Some(picture) => Answer { status: StatusCode::OK, body: picture.into(), ..Answer::ok(&()) },
        None => Answer::failed("the address of the QR code cannot be drawn".to_owned()),
    }
}

/// Says what kind of body a call for a picture got.
pub(super) fn label(is_picture: bool, outgoing: &mut Outgoing) {
    if is_picture && outgoing.body.starts_with(&[0xFF, 0xD8]) {
        outgoing.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpg"));
    }
}

/// A QR code as JPEG.
fn draw(url: &str) -> Option<Vec<u8>> {
    let code = QrCode::with_error_correction_level(url, EcLevel::M).ok()?;
    let width = code.width();
    let side = width + 2 * MARGIN;
    let mut dark = vec![false; side * side];
    for (place, color) in code.to_colors().into_iter().enumerate() {
        let (row, column) = (place / width + MARGIN, place % width + MARGIN);
        if let Some(square) = dark.get_mut(row * side + column) {
            *square = color == Color::Dark;
        }
    }
    jpeg::squares(&dark, side)
}
