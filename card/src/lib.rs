#![doc = include_str!("../README.md")]

mod access;
mod card;
mod cards;
mod client;
mod codes;
mod coins;
mod config;
mod distribution;
mod endpoint;
mod errcode;
mod error;
pub mod event;
mod extra;
mod general_cards;
mod gift_orders;
mod gift_pages;
mod id;
mod invoices;
mod keeper;
mod limits;
mod macros;
mod media;
mod member_form;
mod members;
mod messages;
mod pay_gift;
mod qr;
mod reply;
mod secret;
mod sign;
mod special_tickets;
mod statistics;
mod status;
mod stores;
mod sub_merchants;
mod token_store;
mod user_info;
mod wire;

pub use access::TokenKind;
pub use card::{
    AdvancedInfo, BaseInfo, BaseInfoChanges, BoardingPass, BoardingPassChanges, BonusRule, BusinessService,
    Card, CardChanges, CardType, Cash, CashChanges, CodeType, Color, Cover, CustomCell, CustomCodeMode,
    CustomField, DateInfo, DateType, Discount, DiscountChanges, FieldNameType, GeneralCard,
    GeneralCardChanges, GeneralCoupon, GeneralCouponChanges, Gift, GiftCardInfo, GiftChanges, Groupon,
    GrouponChanges, LimitDay, LuckyMoney, LuckyMoneyChanges, MeetingTicket, MeetingTicketChanges, MemberCard,
    MemberCardChanges, MovieTicket, MovieTicketChanges, MsgOperation, OldCardCell, PayInfo, ScenicTicket,
    ScenicTicketChanges, Sku, SubCardType, SubMerchantInfo, SwipeCard, TextImage, TimeLimit, UrlCell,
    UrlNameType, UseCondition,
};
pub use cards::{
    CardAnswer, CardList, Cards, Colors, CreatedCard, ListCards, NamedColor, SelfConsumeCell, UpdatedCard,
};
pub use client::Client;
pub use codes::{
    CheckedCodes, CodeCard, CodeRef, CodeState, Codes, CodesOrCount, ConsumedCard, ConsumedCode,
    DecryptedCode, DepositCount, DepositedCodes, DisableCode, GetCode, MarkCode, UpdateCode, UserCard,
    UserCards,
};
pub use coins::{
    CoinBalance, CoinOrder, CoinOrderAnswer, CoinOrderFilter, CoinOrderSort, CoinOrderStatus, CoinOrderType,
    CoinOrders, CoinPrice, CoinRecharge, Coins, CoinsActivated, ListCoinOrders,
};
pub use config::{ClientBuilder, MAIN_URL, PICTURE_URL};
pub use distribution::{
    ArticleHtml, CreateLandingPage, CreateQrCode, Distribution, LandingPage, LandingPageCard, QrAction,
    QrActionInfo, QrCard, QrCards, QrCode, Scene, TestWhitelist,
};
pub use endpoint::{ENDPOINTS, Effect, Endpoint};
pub use errcode::ErrCode;
pub use error::{ApiError, Error, ErrorKind};
pub use extra::Extra;
pub use favor_core::{AppId, Fen, MerchantId, OpenId, Outcome, Timestamp};
#[cfg(feature = "postgres")]
pub use favor_store::postgres::Address as PostgresAddress;
pub use general_cards::{ActivateGeneralCard, GeneralCards, UpdateGeneralCard};
pub use gift_orders::{
    GiftOrder, GiftOrderAnswer, GiftOrderCard, GiftOrderList, GiftOrders, ListGiftOrders, SortType,
};
pub use gift_pages::{
    AddedGiftPage, ControlInfo, GiftCategory, GiftCell, GiftFace, GiftItem, GiftPage, GiftPageAnswer,
    GiftPageChanges, GiftPageList, GiftPages, GiftPayWhitelist, GiftTheme, MaintainAnswer, PageControl,
    PageControlInfo,
};
pub use id::{CardId, Code, Personal};
pub use invoices::{
    AuthFields, AuthFieldsAnswer, FilledInvoice, FilledInvoiceField, FirmFields, InvoiceAuthData,
    InvoiceContact, InvoiceContactAnswer, InvoiceField, Invoices, PayMerchant, PayMerchantAnswer,
    UserAuthInfo, UserFields,
};
pub use media::{Media, Picture, UploadedImage, UploadedMedia};
pub use member_form::{
    ActivationParameters, ActivationUrl, CommonField, Form, FormLink, RichField, RichFieldType,
    SetMemberForm, SubmittedForm,
};
pub use members::{ActivateMember, Member, MemberCards, NotifyOptional, Sex, UpdateMember, UpdatedMember};
pub use messages::{CardMessage, Messages, PreviewTo, SentMessage};
pub use pay_gift::{
    AddedPayGift, FailedMerchant, ListPayGifts, PayGiftAnswer, PayGiftBase, PayGiftList, PayGiftMember,
    PayGiftRule, PayGiftStatus, PayGiftType, PayGifts,
};
pub use qr::{QrError, QrImage, picture_url};
pub use reply::{Done, Reply};
pub use secret::{AccessToken, AppSecret, CardTicket, JsapiTicket, SecretError};
pub use sign::{
    CARD_APIS, CardExt, ChooseCard, PageConfig, SignedCard, SignedChoice, sign_values, verify_cell_link,
};
pub use special_tickets::{CheckIn, SpecialTickets, UpdateMeetingTicket, UpdateMovieTicket};
pub use statistics::{
    AccountDay, AccountStatistics, CardDay, CardDays, CardSource, CardStatistics, Days, MemberCardDay,
    MemberCardDays, MemberCardStatistics, MemberDay, MemberStatistics, Statistics,
};
pub use status::{CardStatus, CodeStatus};
pub use stores::{StoreCard, StoreCards};
pub use sub_merchants::{
    Categories, Category, ListSubMerchants, SecondaryCategory, SubMerchant, SubMerchantAnswer,
    SubMerchantList, SubMerchantStatus, SubMerchantSubmission, SubMerchants,
};
#[cfg(feature = "postgres")]
pub use token_store::PostgresTokens;
#[cfg(feature = "sqlite")]
pub use token_store::SqliteTokens;
pub use token_store::{Begun, Kept, MemoryTokens, Right, TokenStore, TokenStoreError};
pub use user_info::{FilledField, UserInfo};
