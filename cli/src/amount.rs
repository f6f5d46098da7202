//! Amounts on the command line: always with their unit, since yuan taken for fen is a hundred times too much.

use favor_core::Fen;
use rust_decimal::Decimal;

/// Reads `500fen`, `5yuan`, `5.00yuan`, `5元` or `500分`.
pub(crate) fn parse_amount(text: &str) -> Result<Fen, String> {
    let text = text.trim();
    let strip = |units: [&str; 2]| units.into_iter().find_map(|unit| text.strip_suffix(unit)).map(str::trim);
    if let Some(fen) = strip(["fen", "分"]) {
        let fen = fen.parse().map_err(|_| format!("{fen:?} is not a whole number of fen"))?;
        return Fen::new(fen).map_err(|error| error.to_string());
    }
    if let Some(yuan) = strip(["yuan", "元"]) {
        let plain = yuan.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let parsed = yuan.parse().ok().filter(|_: &Decimal| plain);
        let yuan = parsed.ok_or_else(|| format!("{yuan:?} is not an amount of yuan"))?;
        return Fen::from_yuan(yuan).map_err(|error| error.to_string());
    }
    Err("say the unit: 500fen or 5yuan".to_owned())
}

/// Reads the same with or without a minus before it, as a change in fen.
pub(crate) fn parse_change(text: &str) -> Result<i64, String> {
    match text.trim().strip_prefix('-') {
        Some(less) => parse_amount(less).map(|less| -less.get()),
        None => parse_amount(text).map(Fen::get),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_may_be_below_zero() {
        assert_eq!(parse_change("-5yuan"), Ok(-500));
        assert_eq!(parse_change("5yuan"), Ok(500));
        for text in ["--5yuan", "-5", "-"] {
            assert!(parse_change(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_amount_needs_its_unit() {
        for text in ["500fen", "5yuan", "5.00 yuan", "5元", "500分"] {
            assert_eq!(parse_amount(text), Ok(Fen::new(500).unwrap()), "{text}");
        }
        for text in [
            "500",
            "5.001yuan",
            "-5yuan",
            "-5fen",
            "5.5fen",
            "yuan",
            "",
            "99999999999999999999yuan",
            "1e5yuan",
        ] {
            assert!(parse_amount(text).is_err(), "{text}");
        }
    }
}
