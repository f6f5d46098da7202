//! The calls on stocks.

use favor_core::{Call, Client, Error, MerchantId, Operation, Rate, Reply, StockId, Verb};
use serde::Serialize;

use crate::create::{CreateStock, CreatedStock};
use crate::model::{StartedStock, Stock};

static CREATE: Operation = Operation::new("stock.create", Verb::Post, "/v3/marketing/favor/coupon-stocks")
    .limited_to(Rate::per_minute(60));
static START: Operation =
    Operation::new("stock.start", Verb::Post, "/v3/marketing/favor/stocks/{stock_id}/start")
        .limited_to(Rate::per_minute(60));
static GET: Operation = Operation::new("stock.get", Verb::Get, "/v3/marketing/favor/stocks/{stock_id}")
    .limited_to(Rate::per_second(500));

/// The stocks of one creator. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stocks {
    client: Client,
    creator: MerchantId,
}

#[derive(Serialize)]
struct CreatorBody<'a> {
    stock_creator_mchid: &'a MerchantId,
}

impl Stocks {
    /// The stocks that the calling merchant created.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone(), creator: client.merchant_id().clone() }
    }

    /// The stocks of another creator, which has authorised the calling merchant to send them.
    pub fn created_by(client: &Client, creator: MerchantId) -> Self {
        Self { client: client.clone(), creator }
    }

    /// Creates a stock, in state `unactivated` (spec §3.1). At most 60 a minute.
    ///
    /// # Errors
    /// [`Error`]; of kind `InvalidRequest`, naming each field, when a documented limit is broken. When the outcome
    /// is unknown, repeat with the same request: the same `out_request_no` gives the same stock.
    pub async fn create(&self, request: &CreateStock) -> Result<Reply<CreatedStock>, Error> {
        request.check(self.client.now())?;
        self.client.fetch(&Call::to(&CREATE).json(request).finish()?).await
    }

    /// Starts a stock (spec §3.2): from about a minute after its creation, by its creator. Starting one that runs
    /// already succeeds again. For a prefunded stock this locks the budget in the creator's balance.
    ///
    /// # Errors
    /// [`Error`]; `INVALID_REQUEST` also when it is too soon after the creation: wait and repeat.
    pub async fn start(&self, stock_id: &StockId) -> Result<Reply<StartedStock>, Error> {
        let body = CreatorBody { stock_creator_mchid: &self.creator };
        let call = Call::to(&START).segment("stock_id", stock_id.as_str()).json(&body).finish()?;
        self.client.fetch(&call).await
    }

    /// Queries a stock (spec §3.7). At most 500 a second.
    ///
    /// # Errors
    /// [`Error`]; `RESOURCE_NOT_EXISTS` when there is no such stock of this creator.
    pub async fn get(&self, stock_id: &StockId) -> Result<Reply<Stock>, Error> {
        let call = Call::to(&GET)
            .segment("stock_id", stock_id.as_str())
            .query("stock_creator_mchid", self.creator.as_str())
            .finish()?;
        self.client.fetch(&call).await
    }
}
