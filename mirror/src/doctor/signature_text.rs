//! The signature as text: standard Base64, or what is written in its place.

use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::cause::{self, Cause};

/// More is no signature in any writing.
const LONGEST: usize = 8_192;
/// Lengths of signatures by keys of 1024 to 8192 bits.
const LENGTHS: std::ops::RangeInclusive<usize> = 128..=1_024;

/// A signature that was read.
#[derive(Debug)]
pub(super) struct SignatureText {
    pub(super) bytes: Option<Vec<u8>>,
    pub(super) cause: Option<Cause>,
}

pub(super) fn read(text: &str) -> SignatureText {
    let found = |bytes, cause| SignatureText { bytes: Some(bytes), cause };
    if text.len() > LONGEST {
        return SignatureText {
            bytes: None,
            cause: Some(cause::SIGNATURE_LENGTH.cause(&text.len().to_string())),
        };
    }
    if let Some(bytes) = hex(text) {
        return found(bytes, Some(cause::SIGNATURE_HEX.cause("")));
    }
    let decoded = |engine: &GeneralPurpose, text: &str| engine.decode(text).ok();
    if let Some(bytes) = decoded(&STANDARD, text) {
        return standard(bytes);
    }
    let bare: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let unescaped = percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let attempts = [
        (decoded(&URL_SAFE, text), &cause::SIGNATURE_URL_SAFE),
        (decoded(&URL_SAFE_NO_PAD, text), &cause::SIGNATURE_URL_SAFE),
        (decoded(&STANDARD_NO_PAD, text), &cause::SIGNATURE_PADDING),
        (decoded(&STANDARD, &unescaped), &cause::SIGNATURE_PERCENT),
        (decoded(&STANDARD, &text.replace(' ', "+")), &cause::SIGNATURE_PLUS),
        (decoded(&STANDARD, &bare), &cause::SIGNATURE_BLANK),
    ];
    attempts
        .into_iter()
        .find_map(|(bytes, cause)| {
            let bytes = bytes.filter(|bytes| LENGTHS.contains(&bytes.len()))?;
            Some(found(bytes, Some(cause.cause(""))))
        })
        .unwrap_or_else(|| SignatureText { bytes: None, cause: Some(cause::SIGNATURE_NOT_BASE64.cause("")) })
}

/// What standard Base64 holds: a signature, or one that was written as text before.
fn standard(bytes: Vec<u8>) -> SignatureText {
    let inner =
        std::str::from_utf8(&bytes).ok().and_then(|text| hex(text).or_else(|| STANDARD.decode(text).ok()));
    if let Some(inner) = inner.filter(|inner| LENGTHS.contains(&inner.len())) {
        return SignatureText { bytes: Some(inner), cause: Some(cause::SIGNATURE_TWICE.cause("")) };
    }
    if LENGTHS.contains(&bytes.len()) {
        return SignatureText { bytes: Some(bytes), cause: None };
    }
    let cause = cause::SIGNATURE_LENGTH.cause(&bytes.len().to_string());
    SignatureText { bytes: None, cause: Some(cause) }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0 && LENGTHS.contains(&(digits.len() / 2)))?;
    // Base64 of a signature is as good as never made of sixteen letters alone.
    Some(digits.chunks_exact(2).map(|pair| pair[0] * 16 + pair[1]).collect())
}
