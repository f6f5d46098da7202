//! One flow: its link, its file.

use std::path::PathBuf;

use chrono::NaiveDate;
use favor_core::{Call, Client, Error, Operation, Reply, StockId};

use crate::flow::FlowError;
use crate::flow::download::{self, DownloadOptions, DownloadedFlow};
use crate::flow::link::FlowLink;

/// The use or refund flow of a stock, whole or of one day. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Flow {
    client: Client,
    stock_id: StockId,
    operation: &'static Operation,
    day: Option<NaiveDate>,
}

impl Flow {
    pub(crate) fn whole(client: &Client, stock_id: &StockId, operation: &'static Operation) -> Self {
        Self { client: client.clone(), stock_id: stock_id.clone(), operation, day: None }
    }

    pub(crate) fn of_day(
        client: &Client,
        stock_id: &StockId,
        operation: &'static Operation,
        day: NaiveDate,
    ) -> Self {
        Self { day: Some(day), ..Self::whole(client, stock_id, operation) }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Asks for the link to the file. It lives 30 s; [`download`](Self::download) asks by itself.
    ///
    /// # Errors
    /// [`Error`]; `RESOURCE_NOT_EXISTS` when it is too early, or nothing was used or refunded.
    pub async fn link(&self) -> Result<Reply<FlowLink>, Error> {
        let mut call = Call::to(self.operation).segment("stock_id", self.stock_id.as_str());
        if let Some(day) = self.day {
            call = call.query("bill_date", &day.format("%Y-%m-%d").to_string());
        }
        self.client.fetch(&call.finish()?).await
    }

    /// Brings the file to `to`, which must not exist. It gets that name only when it is whole and its hash is
    /// right; until then it is a hidden file beside it. Memory stays the same for any size. Dropping the future
    /// stops the download and removes the hidden file.
    ///
    /// # Errors
    /// [`FlowError`]; nothing is then under the final name.
    pub async fn download(&self, to: impl Into<PathBuf>) -> Result<DownloadedFlow, FlowError> {
        self.download_with(to, &DownloadOptions::default()).await
    }

    /// [`download`](Self::download) with options.
    ///
    /// # Errors
    /// As [`download`](Self::download).
    pub async fn download_with(
        &self,
        to: impl Into<PathBuf>,
        options: &DownloadOptions,
    ) -> Result<DownloadedFlow, FlowError> {
        download::run(self, to.into(), options).await
    }
}
