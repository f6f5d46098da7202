//! The colours of cards (spec §4.2).

use crate::macros::open;

open! {
    /// A colour of the platform's palette; answers have its RGB value instead.
    pub enum Color {
        /// #63b359.
        Color010 => "Color010",
        /// #2c9f67.
        Color020 => "Color020",
        /// #509fc9.
        Color030 => "Color030",
        /// #5885cf.
        Color040 => "Color040",
        /// #9062c0.
        Color050 => "Color050",
        /// #d09a45.
        Color060 => "Color060",
        /// #e4b138.
        Color070 => "Color070",
        /// #ee903c.
        Color080 => "Color080",
        /// #f08500.
        Color081 => "Color081",
        /// #a9d92d.
        Color082 => "Color082",
        /// #dd6549.
        Color090 => "Color090",
        /// #cc463d.
        Color100 => "Color100" | "Color0100",
        /// #cf3e36.
        Color101 => "Color101" | "Color0101",
        /// #5E6671.
        Color102 => "Color102" | "Color0102",
    }
}

impl Color {
    /// Its RGB value, `#RRGGBB`; what an answer gave stays as it is.
    pub fn rgb(&self) -> &str {
        match self {
            Self::Color010 => "#63b359",
            Self::Color020 => "#2c9f67",
            Self::Color030 => "#509fc9",
            Self::Color040 => "#5885cf",
            Self::Color050 => "#9062c0",
            Self::Color060 => "#d09a45",
            Self::Color070 => "#e4b138",
            Self::Color080 => "#ee903c",
            Self::Color081 => "#f08500",
            Self::Color082 => "#a9d92d",
            Self::Color090 => "#dd6549",
            Self::Color100 => "#cc463d",
            Self::Color101 => "#cf3e36",
            Self::Color102 => "#5E6671",
            Self::Unknown(rgb) => rgb,
        }
    }
}
