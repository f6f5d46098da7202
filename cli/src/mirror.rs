//! `favor mirror`: WeChat Pay's side, on this machine.

use anyhow::Context as _;
use favor_mirror::{Mirror, Ready};

use crate::args;
use crate::env;
use crate::exit::Exit;
use crate::output::Output;

pub(crate) async fn run(args: args::Mirror, output: &Output) -> anyhow::Result<Exit> {
    let mut builder = Mirror::builder().listen(args.listen);
    if let Some(file) = &args.data {
        builder = builder.data(file);
    }
    let mirror = builder.start().await.context("the mirror cannot start")?;
    // Removed when this function returns, also after ctrl-c.
    let temporary;
    let folder = match &args.keys {
        Some(folder) => folder.as_path(),
        None => {
            temporary = tempfile::Builder::new().prefix("favor-mirror-").tempdir()?;
            temporary.path()
        }
    };
    let ready = mirror.write_files(folder).context("the key files cannot be written")?;
    if output.is_json() {
        output.json(&ready)?;
    } else {
        print(&ready, output)?;
    }
    if !args.listen.ip().is_loopback() {
        output.talk("reachable from other machines; the calls under /_mirror answer this machine only");
    }
    output.talk("ready; ctrl-c stops it");
    stop_signal().await?;
    mirror.shutdown().await;
    output.talk("stopped");
    Ok(Exit::Done)
}

fn print(ready: &Ready, output: &Output) -> anyhow::Result<()> {
    output.line("# A merchant of this mirror. Paste these lines into another terminal, then try: favor stock --help")?;
    for (variable, value) in [
        (env::BASE_URL, &ready.base_url),
        (env::MCHID, &ready.mchid),
        (env::SERIAL_NO, &ready.serial_no),
        (env::PRIVATE_KEY_FILE, &ready.private_key_file),
        (env::API_V3_KEY, &ready.api_v3_key),
        (env::APPID, &ready.appid),
    ] {
        output.line(&format!("export {variable}={value}"))?;
    }
    output.line(&format!("# certificate: {}", ready.certificate_file))?;
    output.line(&format!("# public key {}: {}", ready.public_key_id, ready.public_key_file))?;
    output.line(&format!("# what it saw: curl {}/_mirror/requests", ready.base_url))
}

#[cfg(unix)]
async fn stop_signal() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn stop_signal() -> anyhow::Result<()> {
    Ok(tokio::signal::ctrl_c().await?)
}
