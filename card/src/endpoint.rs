//! Every endpoint, as the reference counts them (spec §3.0).

use http::Method;

/// What a call does, which says what to do when its outcome is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// It only looks.
    Read,
    /// It changes something, and the same request again does no harm: it changes nothing more, or makes another
    /// picture, QR code or page that nobody has to use.
    Repeatable,
    /// It changes something each time: after an unknown outcome look first, then repeat.
    Once,
}

/// One endpoint.
#[derive(Debug)]
#[non_exhaustive]
pub struct Endpoint {
    /// Its number in the reference: `E18`.
    pub number: &'static str,
    /// Its name in logs and errors: `code.consume`.
    pub name: &'static str,
    /// `GET` or `POST`.
    pub method: Method,
    /// Its path, the same for every request.
    pub path: &'static str,
    /// What it does.
    pub effect: Effect,
}

macro_rules! endpoints {
    ($($constant:ident: $number:literal $method:ident $path:literal, $name:literal, $effect:ident;)+) => {
        $(pub(crate) static $constant: Endpoint = Endpoint {
            number: $number,
            name: $name,
            method: Method::$method,
            path: $path,
            effect: Effect::$effect,
        };)+

        /// All of them.
        pub static ENDPOINTS: &[&Endpoint] = &[$(&$constant),+];
    };
}

endpoints! {
    TOKEN: "P1" GET "/cgi-bin/token", "access.token", Once;
    STABLE_TOKEN: "P2" POST "/cgi-bin/stable_token", "access.stable_token", Read;
    TICKET: "P3" GET "/cgi-bin/ticket/getticket", "access.ticket", Read;
    UPLOAD_IMAGE: "P4" POST "/cgi-bin/media/uploadimg", "media.upload_image", Repeatable;
    SHOW_QR: "P5" GET "/cgi-bin/showqrcode", "qr.picture", Read;
    UPLOAD_MEDIA: "P6" POST "/cgi-bin/media/upload", "media.upload", Repeatable;
    CREATE: "E1" POST "/card/create", "card.create", Once;
    GET: "E2" POST "/card/get", "card.get", Read;
    LIST: "E3" POST "/card/batchget", "card.list", Read;
    UPDATE: "E4" POST "/card/update", "card.update", Repeatable;
    MODIFY_STOCK: "E5" POST "/card/modifystock", "card.modify_stock", Once;
    DELETE: "E6" POST "/card/delete", "card.delete", Repeatable;
    PAY_CELL: "E7" POST "/card/paycell/set", "card.set_pay_cell", Repeatable;
    SELF_CONSUME_CELL: "E8" POST "/card/selfconsumecell/set", "card.set_self_consume_cell", Repeatable;
    COLORS: "E9" GET "/card/getcolors", "card.colors", Read;
    QR_CREATE: "E10" POST "/card/qrcode/create", "qr.create", Repeatable;
    LANDING_PAGE: "E11" POST "/card/landingpage/create", "landing_page.create", Repeatable;
    ARTICLE_HTML: "E12" POST "/card/mpnews/gethtml", "article.html", Read;
    WHITELIST: "E13" POST "/card/testwhitelist/set", "whitelist.set", Repeatable;
    DEPOSIT: "E14" POST "/card/code/deposit", "code.deposit", Repeatable;
    DEPOSIT_COUNT: "E15" POST "/card/code/getdepositcount", "code.deposit_count", Read;
    CHECK_CODES: "E16" POST "/card/code/checkcode", "code.check", Read;
    GET_CODE: "E17" POST "/card/code/get", "code.get", Read;
    CONSUME: "E18" POST "/card/code/consume", "code.consume", Once;
    DECRYPT: "E19" POST "/card/code/decrypt", "code.decrypt", Read;
    UPDATE_CODE: "E20" POST "/card/code/update", "code.update", Once;
    UNAVAILABLE: "E21" POST "/card/code/unavailable", "code.disable", Once;
    MARK: "E22" POST "/card/code/mark", "code.mark", Repeatable;
    USER_CARDS: "E23" POST "/card/user/getcardlist", "code.list_of_user", Read;
    MEMBER_ACTIVATE: "E24" POST "/card/membercard/activate", "member.activate", Repeatable;
    MEMBER_ACTIVATE_URL: "E25" POST "/card/membercard/activate/geturl", "member.activation_url", Read;
    MEMBER_FORM: "E26" POST "/card/membercard/activateuserform/set", "member.set_form", Repeatable;
    MEMBER_TEMP_INFO: "E27" POST "/card/membercard/activatetempinfo/get", "member.submitted_form", Read;
    MEMBER_GET: "E28" POST "/card/membercard/userinfo/get", "member.get", Read;
    MEMBER_UPDATE: "E29" POST "/card/membercard/updateuser", "member.update", Once;
    PAY_GIFT_ADD: "E30" POST "/card/paygiftcard/add", "pay_gift.add", Once;
    PAY_GIFT_DELETE: "E31" POST "/card/paygiftcard/delete", "pay_gift.delete", Repeatable;
    PAY_GIFT_GET: "E32" POST "/card/paygiftcard/getbyid", "pay_gift.get", Read;
    PAY_GIFT_LIST: "E33" POST "/card/paygiftcard/batchget", "pay_gift.list", Read;
    GENERAL_ACTIVATE: "E34" POST "/card/generalcard/activate", "general_card.activate", Once;
    GENERAL_DEACTIVATE: "E35" POST "/card/generalcard/unactivate", "general_card.deactivate", Repeatable;
    GENERAL_UPDATE: "E36" POST "/card/generalcard/updateuser", "general_card.update", Repeatable;
    MEETING_UPDATE: "E37" POST "/card/meetingticket/updateuser", "meeting_ticket.update", Repeatable;
    MOVIE_UPDATE: "E38" POST "/card/movieticket/updateuser", "movie_ticket.update", Repeatable;
    BOARDING_CHECK_IN: "E39" POST "/card/boardingpass/checkin", "boarding_pass.check_in", Repeatable;
    RED_PACKET_UPDATE: "E40" POST "/card/luckymoney/updateuserbalance", "red_packet.update", Repeatable;
    PAGE_ADD: "E41" POST "/card/giftcard/page/add", "gift_page.add", Once;
    PAGE_GET: "E42" POST "/card/giftcard/page/get", "gift_page.get", Read;
    PAGE_UPDATE: "E43" POST "/card/giftcard/page/update", "gift_page.update", Repeatable;
    PAGE_LIST: "E44" POST "/card/giftcard/page/batchget", "gift_page.list", Read;
    PAGE_MAINTAIN: "E45" POST "/card/giftcard/maintain/set", "gift_page.maintain", Repeatable;
    GIFT_PAY_WHITELIST: "E46" POST "/card/giftcard/pay/whitelist/add", "gift_pay.whitelist", Repeatable;
    GIFT_PAY_BIND: "E47" POST "/card/giftcard/pay/submch/bind", "gift_pay.bind", Repeatable;
    GIFT_MINI_PROGRAM: "E48" POST "/card/giftcard/wxa/set", "gift_pay.set_mini_program", Repeatable;
    GIFT_ORDER_GET: "E49" POST "/card/giftcard/order/get", "gift_order.get", Read;
    GIFT_ORDER_LIST: "E50" POST "/card/giftcard/order/batchget", "gift_order.list", Read;
    GIFT_ORDER_REFUND: "E51" POST "/card/giftcard/order/refund", "gift_order.refund", Once;
    INVOICE_SETTINGS: "E52" POST "/card/invoice/setbizattr", "invoice.settings", Repeatable;
    INVOICE_AUTH_DATA: "E53" POST "/card/invoice/getauthdata", "invoice.auth_data", Read;
    SUB_MERCHANT_SUBMIT: "E54" POST "/card/submerchant/submit", "sub_merchant.create", Once;
    SUB_MERCHANT_UPDATE: "E55" POST "/card/submerchant/update", "sub_merchant.update", Repeatable;
    SUB_MERCHANT_GET: "E56" POST "/card/submerchant/get", "sub_merchant.get", Read;
    SUB_MERCHANT_LIST: "E57" POST "/card/submerchant/batchget", "sub_merchant.list", Read;
    CATEGORIES: "E58" GET "/card/getapplyprotocol", "sub_merchant.categories", Read;
    STORE_CARD_GET: "E59" POST "/card/storewxa/get", "store_card.get", Read;
    STORE_CARD_SET: "E60" POST "/card/storewxa/set", "store_card.set", Repeatable;
    COINS_ACTIVATE: "E61" GET "/card/pay/activate", "coins.activate", Once;
    COINS_PRICE: "E62" POST "/card/pay/getpayprice", "coins.price", Read;
    COINS_BALANCE: "E63" GET "/card/pay/getcoinsinfo", "coins.balance", Read;
    COINS_CONFIRM: "E64" POST "/card/pay/confirm", "coins.confirm", Once;
    COINS_RECHARGE: "E65" POST "/card/pay/recharge", "coins.recharge", Once;
    COINS_ORDER: "E66" POST "/card/pay/getorder", "coins.order", Read;
    COINS_ORDERS: "E67" POST "/card/pay/getorderlist", "coins.orders", Read;
    STATS_ACCOUNT: "E68" POST "/datacube/getcardbizuininfo", "statistics.account", Read;
    STATS_CARDS: "E69" POST "/datacube/getcardcardinfo", "statistics.cards", Read;
    STATS_MEMBERS: "E70" POST "/datacube/getcardmembercardinfo", "statistics.member_cards", Read;
    STATS_MEMBER_CARD: "E71" POST "/datacube/getcardmembercarddetail", "statistics.member_card", Read;
    MESSAGE_SEND: "M1" POST "/cgi-bin/message/custom/send", "message.send", Once;
    MESSAGE_TO_TAG: "M2" POST "/cgi-bin/message/mass/sendall", "message.to_tag", Once;
    MESSAGE_TO_USERS: "M3" POST "/cgi-bin/message/mass/send", "message.to_users", Once;
    MESSAGE_PREVIEW: "M4" POST "/cgi-bin/message/mass/preview", "message.preview", Once;
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn there_are_81_with_different_numbers_names_and_paths() {
        let numbers: HashSet<_> = ENDPOINTS.iter().map(|endpoint| endpoint.number).collect();
        let names: HashSet<_> = ENDPOINTS.iter().map(|endpoint| endpoint.name).collect();
        let paths: HashSet<_> = ENDPOINTS.iter().map(|endpoint| endpoint.path).collect();
        assert_eq!((ENDPOINTS.len(), numbers.len(), names.len(), paths.len()), (81, 81, 81, 81));
    }
}
