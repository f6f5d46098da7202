//! How openids are shown in what is written.

use std::borrow::Cow;

use data_encoding::HEXLOWER;
use favor_core::OpenId;
use sha2::{Digest as _, Sha256};

/// How openids are shown in what is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenidForm {
    /// As they are.
    #[default]
    Plain,
    /// SHA-256 over their bytes, in hexadecimal: who has the list can tell who it is, and nobody else.
    Sha256,
    /// Not at all.
    Hidden,
}

impl OpenidForm {
    /// An openid in this form; empty where there is none to show.
    pub fn show<'a>(self, openid: Option<&'a OpenId>) -> Cow<'a, str> {
        match (self, openid) {
            (_, None) | (Self::Hidden, _) => "".into(),
            (Self::Plain, Some(openid)) => openid.as_str().into(),
            (Self::Sha256, Some(openid)) => HEXLOWER.encode(&Sha256::digest(openid.as_str())).into(),
        }
    }
}
