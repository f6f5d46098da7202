//! Hearing of what other processes did.

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::task::AbortHandle;
use tokio_postgres::{AsyncMessage, Config, Error};

use super::connector::Connector;

/// The pause before a lost connection is made again.
const PAUSE: Duration = Duration::from_secs(2);

/// Waits for notices on a channel, on a connection of its own, until it is dropped.
#[derive(Debug)]
pub struct Listener(AbortHandle);

impl Listener {
    pub(super) fn start(
        connector: Connector,
        config: Config,
        channel: &'static str,
        heard: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let task = tokio::spawn(async move {
            loop {
                let lost = listen(&connector, &config, channel, &heard).await;
                let error = lost.err().map(crate::StoreError::from);
                let cause = error.as_ref().and_then(std::error::Error::source).map(ToString::to_string);
                tracing::debug!(channel, cause, "notices are not heard; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self(task.abort_handle())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Returns when the connection is lost.
async fn listen(
    connector: &Connector,
    config: &Config,
    channel: &str,
    heard: &(impl Fn() + Send + Sync),
) -> Result<(), Error> {
    let (client, mut messages) = connector.open(config).await?;
    let statement = format!("LISTEN {channel}");
    let mut listening = std::pin::pin!(client.batch_execute(&statement));
    let mut has_begun = false;
    loop {
        tokio::select! {
            begun = &mut listening, if !has_begun => {
                begun?;
                has_begun = true;
                // Whatever was said before.
                heard();
            }
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(_))) => heard(),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
        }
    }
}
