//! The coverage table: everything named in it compiles, and the page says the same.

use favor::{callback, core, coupon, stock};

/// A function: referred to, so that it must exist.
macro_rules! functions {
    ($($name:literal => $($path:ident)::+),+ $(,)?) => {{
        $( let _ = $($path)::+; )+
        vec![$( ($name, spelled(stringify!($($path)::+))) ),+]
    }};
}

/// A type: named, so that it must exist.
macro_rules! types {
    ($($name:literal => $type:ty),+ $(,)?) => {{
        $( let _ = std::any::type_name::<$type>(); )+
        vec![$( ($name, spelled(stringify!($type))) ),+]
    }};
}

/// `favor::` before each path, as on the page.
fn spelled(path: &str) -> String {
    let path = path.replace(' ', "");
    let inner = ["core", "coupon", "stock"]
        .iter()
        .fold(path, |path, krate| path.replace(&format!("<{krate}::"), &format!("<favor::{krate}::")));
    format!("favor::{inner}")
}

fn row(cells: &[&str]) -> String {
    format!("| {} |", cells.join(" | "))
}

fn quoted(text: &str) -> String {
    format!("`{text}`")
}

#[test]
fn the_page_names_everything_and_everything_is_there() {
    let functions = functions! {
        "CallBackUrlApiService.QueryCallback" => callback::CallbackAddress::get,
        "CallBackUrlApiService.SetCallback" => callback::CallbackAddress::set,
        "CouponApiService.ListCouponsByFilter" => coupon::Coupons::list,
        "CouponApiService.QueryCoupon" => coupon::Coupons::get,
        "CouponApiService.SendCoupon" => coupon::Coupons::send,
        "StockApiService.CreateCouponStock" => stock::Stocks::create,
        "StockApiService.ListAvailableMerchants" => stock::Stocks::merchants,
        "StockApiService.ListAvailableSingleitems" => stock::Stocks::items,
        "StockApiService.ListStocks" => stock::Stocks::list,
        "StockApiService.PauseStock" => stock::Stocks::pause,
        "StockApiService.QueryStock" => stock::Stocks::get,
        "StockApiService.RefundFlow" => stock::Stocks::refund_flow,
        "StockApiService.RestartStock" => stock::Stocks::restart,
        "StockApiService.StartStock" => stock::Stocks::start,
        "StockApiService.StopStock" => stock::Stocks::stop,
        "StockApiService.UseFlow" => stock::Stocks::use_flow,
    };
    let types = types! {
        "AvailableMerchantCollection" => core::Page<core::MerchantId>,
        "AvailableSingleitemCollection" => core::Page<String>,
        "BackgroundColor" => stock::BackgroundColor,
        "CallBackUrlApiService" => callback::CallbackAddress,
        "Callback" => callback::Callback,
        "CardLimitation" => stock::LimitCard,
        "Coupon" => coupon::Coupon,
        "CouponApiService" => coupon::Coupons,
        "CouponCollection" => core::Page<coupon::Coupon>,
        "CouponRule" => stock::CouponRule,
        "CreateCouponStockRequest" => stock::CreateStock,
        "CreateCouponStockResponse" => stock::CreatedStock,
        "CutTypeMsg" => core::CutToMessage,
        "DeductBalanceMethod" => stock::DeductBalanceMethod,
        "FavorAvailableTime" => stock::AvailableTime,
        "FixedAvailableTime" => stock::FixedAvailableTime,
        "FixedValueStockMsg" => core::FixedNormalCoupon,
        "FormFile" => stock::Image,
        "ImageMeta" => stock::ImageMeta,
        "JumpTarget" => stock::JumpTarget,
        "ListAvailableMerchantsRequest" => core::StockId,
        "ListAvailableSingleitemsRequest" => core::StockId,
        "ListCouponsByFilterRequest" => coupon::ListCoupons,
        "ListStocksRequest" => stock::ListStocks,
        "MediaImageRequest" => stock::Image,
        "MediaImageResponse" => stock::UploadedImage,
        "ModifyAvailableMerchantRequest" => stock::ModifyMerchants,
        "ModifyAvailableMerchantResponse" => stock::ModifiedMerchants,
        "ModifyAvailableSingleitemRequest" => stock::ModifyItems,
        "ModifyAvailableSingleitemResponse" => stock::ModifiedItems,
        "ModifyStockBudgetRequest" => stock::ModifyBudget,
        "ModifyStockBudgetResponse" => stock::ModifiedBudget,
        "PatternInfo" => stock::PatternInfo,
        "PauseStockBody" => core::StockId,
        "PauseStockRequest" => core::StockId,
        "PauseStockResponse" => stock::PausedStock,
        "PlatformFavorStockStatus" => stock::PlatformStockStatus,
        "QueryCallbackRequest" => callback::CallbackAddress,
        "QueryCouponRequest" => core::CouponId,
        "QueryStockRequest" => core::StockId,
        "RefundFlowRequest" => stock::Flow,
        "RefundFlowResponse" => stock::FlowLink,
        "RestartStockBody" => core::StockId,
        "RestartStockRequest" => core::StockId,
        "RestartStockResponse" => stock::RestartedStock,
        "SendCouponBody" => coupon::SendCoupon,
        "SendCouponRequest" => coupon::SendCoupon,
        "SendCouponResponse" => coupon::SentCoupon,
        "SetCallbackRequest" => callback::NotifyUrl,
        "SetCallbackResponse" => callback::UpdatedCallback,
        "StartStockBody" => core::StockId,
        "StartStockRequest" => core::StockId,
        "StartStockResponse" => stock::StartedStock,
        "Stock" => stock::Stock,
        "StockApiService" => stock::Stocks,
        "StockCollection" => core::Page<stock::Stock>,
        "StockRule" => stock::StockRule,
        "StockUseRule" => stock::StockUseRule,
        "StopStockBody" => core::StockId,
        "StopStockRequest" => core::StockId,
        "StopStockResponse" => stock::StoppedStock,
        "TradeType" => core::TradeType,
        "UseFlowRequest" => stock::Flow,
        "UseFlowResponse" => stock::FlowLink,
    };
    let endpoints = functions! {
        "3.1 POST /coupon-stocks" => stock::Stocks::create,
        "3.2 POST /stocks/{stock_id}/start" => stock::Stocks::start,
        "3.3 POST /stocks/{stock_id}/pause" => stock::Stocks::pause,
        "3.4 POST /stocks/{stock_id}/restart" => stock::Stocks::restart,
        "3.5 POST /stocks/{stock_id}/stop" => stock::Stocks::stop,
        "3.6 GET /stocks" => stock::Stocks::list,
        "3.7 GET /stocks/{stock_id}" => stock::Stocks::get,
        "3.8 GET /stocks/{stock_id}/merchants" => stock::Stocks::merchants,
        "3.9 GET /stocks/{stock_id}/items" => stock::Stocks::items,
        "3.10 POST /stocks/{stock_id}/modify-goods-id" => stock::Stocks::modify_items,
        "3.11 POST /users/{openid}/coupons" => coupon::Coupons::send,
        "3.12 GET /users/{openid}/coupons/{coupon_id}" => coupon::Coupons::get,
        "3.13 GET /users/{openid}/coupons" => coupon::Coupons::list,
        "3.14 GET /callbacks" => callback::CallbackAddress::get,
        "3.15 POST /callbacks" => callback::CallbackAddress::set,
        "3.16 GET /stocks/{stock_id}/use-flow" => stock::Stocks::use_flow,
        "3.17 GET /stocks/{stock_id}/refund-flow" => stock::Stocks::refund_flow,
        "3.18 POST /media/image-upload" => stock::Images::upload,
        "3.19 POST /stocks/{stock_id}/modify-merchants" => stock::Stocks::modify_merchants,
        "3.19 POST /stocks/{stock_id}/max-amount-modify" => stock::Stocks::modify_budget,
        "3.19 PATCH /stocks/{stock_id}" => stock::Stocks::modify_daily_budget,
        "3.20 GET /stocks/{stock_id}/use-flow-by-day" => stock::Stocks::use_flow_by_day,
        "3.21 GET /stocks/{stock_id}/refund-flow-by-day" => stock::Stocks::refund_flow_by_day,
        "3.22 GET /v3/billdownload/file" => core::Client::open,
        "2.12 GET /v3/certificates" => core::PlatformKeys::download,
    };
    let of_go = functions.iter().chain(&types).map(|(name, item)| row(&[&quoted(name), &quoted(item)]));
    let of_reference = endpoints.iter().map(|(name, item)| {
        let (section, endpoint) = name.split_once(' ').unwrap();
        row(&[section, &quoted(endpoint), &quoted(item)])
    });
    let compiled: Vec<String> = of_go.chain(of_reference).collect();
    let page = include_str!("../../docs/coverage.md");
    let stated: Vec<&str> =
        page.lines().filter(|line| line.starts_with("| ") && line.contains('`')).collect();
    assert_eq!(stated, compiled);
    assert_eq!((functions.len(), types.len(), endpoints.len()), (16, 64, 25), "as many as the sources have");
}
