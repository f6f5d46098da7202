//! `favor mirror`: WeChat Pay's side, on this machine.

pub(crate) mod control;

use anyhow::Context as _;
use favor_mirror::{Mirror, MirrorError, Ready, Seed};

use crate::args::{self, Begin, Global};
use crate::env;
use crate::exit::Exit;
use crate::output::Output;

pub(crate) async fn run(args: args::Mirror, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    if let Some(command) = args.command {
        return control::run(command, global, output).await;
    }
    if args.print_seed {
        output.line(Seed::EXAMPLE.trim_end())?;
        return Ok(Exit::Done);
    }
    let stop = Stop::listen()?;
    let mut builder = Mirror::builder().listen(args.listen);
    if let Some(file) = &args.data {
        builder = builder.data(file);
    }
    if let Some(file) = &args.seed {
        builder = builder.seed(Seed::read(file)?);
    }
    if let Some(seed) = args.id_seed {
        builder = builder.id_seed(seed);
    }
    if let Some(file) = &args.faults {
        builder = builder.faults_file(file);
    }
    if let Begin::At(time) = args.clock {
        builder = builder.clock_from(time);
    }
    builder = builder.open_control(args.open_control);
    builder = builder.clock_frozen(args.frozen).clock_rate(args.clock_rate.unwrap_or(1));
    let mirror = builder.start().await.with_context(|| match &args.data {
        Some(file) => format!("the mirror cannot start on {} with {}", args.listen, file.display()),
        None => format!("the mirror cannot start on {}", args.listen),
    })?;
    if args.data.is_some() {
        set_kept_clock(&mirror, &args).await.context("the kept clock cannot be set")?;
    }
    for note in mirror.seed_notes() {
        output.talk(note);
    }
    // Removed when this function returns, also after ctrl-c.
    let temporary;
    // Absolute, since its files are named to programs in other folders.
    let folder = match &args.keys {
        Some(folder) => std::path::absolute(folder)?,
        None => {
            temporary = tempfile::Builder::new().prefix("favor-mirror-").tempdir()?;
            temporary.path().to_owned()
        }
    };
    let ready = mirror.write_files(folder).context("the key files cannot be written")?;
    if output.is_json() {
        output.json(&ready)?;
    } else {
        print(&mirror, &ready, output)?;
    }
    if !args.listen.ip().is_loopback() {
        output.talk(if args.open_control {
            "reachable from other machines, with the calls under /_mirror, which are not authenticated"
        } else {
            "reachable from other machines; the calls under /_mirror answer this machine only, --open-control opens them"
        });
    }
    output.talk("ready; ctrl-c stops it");
    stop.wait().await?;
    mirror.shutdown().await;
    output.talk("stopped");
    Ok(Exit::Done)
}

/// What is asked for goes before what the data file holds; what is not asked for stays as it is there.
async fn set_kept_clock(mirror: &Mirror, args: &args::Mirror) -> Result<(), MirrorError> {
    if args.frozen {
        mirror.freeze_clock().await?;
    }
    if let Some(rate) = args.clock_rate {
        mirror.set_clock_rate(rate).await?;
    }
    if let Begin::At(time) = args.clock {
        mirror.set_clock(time).await?;
    }
    Ok(())
}

fn print(mirror: &Mirror, ready: &Ready, output: &Output) -> anyhow::Result<()> {
    output.line(
        "# A merchant of this mirror. Paste these lines into another terminal, then try: favor stock --help, favor card --help",
    )?;
    for (variable, value) in [
        (env::BASE_URL, ready.base_url.as_str()),
        (env::MCHID, &ready.mchid),
        (env::SERIAL_NO, &ready.serial_no),
        (env::PRIVATE_KEY_FILE, &ready.private_key_file.display().to_string()),
        (env::API_V3_KEY, &ready.api_v3_key),
        (env::APPID, &ready.appid),
        (env::APP_SECRET, &ready.app_secret),
    ] {
        output.line(&format!("export {variable}={value}"))?;
    }
    output.line(&format!("# certificate: {}", ready.certificate_file.display()))?;
    output.line(&format!("# public key {}: {}", ready.public_key_id, ready.public_key_file.display()))?;
    output.line(&format!("# console: {}/_mirror/", ready.base_url))?;
    output.line(&format!("# what it saw: curl {}/_mirror/requests", ready.base_url))?;
    for line in [
        "",
        "# For an SDK with WeChat's host fixed in its code: the mirror as its proxy, which lets nothing else pass,",
        "# and the mirror's authority trusted. Then try: curl -i https://api.mch.weixin.qq.com/v3/certificates",
        &format!("export HTTPS_PROXY={} NO_PROXY=localhost,127.0.0.1,::1", ready.proxy_url),
        // Node; OpenSSL and Go; Python's requests; curl.
        &format!("export NODE_EXTRA_CA_CERTS={}", ready.ca_file.display()),
        "export SSL_CERT_FILE=$NODE_EXTRA_CA_CERTS REQUESTS_CA_BUNDLE=$NODE_EXTRA_CA_CERTS",
        "export CURL_CA_BUNDLE=$NODE_EXTRA_CA_CERTS",
        "",
        "# Without a proxy: favor mirror --listen 127.0.0.1:443, the authority trusted as above, and in /etc/hosts",
        &format!("# 127.0.0.1 {}", Mirror::HOSTS.join(" ")),
        &format!("# By TLS at an address of its own: {}", mirror.tls_url()),
    ] {
        output.line(line)?;
    }
    Ok(())
}

/// Ctrl-c or, on Unix, a polite kill. Listening begins when this is made, not when it is waited for.
pub(crate) struct Stop {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
}

impl Stop {
    #[cfg(unix)]
    pub(crate) fn listen() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { signals: [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?] })
    }

    pub(crate) async fn wait(mut self) -> anyhow::Result<()> {
        self.next().await
    }

    /// The same, and the next one after it.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) -> anyhow::Result<()> {
        let [interrupt, terminate] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    }

    #[cfg(not(unix))]
    pub(crate) fn listen() -> anyhow::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) -> anyhow::Result<()> {
        Ok(tokio::signal::ctrl_c().await?)
    }
}
