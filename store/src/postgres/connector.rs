//! Making a connection, with or without TLS.

use std::io;
use std::sync::Arc;

use deadpool_postgres::Connect;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt as _};
use rustls::{ClientConfig, RootCertStore};
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, Error, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::StoreError;

/// What the server sends without being asked. The connection works while this is polled.
pub(super) type Messages = BoxStream<'static, Result<AsyncMessage, Error>>;

/// Makes connections.
#[derive(Clone)]
pub(super) struct Connector(Option<MakeRustlsConnect>);

impl Connector {
    pub(super) fn new(config: &Config) -> Result<Self, StoreError> {
        if config.get_ssl_mode() == SslMode::Disable {
            return Ok(Self(None));
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            let text = "no certificate authorities were found; install ca-certificates, or name a file in SSL_CERT_FILE";
            return Err(StoreError::unavailable(io::Error::other(text)));
        }
        // Named, since an application may have brought a second provider along.
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(StoreError::failed)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Some(MakeRustlsConnect::new(tls))))
    }

    /// A connection of its own.
    pub(super) async fn open(&self, config: &Config) -> Result<(Client, Messages), Error> {
        match &self.0 {
            None => open(config, NoTls).await,
            Some(tls) => open(config, tls.clone()).await,
        }
    }
}

impl Connect for Connector {
    fn connect(&self, config: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        let config = config.clone();
        Box::pin(async move {
            let (client, mut messages) = self.open(&config).await?;
            let driver = tokio::spawn(async move {
                while let Some(message) = messages.next().await {
                    if let Err(error) = message {
                        let error = StoreError::from(error);
                        let cause = std::error::Error::source(&error).map(ToString::to_string);
                        tracing::warn!(cause, "a connection to the database broke");
                        return;
                    }
                }
            });
            Ok((client, driver))
        })
    }
}

async fn open<T>(config: &Config, tls: T) -> Result<(Client, Messages), Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, mut connection) = config.connect(tls).await?;
    let messages = futures_util::stream::poll_fn(move |context| connection.poll_message(context));
    Ok((client, messages.boxed()))
}
