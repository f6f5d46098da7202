//! What the card API refuses: always with HTTP 200, an `errcode` and an `errmsg`.

use super::rules;

rules! {
    BUSY = "card.busy", Documented, "cards 2.6", 200 "-1"
        "system error", 0, "the mirror could not read or write its storage; whether the call took effect is unknown";
    CREDENTIAL = "card.credential", Documented, "cards 2.4", 200 "40001"
        "invalid credential, access_token is invalid or not latest", 40_001,
        "the token is the latest of its account, or its successor is not older than 5 minutes";
    GRANT_TYPE = "card.grant_type", Documented, "cards 2.1", 200 "40002"
        "invalid grant_type", 40_002, "grant_type is client_credential";
    OPENID = "card.openid", Documented, "cards 2.6", 200 "40003"
        "invalid openid", 40_003, "an openid has 1 to 32 visible characters";
    TO_ANOTHER = "card.to_another", Assumed, "cards 3.45", 200 "40003"
        "invalid openid", 40_003, "a card in a message is taken by somebody the message went to";
    OWN_GIFT = "card.own_gift", Assumed, "cards 5.2", 200 "40003"
        "invalid openid", 40_003, "a gift is taken by somebody else than its giver";
    SCANNED = "card.scanned", Assumed, "cards 3.10", 200 "40053"
        "invalid action info", 40_053, "a ticket that is scanned is one of a QR code of this mirror";
    CONSUME_SOURCE = "card.consume_source", Documented, "cards 7.5", 200 "40035"
        "invalid parameter", 40_035, "staff redeems from FROM_MP or from FROM_MOBILE_HELPER";
    FORM_INCOMPLETE = "card.form_incomplete", Assumed, "cards 3.26", 200 "41011"
        "missing required fields! please check document and request json", 41_011,
        "what a user submits holds every field that the form requires";
    MESSAGE_TYPE = "card.message_type", Assumed, "cards 3.45", 200 "40008"
        "invalid message type", 40_008, "msgtype is wxcard; this mirror sends nothing else";
    FILE_TYPE = "card.file_type", Documented, "cards 2.7", 200 "40005"
        "invalid file type", 40_005, "an upload is multipart/form-data with a file";
    FILE_SIZE = "card.file_size", Documented, "cards 2.7", 200 "40006"
        "invalid file size", 40_006, "a file is not empty";
    MEDIA_ID = "card.media_id", Documented, "cards 3.40", 200 "40007"
        "invalid media_id", 40_007, "a media_id is one that an upload answered, not older than 3 days";
    IMAGE_SIZE = "card.image_size", Documented, "cards 2.7", 200 "40009"
        "invalid image size", 40_009, "a picture has at most 1 MB";
    APPID = "card.appid", Documented, "cards 2.1", 200 "40013"
        "invalid appid", 40_013, "the appid is bound to a merchant of this mirror";
    TOKEN = "card.token", Documented, "cards 2.4", 200 "40014"
        "invalid access_token", 40_014, "the token was issued by this mirror";
    OPENIDS = "card.openids", Documented, "cards 3.13", 200 "40031"
        "invalid openid list", 40_031, "openid and username are lists of 1 to 10 entries together";
    MASS_OPENIDS = "card.mass_openids", Documented, "cards 3.45", 200 "40031"
        "invalid openid list", 40_031, "touser is a list of 2 to 10,000 openids";
    CHARSET = "card.charset", Documented, "cards 2.0", 200 "40033"
        "invalid charset. please check your request, if include \\uxxxx will create fail", 40_033,
        "characters are written as UTF-8, not as \\uXXXX";
    PARAMETER = "card.parameter", Documented, "cards 2.6", 200 "40035"
        "invalid parameter", 40_035, "a parameter has one of its values";
    ACTION_NAME = "card.action_name", Documented, "cards 3.10", 200 "40052"
        "invalid action name", 40_052, "action_name is QR_CARD or QR_MULTIPLE_CARD";
    ACTION_INFO = "card.action_info", Documented, "cards 3.10", 200 "40053"
        "invalid action info", 40_053, "action_info holds what action_name needs";
    SERIAL_CODE = "card.serial_code", Documented, "cards 2.6", 200 "40056"
        "invalid serial code", 40_056,
        "the code is held by somebody, and of a custom-code card card_id is given beside it";
    URL = "card.url", Assumed, "cards 3.0", 200 "40066"
        "invalid url", 40_066, "no call has this path";
    SKU = "card.sku", Documented, "cards 4.4", 200 "40070"
        "invalid sku info", 40_070, "sku is an object with quantity";
    CARD_TYPE = "card.card_type", Documented, "cards 4.1", 200 "40071"
        "invalid card type", 40_071, "there is one object, and it is that of the card's type";
    CODE_TYPE = "card.code_type", Documented, "cards 2.6", 200 "40072"
        "invalid code type", 40_072, "code_type is one of the six; the global table says location id of this code";
    CARD_ID = "card.card_id", Documented, "cards 2.6", 200 "40073"
        "invalid card id", 40_073, "the card is one of this account, and is not deleted";
    ENCRYPT_CODE = "card.encrypt_code", Documented, "cards 3.19", 200 "40075"
        "invalid encrypt code", 40_075, "encrypt_code was given to a page for a code of this account";
    COLOR = "card.color", Documented, "cards 3.9", 200 "40076"
        "invalid color id", 40_076, "color is the name of one of the 14";
    CARD_STATUS = "card.card_status", Documented, "cards 5.1", 200 "40078"
        "invalid card status", 40_078, "the card is in a state that the call needs";
    TIME = "card.time", Documented, "cards 2.6", 200 "40079"
        "invalid time", 40_079, "begin is not after end, end is in the future, and the code is used between them";
    CARD_EXT = "card.card_ext", Documented, "cards 6.1", 200 "40080"
        "invalid card ext", 40_080, "cardExt is signed with the api_ticket over exactly what it holds";
    CARD_EXT_REPEATED = "card.card_ext_repeated", Documented, "cards 6.1", 200 "40080"
        "invalid card ext, repeated", 40_080,
        "timestamp and nonce_str of cardExt are fresh: a user takes a card once with the same signature";
    POI = "card.poi", Documented, "cards 2.6", 200 "40098"
        "invalid poiid", 40_098, "a poi id is a positive number";
    BAD_PARAMETER = "card.bad_parameter", Assumed, "cards 4", 200 "40097"
        "invalid parameter", 40_097, "fields that exclude each other are not sent together";
    COIN_ORDER = "card.coin_order", Documented, "cards 3.43", 200 "40097"
        "invalid order id", 40_097,
        "the order is one of this account; a price is confirmed once, within 60 seconds, for its card and quantity";
    COIN_ORDER_PAID = "card.coin_order_paid", Assumed, "cards 3.43", 200 "40097"
        "order is not waiting to be paid", 40_097, "an order is paid once, and only a recharge has to be paid";
    COIN_COUNT = "card.coin_count", Assumed, "cards 3.43", 200 "40097"
        "invalid coin count", 40_097, "coins are a whole number from 1 to 100,000,000, and so is what an account has";
    COINS_MISSING = "card.coins_missing", Assumed, "cards 3.43", 200 "40097"
        "coins not enough", 40_097, "the account has the coins that the price names";
    CONSUMED = "card.consumed", Documented, "cards 5.2", 200 "40099"
        "invalid code, this code has consumed", 40_099, "the code is not consumed yet";
    DATE_INFO = "card.date_info", Documented, "cards 3.4", 200 "40100"
        "invalid DateInfo, Make Sure OldDateInfoType==NewDateInfoType && NewBeginTime<=OldBeginTime && OldEndTime<=NewEndTime",
        40_100, "validity may only be widened, and only that of a fixed time range";
    MISSING = "card.missing", Documented, "cards 2.6", 200 "40101"
        "missing parameter", 40_101, "what the call needs is there";
    CATEGORY = "card.category", Documented, "cards 3.40", 200 "40104"
        "invalid category id", 40_104, "the categories are two of getapplyprotocol, one under the other";
    USERNAME = "card.username", Documented, "cards 3.13", 200 "40106"
        "invalid user name", 40_106, "a WeChat id has 1 to 32 bytes";
    VERIFIED = "card.verified", Documented, "cards 3.7", 200 "40107"
        "invalid card id: status must be verify ok, must have location_id", 40_107,
        "the card has passed its review and has stores";
    TOO_MANY_CODES = "card.too_many_codes", Documented, "cards 3.14", 200 "40109"
        "too many code size, must <= 100", 40_109, "at most 100 codes are sent at once";
    EMPTY_CODE = "card.empty_code", Documented, "cards 3.14", 200 "40110"
        "have empty code", 40_110, "no code is empty";
    SAME_CODE = "card.same_code", Documented, "cards 3.14", 200 "40111"
        "have same code", 40_111, "no code is there twice; a new code is not in use";
    BIND_OPENID = "card.bind_openid", Documented, "cards 3.14", 200 "40112"
        "can not set bind openid", 40_112, "deposited codes and named openids do not go together";
    CODE = "card.code", Documented, "cards 2.6", 200 "40116"
        "invalid code", 40_116, "a code has at most 20 bytes, a new one 64";
    QUANTITY = "card.quantity", Documented, "cards 4.4", 200 "40122"
        "invalid card quantity", 40_122, "quantity is 1 to 100,000,000, and 0 with deposited codes";
    CUSTOM_FIELDS = "card.custom_fields", Documented, "cards 4.11", 200 "40124"
        "too many custom field", 40_124, "at most three of points, balance and the custom fields";
    SECRET = "card.secret", Documented, "cards 2.1", 200 "40125"
        "invalid appsecret", 40_125, "the secret is that of the appid";
    USER_CARD_STATUS = "card.user_card_status", Documented, "cards 5.2", 200 "40127"
        "invalid user-card status", 40_127, "the code is not given away, deleted, expired or unavailable";
    SCENE = "card.scene", Documented, "cards 3.11", 200 "40129"
        "invalid scene", 40_129, "scene is one of the seven";
    BONUS_TAKEN_BACK = "card.bonus_taken_back", Documented, "cards 3.4", 200 "40135"
        "invalid not supply bonus, can not change card_id which supply bonus to be not supply", 40_135,
        "points and balance, once supplied, stay";
    DEPOSIT_MODE = "card.deposit_mode", Documented, "cards 4.2", 200 "40136"
        "invalid use DepositCodeMode, make sure sku.quantity>DepositCode.quantity", 40_136,
        "a card with deposited codes is made with quantity 0, and has no more stock than deposited codes";
    IMAGE_FORMAT = "card.image_format", Documented, "cards 2.7", 200 "40137"
        "image format not supported", 40_137, "a picture is JPEG or PNG";
    SUB_MERCHANT = "card.sub_merchant", Documented, "cards 3.40", 200 "40139"
        "invalid sub merchant id", 40_139, "the sub-merchant is one of this account";
    SUB_MERCHANT_STATUS = "card.sub_merchant_status", Documented, "cards 5.3", 200 "40140"
        "invalid sub merchant status", 40_140, "the sub-merchant is approved";
    IMAGE_URL = "card.image_url", Documented, "cards 2.7", 200 "40141"
        "invalid image url", 40_141, "the address of a picture is one that uploadimg answered";
    CELLS = "card.pay_and_center", Documented, "cards 3.7", 200 "40145"
        "can not set both PayCell and CenterCellInfo(center_title, center_sub_title, center_url)", 40_145,
        "the pay cell and the centre button exclude each other";
    MARKED = "card.marked", Documented, "cards 3.22", 200 "40146"
        "the card may be marked by other user", 40_146, "no other user has marked the code";
    TIME_LIMIT = "card.time_limit", Documented, "cards 4.5.1", 200 "40149"
        "invalid use time limit", 40_149, "time_limit has a day and hours within it";
    CARD_PARAMETERS = "card.card_parameters", Documented, "cards 4", 200 "40150"
        "invalid card parameters", 40_150, "the fields of the type are within their bounds";
    NO_TOKEN = "card.no_token", Documented, "cards 2.6", 200 "41001"
        "access_token missing", 41_001, "access_token is in the query";
    NO_APPID = "card.no_appid", Documented, "cards 2.6", 200 "41002"
        "appid missing", 41_002, "appid is given";
    NO_SECRET = "card.no_secret", Documented, "cards 2.6", 200 "41004"
        "appsecret missing", 41_004, "secret is given";
    NO_MEDIA = "card.no_media", Documented, "cards 2.7", 200 "41005"
        "media data missing", 41_005, "the form has a part with a file";
    NO_OPENID = "card.no_openid", Documented, "cards 2.6", 200 "41009"
        "openid missing", 41_009, "openid is given";
    REQUIRED = "card.required", Documented, "cards 4", 200 "41011"
        "missing required fields! please check document and request json", 41_011, "required fields are there";
    NO_CARD_ID = "card.no_card_id", Documented, "cards 2.6", 200 "41012"
        "missing card id", 41_012, "card_id is given";
    NO_CODE = "card.no_code", Documented, "cards 2.6", 200 "41013"
        "missing code", 41_013, "code is given";
    NO_TICKET_CLASS = "card.no_ticket_class", Documented, "cards 3.33", 200 "41014"
        "missing ticket_class", 41_014, "ticket_class is given";
    NO_SHOW_TIME = "card.no_show_time", Documented, "cards 3.33", 200 "41015"
        "missing show_time", 41_015, "show_time is given";
    NO_SCREENING_ROOM = "card.no_screening_room", Documented, "cards 3.33", 200 "41016"
        "missing screening_room", 41_016, "screening_room is given";
    NO_SEAT_NUMBER = "card.no_seat_number", Documented, "cards 3.33", 200 "41017"
        "missing seat_number", 41_017, "seat_number is given";
    EXPIRED = "card.expired", Documented, "cards 2.4", 200 "42001"
        "access_token expired", 42_001, "the token has not lived its 7200 seconds";
    GET_WANTED = "card.get_wanted", Assumed, "cards 2.0", 200 "43001"
        "require GET method", 43_001, "the call is a GET";
    POST_WANTED = "card.post_wanted", Assumed, "cards 2.0", 200 "43002"
        "require POST method", 43_002, "the call is a POST";
    NO_PAY = "card.no_pay", Documented, "cards 3.7", 200 "43008"
        "require biz pay auth", 43_008, "the account has WeChat Pay";
    NO_CUSTOM_CODE = "card.no_custom_code", Documented, "cards 4.2", 200 "43009"
        "can not use custom code, need authorize", 43_009, "the account may use custom codes";
    NO_BALANCE = "card.no_balance", Documented, "cards 4.11", 200 "43010"
        "can not use balance, need authorize", 43_010, "the account may use balances";
    NO_BONUS = "card.no_bonus", Documented, "cards 4.11", 200 "43011"
        "can not use bonus, need authorize", 43_011, "the account may use points";
    NO_LOCATION = "card.no_location", Documented, "cards 3.7", 200 "43017"
        "require location id", 43_017, "the card has stores";
    EMPTY_POST = "card.empty_post", Documented, "cards 2.6", 200 "44002"
        "empty post data", 44_002, "a POST has a body";
    MEDIA_SIZE = "card.media_size", Documented, "cards 2.7", 200 "45001"
        "media size out of limit", 45_001, "an upload has at most 2 MB";
    DAILY_LIMIT = "card.daily_limit", Documented, "cards 2.2", 200 "45009"
        "reach max api daily quota limit", 45_009, "the call is within its quota of the day";
    TOO_FREQUENT = "card.too_frequent", Documented, "cards 2.2", 200 "45011"
        "api minute-quota reach limit", 45_011, "the call is within its quota of the minute";
    MESSAGE_TIME = "card.message_time", Documented, "cards 3.45", 200 "45015"
        "response out of time limit or subscription is canceled", 45_015,
        "a message to one user goes out within 48 hours of something that user did";
    LENGTH = "card.length", Documented, "cards 4.2", 200 "45021"
        "some argument may be out of length limit! please check document and request json", 45_021,
        "a text has no more bytes of UTF-8 than its field takes";
    BONUS = "card.bonus", Documented, "cards 3.29", 200 "45022"
        "bonus out of limit", 45_022, "points are not negative";
    BALANCE = "card.balance", Documented, "cards 3.29", 200 "45023"
        "balance out of limit", 45_023, "a balance is not negative";
    UNSUPPORTED = "card.unsupported", Documented, "cards 2.6", 200 "45030"
        "limit cardid, not support this function", 45_030, "the card can do what is asked of it";
    STOCK = "card.stock", Documented, "cards 5.1", 200 "45031"
        "stock is out of limit", 45_031, "there is stock left";
    GET_LIMIT = "card.get_limit", Documented, "cards 5.1", 200 "45033"
        "user get card num is out of get_limit", 45_033, "the user has not claimed as often as get_limit allows";
    TOO_MANY_CARDS = "card.too_many_cards", Documented, "cards 3.10", 200 "45039"
        "card_list size out of limit", 45_039, "a list of cards has 1 to 5 of them";
    TOTAL_STOCK = "card.total_stock", Documented, "cards 3.5", 200 "45041"
        "card reach total sku quantity limit", 45_041, "all stock together is at most 100,000,000";
    ONE_CELL = "card.one_cell", Documented, "cards 3.8", 200 "45046"
        "CenterCell, PayCell and SelfConsumeCell conflict", 45_046,
        "only one of centre button, pay cell and self-redeem cell is there";
    NO_USER = "card.no_user", Documented, "cards 2.6", 200 "46004"
        "user no exist", 46_004, "there is such a user";
    FORMAT = "card.format", Documented, "cards 2.0", 200 "47001"
        "data format error", 47_001, "the body is a JSON object and its fields have their types";
    ESCAPED = "card.escaped", Documented, "cards 2.0", 200 "47002"
        "do NOT use json unicode encode(\\uxxxx\\uxxxx), please use utf8 encoded text", 47_002,
        "characters are written as UTF-8, not as \\uXXXX";
    DATE_FORMAT = "card.date_format", Documented, "cards 3.44", 200 "61500"
        "date format error", 61_500, "a date is YYYY-MM-DD";
    DATE_RANGE = "card.date_range", Documented, "cards 3.44", 200 "61501"
        "date range error", 61_501, "dates are at most 62 days, in order, and end before today";
    NO_MATCH = "card.no_match", Documented, "cards 3.30", 200 "72001"
        "no match card", 72_001, "there is such a card";
    MEMBER_CARD = "card.member_card", Documented, "cards 2.6", 200 "72003"
        "invalid card type, need member card", 72_003, "the card is a member card";
    ACTIVATE_TICKET = "card.activate_ticket", Documented, "cards 3.27", 200 "72011"
        "invalid activate_ticket", 72_011, "the ticket was given to a page for a card of this account";
    ACTIVATE_TICKET_OLD = "card.activate_ticket_old", Documented, "cards 3.27", 200 "72012"
        "expired activate_ticket", 72_012, "the ticket has not been used";
    MESSAGE_CARDS = "card.message_cards", Documented, "cards 3.4", 200 "72019"
        "msg operation card list size must <= 5", 72_019, "a message leads to at most 5 cards";
    USE_LIMIT = "card.use_limit", Documented, "cards 5.2", 200 "72020"
        "limit consume in use limit", 72_020, "the user has not used as many as use_limit allows";
    TESTERS_ONLY = "card.testers_only", Documented, "cards 5.1", 200 "72022"
        "user unexpected, add user to white list", 72_022, "an unreviewed card is claimed by test users alone";
    WX_ACTIVATE = "card.wx_activate", Documented, "cards 3.26", 200 "72026"
        "need set wx_activate true", 72_026, "the card is activated by WeChat's own form";
    RULE_ID = "card.rule_id", Documented, "cards 3.30", 200 "72034"
        "invalid rule id", 72_034, "the rule is one of this account";
    PROGRAM_APPID = "card.program_appid", Documented, "cards 3.37", 200 "40013"
        "invalid appid", 40_013, "the appid of a mini program is wx and 16 hexadecimal digits";
    GIFT_PAGE = "card.gift_page", Assumed, "cards 3.36", 200 "40097"
        "invalid parameter: page_id", 40_097, "page_id is one that page/add answered to this account";
    GIFT_LIST = "card.gift_list", Assumed, "cards 3.36", 200 "40097"
        "invalid parameter: list", 40_097,
        "a page has themes, a theme has cards and faces, an order has cards; at most 1,000, and 100 in an order";
    GIFT_COLOR = "card.gift_color", Assumed, "cards 3.36", 200 "40097"
        "invalid parameter: title_color", 40_097, "title_color looks like #FB966E";
    GIFT_CATEGORY = "card.gift_category", Assumed, "cards 3.36", 200 "40097"
        "invalid parameter: category_index", 40_097,
        "with a category_list each theme names one of it, counted from 0, and without none";
    GIFT_CARD_TYPE = "card.gift_card_type", Assumed, "cards 3.36", 200 "40071"
        "invalid card type", 40_071, "a gift-card page sells general cards";
    GIFT_OFF = "card.gift_off", Assumed, "cards 3.36", 200 "40078"
        "invalid status: the page is off", 40_078, "users buy on pages that the merchant has not taken off";
    GIFT_CHOICE = "card.gift_choice", Assumed, "cards 3.36", 200 "40097"
        "invalid parameter: theme, picture or card_ids", 40_097,
        "theme, picture and cards are of the page, and of one theme";
    GIFT_MULTI = "card.gift_multi", Documented, "cards 3.36", 200 "45030"
        "limit cardid, not support this function: support_multi", 45_030,
        "an order has several cards only on a page with support_multi";
    GIFT_SELF = "card.gift_self", Documented, "cards 3.36", 200 "45030"
        "limit cardid, not support this function: support_buy_for_self", 45_030,
        "users buy for themselves only on a page with support_buy_for_self";
    GIFT_CHAT_ROOM = "card.gift_chat_room", Documented, "cards 3.36", 200 "45030"
        "limit cardid, not support this function: chat room", 45_030,
        "an order goes into a group only from a page with support_multi";
    GIFT_WORDS = "card.gift_words", Assumed, "cards 3.38", 200 "45021"
        "some argument may be out of length limit", 45_021,
        "a buyer's words have at most 3,072 bytes, outer_str 128";
    GIFT_TOTAL = "card.gift_total", Assumed, "cards 3.38", 200 "40097"
        "invalid parameter: price", 40_097, "the price of an order can be counted in fen";
    GIFT_SENT = "card.gift_sent", Assumed, "cards 3.38", 200 "40078"
        "invalid status: nothing to send or to take", 40_078,
        "an order is sent while its buyer has cards of it, and taken while it is on its way";
    GIFT_MERCHANT = "card.gift_merchant", Assumed, "cards 3.37", 200 "72002"
        "mchid is not bound", 72_002, "the merchant was put on the list by pay/whitelist/add before";
    GIFT_PROGRAM = "card.gift_program", Assumed, "cards 3.37", 200 "40013"
        "invalid appid", 40_013, "the mini program was bound to a merchant by pay/submch/bind before";
    MERCHANT = "card.merchant", Documented, "cards 2.6", 200 "72010"
        "invalid mchid", 72_010, "the number of a merchant of WeChat Pay has 8 to 10 digits";
    GIFT_ORDER = "card.gift_order", Assumed, "cards 3.38", 200 "40097"
        "invalid parameter: order_id", 40_097, "order_id is that of an order from one of the account's pages";
    GIFT_ORDER_SPAN = "card.gift_order_span", Documented, "cards 3.38", 200 "40079"
        "invalid time", 40_079, "begin_time is not after end_time, and at most 31 days before it";
    GIFT_ORDER_SORT = "card.gift_order_sort", Documented, "cards 3.38", 200 "40035"
        "invalid parameter: sort_type", 40_035, "sort_type is ASC or DESC";
    GIFT_ORDER_PAGE = "card.gift_order_page", Documented, "cards 3.38", 200 "40035"
        "invalid parameter: offset or count", 40_035, "offset is not negative, count is 1 to 100";
    GIFT_REFUNDED = "card.gift_refunded", Assumed, "cards 3.38", 200 "40078"
        "invalid status: the order was paid back", 40_078, "the order has not been paid back";
    INVOICE_ACTION = "card.invoice_action", Documented, "cards 3.39", 200 "40035"
        "invalid parameter: action", 40_035,
        "action in the query is set_ or get_ with pay_mch, auth_field or contact";
    INVOICE_TIME = "card.invoice_time", Assumed, "cards 3.39", 200 "40035"
        "invalid parameter: time_out", 40_035, "time_out is a positive number";
    INVOICE_FIELD = "card.invoice_field", Assumed, "cards 3.39", 200 "40035"
        "invalid parameter: user_field or biz_field", 40_035,
        "a user gives one of user_field and biz_field, and in it what set_auth_field shows";
    INVOICE_PAYEE = "card.invoice_payee", Assumed, "cards 3.39", 200 "40097"
        "invalid parameter: s_pappid", 40_097, "s_pappid is the one that set_pay_mch has set, if it has";
    INVOICE_DATA = "card.invoice_data", Assumed, "cards 3.39", 200 "40078"
        "invalid card status", 40_078, "a user has given what the invoice of the order needs";
    QR_TICKET = "card.qr_ticket", Documented, "cards 2.8", 404 "NOT_FOUND"
        "not found", 404, "the ticket is one that qrcode/create answered, and has not expired";
}
