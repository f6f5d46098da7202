//! `pattern_info`: how the coupon looks. Only its form matters here.

use super::field;
use crate::fields::Fields;
use crate::rules::create::MINI_PROGRAM;
use crate::rules::parameter::{FORMAT, LENGTH};
use crate::rules::{Refusal, ensure};

const COLORS: [&str; 14] =
    ["010", "020", "030", "040", "050", "060", "070", "080", "081", "082", "090", "100", "101", "102"];
const DESCRIPTION_BYTES: usize = 3_000;
/// 12 Chinese or 36 Latin characters.
const MERCHANT_NAME_BYTES: usize = 36;

#[derive(Debug, Default)]
pub(super) struct Pattern {
    pub(super) description: String,
    pub(super) mini_program_appid: Option<String>,
}

impl Pattern {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, Refusal> {
        let description = fields.required_text(field::DESCRIPTION, 1_000)?;
        if description.len() > DESCRIPTION_BYTES {
            return Err(fields.fault(&LENGTH, field::DESCRIPTION, "不得超过3000字节"));
        }
        fields.text(field::MERCHANT_LOGO, 128)?;
        if fields.text(field::MERCHANT_NAME, 128)?.is_some_and(|name| name.len() > MERCHANT_NAME_BYTES) {
            return Err(fields.fault(&LENGTH, field::MERCHANT_NAME, "不得超过12个汉字或36个字母"));
        }
        if fields.text(field::BACKGROUND_COLOR, 15)?.is_some_and(|color| !is_color(color)) {
            return Err(fields.fault(&FORMAT, field::BACKGROUND_COLOR, "不是可选的颜色"));
        }
        fields.text(field::COUPON_IMAGE, 128)?;
        let target = fields.text(field::JUMP_TARGET, 32)?;
        if target.is_some_and(|target| !matches!(target, "PAYMENT_CODE" | "MINI_PROGRAM" | "DEFAULT_PAGE")) {
            return Err(fields.fault(&FORMAT, field::JUMP_TARGET, "不是可选的跳转类型"));
        }
        let appid = fields.text(field::MINI_PROGRAM_APPID, 128)?;
        let path = fields.text(field::MINI_PROGRAM_PATH, 1_000)?;
        let jumps = target == Some("MINI_PROGRAM");
        ensure(!jumps || (appid.is_some() && path.is_some()), &MINI_PROGRAM)?;
        Ok(Self {
            description: description.to_owned(),
            mini_program_appid: appid.filter(|_| jumps).map(str::to_owned),
        })
    }
}

fn is_color(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    upper.strip_prefix("COLOR").is_some_and(|number| COLORS.contains(&number))
}
