//! The daemon: one scheduler for all merchants.

mod fleet;
mod hooks;
mod http;
mod in_force;
mod metrics;
mod notify;
mod pace;
mod scheduler;
mod sleep;
mod standby;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use favor_core::Clock;
use tokio::sync::{mpsc, watch};

use crate::config::{Config, ConfigError, Listen};
use crate::directory::DirectoryError;
use crate::merchant::Fingerprint;
use fleet::Fleet;

/// Why the daemon could not start, or had to end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DaemonError {
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The directory cannot be written.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// It cannot listen.
    #[error("cannot listen on {place}: {error}")]
    Listen {
        /// The address or socket.
        place: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// The transport cannot be set up: proxy or root certificate.
    #[error("the transport cannot be set up: {0}")]
    Transport(String),
}

/// What is said to a daemon that runs.
#[derive(Debug)]
enum Command {
    /// Read settings and key files again.
    Reload,
    /// Somebody met a serial that is not in force.
    Unknown(favor_core::MerchantId, tokio::sync::oneshot::Sender<()>),
    /// Somebody wants a check now.
    Refresh(favor_core::MerchantId, tokio::sync::oneshot::Sender<Refresh>),
    Stop,
}

/// What comes of asking for a check.
#[derive(Debug)]
enum Refresh {
    /// It is under way; completes when it has ended.
    Begun(tokio::sync::oneshot::Receiver<()>),
    /// There was one just now; again after this time.
    TooSoon(std::time::Duration),
    /// Another process writes the directory, and checks.
    StandingBy,
    NoSuchMerchant,
}

/// Speaks to a daemon that runs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct DaemonHandle {
    commands: mpsc::UnboundedSender<Command>,
    address: Option<SocketAddr>,
    fleet: Arc<Fleet>,
}

impl DaemonHandle {
    /// Reads the settings and all key files again, as on SIGHUP.
    pub fn reload(&self) {
        let _ = self.commands.send(Command::Reload);
    }

    /// Ends the daemon when what is under way has ended.
    pub fn stop(&self) {
        let _ = self.commands.send(Command::Stop);
    }

    /// Where it listens, when that is a loopback address.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The text of `/metrics`.
    pub fn metrics(&self) -> String {
        metrics::text(&self.fleet)
    }
}

/// The daemon, ready to run.
#[derive(Debug)]
pub struct Daemon {
    path: PathBuf,
    config: Config,
    settings: Fingerprint,
    clock: Arc<dyn Clock>,
    fleet: Arc<Fleet>,
    listener: Option<http::Listener>,
    commands: (mpsc::UnboundedSender<Command>, mpsc::UnboundedReceiver<Command>),
}

impl Daemon {
    /// Reads the settings and begins to listen.
    ///
    /// # Errors
    /// [`DaemonError`]: the settings are wrong, or it cannot listen.
    pub async fn start(config: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Self, DaemonError> {
        let path = config.as_ref().to_owned();
        let settings = Fingerprint::of([path.as_path()]);
        let config = Config::read(&path)?;
        let listener = match &config.listen {
            Some(listen) => Some(http::Listener::bind(listen, config.file_mode).await?),
            None => None,
        };
        let fleet = Arc::new(Fleet::new(clock.clone(), config.max_age));
        Ok(Self { path, config, settings, clock, fleet, listener, commands: mpsc::unbounded_channel() })
    }

    /// A handle to speak to it while it runs.
    pub fn handle(&self) -> DaemonHandle {
        DaemonHandle {
            commands: self.commands.0.clone(),
            address: self.listener.as_ref().and_then(http::Listener::address),
            fleet: self.fleet.clone(),
        }
    }

    /// Runs until it is stopped. While another process writes the directory it stands by and serves what is there.
    ///
    /// # Errors
    /// [`DaemonError`] when the directory cannot be used at all.
    pub async fn run(self) -> Result<(), DaemonError> {
        let Self { path, config, settings, clock, fleet, listener, commands: (sender, mut receiver) } = self;
        let (stop, stopped) = watch::channel(false);
        let served = listener.map(|listener| {
            tokio::spawn(http::serve(
                listener,
                http::State { fleet: fleet.clone(), commands: sender },
                stopped.clone(),
            ))
        });
        let result = match standby::take_over(&config, &clock, &fleet, &mut receiver).await {
            Ok(Some(directory)) => {
                let hooks =
                    tokio::spawn(hooks::run(directory.clone(), fleet.clone(), clock.clone(), stopped));
                let result = scheduler::run(scheduler::Parts {
                    path,
                    config,
                    settings,
                    clock,
                    fleet,
                    directory,
                    commands: receiver,
                })
                .await;
                let _ = stop.send(true);
                let _ = hooks.await;
                result
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        let _ = stop.send(true);
        if let Some(served) = served {
            let _ = served.await;
        }
        result
    }
}

/// For messages.
fn place(listen: &Listen) -> String {
    match listen {
        Listen::Loopback(address) => address.to_string(),
        Listen::Unix(path) => path.display().to_string(),
    }
}
