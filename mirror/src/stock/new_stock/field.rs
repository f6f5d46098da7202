//! The fields of a create request and their Chinese names.

use crate::rules::parameter::Field;

pub(super) const STOCK_NAME: Field = Field::new("stock_name", "批次名称");
pub(super) const COMMENT: Field = Field::new("comment", "批次备注");
pub(super) const BELONG_MERCHANT: Field = Field::new("belong_merchant", "归属商户号");
pub(super) const BEGIN_TIME: Field = Field::new("available_begin_time", "可用开始时间");
pub(super) const END_TIME: Field = Field::new("available_end_time", "可用结束时间");
pub(super) const STOCK_USE_RULE: Field = Field::new("stock_use_rule", "发放规则");
pub(super) const PATTERN_INFO: Field = Field::new("pattern_info", "样式设置");
pub(super) const COUPON_USE_RULE: Field = Field::new("coupon_use_rule", "核销规则");
pub(super) const NO_CASH: Field = Field::new("no_cash", "营销经费");
pub(super) const STOCK_TYPE: Field = Field::new("stock_type", "批次类型");
pub(super) const OUT_REQUEST_NO: Field = Field::new("out_request_no", "商户单据号");
pub(super) const EXT_INFO: Field = Field::new("ext_info", "扩展属性");

pub(super) const MAX_COUPONS: Field = Field::new("max_coupons", "发放总上限");
pub(super) const MAX_AMOUNT: Field = Field::new("max_amount", "总预算");
pub(super) const MAX_AMOUNT_BY_DAY: Field = Field::new("max_amount_by_day", "单天预算发放上限");
pub(super) const MAX_COUPONS_PER_USER: Field = Field::new("max_coupons_per_user", "单个用户可领个数");
pub(super) const NATURAL_PERSON_LIMIT: Field = Field::new("natural_person_limit", "是否开启自然人限制");
pub(super) const PREVENT_API_ABUSE: Field = Field::new("prevent_api_abuse", "是否开启防刷拦截");

pub(super) const DESCRIPTION: Field = Field::new("description", "使用说明");
pub(super) const MERCHANT_LOGO: Field = Field::new("merchant_logo", "商户logo");
pub(super) const MERCHANT_NAME: Field = Field::new("merchant_name", "品牌名称");
pub(super) const BACKGROUND_COLOR: Field = Field::new("background_color", "背景颜色");
pub(super) const COUPON_IMAGE: Field = Field::new("coupon_image", "券详情图片");
pub(super) const JUMP_TARGET: Field = Field::new("jump_target", "用户点击跳转类型");
pub(super) const MINI_PROGRAM_APPID: Field = Field::new("mini_program_appid", "小程序appid");
pub(super) const MINI_PROGRAM_PATH: Field = Field::new("mini_program_path", "小程序path");

pub(super) const COUPON_AVAILABLE_TIME: Field = Field::new("coupon_available_time", "券生效时间");
pub(super) const FIX_AVAILABLE_TIME: Field = Field::new("fix_available_time", "固定时间段可用");
pub(super) const AVAILABLE_WEEK_DAY: Field = Field::new("available_week_day", "可用星期");
pub(super) const DAY_BEGIN: Field = Field::new("begin_time", "当天开始时间");
pub(super) const DAY_END: Field = Field::new("end_time", "当天结束时间");
pub(super) const SECOND_DAY_AVAILABLE: Field = Field::new("second_day_available", "领取后次日生效");
pub(super) const AFTER_RECEIVE: Field = Field::new("available_time_after_receive", "领取后有效时间");
pub(super) const FIXED_NORMAL_COUPON: Field = Field::new("fixed_normal_coupon", "固定面额满减券使用规则");
pub(super) const COUPON_AMOUNT: Field = Field::new("coupon_amount", "面额");
pub(super) const TRANSACTION_MINIMUM: Field = Field::new("transaction_minimum", "使用券金额门槛");
pub(super) const GOODS_TAG: Field = Field::new("goods_tag", "订单优惠标记");
pub(super) const LIMIT_PAY: Field = Field::new("limit_pay", "指定付款方式");
pub(super) const LIMIT_CARD: Field = Field::new("limit_card", "指定银行卡BIN");
pub(super) const CARD_NAME: Field = Field::new("name", "银行卡名称");
pub(super) const CARD_BIN: Field = Field::new("bin", "指定卡BIN");
pub(super) const TRADE_TYPE: Field = Field::new("trade_type", "支付方式");
pub(super) const COMBINE_USE: Field = Field::new("combine_use", "是否可叠加其他优惠");
pub(super) const AVAILABLE_ITEMS: Field = Field::new("available_items", "可核销商品编码");
pub(super) const UNAVAILABLE_ITEMS: Field = Field::new("unavailable_items", "不参与优惠商品编码");
pub(super) const AVAILABLE_MERCHANTS: Field = Field::new("available_merchants", "可用商户号");
