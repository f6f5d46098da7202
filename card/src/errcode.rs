//! The platform's error numbers (spec §2.6).

use std::fmt;

macro_rules! codes {
    ($($name:ident => $number:literal, $meaning:literal;)+) => {
        /// The number in an error answer. Decide on this, never on the text beside it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrCode {
            $(#[doc = concat!($number, ": ", $meaning, ".")] $name,)+
            /// A number this version does not know.
            Unknown(i64),
        }

        impl ErrCode {
            /// Every number known to this version.
            pub const KNOWN: &'static [ErrCode] = &[$(ErrCode::$name),+];

            /// The number on the wire.
            pub fn number(self) -> i64 {
                match self {
                    $(Self::$name => $number,)+
                    Self::Unknown(number) => number,
                }
            }

            /// What it means, in words.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $meaning,)+
                    Self::Unknown(_) => "an error this version does not know",
                }
            }
        }

        impl From<i64> for ErrCode {
            fn from(number: i64) -> Self {
                match number {
                    $($number => Self::$name,)+
                    other => Self::Unknown(other),
                }
            }
        }
    };
}

codes! {
    SystemBusy => -1, "the platform is busy";
    InvalidCredential => 40001, "the access token is invalid or not the latest; from the token calls: the app secret is wrong";
    InvalidGrantType => 40002, "the grant type is wrong";
    InvalidOpenId => 40003, "the openid is wrong or belongs to another account";
    InvalidMediaType => 40004, "the media type is not allowed";
    InvalidFileType => 40005, "the file type is not allowed";
    InvalidFileSize => 40006, "the file size is not allowed";
    InvalidMediaId => 40007, "the media id is not valid";
    InvalidImageSize => 40009, "the picture is too large";
    InvalidAppId => 40013, "the appid is not valid";
    InvalidAccessToken => 40014, "the access token is not valid";
    InvalidOpenIdList => 40031, "the list of openids is not valid";
    InvalidCharset => 40033, "the body must be UTF-8 without \\u escapes";
    InvalidParameter => 40035, "a parameter is not valid";
    InvalidActionName => 40052, "action_name of the QR code is not valid";
    InvalidActionInfo => 40053, "action_info of the QR code is not valid";
    InvalidSerialCode => 40056, "the code is unknown, not yet claimed or given away, or card_id is missing for a card with custom codes";
    InvalidSkuInfo => 40070, "the stock (sku) is not valid";
    InvalidCardType => 40071, "the card type is not valid or the body is that of another type";
    InvalidLocationId => 40072, "a store id is not valid; the card page says: the code type is not valid";
    InvalidCardId => 40073, "the card id is not valid";
    InvalidEncryptCode => 40075, "the encrypted code was not url-decoded or belongs to another account";
    InvalidColor => 40076, "the colour is not one of the palette";
    InvalidCardStatus => 40078, "the card is not in a state that allows this";
    InvalidTime => 40079, "outside the validity, or date_info is not valid";
    InvalidCardExt => 40080, "card_ext is not valid";
    InvalidComponentCredential => 40094, "the third-party platform's credential is not valid";
    InvalidParameterValue => 40097, "a parameter is not valid";
    InvalidPoiId => 40098, "a store id is not valid";
    CodeConsumed => 40099, "the code is already redeemed";
    InvalidDateInfo => 40100, "the validity may only be widened, and its type must stay";
    MissingParameter => 40101, "a parameter is missing";
    InvalidCategoryId => 40104, "the category id is not valid";
    InvalidUserName => 40106, "the WeChat id is not valid";
    CardNotReady => 40107, "the card must be approved and have stores";
    TooManyCodes => 40109, "more than 100 codes";
    EmptyCode => 40110, "one of the codes is empty";
    SameCode => 40111, "two codes are the same";
    CannotBindOpenId => 40112, "deposited codes cannot be bound to openids";
    MalformedCode => 40116, "the code is malformed";
    InvalidCardQuantity => 40122, "the quantity of the card is not valid";
    TooManyCustomFields => 40124, "more than three of points, balance and own fields";
    InvalidUserCardStatus => 40127, "the code is given away, deleted, expired or unavailable";
    InvalidSecret => 40125, "the app secret is wrong";
    InvalidScene => 40129, "the scene of the landing page is not valid";
    InvalidWeChatId => 40132, "the WeChat id is not valid";
    BonusCannotBeTakenBack => 40135, "a card that supplies points cannot stop doing so";
    InvalidDepositMode => 40136, "the stock and the deposited codes do not fit together";
    UnsupportedImageFormat => 40137, "the picture's format is not supported";
    InvalidSubMerchantId => 40139, "the sub-merchant id is not valid";
    InvalidSubMerchantStatus => 40140, "the sub-merchant is not approved";
    InvalidImageUrl => 40141, "a picture's url does not come from the picture upload";
    InvalidLeastCost => 40143, "the minimum spend should be 0";
    PayCellWithCenterCell => 40145, "the pay cell and the centre button exclude each other";
    CardMarkedByOther => 40146, "the code is reserved for another user";
    ConsumeTimeOutOfRange => 40147, "it cannot be redeemed at this time";
    InvalidUseTimeLimit => 40149, "time_limit is not valid";
    InvalidCardParameters => 40150, "the card's parameters do not fit together, such as custom codes without deposit for a general card";
    HitAntispam => 40151, "a text or picture was taken for spam";
    CustomCodeNotAllowed => 40158, "use_custom_code must be false";
    IpNotAllowed => 40164, "the caller's address is not on the account's allow list";
    MissingAccessToken => 41001, "the access token is missing";
    MissingAppId => 41002, "the appid is missing";
    MissingSecret => 41004, "the app secret is missing";
    MissingMediaData => 41005, "the media data is missing";
    MissingOpenId => 41009, "the openid is missing";
    MissingRequiredFields => 41011, "required fields are missing";
    MissingCardId => 41012, "the card id is missing";
    MissingCode => 41013, "the code is missing";
    MissingTicketClass => 41014, "ticket_class is missing";
    MissingShowTime => 41015, "show_time is missing";
    MissingScreeningRoom => 41016, "screening_room is missing";
    MissingSeatNumber => 41017, "seat_number is missing";
    TokenExpired => 42001, "the access token has expired";
    TokenRevoked => 42007, "the user changed the password, and tokens were revoked";
    NeedsBizUserAuthorization => 43007, "the business user has to authorise this";
    NeedsPayAuthorization => 43008, "the account has no WeChat Pay permission";
    NeedsCustomCodePermission => 43009, "custom codes need a permission";
    NeedsBalancePermission => 43010, "a balance needs a permission";
    NeedsBonusPermission => 43011, "points need a permission";
    NeedsCustomUrlPermission => 43012, "own urls need a permission";
    NeedsPermission => 43015, "this function needs WeChat's permission";
    NeedsStores => 43017, "the card has no stores";
    CodeNotMarked => 43018, "the code was not reserved first";
    EmptyMedia => 44001, "the media file is empty";
    EmptyBody => 44002, "the body is empty";
    MediaTooLarge => 45001, "the media file is too large";
    DailyLimit => 45009, "the daily limit of this call is used up";
    TooFrequent => 45011, "the calls come too fast";
    OutOfResponseWindow => 45015, "the user has not been active within 48 hours";
    ArgumentTooLong => 45021, "an argument is too long";
    BonusOutOfLimit => 45022, "the points are out of their limit";
    BalanceOutOfLimit => 45023, "the balance is out of its limit";
    TooManyPois => 45025, "too many stores";
    MassSendQuota => 45028, "the quota of mass messages is used up";
    TooManyQrCodes => 45029, "too many QR codes";
    CardLacksFunction => 45030, "this card does not support the function";
    StockOutOfLimit => 45031, "the stock is used up, or the change is too large";
    GetLimitReached => 45033, "the user has as many as allowed";
    CardListOutOfLimit => 45039, "too many cards in the list";
    TotalStockOutOfLimit => 45041, "the card's total stock is at its limit";
    TypeNotForSubMerchants => 45042, "cards of this type cannot be made for a sub-merchant";
    TooManyIconUrls => 45044, "the list of icons in abstract has another size than one";
    CellConflict => 45046, "centre button, pay cell and self-redeem cell exclude each other";
    CustomerMessageLimit => 45047, "too many customer service messages without an answer";
    VerifyCodeSize => 45053, "the verification code's length is not allowed";
    VerifyCodeCharset => 45054, "the verification code's characters are not allowed";
    VerifyCodeMissing => 45055, "the verification code does not exist";
    SelfConsumeCodeSize => 45154, "the self-redeem code's length is not allowed";
    SelfConsumeCodeCharset => 45155, "the self-redeem code's characters are not allowed";
    SelfConsumeCodeMissing => 45156, "the self-redeem code does not exist";
    CategoryNotAllowed => 45160, "this category may not create the card";
    MediaNotFound => 46001, "the media data does not exist";
    UserNotFound => 46004, "the user does not exist";
    PoiNotFound => 46005, "the store does not exist";
    DataFormat => 47001, "the body could not be parsed";
    UnicodeEscapes => 47002, "the body must not use \\u escapes";
    Unauthorized => 48001, "the account lacks the right to this call";
    Forbidden => 48004, "the call is blocked for this account";
    UserLimited => 50002, "the user is restricted";
    DateFormat => 61500, "the date is not YYYY-MM-DD";
    DateRange => 61501, "the range of days is too long or ends after yesterday";
    DataNotReady => 61503, "the statistics are not ready yet";
    PoiCategory => 65104, "the store's category is not valid";
    PoiNotApproved => 65106, "the store is not approved";
    PoiNotModifiable => 65107, "the store cannot be changed now";
    PoiDoesNotExist => 65115, "the store does not exist";
    NoMatchingCard => 72001, "no card matches";
    MerchantNotBound => 72002, "the Pay merchant is not bound to the account";
    NotMemberCard => 72003, "the card is not a member card";
    MerchantOccupied => 72004, "the Pay merchant is occupied by another rule";
    TooManyMerchants => 72005, "too many Pay merchants";
    InvalidPayTitle => 72006, "the title is not valid";
    ReduceCostTooSmall => 72007, "reduce_cost must be at least 100 fen";
    LeastCostTooSmall => 72008, "least_cost must be more than reduce_cost";
    GetLimitTooLarge => 72009, "get_limit cannot be over 50";
    InvalidMerchant => 72010, "the Pay merchant is not valid";
    InvalidActivateTicket => 72011, "the activation ticket is not valid";
    ExpiredActivateTicket => 72012, "the activation ticket has expired";
    StockLocked => 72014, "the stock of this card cannot be changed";
    MemberCardUnauthorized => 72016, "the account may not create member cards";
    TooManyOperationCards => 72019, "a message operation may name at most five cards";
    UseLimitReached => 72020, "the user has redeemed as many as allowed";
    GeneralCardUnauthorized => 72021, "the account may not create general cards";
    UserNotWhitelisted => 72022, "the card is not approved: add the user to the test whitelist";
    NeedsWxActivate => 72026, "the card must be made with wx_activate";
    RuleExpired => 72032, "the pay-then-issue rule has expired";
    RuleStatus => 72033, "the pay-then-issue rule is in another state";
    InvalidRuleId => 72034, "the rule id is not valid";
    CardLockedByAd => 72066, "the card is in an advertisement: its time and budget are locked";
}

impl ErrCode {
    /// Whether the access token of the request is the reason, so that a new one may help (spec §2.4).
    pub fn is_stale_token(self) -> bool {
        matches!(
            self,
            Self::InvalidCredential | Self::InvalidAccessToken | Self::TokenExpired | Self::TokenRevoked
        )
    }

    /// Whether the same request, unchanged, can succeed later.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::SystemBusy | Self::DailyLimit | Self::TooFrequent | Self::DataNotReady)
    }

    /// What to do next, in a sentence.
    pub fn hint(self) -> &'static str {
        match self {
            Self::SystemBusy => {
                "wait a little; repeat a query, and before repeating a change look whether it was made"
            }
            Self::DailyLimit => "wait until midnight Beijing time, or ask for a higher quota in the console",
            Self::TooFrequent => "slow down, then repeat the same request",
            Self::DataNotReady => "statistics of a day come the next morning: repeat later",
            Self::InvalidCredential | Self::InvalidAccessToken | Self::TokenExpired | Self::TokenRevoked => {
                "another program may fetch tokens for this account: share one token store, or use the stable token"
            }
            Self::InvalidSecret | Self::InvalidAppId | Self::MissingSecret => {
                "check the appid and the app secret"
            }
            Self::IpNotAllowed => "add this machine's public address to the account's IP allow list",
            Self::InvalidSerialCode => "check the code; for a card with custom codes name the card as well",
            Self::InvalidImageUrl => "upload the picture first and use the url of the answer",
            Self::Unauthorized | Self::Forbidden => "look in the console whether the account has this right",
            _ => "correct what the meaning names; repeating the same request will not help",
        }
    }
}

impl fmt::Display for ErrCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_leads_back_to_its_name_and_none_is_there_twice() {
        let mut numbers: Vec<i64> = ErrCode::KNOWN.iter().map(|code| code.number()).collect();
        assert!(ErrCode::KNOWN.iter().all(|code| ErrCode::from(code.number()) == *code));
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), ErrCode::KNOWN.len());
        assert_eq!(ErrCode::from(99_999), ErrCode::Unknown(99_999));
        assert_eq!(ErrCode::from(99_999).number(), 99_999);
    }

    #[test]
    fn a_new_token_or_waiting_helps_with_few() {
        let stale: Vec<i64> =
            ErrCode::KNOWN.iter().filter(|code| code.is_stale_token()).map(|code| code.number()).collect();
        assert_eq!(stale, [40001, 40014, 42001, 42007]);
        let later: Vec<i64> =
            ErrCode::KNOWN.iter().filter(|code| code.is_retryable()).map(|code| code.number()).collect();
        assert_eq!(later, [-1, 45009, 45011, 61503]);
    }
}
