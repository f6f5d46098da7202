#![doc = include_str!("../README.md")]

mod access;
mod client;
mod codes;
mod config;
mod endpoint;
mod errcode;
mod error;
mod extra;
mod id;
mod keeper;
mod limits;
mod macros;
mod reply;
mod secret;
mod status;
mod token_store;
mod user_info;
mod wire;

pub use access::TokenKind;
pub use client::Client;
pub use codes::{
    CheckedCodes, CodeCard, CodeRef, CodeState, Codes, CodesOrCount, ConsumedCard, ConsumedCode,
    DecryptedCode, DepositCount, DepositedCodes, DisableCode, GetCode, MarkCode, UpdateCode, UserCard,
    UserCards,
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
pub use status::{CardStatus, CodeStatus};
#[cfg(feature = "postgres")]
pub use token_store::PostgresTokens;
#[cfg(feature = "sqlite")]
pub use token_store::SqliteTokens;
pub use token_store::{Begun, Kept, MemoryTokens, Right, TokenStore, TokenStoreError};
pub use user_info::{FilledField, UserInfo};
