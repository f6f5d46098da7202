//! The calls: name, method, path, and what they do.

use http::Method;

use super::ask::{Ask, Told};
use super::{
    cells, codes, coins, colors, create, distribution, general_cards, gift_cards, invoices, marks, members,
    messages, pay_rules, special_tickets, statistics, sub_merchants, templates, update,
};

/// How a call goes about its work.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// Tokens are made here, not needed.
    Token,
    StableToken,
    /// The query says what is wanted.
    Ticket,
    /// A picture as a form.
    Upload,
    /// The picture for a ticket, for everybody.
    Picture,
    /// Only looks.
    Read(fn(&Ask<'_>) -> Told),
    Write(fn(&Ask<'_>) -> Told),
    /// `action` in the query says what is wanted.
    Action(fn(&Ask<'_>, Option<&str>) -> Told),
}

/// One call.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// The name in the request log and in fault rules.
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) way: Way,
}

macro_rules! endpoints {
    ($($name:literal $method:ident $path:literal => $way:expr;)*) => {
        pub(crate) static ENDPOINTS: &[Endpoint] = &[$(Endpoint {
            name: $name,
            method: Method::$method,
            path: $path,
            way: $way,
        }),*];
    };
}

endpoints! {
    "card.token" GET "/cgi-bin/token" => Way::Token;
    "card.stable_token" POST "/cgi-bin/stable_token" => Way::StableToken;
    "card.ticket" GET "/cgi-bin/ticket/getticket" => Way::Ticket;
    "card.upload_image" POST "/cgi-bin/media/uploadimg" => Way::Upload;
    "card.upload_media" POST "/cgi-bin/media/upload" => Way::Upload;
    "card.qr_picture" GET "/cgi-bin/showqrcode" => Way::Picture;
    "card.create" POST "/card/create" => Way::Write(create::create);
    "card.get" POST "/card/get" => Way::Read(templates::get);
    "card.list" POST "/card/batchget" => Way::Read(templates::list);
    "card.update" POST "/card/update" => Way::Write(update::update);
    "card.modify_stock" POST "/card/modifystock" => Way::Write(templates::modify_stock);
    "card.delete" POST "/card/delete" => Way::Write(templates::delete);
    "card.set_pay_cell" POST "/card/paycell/set" => Way::Write(cells::pay);
    "card.set_self_consume_cell" POST "/card/selfconsumecell/set" => Way::Write(cells::self_consume);
    "card.colors" GET "/card/getcolors" => Way::Read(colors::list);
    "card.create_qrcode" POST "/card/qrcode/create" => Way::Write(distribution::qrcode);
    "card.create_landing_page" POST "/card/landingpage/create" => Way::Write(distribution::landing_page);
    "card.news_html" POST "/card/mpnews/gethtml" => Way::Read(distribution::news_html);
    "card.set_test_whitelist" POST "/card/testwhitelist/set" => Way::Write(distribution::testers);
    "card.code_deposit" POST "/card/code/deposit" => Way::Write(codes::deposit);
    "card.code_deposit_count" POST "/card/code/getdepositcount" => Way::Read(codes::deposit_count);
    "card.code_check" POST "/card/code/checkcode" => Way::Read(codes::check);
    "card.code_get" POST "/card/code/get" => Way::Read(codes::get);
    "card.code_consume" POST "/card/code/consume" => Way::Write(codes::consume);
    "card.code_decrypt" POST "/card/code/decrypt" => Way::Read(codes::decrypt);
    "card.code_update" POST "/card/code/update" => Way::Write(codes::update);
    "card.code_unavailable" POST "/card/code/unavailable" => Way::Write(codes::unavailable);
    "card.code_mark" POST "/card/code/mark" => Way::Write(marks::mark);
    "card.user_cards" POST "/card/user/getcardlist" => Way::Read(codes::of_user);
    "card.member_activate" POST "/card/membercard/activate" => Way::Write(members::activate);
    "card.member_activate_url" POST "/card/membercard/activate/geturl" => Way::Read(members::activate_url);
    "card.member_form" POST "/card/membercard/activateuserform/set" => Way::Write(members::form);
    "card.member_temp_info" POST "/card/membercard/activatetempinfo/get" => Way::Read(members::temp_info);
    "card.member_info" POST "/card/membercard/userinfo/get" => Way::Read(members::info);
    "card.member_update" POST "/card/membercard/updateuser" => Way::Write(members::update);
    "card.general_activate" POST "/card/generalcard/activate" => Way::Write(general_cards::activate);
    "card.general_deactivate" POST "/card/generalcard/unactivate" => Way::Write(general_cards::deactivate);
    "card.general_update" POST "/card/generalcard/updateuser" => Way::Write(general_cards::update);
    "card.meeting_update" POST "/card/meetingticket/updateuser" => Way::Write(special_tickets::meeting);
    "card.movie_update" POST "/card/movieticket/updateuser" => Way::Write(special_tickets::film);
    "card.check_in" POST "/card/boardingpass/checkin" => Way::Write(special_tickets::check_in);
    "card.red_packet_update" POST "/card/luckymoney/updateuserbalance" => Way::Write(general_cards::red_packet);
    "card.pay_rule_add" POST "/card/paygiftcard/add" => Way::Write(pay_rules::add);
    "card.pay_rule_delete" POST "/card/paygiftcard/delete" => Way::Write(pay_rules::delete);
    "card.pay_rule_get" POST "/card/paygiftcard/getbyid" => Way::Read(pay_rules::get);
    "card.pay_rule_list" POST "/card/paygiftcard/batchget" => Way::Read(pay_rules::list);
    "card.gift_page_add" POST "/card/giftcard/page/add" => Way::Write(gift_cards::pages::add);
    "card.gift_page_get" POST "/card/giftcard/page/get" => Way::Read(gift_cards::pages::get);
    "card.gift_page_update" POST "/card/giftcard/page/update" => Way::Write(gift_cards::pages::update);
    "card.gift_page_list" POST "/card/giftcard/page/batchget" => Way::Read(gift_cards::pages::list);
    "card.gift_page_maintain" POST "/card/giftcard/maintain/set" => Way::Write(gift_cards::pages::maintain);
    "card.gift_pay_apply" POST "/card/giftcard/pay/whitelist/add" => Way::Write(gift_cards::payment::apply);
    "card.gift_pay_bind" POST "/card/giftcard/pay/submch/bind" => Way::Write(gift_cards::payment::bind);
    "card.gift_program" POST "/card/giftcard/wxa/set" => Way::Write(gift_cards::payment::set_program);
    // One client knows the call by this path.
    "card.gift_pay_program" POST "/card/giftcard/pay/wxa/set" => Way::Write(gift_cards::payment::set_program);
    "card.gift_order_get" POST "/card/giftcard/order/get" => Way::Read(gift_cards::orders::get);
    "card.gift_order_list" POST "/card/giftcard/order/batchget" => Way::Read(gift_cards::orders::list);
    "card.gift_order_refund" POST "/card/giftcard/order/refund" => Way::Write(gift_cards::orders::refund);
    "card.invoice_settings" POST "/card/invoice/setbizattr" => Way::Action(invoices::settings);
    "card.invoice_data" POST "/card/invoice/getauthdata" => Way::Read(invoices::data);
    "card.sub_merchant_submit" POST "/card/submerchant/submit" => Way::Write(sub_merchants::submit);
    "card.sub_merchant_update" POST "/card/submerchant/update" => Way::Write(sub_merchants::update);
    "card.sub_merchant_get" POST "/card/submerchant/get" => Way::Read(sub_merchants::get);
    "card.sub_merchant_list" POST "/card/submerchant/batchget" => Way::Read(sub_merchants::list);
    "card.categories" GET "/card/getapplyprotocol" => Way::Read(sub_merchants::categories);
    "card.store_get" POST "/card/storewxa/get" => Way::Read(sub_merchants::store_card);
    "card.store_set" POST "/card/storewxa/set" => Way::Write(sub_merchants::set_store_card);
    "card.coins_activate" GET "/card/pay/activate" => Way::Write(coins::activate);
    "card.coins_price" POST "/card/pay/getpayprice" => Way::Write(coins::price);
    "card.coins_balance" GET "/card/pay/getcoinsinfo" => Way::Read(coins::balance);
    "card.coins_confirm" POST "/card/pay/confirm" => Way::Write(coins::confirm);
    "card.coins_recharge" POST "/card/pay/recharge" => Way::Write(coins::recharge);
    "card.coins_order" POST "/card/pay/getorder" => Way::Read(coins::get);
    "card.coins_orders" POST "/card/pay/getorderlist" => Way::Read(coins::list);
    "card.message_custom" POST "/cgi-bin/message/custom/send" => Way::Write(messages::custom);
    "card.message_tag" POST "/cgi-bin/message/mass/sendall" => Way::Write(messages::to_tag);
    "card.message_users" POST "/cgi-bin/message/mass/send" => Way::Write(messages::to_users);
    "card.message_preview" POST "/cgi-bin/message/mass/preview" => Way::Write(messages::preview);
    "card.stats_summary" POST "/datacube/getcardbizuininfo" => Way::Read(statistics::summary);
    "card.stats_cards" POST "/datacube/getcardcardinfo" => Way::Read(statistics::cards);
    "card.stats_members" POST "/datacube/getcardmembercardinfo" => Way::Read(statistics::members);
    "card.stats_member_card" POST "/datacube/getcardmembercarddetail" => Way::Read(statistics::member_card);
}

/// The call with this path.
pub(crate) fn find(path: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.path == path)
}

/// Names of all calls, for fault rules.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ENDPOINTS.iter().map(|endpoint| endpoint.name)
}
