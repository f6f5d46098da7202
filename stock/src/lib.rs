#![doc = include_str!("../README.md")]

mod create;
mod create_check;
mod limits;
mod model;
mod pattern;
mod rules;
mod service;

pub use create::{CreateStock, CreatedStock};
pub use model::{AvailableRegion, QueriedStockType, StartedStock, Stock, StockStatus, StockUseRule};
pub use pattern::{BackgroundColor, JumpTarget, PatternInfo};
pub use rules::{AvailableTime, CouponRule, FixedAvailableTime, LimitCard, StockRule, StockType};
pub use service::Stocks;
