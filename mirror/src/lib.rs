#![doc = include_str!("../README.md")]

mod aead;
mod answer;
mod app;
mod audit;
mod auth;
mod authority;
mod authorization;
mod builder;
mod callback;
mod canonical;
mod card;
mod certificate;
mod certificates;
mod clock;
mod connection;
mod connection_end;
mod control;
mod coupon;
mod crowd;
mod directory;
mod doctor;
mod error;
mod exchange;
mod fallback;
mod fault;
mod fields;
mod flow;
mod http_connection;
mod ids;
mod image;
mod ledger;
mod listening;
mod lock;
mod merchant;
mod metrics;
mod mirror;
mod moment;
mod nearest_path;
mod nonces;
mod notify;
mod operation;
mod outgoing;
mod page;
mod parameters;
mod payment;
mod platform_host;
mod platform_keys;
mod proxy;
mod random;
mod rate;
mod reached;
mod ready;
mod request_body;
mod request_counts;
mod request_log;
mod rsa_key;
mod rules;
mod seed;
mod serve;
mod snapshot;
mod sniff;
mod state;
mod stock;
mod timeline;
mod timestamp;
mod tls;
mod wire_copy;

pub use audit::{Audit, AuditedStock, Finding};
pub use builder::MirrorBuilder;
pub use card::account_change::{CardAccountChange, CardReviewPolicy, PushMode};
pub use card::act::{CardAct, ClaimCard, FormField};
pub use card::gift_cards::act::{BuyGift, GiveInvoice};
pub use card::gift_cards::record::{GiftCardRecord, GiftCardState, GiftOrderRecord, InvoiceRecord};
pub use card::record::{
    CardAccount, CardEventRecord, CardEventState, CardMessageRecord, CardReview, CoinOrder,
    SubMerchantReview, TokensIssued, UserCard,
};
pub use card::shown::{CardList, CodeFilter, ListedCard, ShownCard, ShownCode, ShownTicket};
pub use control::clock::ClockState;
pub use control::health::Health;
pub use control::keys::{CertificateState, KeyState, ScheduleState};
pub use control::rates::{RateLimit, Rates};
pub use control::stocks::{DayBudget, StockRecord};
pub use control::users::{UserChange, UserRecord};
pub use doctor::{Cause, CauseWords, DifferencePart, SignatureDiagnosis, SignatureHeader};
pub use error::MirrorError;
pub use fault::{FaultKind, FaultPlace, FaultRule, GzipHash, PlannedFault};
pub use merchant::{CertificateChange, Merchant, MerchantCertificate, MerchantChange, MerchantSeed};
pub use mirror::{CardDesk, Mirror};
pub use notify::{
    DeliveryRecord, GENERAL_RETRIES, MINUTE_RETRIES, NotificationDraft, NotificationRecord,
    NotificationState, SignedNotification,
};
pub use payment::{
    ConsumeInformation, CouponRecord, GoodsDetail, Redeem, RedemptionRecord, Refund, RefundRecord,
};
pub use platform_keys::{KeyRotation, PlatformCertificate, PublicKey, PublicKeyPhase, RotationSchedule};
pub use rate::CountedBy;
pub use ready::Ready;
pub use request_log::{LoggedRequest, Verdict};
pub use rules::readings::{
    BadCallback, ConcurrentSends, DailyBudget, EmptyStockList, EndedStatus, ExtraFields, ImageSignature,
    MissingUserAgent, NumberReused, PagePastEnd, Reading, Readings, RefundedPlace, RepeatedChange,
    RepeatedStart, ReusedNonce, SendNotRunning, TooSoon, UnknownMerchant, UnsetCallback, WrongCreator,
};
pub use rules::{Provenance, Rule};
pub use seed::{Seed, SeedError};
pub use wire_copy::WireCopy;
