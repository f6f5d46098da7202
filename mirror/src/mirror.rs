//! A running mirror.

mod card_lists;
mod cards;
mod gift_cards;
mod notifications;
mod stocks;
mod time;
mod users;
mod world;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

pub use cards::CardDesk;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::app;
use crate::builder::MirrorBuilder;
use crate::control::faults;
use crate::error::MirrorError;
use crate::fault::{FaultRule, PlannedFault};
use crate::listening;
use crate::merchant::{KnownMerchant, Merchant};
use crate::platform_host::PLATFORM_HOSTS;
use crate::ready::Ready;
use crate::request_log::LoggedRequest;
use crate::rules::{self, Rule};
use crate::serve::{self, Server, Tunnels};
use crate::state::{App, State};
use crate::timeline;
use crate::tls::Tls;

/// A running mirror. Dropping it stops it.
#[derive(Debug)]
pub struct Mirror {
    app: App,
    base_url: String,
    address: SocketAddr,
    tls: Arc<Tls>,
    /// The merchant every mirror has.
    merchant: Merchant,
    stop: watch::Sender<bool>,
    server: Option<JoinHandle<()>>,
    /// What happens by itself as the test clock goes.
    background: Option<JoinHandle<()>>,
}

impl Mirror {
    /// WeChat's hosts, which the mirror stands in for when it is reached by TLS or as a proxy.
    pub const HOSTS: [&str; 11] = PLATFORM_HOSTS;

    /// A builder with all defaults: loopback, a port from the system, state in memory.
    pub fn builder() -> MirrorBuilder {
        MirrorBuilder::default()
    }

    pub(crate) async fn listen(state: State, tls: Tls, address: SocketAddr) -> Result<Self, MirrorError> {
        let failed = |source| MirrorError::Listen { address, source };
        let listener = listening::listen(address).map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let merchants = state.merchants();
        let merchant = merchants.all().next().map(|known| known.public.clone());
        let merchant = merchant.ok_or(MirrorError::NotFound { what: "merchant" })?;
        let (keep_alive, request_timeout) = (state.settings.keep_alive, state.settings.request_timeout);
        let base_url = format!("http://{bound}");
        state.set_base_url(base_url.clone());
        let app_state: App = Arc::new(state);
        let (stop, stopped) = watch::channel(false);
        let background = Some(tokio::spawn(timeline::run(Arc::clone(&app_state), stopped.clone())));
        let router = app(Arc::clone(&app_state));
        let tls = Arc::new(tls);
        let tunnels = Arc::new(Tunnels::default());
        let server = Server {
            app: Arc::clone(&app_state),
            router,
            address: bound,
            tls: Arc::clone(&tls),
            keep_alive,
            request_timeout,
            stopped,
            tunnels: Arc::downgrade(&tunnels),
        };
        let server = tokio::spawn(serve::serve(listener, Arc::new(server), tunnels));
        tracing::info!(address = %bound, "mirror is listening");
        Ok(Self {
            app: app_state,
            base_url,
            address: bound,
            tls,
            merchant,
            stop,
            server: Some(server),
            background,
        })
    }

    #[cfg(test)]
    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// `http://address:port`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The same port by TLS: `https://localhost:port`, or the address where the mirror does not listen on
    /// loopback. Its certificate is for WeChat's hosts, localhost and addresses of private networks.
    #[must_use]
    pub fn tls_url(&self) -> String {
        let (ip, port) = (self.address.ip(), self.address.port());
        if ip.is_loopback() || ip.is_unspecified() {
            format!("https://localhost:{port}")
        } else {
            format!("https://{}", self.address)
        }
    }

    /// The same port as a proxy: what `HTTPS_PROXY` takes. It answers for WeChat's hosts and refuses all others.
    #[must_use]
    pub fn proxy_url(&self) -> String {
        let mut address = self.address;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        format!("http://{address}")
    }

    /// Certificate (PEM) of the authority that a client by TLS or through the proxy has to trust. It is new with
    /// every mirror in memory, and stays with a data file. It can speak for WeChat's hosts, localhost and private
    /// networks only; still, give it to the program under test, not to a whole system.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        self.tls.authority().certificate_pem()
    }

    /// The default merchant, as it was when the mirror started; [`Mirror::merchants`] has what a change or a
    /// restore made of it.
    #[must_use]
    pub fn merchant(&self) -> &Merchant {
        &self.merchant
    }

    /// Writes the default merchant's private key and certificate, the platform's public key and the certificate
    /// of the mirror's own authority into a folder, under the names production gives them.
    ///
    /// # Errors
    ///
    /// When the folder or a file cannot be written.
    pub fn write_files(&self, folder: impl AsRef<Path>) -> Result<Ready, MirrorError> {
        Ready::write(folder.as_ref(), self)
    }

    /// Plans a fault and returns its number.
    ///
    /// # Errors
    ///
    /// When the rule could never strike or cannot be carried out.
    pub fn plan(&self, rule: FaultRule) -> Result<u64, MirrorError> {
        self.app.faults.add(rule)
    }

    /// Takes one planned fault back, by its number.
    ///
    /// # Errors
    ///
    /// [`MirrorError::NotFound`] when there is none with this number.
    pub fn remove_fault(&self, id: u64) -> Result<(), MirrorError> {
        faults::take_back(&self.app, id)
    }

    /// Takes all planned faults back.
    pub fn clear_faults(&self) {
        self.app.faults.clear();
    }

    /// The planned faults, used up ones included.
    #[must_use]
    pub fn faults(&self) -> Vec<PlannedFault> {
        self.app.faults.all()
    }

    /// One request of the log; none when it is not there any more.
    #[must_use]
    pub fn request(&self, id: u64) -> Option<LoggedRequest> {
        self.app.log.find(id).map(Arc::unwrap_or_clone)
    }

    fn known(&self, mchid: &str) -> Result<Arc<KnownMerchant>, MirrorError> {
        self.app.merchants().find(mchid).ok_or(MirrorError::NotFound { what: "merchant" })
    }

    /// The last requests, newest first: at most `limit`, and only those after the one numbered `after`.
    #[must_use]
    pub fn requests(&self, limit: usize, after: u64) -> Vec<LoggedRequest> {
        self.app.log.list(limit, after)
    }

    /// Every rule the mirror enforces, with its provenance.
    pub fn rules() -> impl Iterator<Item = &'static Rule> {
        rules::all()
    }

    /// Lets open requests and deliveries finish and stops. When this returns, the data file is closed.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(server) = self.server.take() {
            server.await.ok();
        }
        if let Some(background) = self.background.take() {
            background.await.ok();
        }
        self.app.ledger.close().await;
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.abort();
        }
        if let Some(background) = self.background.take() {
            background.abort();
        }
    }
}
