//! The list of people: one file, written here and read again by the audit without the product's code.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use crate::random::Random;

/// People whose account does not allow a coupon, and so get none: one in so many.
const ABNORMAL_EACH: usize = 500;

pub struct People {
    /// In the order of the list.
    pub openids: Vec<String>,
    pub abnormal: Vec<String>,
}

impl People {
    /// So many people, none of whom stands in the order of the bytes of the openids.
    pub fn new(count: usize, random: &mut Random) -> Self {
        let openids: Vec<String> =
            (0..count).map(|number| format!("o{:016x}{number:011}", random.below(u64::MAX))).collect();
        let abnormal = openids.iter().skip(ABNORMAL_EACH / 2).step_by(ABNORMAL_EACH).cloned().collect();
        Self { openids, abnormal }
    }

    /// Writes the list; some are named twice, and some lines name nobody.
    pub fn write(&self, file: &Path) {
        let mut text = String::from("\u{feff}name,openid\r\n");
        for (number, openid) in self.openids.iter().enumerate() {
            write!(text, "\"Somebody, the {number}th\",{openid}\r\n").unwrap();
            if number % 97 == 5 {
                write!(text, "again,{}\r\n", self.openids[number / 2]).unwrap();
            }
            if number % 1_013 == 7 {
                write!(text, "nobody,o with blanks {number}\r\n").unwrap();
            }
        }
        std::fs::write(file, text).unwrap();
    }
}

/// The people of a list: its last column, each once, without what can be no openid.
pub fn read(file: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let last = text.lines().skip(1).map(|line| line.rsplit(',').next().unwrap_or_default());
    last.filter(|openid| !openid.is_empty() && openid.bytes().all(|byte| byte.is_ascii_graphic()))
        .map(str::to_owned)
        .collect()
}
