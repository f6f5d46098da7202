//! `favor certs download`

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

use crate::args::{self, Global};
use crate::certs::held;
use crate::doctor::given::Given;
use crate::exit::Exit;
use crate::output::Output;
use crate::settings::Settings;

const BUNDLE: &str = "bundle.pem";

pub(crate) async fn run(
    args: &args::DownloadCerts,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Exit> {
    let client = Settings::load(global)?.client()?;
    let keys = held::ask(&client).await?;
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    // The bundle comes last: whoever finds it finds what is in it too.
    let mut bundle = Vec::new();
    for certificate in keys.certificates() {
        files.push((format!("{}.pem", certificate.serial()), certificate.pem().into()));
        bundle.extend_from_slice(certificate.pem().as_bytes());
    }
    if let (Some(id), Some(file)) = (keys.public_key_id(), Given::load(global)?.public_key) {
        let pem = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        files.push((format!("{id}.pem"), pem));
    }
    if !bundle.is_empty() {
        files.push((BUNDLE.to_owned(), bundle));
    }
    let written = write_all(&args.to, &files)
        .with_context(|| format!("the keys cannot be written to {}", args.to.display()))?;
    if output.is_json() {
        output.json(&json!({
            "mchid": client.merchant_id(),
            "files": written,
            "keys": held::of(&keys, client.clock().now()),
        }))?;
    } else {
        for file in written {
            output.line(&file.display().to_string())?;
        }
    }
    output.talk(
        "these files do not follow the platform's changes; a key directory kept by favor certs watch does",
    );
    Ok(Exit::Done)
}

fn write_all(folder: &Path, files: &[(String, Vec<u8>)]) -> anyhow::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    let mut written = Vec::new();
    for (name, content) in files {
        let path = folder.join(name);
        write(folder, &path, content).with_context(|| name.clone())?;
        written.push(path);
    }
    // The names last as the files do.
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    Ok(written)
}

/// The file is there whole or not at all, and one of this name before it stays until then.
fn write(folder: &Path, path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Public keys: other users may read them.
        builder.permissions(std::fs::Permissions::from_mode(0o644));
    }
    let mut file = builder.prefix(".favor-").tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
