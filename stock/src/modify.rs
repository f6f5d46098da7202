//! Changing a stock: its goods, merchants and budget (spec §3.10, §3.19).

use favor_core::{Checks, Fen, InvalidRequest, MerchantId, StockId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::limits;

/// Goods ids to add and to remove. At least one must remain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModifyItems {
    /// Goods ids to add.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add_goods_id_list: Vec<String>,
    /// Goods ids to remove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delete_goods_id_list: Vec<String>,
}

impl ModifyItems {
    /// Adds `add` and removes `delete`.
    pub fn new(
        add: impl IntoIterator<Item = impl Into<String>>,
        delete: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            add_goods_id_list: add.into_iter().map(Into::into).collect(),
            delete_goods_id_list: delete.into_iter().map(Into::into).collect(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), InvalidRequest> {
        let mut checks = Checks::new();
        let nothing = self.add_goods_id_list.is_empty() && self.delete_goods_id_list.is_empty();
        checks.require(!nothing, "add_goods_id_list", "or delete_goods_id_list must hold something");
        let lists = [
            ("add_goods_id_list", &self.add_goods_id_list),
            ("delete_goods_id_list", &self.delete_goods_id_list),
        ];
        for (field, list) in lists {
            for (at, item) in list.iter().enumerate() {
                checks.text(&format!("{field}[{at}]"), item, limits::ENTRY);
            }
        }
        checks.finish()
    }
}

/// The goods were changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "ModifiedItemsWire")]
#[non_exhaustive]
pub struct ModifiedItems {
    /// The stock.
    pub stock_id: StockId,
    /// Since when. The platform's page names it `pause_time`, the official SDK `effect_time`; both are read.
    pub effect_time: Option<Timestamp>,
}

#[derive(Deserialize)]
struct ModifiedItemsWire {
    stock_id: StockId,
    #[serde(default, with = "favor_core::time::rfc3339_option")]
    effect_time: Option<Timestamp>,
    #[serde(default, with = "favor_core::time::rfc3339_option")]
    pause_time: Option<Timestamp>,
}

impl From<ModifiedItemsWire> for ModifiedItems {
    fn from(wire: ModifiedItemsWire) -> Self {
        Self { stock_id: wire.stock_id, effect_time: wire.effect_time.or(wire.pause_time) }
    }
}

/// Merchants to add and to remove, among those where the coupon may be spent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModifyMerchants {
    /// Merchants to add.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add_mchid_list: Vec<MerchantId>,
    /// Merchants to remove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delete_mchid_list: Vec<MerchantId>,
}

impl ModifyMerchants {
    /// Adds `add` and removes `delete`.
    pub fn new(
        add: impl IntoIterator<Item = MerchantId>,
        delete: impl IntoIterator<Item = MerchantId>,
    ) -> Self {
        Self { add_mchid_list: add.into_iter().collect(), delete_mchid_list: delete.into_iter().collect() }
    }

    pub(crate) fn check(&self) -> Result<(), InvalidRequest> {
        let mut checks = Checks::new();
        let nothing = self.add_mchid_list.is_empty() && self.delete_mchid_list.is_empty();
        checks.require(!nothing, "add_mchid_list", "or delete_mchid_list must hold something");
        checks.finish()
    }
}

/// The merchants were changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ModifiedMerchants {
    /// The stock.
    pub stock_id: StockId,
    /// Since when.
    #[serde(with = "favor_core::time::rfc3339")]
    pub effect_time: Timestamp,
}

/// A new budget, to be set only if the present one is what is expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModifyBudget {
    /// The new budget.
    pub target_max_amount: Fen,
    /// The budget as the caller knows it; when it has changed meanwhile, the platform refuses.
    pub current_max_amount: Fen,
}

impl ModifyBudget {
    /// Changes the budget from `current_max_amount` to `target_max_amount`.
    pub fn new(current_max_amount: Fen, target_max_amount: Fen) -> Self {
        Self { target_max_amount, current_max_amount }
    }

    pub(crate) fn check(&self) -> Result<(), InvalidRequest> {
        let mut checks = Checks::new();
        let changes = self.target_max_amount != self.current_max_amount;
        checks.require(changes, "target_max_amount", "must differ from current_max_amount");
        checks.range("target_max_amount", self.target_max_amount.get(), limits::MAX_AMOUNT_FEN);
        checks.finish()
    }
}

/// The budget was changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ModifiedBudget {
    /// The stock.
    pub stock_id: StockId,
    /// The budget now.
    pub max_amount: Fen,
}

/// A new daily budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModifyDailyBudget {
    /// Face value given out per Beijing day, at most.
    pub max_amount_by_day: Fen,
}

impl ModifyDailyBudget {
    /// At most this much face value per Beijing day.
    pub fn new(max_amount_by_day: Fen) -> Self {
        Self { max_amount_by_day }
    }
}

/// The daily budget was changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ModifiedDailyBudget {
    /// The stock.
    pub stock_id: StockId,
    /// The daily budget now.
    pub max_amount_by_day: Fen,
}
