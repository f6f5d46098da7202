//! Other processes of this same program: the server, and the client whose memory is measured.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};

use tokio::sync::oneshot;

use crate::{processor, runtime, server};

/// The server's process; it ends when this is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts a server on `core`, or wherever the system puts it.
    pub(crate) fn start(core: Option<usize>) -> io::Result<Self> {
        let core = core.map_or_else(|| "any".to_owned(), |core| core.to_string());
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--serve", &core])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let address = line.trim().parse().map_err(io::Error::other)?;
        Ok(Self { process, address })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It serves until its input ends.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// What the server's process does: says its address, and serves until its input ends.
pub(crate) fn serve(core: Option<usize>) -> io::Result<()> {
    core.map_or(Ok(()), processor::stay_on)?;
    let listener = server::listen()?;
    let address = listener.local_addr()?;
    let (end, ended) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        drop(end);
    });
    runtime()?.block_on(async {
        let serving = server::serve(listener);
        writeln!(io::stdout(), "{address}")?;
        tokio::select! {
            result = serving => result,
            _ = ended => Ok(()),
        }
    })
}

/// Runs the client whose memory is measured, in a process of its own.
pub(crate) fn memory_client(server: SocketAddr) -> io::Result<Output> {
    Command::new(std::env::current_exe()?)
        .args(["--memory-client", &server.to_string()])
        .stderr(Stdio::inherit())
        .output()
}
