//! Accepts connections, finds out what is spoken on them, and ends them at shutdown.
//!
//! One port takes everything: plain HTTP, TLS, and both forms of proxy requests. The first byte tells HTTP from
//! TLS, and the request tells the rest.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use axum::Router;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::connection_end::{Fate, Socket};
use crate::http_connection::{Ended, Open, converse};
use crate::lock;
use crate::proxy;
use crate::reached::Channel;
use crate::sniff::Sniffed;
use crate::state::App;
use crate::tls::{self, Stream, Tls};

/// How long open requests may take once the mirror shuts down.
const GRACE: Duration = Duration::from_secs(5);
const NO_TLS_IN_TUNNEL: &str = "the client spoke something else than TLS in a tunnel to port 443";

/// The tasks of all tunnels. They end when whoever serves them ends.
pub(crate) type Tunnels = Mutex<JoinSet<()>>;
const TRUST: &str = "a client that complains of the certificate has to trust the mirror's authority, whose \
                     certificate is in the file named as ca_file";

/// What all connections of a mirror share.
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) router: Router,
    /// Where the mirror listens.
    pub(crate) address: SocketAddr,
    pub(crate) tls: Arc<Tls>,
    /// How long a connection may be idle.
    pub(crate) keep_alive: Duration,
    /// How long the head of a request may take.
    pub(crate) request_timeout: Duration,
    pub(crate) stopped: watch::Receiver<bool>,
    pub(crate) tunnels: Weak<Tunnels>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Serves until told to stop, then lets open requests finish.
pub(crate) async fn serve(listener: TcpListener, server: Arc<Server>, tunnels: Arc<Tunnels>) {
    let mut stopped = server.stopped.clone();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let server = Arc::clone(&server);
                    connections.spawn(async move {
                        let metrics = Arc::clone(&server.app.metrics);
                        let _open = metrics.connection();
                        connection(server, stream, peer).await;
                    });
                }
                Err(error) => {
                    // Out of file descriptors, most likely: give others time to close some.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = told(&mut stopped) => break,
        }
    }
    drop(listener);
    let drained = async {
        while connections.join_next().await.is_some() {}
        // No connection is left that could open a tunnel.
        let mut tunnels = std::mem::take(&mut *lock::mutex(&tunnels));
        while tunnels.join_next().await.is_some() {}
    };
    if timeout(GRACE, drained).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections were still open after the grace period");
    }
}

/// Returns once the mirror is told to stop, or is gone.
pub(crate) async fn told(stop: &mut watch::Receiver<bool>) {
    stop.wait_for(|stop| *stop).await.ok();
}

async fn connection(server: Arc<Server>, stream: TcpStream, peer: SocketAddr) {
    stream.set_nodelay(true).ok();
    let reached = stream.local_addr().map_or(server.address.ip(), |local| local.ip());
    let fate = Fate::default();
    let socket = Socket::new(stream, fate.clone());
    let Some(stream) = server.first_byte(socket).await else { return };
    if stream.begins_tls() {
        if let Some(stream) = server.handshake(Box::new(stream), reached, None).await {
            converse(server, stream, peer, Channel { tls: true, tunnel: false }, fate).await;
        }
    } else {
        converse(server, stream, peer, Channel::default(), fate).await;
    }
}

impl Server {
    /// Waits for a byte as long as a connection may be idle.
    async fn first_byte<S: AsyncRead + Unpin>(&self, stream: S) -> Option<Sniffed<S>> {
        let mut stop = self.stopped.clone();
        tokio::select! {
            sniffed = timeout(self.keep_alive, Sniffed::of(stream)) => sniffed.ok()?.ok(),
            () = told(&mut stop) => None,
        }
    }

    /// The TLS handshake; `host` is the end of the tunnel in which it happens.
    async fn handshake(
        &self,
        stream: Box<dyn Stream>,
        reached: IpAddr,
        host: Option<&str>,
    ) -> Option<impl Stream + use<>> {
        let mut stop = self.stopped.clone();
        let accepted = tokio::select! {
            accepted = self.tls.accept(stream, reached) => accepted,
            () = told(&mut stop) => return None,
        };
        accepted.map_err(|error| self.explain_handshake(&error, host)).ok()
    }

    /// Most often the client has not been told of the mirror's authority: worth a line in the request log.
    fn explain_handshake(&self, error: &io::Error, host: Option<&str>) {
        let note = match tls::distrust(error) {
            Some(alert) => format!("the client broke the TLS handshake off ({alert:?}): {TRUST}"),
            None if host.is_some() => format!("there was no TLS handshake ({error}); {TRUST}"),
            // Outside a tunnel this may be anybody, and need not be a client at all.
            None => return tracing::debug!(%error, "a TLS handshake failed"),
        };
        let host = host.unwrap_or_default();
        tracing::warn!(host, "{note}");
        proxy::log_failure(&self.app, host, note);
    }

    /// Takes a tunnel over, once the client has been told that it is there.
    pub(crate) fn open_tunnel(
        self: &Arc<Self>,
        upgrade: OnUpgrade,
        host: String,
        peer: SocketAddr,
        fate: Fate,
        open: Open,
    ) {
        let Some(tunnels) = self.tunnels.upgrade() else { return };
        let tunnel = tunnel(Arc::clone(self), upgrade, host, peer, fate);
        let mut tunnels = lock::mutex(&tunnels);
        while tunnels.try_join_next().is_some() {}
        tunnels.spawn(async move {
            tunnel.await;
            // In HTTP/2 the connection around the tunnel is in use until here.
            drop(open);
        });
    }
}

/// Boxed, since a tunnel is served like the connection that it was opened on.
fn tunnel(
    server: Arc<Server>,
    upgrade: OnUpgrade,
    host: String,
    peer: SocketAddr,
    fate: Fate,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let mut stop = server.stopped.clone();
        let upgraded = tokio::select! {
            upgraded = timeout(server.keep_alive, upgrade) => upgraded,
            () = told(&mut stop) => return,
        };
        let Ok(Ok(upgraded)) = upgraded else { return };
        let Some(mut stream) = server.first_byte(TokioIo::new(upgraded)).await else { return };
        if !stream.begins_tls() {
            tracing::warn!(host, NO_TLS_IN_TUNNEL);
            proxy::log_failure(&server.app, &host, NO_TLS_IN_TUNNEL.to_owned());
            let answer = format!(
                "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n\
                 {NO_TLS_IN_TUNNEL}\n",
                NO_TLS_IN_TUNNEL.len() + 1
            );
            let told = async {
                stream.write_all(answer.as_bytes()).await?;
                stream.shutdown().await
            };
            timeout(server.keep_alive, told).await.ok();
            return;
        }
        // Tunnels end at a name, and that is in every certificate.
        let reached = server.address.ip();
        let Some(stream) = server.handshake(Box::new(stream), reached, Some(&host)).await else { return };
        let channel = Channel { tls: true, tunnel: true };
        if converse(Arc::clone(&server), stream, peer, channel, fate).await == Ended::LeftUnused {
            proxy::log_failure(
                &server.app,
                &host,
                format!("the client left after the TLS handshake without a request; {TRUST}"),
            );
        }
    })
}
