//! TLS on the mirror's port.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::{AlertDescription, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::authority::Authority;
use crate::clock::ClockMode;
use crate::error::MirrorError;
use crate::lock;

const PROTOCOLS: [&[u8]; 3] = [b"h2", b"http/1.1", b"http/1.0"];
/// Addresses of this machine for which a certificate is kept.
const ADDRESSES: usize = 64;

/// Any stream that bytes go through.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Answers handshakes. Nothing is prepared before the first one, so that a mirror without TLS pays nothing.
pub(crate) struct Tls {
    authority: Authority,
    handshake: Duration,
    acceptors: Mutex<HashMap<IpAddr, TlsAcceptor>>,
}

impl Tls {
    /// A handshake may take this long.
    pub(crate) fn new(authority: Authority, handshake: Duration) -> Self {
        Self { authority, handshake, acceptors: Mutex::default() }
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The handshake with a client that reached this address.
    pub(crate) async fn accept(
        &self,
        stream: Box<dyn Stream>,
        reached: IpAddr,
    ) -> Result<TlsStream<Box<dyn Stream>>, io::Error> {
        let acceptor = self.acceptor(reached.to_canonical()).map_err(io::Error::other)?;
        match timeout(self.handshake, acceptor.accept(stream)).await {
            Ok(accepted) => accepted,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the TLS handshake took too long")),
        }
    }

    fn acceptor(&self, reached: IpAddr) -> Result<TlsAcceptor, MirrorError> {
        // One certificate serves both names of this machine.
        let reached =
            if reached.is_loopback() && reached.is_ipv6() { Ipv4Addr::LOCALHOST.into() } else { reached };
        if let Some(acceptor) = lock::mutex(&self.acceptors).get(&reached) {
            return Ok(acceptor.clone());
        }
        let acceptor = TlsAcceptor::from(Arc::new(self.config(reached)?));
        let mut acceptors = lock::mutex(&self.acceptors);
        if acceptors.len() >= ADDRESSES {
            acceptors.clear();
        }
        Ok(acceptors.entry(reached).or_insert(acceptor).clone())
    }

    fn config(&self, reached: IpAddr) -> Result<ServerConfig, MirrorError> {
        let unusable = |error: rustls::Error| MirrorError::key(format!("TLS cannot be set up: {error}"));
        // Clients judge a certificate by the machine's clock, wherever the mirror's clocks are.
        let shown = self.authority.server_certificate(reached, ClockMode::real().now())?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder.with_no_client_auth().with_single_cert(vec![shown.certificate], shown.key)
            })
            .map_err(unusable)?;
        config.alpn_protocols = PROTOCOLS.into_iter().map(<[u8]>::to_vec).collect();
        Ok(config)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("authority", &self.authority).finish_non_exhaustive()
    }
}

/// Why a client gave a handshake up, if it said that the certificate was the reason.
pub(crate) fn distrust(error: &io::Error) -> Option<AlertDescription> {
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::AlertReceived(alert) => match alert {
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::UnsupportedCertificate => Some(*alert),
            _ => None,
        },
        _ => None,
    }
}
