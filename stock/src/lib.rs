#![doc = include_str!("../README.md")]

mod create;
mod create_check;
mod flow;
mod image;
mod limits;
mod list;
mod model;
mod modify;
mod operations;
mod pattern;
mod rules;
mod service;

/// Comma-separated text as flow files have it, for other files of the same kind.
pub mod csv {
    pub use crate::flow::record::{Fault, Record, Records};
}

pub use create::{CreateStock, CreatedStock};
pub use flow::*;
pub use image::{Image, ImageKind, ImageMeta, Images, UploadedImage};
pub use list::ListStocks;
pub use model::{
    AvailableRegion, DeductBalanceMethod, PausedStock, PlatformStockStatus, QueriedStockType, RestartedStock,
    StartedStock, Stock, StockStatus, StockUseRule, StoppedStock,
};
pub use modify::{
    ModifiedBudget, ModifiedDailyBudget, ModifiedItems, ModifiedMerchants, ModifyBudget, ModifyDailyBudget,
    ModifyItems, ModifyMerchants,
};
pub use pattern::{BackgroundColor, JumpTarget, PatternInfo};
pub use rules::{AvailableTime, CouponRule, FixedAvailableTime, LimitCard, StockRule, StockType};
pub use service::Stocks;
