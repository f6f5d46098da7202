#![doc = include_str!("../README.md")]

mod aead;
mod answer;
mod app;
mod audit;
mod auth;
mod authorization;
mod builder;
mod callback;
mod canonical;
mod certificate;
mod certificates;
mod clock;
mod connection;
mod control;
mod coupon;
mod crowd;
mod directory;
mod error;
mod exchange;
mod fallback;
mod fault;
mod fields;
mod flow;
mod ids;
mod image;
mod ledger;
mod lock;
mod merchant;
mod metrics;
mod mirror;
mod moment;
mod near_miss;
mod nonces;
mod operation;
mod outgoing;
mod page;
mod parameters;
mod payment;
mod platform_keys;
mod random;
mod rate;
mod ready;
mod request_counts;
mod request_log;
mod rsa_key;
mod rules;
mod seed;
mod serve;
mod snapshot;
mod state;
mod stock;

pub use audit::{Audit, AuditedStock, Finding};
pub use builder::MirrorBuilder;
pub use error::MirrorError;
pub use fault::{FaultKind, FaultPlace, FaultRule, GzipHash, PlannedFault};
pub use merchant::{CertificateChange, Merchant, MerchantCertificate, MerchantChange, MerchantSeed};
pub use mirror::Mirror;
pub use payment::{
    ConsumeInformation, CouponRecord, GoodsDetail, Redeem, RedemptionRecord, Refund, RefundRecord,
};
pub use platform_keys::{PlatformCertificate, PublicKey, PublicKeyPhase};
pub use ready::Ready;
pub use request_log::{LoggedRequest, Verdict};
pub use rules::readings::{
    BadCallback, ConcurrentSends, DailyBudget, EmptyStockList, EndedStatus, ExtraFields, ImageSignature,
    MissingUserAgent, NumberReused, PagePastEnd, Reading, Readings, RefundedPlace, RepeatedChange,
    RepeatedStart, ReusedNonce, SendNotRunning, TooSoon, UnknownMerchant, UnsetCallback, WrongCreator,
};
pub use rules::{Provenance, Rule};
pub use seed::{Seed, SeedError};
