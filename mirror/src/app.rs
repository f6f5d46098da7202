//! Every route on one page.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post};

use crate::exchange::exchange;
use crate::fallback::not_found;
use crate::operation::{CERTIFICATES, COUPON_GET, COUPON_SEND, STOCK_CREATE, STOCK_GET, STOCK_START};
use crate::state::App;
use crate::{certificates, control, coupon, stock};

pub(crate) fn app(state: App) -> Router {
    let api = Router::new()
        .route(CERTIFICATES.template, get(certificates::list))
        .route(STOCK_CREATE.template, post(stock::create))
        .route(STOCK_START.template, post(stock::start))
        .route(STOCK_GET.template, get(stock::get))
        .route(COUPON_SEND.template, post(coupon::send))
        .route(COUPON_GET.template, get(coupon::get))
        .fallback(not_found)
        .method_not_allowed_fallback(not_found)
        .layer(from_fn_with_state(state.clone(), exchange));

    let control = Router::new()
        .route("/_mirror", get(control::index::list))
        .route("/_mirror/", get(control::index::list))
        .route("/_mirror/audit", get(control::audit::report))
        .route("/_mirror/clock", get(control::clock::show).post(control::clock::set))
        .route(
            "/_mirror/faults",
            get(control::faults::list).post(control::faults::plan).delete(control::faults::clear),
        )
        .route("/_mirror/faults/{id}", delete(control::faults::remove))
        .route("/_mirror/healthz", get(control::health::check))
        .route("/_mirror/keys", get(control::keys::show))
        .route("/_mirror/keys/public-key", post(control::keys::set_phase))
        .route("/_mirror/keys/rotate", post(control::keys::rotate))
        .route("/_mirror/merchants", get(control::merchants::list).post(control::merchants::add))
        .route("/_mirror/requests", get(control::requests::list))
        .route("/_mirror/reset", post(control::reset::reset))
        .route("/_mirror/rules", get(control::index::rules))
        .route("/_mirror/stocks/{stock_id}/senders", post(control::senders::add))
        .route("/_mirror/users", post(control::users::save))
        .route("/_mirror/{*rest}", get(control::index::unknown).post(control::index::unknown))
        .method_not_allowed_fallback(control::index::unknown)
        .layer(from_fn(control::failure::always_json))
        .layer(from_fn_with_state(state.clone(), control::guard::local_only));

    // The API takes all other paths, so its fallback is the fallback of the whole.
    api.merge(control).with_state(state)
}
