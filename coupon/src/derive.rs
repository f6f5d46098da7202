//! Request numbers that follow from the person, never from the order of a list.

use data_encoding::BASE32_NOPAD;
use favor_core::{AppId, MerchantId, OpenId, OutRequestNo, StockId};
use sha2::{Digest, Sha256};

const VERSION: &str = "v1";
const CHARACTERS: usize = 26;

/// Derives the `out_request_no` of a send: a pure function of the person and of what is sent, so that a lost
/// answer, a crash, even a lost ledger leads to the same number and so to the same coupon.
///
/// The form is `mchid-` and 26 characters of base32 of SHA-256 over version, mchid, key, stock, appid, openid and
/// slot. Two purposes that may give the same person two coupons of one stock differ in their `key`.
///
/// ```
/// use favor_coupon::DerivedNumbers;
/// # use favor_core::{AppId, MerchantId, OpenId, StockId};
/// # fn main() -> Result<(), favor_core::IdError> {
/// let stock = StockId::new("15300001")?;
/// let numbers = DerivedNumbers::new(MerchantId::new("1900000109")?, "spring", stock, AppId::new("wx0a")?);
/// let person = OpenId::new("oTea0001")?;
/// assert_eq!(numbers.of(&person, 0), numbers.of(&person, 0));
/// assert_ne!(numbers.of(&person, 0), numbers.of(&person, 1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DerivedNumbers {
    merchant_id: MerchantId,
    common: Sha256,
}

impl DerivedNumbers {
    /// Numbers for sends by `merchant_id`, for the purpose named `key`, of `stock_id`, to people under `appid`.
    pub fn new(merchant_id: MerchantId, key: &str, stock_id: StockId, appid: AppId) -> Self {
        let mut common = Sha256::new();
        for part in [VERSION, merchant_id.as_str(), key, stock_id.as_str(), appid.as_str()] {
            absorb(&mut common, part);
        }
        Self { merchant_id, common }
    }

    /// The number for one person; `slot` counts the coupons of one person from 0.
    pub fn of(&self, openid: &OpenId, slot: u32) -> OutRequestNo {
        let mut hash = self.common.clone();
        absorb(&mut hash, openid.as_str());
        absorb(&mut hash, &slot.to_string());
        let text = BASE32_NOPAD.encode(&hash.finalize());
        let number = format!("{}-{}", self.merchant_id, &text[..CHARACTERS]);
        OutRequestNo::new(number).expect("digits, '-' and base32 are allowed, and 59 characters at most")
    }
}

/// The length goes first, so that no two lists of parts give the same bytes.
fn absorb(hash: &mut Sha256, part: &str) {
    hash.update(format!("{}:", part.len()));
    hash.update(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(key: &str, stock: &str, person: &str, slot: u32) -> String {
        let merchant = MerchantId::new("1900000109").unwrap();
        let stock = StockId::new(stock).unwrap();
        let numbers = DerivedNumbers::new(merchant, key, stock, AppId::new("wx0a").unwrap());
        numbers.of(&OpenId::new(person).unwrap(), slot).as_str().to_owned()
    }

    #[test]
    fn the_number_never_changes() {
        // Computed apart from this code:
        // printf '2:v110:19000001096:spring8:153000014:wx0a8:oTea00011:0' | openssl sha256 -binary | base32
        assert_eq!(number("spring", "15300001", "oTea0001", 0), "1900000109-VOJ2JTDGMA6DJCMOEI6F7D6ZKN");
    }

    #[test]
    fn each_part_counts_and_parts_do_not_run_together() {
        let one = number("spring", "15300001", "oTea0001", 0);
        assert_ne!(one, number("summer", "15300001", "oTea0001", 0));
        assert_ne!(one, number("spring", "15300002", "oTea0001", 0));
        assert_ne!(one, number("spring", "15300001", "oTea0002", 0));
        assert_ne!(one, number("spring", "15300001", "oTea0001", 1));
        assert_ne!(number("spring1", "5300001", "o", 0), number("spring", "15300001", "o", 0));
        assert_ne!(number("k", "1", "o1", 1), number("k", "1", "o", 11));
    }
}
