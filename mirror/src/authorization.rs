//! The `Authorization` header.

const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

/// The five items of the header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Authorization<'a> {
    pub(crate) mchid: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) timestamp: i64,
    pub(crate) timestamp_text: &'a str,
    pub(crate) serial_no: &'a str,
    pub(crate) signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads the header; on failure says what is wrong with it, for the request log.
    pub(crate) fn parse(header: &'a str) -> Result<Self, String> {
        let (scheme, items) = header.split_once(' ').ok_or("there is nothing after the scheme")?;
        if scheme != SCHEME {
            return Err(format!("the scheme is not {SCHEME}"));
        }
        let mut found: [Option<&str>; 5] = [None; 5];
        let mut rest = items;
        loop {
            let (name, after) = rest.split_once("=\"").ok_or("an item is not of the form name=\"value\"")?;
            let (value, after) = after.split_once('"').ok_or("a value has no closing quote")?;
            let place = NAMES.iter().position(|known| *known == name).ok_or("an item has an unknown name")?;
            if found[place].replace(value).is_some() {
                return Err(format!("{name} occurs twice"));
            }
            if after.is_empty() {
                break;
            }
            rest =
                after.strip_prefix(',').ok_or("items are not separated by a comma")?.trim_start_matches(' ');
        }
        let item = |place: usize| {
            found[place].filter(|value| !value.is_empty()).ok_or(format!("{} is missing", NAMES[place]))
        };
        let timestamp_text = item(2)?;
        Ok(Self {
            mchid: item(0)?,
            nonce: item(1)?,
            timestamp: seconds(timestamp_text).ok_or("the timestamp is not a plain decimal number")?,
            timestamp_text,
            serial_no: item(3)?,
            signature: item(4)?,
        })
    }
}

const NAMES: [&str; 5] = ["mchid", "nonce_str", "timestamp", "serial_no", "signature"];

fn seconds(text: &str) -> Option<i64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(items: &str) -> String {
        format!("{SCHEME} {items}")
    }

    const GOOD: &str = r#"mchid="1",nonce_str="n",timestamp="1750000000",serial_no="A",signature="s+/=""#;

    #[test]
    fn the_order_is_free_and_blanks_after_a_comma_are_fine() {
        let expected = header(GOOD);
        let shuffled =
            header(r#"signature="s+/=", serial_no="A",  timestamp="1750000000",nonce_str="n", mchid="1""#);
        assert_eq!(Authorization::parse(&expected), Authorization::parse(&shuffled));
        assert_eq!(Authorization::parse(&expected).unwrap().timestamp, 1_750_000_000);
    }

    #[test]
    fn everything_else_is_refused() {
        for bad in [
            String::new(),
            SCHEME.to_owned(),
            format!("WECHATPAY2-SM2-WITH-SM3 {GOOD}"),
            format!("Bearer {GOOD}"),
            header(""),
            header(&GOOD.replace("mchid=\"1\",", "")),
            header(&GOOD.replace("mchid=\"1\"", "mchid=\"\"")),
            header(&format!("{GOOD},mchid=\"1\"")),
            header(&format!("{GOOD},")),
            header(&format!("{GOOD},more=\"1\"")),
            header(&GOOD.replace(',', ";")),
            header(&GOOD.replace(',', " ,")),
            header(&GOOD.replace('"', "'")),
            header(&GOOD.replace("1750000000", "+1750000000")),
            header(&GOOD.replace("1750000000", "1750000000.5")),
            header(&GOOD.replace("1750000000", "99999999999999999999")),
            header("mchid=\"1"),
        ] {
            assert!(Authorization::parse(&bad).is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn hostile_headers_never_panic(text in "\\PC*") {
            Authorization::parse(&text).ok();
            Authorization::parse(&header(&text)).ok();
        }
    }
}
