//! What the card API says beside its error numbers.

use crate::card::ask::hinted;
use crate::rules;

/// About what the vendor says beside the numbers that no rule of this mirror answers.
const OTHERS: &[(i64, &str)] = &[
    (40_004, "invalid media type"),
    (40_094, "invalid component credential"),
    (40_132, "invalid username"),
    (40_143, "invalid least cost info, should be 0"),
    (40_147, "consume time overranging restricts"),
    (40_151, "text/pic hit antispam"),
    (40_158, "invalid use_custom_code, need be false"),
    (40_164, "invalid ip, not in whitelist"),
    (42_007, "user changed password, token and refresh token revoked"),
    (43_007, "require bizuser authorize"),
    (43_012, "can not use custom url, need authorize"),
    (43_015, "require authorize by wechat team to use this function"),
    (43_018, "code has not been mark"),
    (44_001, "empty media data"),
    (45_025, "poiid count out of limit"),
    (45_028, "has no masssend quota"),
    (45_029, "qrcode count out of limit"),
    (45_042, "card type can NOT create by sub merchant"),
    (45_044, "icon url size in abstract out of limit"),
    (45_047, "out of response count limit"),
    (45_053, "verify code size out of limit"),
    (45_054, "invalid verify code charset"),
    (45_055, "verify code no exist"),
    (45_154, "self consume code size out of limit"),
    (45_155, "invalid self consume code charset"),
    (45_156, "self consume code no exist"),
    (45_160, "invalid category to create card"),
    (46_001, "media data no exist"),
    (46_005, "poi no exist"),
    (48_001, "api unauthorized"),
    (48_004, "api forbidden"),
    (50_002, "user limited"),
    (61_503, "data not ready"),
    (65_104, "invalid poi category"),
    (65_106, "poi not approved"),
    (65_107, "poi can not be modified now"),
    (65_115, "poi no exist"),
    (72_004, "mchid is occupied"),
    (72_005, "mchid count out of limit"),
    (72_006, "invalid title"),
    (72_007, "reduce cost can not be less than 100"),
    (72_008, "least cost must be more than reduce cost"),
    (72_009, "get limit can not be over 50"),
    (72_014, "task card share stock can not modify stock"),
    (72_016, "unauthorized create member card"),
    (72_021, "unauthorized create general card"),
    (72_032, "pay gift card rule expired"),
    (72_033, "pay gift card rule status err"),
    (72_066, "card is sent for advertisement, time and budget locked"),
];

/// The text of a documented number.
pub(super) fn known(errcode: i64) -> Option<&'static str> {
    let code = errcode.to_string();
    // The first rule of a number is the one that names no field.
    let of_rules =
        rules::all().find(|rule| rule.id.starts_with("card.") && rule.code == code).map(|rule| rule.message);
    of_rules.or_else(|| OTHERS.iter().find(|(number, _)| *number == errcode).map(|(_, text)| *text))
}

/// The text with its random hint, as all refusals have it.
pub(super) fn errmsg(errcode: i64) -> String {
    hinted(known(errcode).unwrap_or("system error"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_numbers_have_texts() {
        assert_eq!(known(-1), Some("system error"));
        assert_eq!(known(40_013), Some("invalid appid"));
        assert_eq!(known(45_030), Some("limit cardid, not support this function"));
        assert_eq!(known(48_001), Some("api unauthorized"));
        assert_eq!((known(0), known(4_001), known(404)), (None, None, None));
        assert!(errmsg(61_503).starts_with("data not ready hint: ["));
    }

    #[test]
    fn no_number_is_there_twice() {
        for (at, (number, _)) in OTHERS.iter().enumerate() {
            assert!(OTHERS[..at].iter().all(|(other, _)| other < number), "{number}");
            let code = number.to_string();
            assert!(!rules::all().any(|rule| rule.code == code), "{number} is a rule's");
        }
    }
}
