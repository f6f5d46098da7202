//! The calls on stocks.

use favor_core::{
    ApiError, Call, CallBuilder, Client, Error, ErrorCode, MerchantId, Operation, Page, Reply, StockId,
    Timestamp, all_pages,
};
use futures_util::Stream;
use serde::Serialize;

use crate::create::{CreateStock, CreatedStock};
use crate::flow::Flow;
use crate::list::ListStocks;
use crate::model::{PausedStock, RestartedStock, StartedStock, Stock, StoppedStock};
use crate::modify::{
    ModifiedBudget, ModifiedDailyBudget, ModifiedItems, ModifiedMerchants, ModifyBudget, ModifyDailyBudget,
    ModifyItems, ModifyMerchants,
};
use crate::{limits, operations};

/// The stocks of one creator. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stocks {
    client: Client,
    creator: MerchantId,
}

#[derive(Serialize)]
struct ByCreator<'a, T> {
    stock_creator_mchid: &'a MerchantId,
    #[serde(flatten)]
    rest: &'a T,
}

#[derive(Serialize)]
struct Nothing {}

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
        self.client.fetch(&Call::to(&operations::CREATE).json(request).finish()?).await
    }

    /// Starts a stock (spec §3.2): from about a minute after its creation, by its creator. Starting one that runs
    /// already succeeds again. For a prefunded stock this locks the budget in the creator's balance.
    ///
    /// # Errors
    /// [`Error`]; `INVALID_REQUEST` also when it is too soon after the creation: wait and repeat.
    pub async fn start(&self, stock_id: &StockId) -> Result<Reply<StartedStock>, Error> {
        self.client.fetch(&self.post(&operations::START, stock_id, &Nothing {})?).await
    }

    /// Pauses a running stock (spec §3.3): nobody can receive its coupons then, by any channel; coupons given out
    /// stay usable.
    ///
    /// # Errors
    /// [`Error`]; `INVALID_REQUEST` when it does not run.
    pub async fn pause(&self, stock_id: &StockId) -> Result<Reply<PausedStock>, Error> {
        self.client.fetch(&self.post(&operations::PAUSE, stock_id, &Nothing {})?).await
    }

    /// Resumes a paused stock (spec §3.4).
    ///
    /// # Errors
    /// [`Error`]; `INVALID_REQUEST` when it is not paused.
    pub async fn restart(&self, stock_id: &StockId) -> Result<Reply<RestartedStock>, Error> {
        self.client.fetch(&self.post(&operations::RESTART, stock_id, &Nothing {})?).await
    }

    /// Ends for ever a stock that was never started (spec §3.5). In the official SDKs, without a public page.
    ///
    /// # Errors
    /// [`Error`]; `INVALID_REQUEST` when it was started.
    pub async fn stop(&self, stock_id: &StockId) -> Result<Reply<StoppedStock>, Error> {
        self.client.fetch(&self.post(&operations::STOP, stock_id, &Nothing {})?).await
    }

    /// Queries a stock (spec §3.7). At most 500 a second.
    ///
    /// # Errors
    /// [`Error`]; `RESOURCE_NOT_EXISTS` when there is no such stock of this creator.
    pub async fn get(&self, stock_id: &StockId) -> Result<Reply<Stock>, Error> {
        let call = Call::to(&operations::GET)
            .segment("stock_id", stock_id.as_str())
            .query("stock_creator_mchid", self.creator.as_str())
            .finish()?;
        self.client.fetch(&call).await
    }

    /// Lists one page of stocks (spec §3.6). When filters match nothing the platform may answer "not found"; that
    /// is an empty page here.
    ///
    /// # Errors
    /// [`Error`]; of kind `InvalidRequest` when the page size or the times are out of range.
    pub async fn list(&self, request: &ListStocks, page: u64) -> Result<Reply<Page<Stock>>, Error> {
        request.check()?;
        let limit = u64::from(request.limit);
        let call =
            Call::to(&operations::LIST).query("offset", &page.to_string()).query("limit", &limit.to_string());
        let call = request.filter(call.query("stock_creator_mchid", self.creator.as_str()));
        match self.client.fetch(&call.finish()?).await {
            Err(error) if request.has_filter() && is_not_found(&error) => {
                Reply::instead_of(&error, Page::empty(page, limit)).ok_or(error)
            }
            result => result,
        }
    }

    /// Lists all stocks, page by page as the stream is read.
    pub fn list_all(&self, request: &ListStocks) -> impl Stream<Item = Result<Stock, Error>> + Send + use<> {
        let (stocks, request) = (self.clone(), request.clone());
        all_pages(move |page| {
            let (stocks, request) = (stocks.clone(), request.clone());
            async move { stocks.list(&request, page).await.map(Reply::into_value) }
        })
    }

    /// Lists one page of the merchants where the coupon may be spent (spec §3.8), 50 on a page; pages go up to
    /// number 1000.
    ///
    /// # Errors
    /// [`Error`]; a page past the end can come as `MCH_NOT_EXISTS`.
    pub async fn merchants(&self, stock_id: &StockId, page: u64) -> Result<Reply<Page<MerchantId>>, Error> {
        self.client
            .fetch(&self.page_of(&operations::MERCHANTS, stock_id, page, limits::MERCHANTS_PAGE)?)
            .await
    }

    /// Lists all merchants where the coupon may be spent, page by page as the stream is read.
    pub fn merchants_all(
        &self,
        stock_id: &StockId,
    ) -> impl Stream<Item = Result<MerchantId, Error>> + Send + use<> {
        let (stocks, stock_id) = (self.clone(), stock_id.clone());
        all_pages(move |page| {
            let (stocks, stock_id) = (stocks.clone(), stock_id.clone());
            async move { stocks.merchants(&stock_id, page).await.map(Reply::into_value) }
        })
    }

    /// Lists one page of the goods ids that a single-item coupon is bound to (spec §3.9), 100 on a page; pages go
    /// up to number 500. Empty for a whole-order coupon.
    ///
    /// # Errors
    /// [`Error`]; a page past the end can come as `MCH_NOT_EXISTS`.
    pub async fn items(&self, stock_id: &StockId, page: u64) -> Result<Reply<Page<String>>, Error> {
        self.client.fetch(&self.page_of(&operations::ITEMS, stock_id, page, limits::ITEMS_PAGE)?).await
    }

    /// Lists all goods ids, page by page as the stream is read.
    pub fn items_all(&self, stock_id: &StockId) -> impl Stream<Item = Result<String, Error>> + Send + use<> {
        let (stocks, stock_id) = (self.clone(), stock_id.clone());
        all_pages(move |page| {
            let (stocks, stock_id) = (stocks.clone(), stock_id.clone());
            async move { stocks.items(&stock_id, page).await.map(Reply::into_value) }
        })
    }

    /// Adds and removes goods ids (spec §3.10). At least one must remain.
    ///
    /// # Errors
    /// [`Error`]; of kind `InvalidRequest` when nothing is to be changed or an id is too long.
    pub async fn modify_items(
        &self,
        stock_id: &StockId,
        request: &ModifyItems,
    ) -> Result<Reply<ModifiedItems>, Error> {
        request.check()?;
        self.client.fetch(&self.post(&operations::MODIFY_ITEMS, stock_id, request)?).await
    }

    /// Adds and removes available merchants. **Unproven**: the path is from a draft of an official SDK (spec
    /// §3.19); production may answer 404.
    ///
    /// # Errors
    /// [`Error`]; of kind `InvalidRequest` when nothing is to be changed.
    pub async fn modify_merchants(
        &self,
        stock_id: &StockId,
        request: &ModifyMerchants,
    ) -> Result<Reply<ModifiedMerchants>, Error> {
        request.check()?;
        self.client.fetch(&self.post(&operations::MODIFY_MERCHANTS, stock_id, request)?).await
    }

    /// Changes the budget, if it still is what the request says. **Unproven**: the path is from a draft of an
    /// official SDK (spec §3.19); production may answer 404.
    ///
    /// # Errors
    /// [`Error`]; of kind `InvalidRequest` when the budget would not change.
    pub async fn modify_budget(
        &self,
        stock_id: &StockId,
        request: &ModifyBudget,
    ) -> Result<Reply<ModifiedBudget>, Error> {
        request.check()?;
        self.client.fetch(&self.post(&operations::MODIFY_BUDGET, stock_id, request)?).await
    }

    /// Changes the daily budget. **Unproven**: the path is from a draft of an official SDK (spec §3.19);
    /// production may answer 404.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn modify_daily_budget(
        &self,
        stock_id: &StockId,
        request: &ModifyDailyBudget,
    ) -> Result<Reply<ModifiedDailyBudget>, Error> {
        self.client.fetch(&self.post(&operations::MODIFY_DAILY_BUDGET, stock_id, request)?).await
    }

    /// The use flow of a whole stock (spec §3.16): one line per redemption, from 10:00 Beijing time of the day after
    /// the stock's end.
    pub fn use_flow(&self, stock_id: &StockId) -> Flow {
        Flow::whole(&self.client, stock_id, &operations::USE_FLOW)
    }

    /// The refund flow of a whole stock (spec §3.17): one line per refund, from 10:00 Beijing time of the day after
    /// the stock's end.
    pub fn refund_flow(&self, stock_id: &StockId) -> Flow {
        Flow::whole(&self.client, stock_id, &operations::REFUND_FLOW)
    }

    /// The use flow of one Beijing day (spec §3.20).
    pub fn use_flow_by_day(&self, stock_id: &StockId, day: chrono::NaiveDate) -> Flow {
        Flow::of_day(&self.client, stock_id, &operations::USE_FLOW_BY_DAY, day)
    }

    /// The refund flow of one Beijing day (spec §3.21).
    pub fn refund_flow_by_day(&self, stock_id: &StockId, day: chrono::NaiveDate) -> Flow {
        Flow::of_day(&self.client, stock_id, &operations::REFUND_FLOW_BY_DAY, day)
    }

    /// The time by the client's clock, for the questions that [`Stock`] answers.
    pub fn now(&self) -> Timestamp {
        self.client.now()
    }

    fn post<T: Serialize>(
        &self,
        operation: &'static Operation,
        stock_id: &StockId,
        body: &T,
    ) -> Result<Call, Error> {
        let body = ByCreator { stock_creator_mchid: &self.creator, rest: body };
        Ok(to(operation, stock_id).json(&body).finish()?)
    }

    fn page_of(
        &self,
        operation: &'static Operation,
        stock_id: &StockId,
        page: u64,
        limit: u32,
    ) -> Result<Call, Error> {
        let call = to(operation, stock_id)
            .query("offset", &page.to_string())
            .query("limit", &limit.to_string())
            .query("stock_creator_mchid", self.creator.as_str());
        Ok(call.finish()?)
    }
}

fn to(operation: &'static Operation, stock_id: &StockId) -> CallBuilder {
    Call::to(operation).segment("stock_id", stock_id.as_str())
}

fn is_not_found(error: &Error) -> bool {
    error.api().and_then(ApiError::code) == Some(&ErrorCode::ResourceNotExists)
}
