//! Files for clients, and the line that says where they are.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::MirrorError;
use crate::mirror::Mirror;

/// Everything a client needs to call the mirror. In JSON this is the line a mirror prints when it is ready.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct Ready {
    /// `http://address:port`
    pub base_url: String,
    /// Merchant id.
    pub mchid: String,
    /// Serial number of the merchant's certificate.
    pub serial_no: String,
    /// The merchant's private key, readable by its owner only.
    pub private_key_file: PathBuf,
    /// The merchant's certificate.
    pub certificate_file: PathBuf,
    /// The merchant's APIv3 key.
    pub api_v3_key: String,
    /// An appid bound to the merchant.
    pub appid: String,
    /// Secret of the appid, for the card API.
    pub app_secret: String,
    /// Id of the platform's public key.
    pub public_key_id: String,
    /// The platform's public key.
    pub public_key_file: PathBuf,
    /// Certificate of the mirror's own authority, to be trusted by clients that come by TLS.
    pub ca_file: PathBuf,
    /// Address of the mirror as an HTTPS proxy for WeChat's hosts.
    pub proxy_url: String,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ready")
            .field("base_url", &self.base_url)
            .field("mchid", &self.mchid)
            .field("serial_no", &self.serial_no)
            .field("private_key_file", &self.private_key_file)
            .finish_non_exhaustive()
    }
}

impl Ready {
    /// Writes the files into a folder, which is made if it is missing.
    pub(crate) fn write(folder: &Path, mirror: &Mirror) -> Result<Self, MirrorError> {
        let (merchant, public_key) = (mirror.merchant(), mirror.public_key());
        std::fs::create_dir_all(folder)
            .map_err(|source| MirrorError::Files { path: folder.to_owned(), source })?;
        let put = |name: &str, text: &str, private: bool| {
            let path = folder.join(name);
            match write_file(&path, text, private) {
                Ok(()) => Ok(path),
                Err(source) => Err(MirrorError::Files { path, source }),
            }
        };
        Ok(Self {
            base_url: mirror.base_url().to_owned(),
            mchid: merchant.mchid.clone(),
            serial_no: merchant.serial_no.clone(),
            private_key_file: put("apiclient_key.pem", &merchant.private_key_pem, true)?,
            certificate_file: put("apiclient_cert.pem", &merchant.certificate_pem, false)?,
            api_v3_key: merchant.api_v3_key.clone(),
            appid: merchant.appid.clone(),
            app_secret: merchant.app_secret.clone(),
            public_key_id: public_key.id.clone(),
            public_key_file: put("pub_key.pem", &public_key.pem, false)?,
            ca_file: put("mirror_ca.pem", mirror.ca_pem(), false)?,
            proxy_url: mirror.proxy_url(),
        })
    }
}

fn write_file(path: &Path, text: &str, private: bool) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(if private { 0o600 } else { 0o644 });
    }
    let mut file = options.open(path)?;
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::PermissionsExt as _;
        // The mode above counts only for a new file.
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    #[cfg(not(unix))]
    let _ = private;
    file.write_all(text.as_bytes())
}
