//! Pictures of QR codes: WeChat's by its url, or drawn here from what it says (spec §2.8).

use std::fmt;

use favor_core::__private::encode_into;
use qrcode::render::{svg, unicode};
use qrcode::{EcLevel, QrCode};

use crate::config::PICTURE_URL;

/// Where WeChat's picture of a ticket is. Needs no call and no access token.
///
/// ```
/// assert_eq!(
///     favor_card::picture_url("gQH_test+A/B=="),
///     "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=gQH_test%2BA%2FB%3D%3D"
/// );
/// ```
pub fn picture_url(ticket: &str) -> String {
    let mut url = format!("{PICTURE_URL}/cgi-bin/showqrcode?ticket=");
    encode_into(&mut url, ticket);
    url
}

/// A QR code drawn here.
///
/// ```
/// let image = favor_card::QrImage::of("http://weixin.qq.com/q/INVENTED")?;
/// assert!(image.svg(300).starts_with("<?xml"));
/// println!("{}", image.terminal());
/// # Ok::<(), favor_card::QrError>(())
/// ```
pub struct QrImage(QrCode);

/// Why a text cannot be a QR code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is empty, or too long for a QR code")]
pub struct QrError;

impl QrImage {
    /// The QR code of a text, such as `url` of a QR code that was made. It stays readable with 15 % of it damaged.
    ///
    /// # Errors
    /// [`QrError`] when the text is empty or beyond about 2,300 bytes.
    pub fn of(text: &str) -> Result<Self, QrError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(QrError);
        }
        QrCode::with_error_correction_level(text, EcLevel::M).map(Self).map_err(|_| QrError)
    }

    /// As an SVG picture of at least `size` pixels each way, with the quiet zone around it.
    pub fn svg(&self, size: u32) -> String {
        self.0.render::<svg::Color<'_>>().min_dimensions(size, size).quiet_zone(true).build()
    }

    /// As lines of half blocks, for a terminal with light text on dark ground.
    pub fn terminal(&self) -> String {
        // Light modules are drawn and dark ones left out, so that the code has its colours on a dark ground.
        self.0
            .render::<unicode::Dense1x2>()
            .dark_color(unicode::Dense1x2::Light)
            .light_color(unicode::Dense1x2::Dark)
            .quiet_zone(true)
            .build()
    }

    /// How many modules it has each way, without the quiet zone.
    pub fn width(&self) -> usize {
        self.0.width()
    }

    /// Whether a module is dark, row by row from the top left. Outside there is light.
    pub fn is_dark(&self, column: usize, row: usize) -> bool {
        let width = self.0.width();
        column < width && row < width && self.0[(column, row)] == qrcode::Color::Dark
    }
}

impl fmt::Debug for QrImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QrImage").field("width", &self.width()).finish_non_exhaustive()
    }
}
