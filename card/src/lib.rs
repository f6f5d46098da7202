#![doc = include_str!("../README.md")]

mod access;
mod card;
mod cards;
mod client;
mod codes;
mod coins;
mod config;
mod endpoint;
mod errcode;
mod error;
pub mod event;
mod extra;
mod id;
mod keeper;
mod limits;
mod macros;
mod reply;
mod secret;
mod sign;
mod status;
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
pub use endpoint::{ENDPOINTS, Effect, Endpoint};
pub use errcode::ErrCode;
pub use error::{ApiError, Error, ErrorKind};
pub use extra::Extra;
pub use favor_core::{AppId, Fen, MerchantId, OpenId, Outcome, Timestamp};
#[cfg(feature = "postgres")]
pub use favor_store::postgres::Address as PostgresAddress;
pub use id::{CardId, Code, Personal};
pub use reply::{Done, Reply};
pub use secret::{AccessToken, AppSecret, CardTicket, JsapiTicket, SecretError};
pub use sign::{
    CARD_APIS, CardExt, ChooseCard, PageConfig, SignedCard, SignedChoice, sign_values, verify_cell_link,
};
pub use status::{CardStatus, CodeStatus};
#[cfg(feature = "postgres")]
pub use token_store::PostgresTokens;
#[cfg(feature = "sqlite")]
pub use token_store::SqliteTokens;
pub use token_store::{Begun, Kept, MemoryTokens, Right, TokenStore, TokenStoreError};
pub use user_info::{FilledField, UserInfo};
