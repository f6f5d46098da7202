//! Every route on one page.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get, post};

use crate::exchange::exchange;
use crate::fallback::not_found;
use crate::image::MEDIA;
use crate::operation::{
    CALLBACK_GET, CERTIFICATES, COUPON_GET, COUPON_SEND, FLOW_FILE, FLOW_FILE_BY_DAY, IMAGE_UPLOAD,
    MODIFY_BUDGET, MODIFY_ITEMS, MODIFY_MERCHANTS, REFUND_FLOW, REFUND_FLOW_BY_DAY, STOCK_CREATE, STOCK_GET,
    STOCK_ITEMS, STOCK_LIST, STOCK_MERCHANTS, STOCK_PAUSE, STOCK_RESTART, STOCK_START, STOCK_STOP, USE_FLOW,
    USE_FLOW_BY_DAY,
};
use crate::state::App;
use crate::{callback, card, certificates, control, coupon, flow, image, stock};

pub(crate) fn app(state: App) -> Router {
    let api = Router::new()
        .route(CERTIFICATES.template, get(certificates::list))
        .route(STOCK_CREATE.template, post(stock::create))
        .route(STOCK_START.template, post(stock::start))
        .route(STOCK_PAUSE.template, post(stock::lifecycle::pause))
        .route(STOCK_RESTART.template, post(stock::lifecycle::restart))
        .route(STOCK_STOP.template, post(stock::lifecycle::stop))
        .route(STOCK_LIST.template, get(stock::list::list))
        // The daily budget is changed at the stock's own address.
        .route(STOCK_GET.template, get(stock::get).patch(stock::modify::daily_budget))
        .route(STOCK_MERCHANTS.template, get(stock::members::merchants))
        .route(STOCK_ITEMS.template, get(stock::members::items))
        .route(MODIFY_ITEMS.template, post(stock::modify::items))
        .route(MODIFY_MERCHANTS.template, post(stock::modify::merchants))
        .route(MODIFY_BUDGET.template, post(stock::modify::budget))
        .route(COUPON_SEND.template, post(coupon::send).get(coupon::list::list))
        .route(COUPON_GET.template, get(coupon::get))
        .route(CALLBACK_GET.template, get(callback::get).post(callback::set))
        .route(IMAGE_UPLOAD.template, post(image::upload))
        .route(USE_FLOW.template, get(flow::uses))
        .route(REFUND_FLOW.template, get(flow::refunds))
        .route(USE_FLOW_BY_DAY.template, get(flow::uses_by_day))
        .route(REFUND_FLOW_BY_DAY.template, get(flow::refunds_by_day))
        .route(FLOW_FILE.template, get(flow::download))
        .route(FLOW_FILE_BY_DAY.template, get(flow::download_by_day))
        .fallback(not_found)
        .method_not_allowed_fallback(not_found)
        .layer(from_fn_with_state(state.clone(), exchange));

    let control = control::routes::router()
        .route("/_mirror/", get(control::console::page))
        .route("/_mirror/console/{file}", get(control::console::file))
        .route("/_mirror/{*rest}", get(control::index::unknown).post(control::index::unknown))
        .method_not_allowed_fallback(control::index::unknown)
        .layer(from_fn_with_state(state.clone(), control::body::in_time))
        .layer(from_fn(control::failure::always_json))
        .layer(from_fn_with_state(state.clone(), control::guard::local_only));

    let card = ["/card/{*rest}", "/cgi-bin/{*rest}", "/datacube/{*rest}"]
        .into_iter()
        .fold(Router::new(), |router, path| router.route(path, any(card::serve::serve)));

    let media = Router::new().route(MEDIA, get(image::show));

    // The API takes all other paths, so its fallback is the fallback of the whole.
    api.merge(control).merge(card).merge(media).with_state(state)
}
