//! The documented limits of a new stock, checked before it is sent (spec §3.1, §5.2).

use favor_core::{Checks, Fen, InvalidRequest, MerchantId, Timestamp, time};

use crate::create::CreateStock;
use crate::limits;
use crate::pattern::{JumpTarget, PatternInfo};
use crate::rules::{AvailableTime, CouponRule, LimitCard, StockRule, StockType};

impl CreateStock {
    /// Checks every documented limit, as [`Stocks::create`](crate::Stocks::create) does before sending.
    ///
    /// # Errors
    /// [`InvalidRequest`] with every field that breaks a rule.
    pub fn check(&self, now: Timestamp) -> Result<(), InvalidRequest> {
        let mut checks = Checks::new();
        checks.text("stock_name", &self.stock_name, limits::NAME);
        let forbidden = self.stock_name.contains(limits::NOT_IN_NAME);
        checks.require(!forbidden, "stock_name", "must not hold any of _ , ; |");
        if let Some(comment) = &self.comment {
            checks.text("comment", comment, limits::COMMENT);
        }
        merchant(&mut checks, "belong_merchant", &self.belong_merchant);
        self.check_window(&mut checks, now);
        let face = self.coupon_use_rule.fixed_normal_coupon.as_ref().map(|coupon| coupon.coupon_amount);
        self.stock_use_rule.check(&mut checks, face);
        if let Some(pattern) = &self.pattern_info {
            pattern.check(&mut checks);
        }
        self.coupon_use_rule.check(&mut checks);
        let open = self.stock_type == StockType::Normal;
        checks.require(open, "stock_type", "must be NORMAL: the other types are not open");
        if let Some(ext_info) = &self.ext_info {
            checks.text("ext_info", ext_info, limits::EXT_INFO);
        }
        checks.finish()
    }

    fn check_window(&self, checks: &mut Checks, now: Timestamp) {
        let (begin, end) = (self.available_begin_time, self.available_end_time);
        checks.require(
            begin >= now - limits::CLOCK_SLACK,
            "available_begin_time",
            format!("must not be before now ({})", time::to_wire(&now)),
        );
        checks.require(
            begin <= now + limits::BEGINS_WITHIN,
            "available_begin_time",
            "must not be more than 365 days ahead",
        );
        checks.require(end > begin, "available_end_time", "must be after available_begin_time");
        checks.require(
            end - begin <= limits::LONGEST_WINDOW,
            "available_end_time",
            "must be at most 90 days after available_begin_time",
        );
    }
}

impl StockRule {
    fn check(&self, checks: &mut Checks, face: Option<Fen>) {
        let max_amount = "stock_use_rule.max_amount";
        checks.range("stock_use_rule.max_coupons", self.max_coupons, limits::MAX_COUPONS);
        checks.range(max_amount, self.max_amount.get(), limits::MAX_AMOUNT_FEN);
        if let Some(face) = face {
            let product = face.checked_mul(self.max_coupons).ok();
            checks.require(
                product == Some(self.max_amount),
                max_amount,
                match product {
                    Some(product) => {
                        format!("must be max_coupons times the face value: {} fen", product.get())
                    }
                    None => "must be max_coupons times the face value, which is too large".to_owned(),
                },
            );
        }
        let by_day = self.max_amount_by_day.unwrap_or_default();
        checks.require(
            by_day <= self.max_amount,
            "stock_use_rule.max_amount_by_day",
            "must be at most max_amount",
        );
        let per_user = "stock_use_rule.max_coupons_per_user";
        checks.range(per_user, self.max_coupons_per_user, limits::PER_USER);
        checks.require(
            u64::from(self.max_coupons_per_user) <= self.max_coupons,
            per_user,
            "must be at most max_coupons",
        );
    }
}

impl PatternInfo {
    fn check(&self, checks: &mut Checks) {
        checks.text("pattern_info.description", &self.description, limits::DESCRIPTION);
        let texts = [
            ("pattern_info.merchant_logo", &self.merchant_logo, limits::IMAGE_URL),
            ("pattern_info.merchant_name", &self.merchant_name, limits::MERCHANT_NAME),
            ("pattern_info.coupon_image", &self.coupon_image, limits::IMAGE_URL),
        ];
        for (field, text, range) in texts {
            if let Some(text) = text {
                checks.text(field, text, range);
            }
        }
        if self.jump_target == Some(JumpTarget::MiniProgram) {
            let rule = "is needed when jump_target is MINI_PROGRAM";
            checks.require(self.mini_program_appid.is_some(), "pattern_info.mini_program_appid", rule);
            let path = self.mini_program_path.as_deref().unwrap_or_default();
            checks.require(!path.is_empty(), "pattern_info.mini_program_path", rule);
        }
    }
}

impl CouponRule {
    fn check(&self, checks: &mut Checks) {
        if let Some(time) = &self.coupon_available_time {
            time.check(checks);
        }
        let coupon_field = "coupon_use_rule.fixed_normal_coupon";
        match &self.fixed_normal_coupon {
            None => checks.require(false, coupon_field, "is needed for the type NORMAL"),
            Some(coupon) => {
                let amount = coupon.coupon_amount.get();
                checks.range(&format!("{coupon_field}.coupon_amount"), amount, limits::FACE_VALUE_FEN);
                checks.require(
                    coupon.transaction_minimum > coupon.coupon_amount,
                    &format!("{coupon_field}.transaction_minimum"),
                    "must be greater than coupon_amount",
                );
            }
        }
        checks.list("coupon_use_rule.goods_tag", &self.goods_tag, limits::LIST);
        for (at, tag) in self.goods_tag.iter().enumerate() {
            let field = format!("coupon_use_rule.goods_tag[{at}]");
            checks.text(&field, tag, limits::ENTRY);
            let plain = tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            checks.require(plain, &field, "must hold only letters, digits and _");
        }
        checks.list("coupon_use_rule.limit_pay", &self.limit_pay, 0..=1);
        if let Some(card) = &self.limit_card {
            checks.require(
                !self.limit_pay.is_empty(),
                "coupon_use_rule.limit_card",
                "is allowed only with a bank in limit_pay",
            );
            card.check(checks);
        }
        for (name, items) in
            [("available_items", &self.available_items), ("unavailable_items", &self.unavailable_items)]
        {
            let field = format!("coupon_use_rule.{name}");
            checks.list(&field, items, limits::LIST);
            for (at, item) in items.iter().enumerate() {
                checks.text(&format!("{field}[{at}]"), item, limits::ENTRY);
            }
        }
        checks.list("coupon_use_rule.available_merchants", &self.available_merchants, limits::MERCHANTS);
        for (at, id) in self.available_merchants.iter().enumerate() {
            merchant(checks, &format!("coupon_use_rule.available_merchants[{at}]"), id);
        }
    }
}

impl LimitCard {
    fn check(&self, checks: &mut Checks) {
        checks.text("coupon_use_rule.limit_card.name", &self.name, limits::CARD_NAME);
        checks.list("coupon_use_rule.limit_card.bin", &self.bin, limits::CARD_BINS);
        for (at, bin) in self.bin.iter().enumerate() {
            let digits =
                limits::CARD_BIN_DIGITS.contains(&bin.len()) && bin.bytes().all(|b| b.is_ascii_digit());
            checks.require(
                digits,
                &format!("coupon_use_rule.limit_card.bin[{at}]"),
                "must have 6 to 9 digits",
            );
        }
    }
}

impl AvailableTime {
    fn check(&self, checks: &mut Checks) {
        let field = "coupon_use_rule.coupon_available_time";
        let both = self.second_day_available == Some(true) && self.fix_available_time.is_some();
        checks.require(
            !both,
            &format!("{field}.second_day_available"),
            "is not allowed together with fix_available_time",
        );
        let Some(fixed) = &self.fix_available_time else {
            return;
        };
        let field = format!("{field}.fix_available_time");
        for (at, day) in fixed.available_week_day.iter().enumerate() {
            checks.range(&format!("{field}.available_week_day[{at}]"), *day, limits::WEEK_DAY);
        }
        checks.range(&format!("{field}.begin_time"), fixed.begin_time, limits::DAY_BEGIN);
        if let Some(end) = fixed.end_time {
            checks.range(&format!("{field}.end_time"), end, limits::DAY_END);
        }
    }
}

fn merchant(checks: &mut Checks, field: &str, id: &MerchantId) {
    checks.require(id.as_str().len() <= limits::MERCHANT_ID_BYTES, field, "must have at most 20 digits");
}
