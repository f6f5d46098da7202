//! The endpoints of stocks: what they are called, where they are, how often they may be called (spec §3.0).

use favor_core::{Operation, Rate, Verb};

pub(crate) static CREATE: Operation =
    Operation::new("stock.create", Verb::Post, "/v3/marketing/favor/coupon-stocks")
        .limited_to(Rate::per_minute(60));
pub(crate) static START: Operation =
    Operation::new("stock.start", Verb::Post, "/v3/marketing/favor/stocks/{stock_id}/start")
        .limited_to(Rate::per_minute(60));
pub(crate) static PAUSE: Operation =
    Operation::new("stock.pause", Verb::Post, "/v3/marketing/favor/stocks/{stock_id}/pause")
        .limited_to(Rate::per_minute(60));
pub(crate) static RESTART: Operation =
    Operation::new("stock.restart", Verb::Post, "/v3/marketing/favor/stocks/{stock_id}/restart")
        .limited_to(Rate::per_minute(1000));
pub(crate) static STOP: Operation =
    Operation::new("stock.stop", Verb::Post, "/v3/marketing/favor/stocks/{stock_id}/stop");
pub(crate) static LIST: Operation =
    Operation::new("stock.list", Verb::Get, "/v3/marketing/favor/stocks").limited_to(Rate::per_second(1000));
pub(crate) static GET: Operation =
    Operation::new("stock.get", Verb::Get, "/v3/marketing/favor/stocks/{stock_id}")
        .limited_to(Rate::per_second(500));
pub(crate) static MERCHANTS: Operation =
    Operation::new("stock.merchants", Verb::Get, "/v3/marketing/favor/stocks/{stock_id}/merchants")
        .limited_to(Rate::per_minute(1000));
pub(crate) static ITEMS: Operation =
    Operation::new("stock.items", Verb::Get, "/v3/marketing/favor/stocks/{stock_id}/items")
        .limited_to(Rate::per_minute(600));
pub(crate) static MODIFY_ITEMS: Operation =
    Operation::new("stock.modify_items", Verb::Post, "/v3/marketing/favor/stocks/{stock_id}/modify-goods-id");

// Unproven: these paths come from an unmerged draft of an official SDK (spec §3.19).
pub(crate) static MODIFY_MERCHANTS: Operation = Operation::new(
    "stock.modify_merchants",
    Verb::Post,
    "/v3/marketing/favor/stocks/{stock_id}/modify-merchants",
)
.limited_to(Rate::per_minute(1000));
pub(crate) static MODIFY_BUDGET: Operation = Operation::new(
    "stock.modify_budget",
    Verb::Post,
    "/v3/marketing/favor/stocks/{stock_id}/max-amount-modify",
)
.limited_to(Rate::per_minute(1000));
pub(crate) static MODIFY_DAILY_BUDGET: Operation =
    Operation::new("stock.modify_daily_budget", Verb::Patch, "/v3/marketing/favor/stocks/{stock_id}")
        .limited_to(Rate::per_minute(1000));

// The official notes on the flow links contradict each other about their signature (spec §2.9.1).
pub(crate) static USE_FLOW: Operation =
    Operation::new("stock.use_flow", Verb::Get, "/v3/marketing/favor/stocks/{stock_id}/use-flow")
        .limited_to(Rate::per_minute(5))
        .reply_may_be_unsigned();
pub(crate) static REFUND_FLOW: Operation =
    Operation::new("stock.refund_flow", Verb::Get, "/v3/marketing/favor/stocks/{stock_id}/refund-flow")
        .limited_to(Rate::per_minute(5))
        .reply_may_be_unsigned();
pub(crate) static USE_FLOW_BY_DAY: Operation = Operation::new(
    "stock.use_flow_by_day",
    Verb::Get,
    "/v3/marketing/favor/stocks/{stock_id}/use-flow-by-day",
)
.reply_may_be_unsigned();
pub(crate) static REFUND_FLOW_BY_DAY: Operation = Operation::new(
    "stock.refund_flow_by_day",
    Verb::Get,
    "/v3/marketing/favor/stocks/{stock_id}/refund-flow-by-day",
)
.reply_may_be_unsigned();
pub(crate) static FLOW_FILE: Operation =
    Operation::new("stock.flow_file", Verb::Get, "/v3/billdownload/file").reply_may_be_unsigned();

pub(crate) static UPLOAD_IMAGE: Operation =
    Operation::new("image.upload", Verb::Post, "/v3/marketing/favor/media/image-upload");
