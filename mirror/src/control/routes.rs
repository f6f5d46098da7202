//! The control calls: the one list that the router, `GET /_mirror` and the OpenAPI document are made from.

use axum::Router;
use axum::routing::{MethodRouter, delete, get, patch, post};

use super::{
    audit, callbacks, card, card_list, clock, coupons, faults, gift_cards, health, index, keys, merchants,
    metrics, openapi, rates, readings, requests, reset, senders, snapshot, stocks, users,
};
use crate::state::App;

/// One call.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// What it does, with an example of its body.
    pub(crate) what: &'static str,
    handler: fn() -> MethodRouter<App>,
}

macro_rules! routes {
    ($($method:literal $path:literal $what:literal => $handler:expr;)*) => {
        pub(crate) static ROUTES: &[Route] = &[$(Route {
            method: $method,
            path: $path,
            what: $what,
            handler: || $handler,
        }),*];
    };
}

routes! {
    "GET" "/_mirror" "this list" => get(index::list);
    "GET" "/_mirror/audit" "recounts everything from the coupons and reports what does not add up"
        => get(audit::report);
    "GET" "/_mirror/callbacks" "notifications and their deliveries, newest first; limit, after"
        => get(callbacks::list);
    "POST" "/_mirror/callbacks" "{\"notify_sends\":true}: coupons given are notified too" => post(callbacks::set);
    "POST" "/_mirror/callbacks/{id}/replay" "delivers a notification once more, by its number or its EV- id"
        => post(callbacks::replay);
    "GET" "/_mirror/card/accounts" "accounts of the card API, and how many tokens each was given"
        => get(card::list_accounts);
    "POST" "/_mirror/card/accounts"
        "sets one up: {\"url\":\"http://127.0.0.1:9000/events\",\"token\":\"t0k\",\"mode\":\"secure\",\"encoding_aes_key\":\"…\",\"review\":\"pass\"|\"fail\"|\"manual\",\"review_seconds\":60,\"custom_code\":true}, each optional"
        => post(card::set_account);
    "POST" "/_mirror/card/tokens/stale" "all tokens of an account are stale: {\"appid\":\"wx1\"}"
        => post(card::stale_tokens);
    "GET" "/_mirror/card/cards" "cards of all accounts with status, stock and counts, newest first; appid, limit"
        => get(card_list::list);
    "GET" "/_mirror/card/cards/{card_id}" "one card with its fields, settings, QR codes and states of its codes"
        => get(card_list::show);
    "POST" "/_mirror/card/cards/{card_id}/review"
        "the review answers now: {}, or {\"refused\":\"why\"}" => post(card::review);
    "GET" "/_mirror/card/cards/{card_id}/codes" "its codes, oldest first" => get(card::list_codes);
    "GET" "/_mirror/card/codes"
        "codes that somebody has or had, newest first; card_id, openid, limit, before the number of a code"
        => get(card_list::codes);
    "POST" "/_mirror/card/sub-merchants/{merchant_id}/review"
        "the review of a sub-merchant answers: {}, or {\"refused\":\"why\"}, and appid where it is not the first"
        => post(card::review_sub_merchant);
    "GET" "/_mirror/card/events" "pushed events and what became of them, newest first; limit"
        => get(card::list_events);
    "POST" "/_mirror/card/events/{id}/replay" "delivers a pushed event once more, by its number"
        => post(card::replay);
    "GET" "/_mirror/card/messages" "cards sent as messages, newest first; limit" => get(card::list_messages);
    "POST" "/_mirror/card/coins/pay" "somebody pays a recharge of card coins: {\"order_id\":\"404000001\",\"openid\":\"o1\"}"
        => post(card::pay_coins);
    "POST" "/_mirror/card/claim"
        "a user takes a card: {\"openid\":\"o1\",\"ticket\":\"gQH…\"}, or {\"openid\":\"o1\",\"card_id\":\"p1\",\"card_ext\":{…}}, or {\"openid\":\"o1\",\"msg_id\":1}"
        => post(card::claim);
    "POST" "/_mirror/card/gift" "a user offers a card to a friend: {\"code\":\"1\"}, and card_id with custom codes"
        => post(card::gift);
    "POST" "/_mirror/card/accept" "the friend takes it: {\"code\":\"1\",\"openid\":\"o2\"}" => post(card::accept);
    "POST" "/_mirror/card/reopen" "a user opens a card that nobody took: {\"code\":\"1\"}" => post(card::reopen);
    "POST" "/_mirror/card/remove" "a user deletes a card: {\"code\":\"1\"}" => post(card::remove);
    "POST" "/_mirror/card/restore" "a user brings a member card back: {\"code\":\"1\"}" => post(card::restore);
    "POST" "/_mirror/card/redeem"
        "staff redeems a code: {\"code\":\"1\",\"source\":\"FROM_MP\"|\"FROM_MOBILE_HELPER\",\"staff_openid\":\"o9\"}"
        => post(card::redeem);
    "POST" "/_mirror/card/view" "a user opens a card: {\"code\":\"1\"}" => post(card::view);
    "POST" "/_mirror/card/enter-session" "a user enters the account's chat from a card: {\"code\":\"1\"}"
        => post(card::enter_session);
    "POST" "/_mirror/card/submit-form"
        "a user fills the form of a member card: {\"code\":\"1\",\"common_field_list\":[{\"name\":\"USER_FORM_INFO_FLAG_MOBILE\",\"value\":\"1\"}]}"
        => post(card::submit_form);
    "POST" "/_mirror/card/pay" "a user pays from a card: {\"code\":\"1\",\"fee\":8500,\"original_fee\":10000}"
        => post(card::pay);
    "POST" "/_mirror/card/gift-cards/buy"
        "a user buys on a gift-card page: {\"page_id\":\"+…=\",\"openid\":\"o1\",\"card_ids\":[\"p1\"],\"theme\":0,\"picture\":0,\"message\":\"…\",\"outer_str\":\"…\",\"for_self\":false}, the first three needed"
        => post(gift_cards::buy);
    "POST" "/_mirror/card/gift-cards/send"
        "the buyer sends an order to a friend, or into a group: {\"order_id\":\"Z2…\",\"chat_room\":true}"
        => post(gift_cards::send);
    "POST" "/_mirror/card/gift-cards/accept"
        "the friend takes it, in a group one card: {\"order_id\":\"Z2…\",\"openid\":\"o2\"}"
        => post(gift_cards::accept);
    "POST" "/_mirror/card/gift-cards/invoice"
        "the buyer asks for an invoice: {\"order_id\":\"Z2…\",\"user_field\":{\"title\":\"…\",\"email\":\"…\"}}, or biz_field"
        => post(gift_cards::invoice);
    "GET" "/_mirror/card/gift-cards/orders" "orders from gift-card pages, newest first; limit"
        => get(gift_cards::orders);
    "GET" "/_mirror/clock" "the test clock" => get(clock::show);
    "POST" "/_mirror/clock"
        "moves it: {\"advance_seconds\":90}, {\"set\":\"2026-01-01T00:00:00+08:00\"}, {\"freeze\":true}, {\"rate\":60}; answers once everything due has happened"
        => post(clock::set);
    "GET" "/_mirror/coupons/{coupon_id}"
        "a coupon with its user and all that was paid with it and refunded" => get(coupons::show);
    "POST" "/_mirror/coupons/{coupon_id}/expire" "ends a coupon's time now" => post(coupons::expire);
    "POST" "/_mirror/coupons/{coupon_id}/recover" "takes it back, as the platform may: its status is RECOVER"
        => post(coupons::recover);
    "POST" "/_mirror/coupons/{coupon_id}/redeem"
        "pays with it: {\"total_amount\":3850,\"consume_mchid\":\"1900000109\",\"transaction_id\":\"T1\",\"goods_detail\":[],\"device_no\":\"POS-7\",\"bank_serial\":\"1\"}, each optional"
        => post(coupons::redeem);
    "POST" "/_mirror/coupons/{coupon_id}/refund"
        "refunds the order, or a part of it: {\"amount\":1000}; with all of it the coupon is free again"
        => post(coupons::refund);
    "GET" "/_mirror/faults" "planned faults and how often each struck" => get(faults::list);
    "POST" "/_mirror/faults"
        "plans a fault, or a list of them: {\"kind\":\"cut\",\"operation\":\"coupon.send\",\"place\":\"after_commit\"}"
        => post(faults::plan);
    "DELETE" "/_mirror/faults" "takes all faults back" => delete(faults::clear);
    "DELETE" "/_mirror/faults/{id}" "takes one fault back" => delete(faults::remove);
    "GET" "/_mirror/healthz" "whether the mirror and its store work" => get(health::check);
    "GET" "/_mirror/keys" "serials now served, public key, phase" => get(keys::show);
    "POST" "/_mirror/keys/public-key"
        "{\"phase\":\"off\"|\"grey\"|\"on\"}; grey is the week of mixed notifications; and \"certificates_void\":true at the end of the move"
        => post(keys::set_phase);
    "POST" "/_mirror/keys/rotate"
        "a new platform certificate that signs from now on; with {\"lead_seconds\":60,\"overlap_seconds\":600} later, and the old ones leave"
        => post(keys::rotate);
    "POST" "/_mirror/keys/schedule"
        "certificates that rotate by the test clock: {\"rotate_every_seconds\":86400,\"lead_seconds\":3600,\"overlap_seconds\":3600}; 0 ends it"
        => post(keys::set_schedule);
    "GET" "/_mirror/merchants" "merchants and their balances, without secrets" => get(merchants::list);
    "POST" "/_mirror/merchants"
        "adds a merchant and answers its keys: {\"mchid\":\"1900000110\",\"balance_fen\":100000}"
        => post(merchants::add);
    "PATCH" "/_mirror/merchants/{mchid}"
        "changes one: {\"top_up_fen\":100000,\"product_permission\":false,\"event_permission\":false,\"appids\":[\"wx1\"],\"certificate\":\"renewed\"|\"expired\"|\"missing\"}, each optional"
        => patch(merchants::change);
    "GET" "/_mirror/metrics" "counters in the text format of Prometheus" => get(metrics::show);
    "GET" "/_mirror/openapi.json" "these calls as OpenAPI 3.1" => get(openapi::show);
    "GET" "/_mirror/rates" "the documented rate limits, and whether they are enforced" => get(rates::show);
    "POST" "/_mirror/rates" "{\"enforced\":true}" => post(rates::set);
    "GET" "/_mirror/readings" "how the mirror reads what is not documented" => get(readings::show);
    "POST" "/_mirror/readings"
        "changes the switches that are given: {\"ended_status\":\"kept\"}" => post(readings::set);
    "GET" "/_mirror/requests" "the last requests, newest first; limit, after, verdict, operation, mchid, q"
        => get(requests::list);
    "GET" "/_mirror/requests/{id}" "one request with headers, bodies and what is wrong with its signature"
        => get(requests::show);
    "POST" "/_mirror/reset"
        "forgets stocks, coupons, users, cards, tokens, faults and the log, and puts back what the seed holds; keys and merchants stay"
        => post(reset::reset);
    "POST" "/_mirror/restore"
        "replaces the whole state by that of a snapshot: {\"file\":\"a.sqlite\"}, a path of the mirror's process"
        => post(snapshot::restore);
    "GET" "/_mirror/rules" "every rule with its provenance, and the readings" => get(index::rules);
    "POST" "/_mirror/snapshot"
        "writes the whole state into a file: {\"file\":\"a.sqlite\",\"overwrite\":false}, a path of the mirror's process"
        => post(snapshot::take);
    "GET" "/_mirror/stocks" "stocks with rules and budgets, newest first; limit" => get(stocks::list);
    "GET" "/_mirror/stocks/{stock_id}" "one stock" => get(stocks::show);
    "GET" "/_mirror/stocks/{stock_id}/coupons" "its coupons, oldest first; limit, after a coupon id"
        => get(stocks::list_coupons);
    "POST" "/_mirror/stocks/{stock_id}/review"
        "puts one that was never started under the platform's review: {\"under_review\":true}, and false ends it"
        => post(stocks::set_review);
    "POST" "/_mirror/stocks/{stock_id}/start" "starts it as its creator" => post(stocks::start);
    "POST" "/_mirror/stocks/{stock_id}/pause" "pauses it as its creator" => post(stocks::pause);
    "POST" "/_mirror/stocks/{stock_id}/restart" "restarts it as its creator" => post(stocks::restart);
    "POST" "/_mirror/stocks/{stock_id}/stop" "stops it as its creator" => post(stocks::stop);
    "POST" "/_mirror/stocks/{stock_id}/fill"
        "gives coupons to as many new users and redeems them, in one transaction: {\"rows\":100000}"
        => post(coupons::fill);
    "POST" "/_mirror/stocks/{stock_id}/senders"
        "allows another merchant to send a stock: {\"mchid\":\"1900000110\"}" => post(senders::add);
    "GET" "/_mirror/users" "users by openid; limit, after" => get(users::list);
    "POST" "/_mirror/users"
        "{\"openid\":\"o1\",\"abnormal\":true,\"risky\":true,\"person\":\"p1\",\"appid\":\"wx1\"}, each optional but the openid"
        => post(users::save);
}

/// All of them.
pub(crate) fn router() -> Router<App> {
    ROUTES.iter().fold(Router::new(), |router, route| router.route(route.path, (route.handler)()))
}
