//! A merchant with its keys read, ready to fetch.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use favor_core::{
    ApiV3Key, Certificate, Client, Clock, Error, HttpTransport, KeyError, KeySet, MerchantId, MerchantSigner,
    PlatformKeys, PrivateKey, PublicKey, RetryPolicy, Serial,
};

use crate::config::{Config, MerchantConfig};

/// Why a merchant's own keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MerchantError {
    /// A key file is not what it should be.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A key file cannot be read.
    #[error("{path}: cannot be read: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        why: String,
    },
    /// The client cannot be put together.
    #[error(transparent)]
    Client(#[from] Error),
}

/// What fetching needs.
#[derive(Debug)]
pub(crate) struct Fetching {
    pub(crate) client: Client,
    pub(crate) api_v3_key: ApiV3Key,
}

/// A merchant with its keys read.
#[derive(Debug)]
pub(crate) struct Merchant {
    pub(crate) config: MerchantConfig,
    pub(crate) fetching: Option<Fetching>,
    /// The WeChat Pay public key: its id, its text and itself.
    pub(crate) public_key: Option<(Serial, String, PublicKey)>,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) files: Fingerprint,
}

/// What tells that files have changed: for each its time of change and its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(Vec<Option<(SystemTime, u64)>>);

impl Fingerprint {
    pub(crate) fn of<'a>(files: impl IntoIterator<Item = &'a Path>) -> Self {
        let one = |file: &Path| {
            let data = std::fs::metadata(file).ok()?;
            Some((data.modified().ok()?, data.len()))
        };
        Self(files.into_iter().map(one).collect())
    }
}

impl Merchant {
    pub(crate) fn load(
        all: &Config,
        config: &MerchantConfig,
        transport: &HttpTransport,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, MerchantError> {
        // Taken before the files are read: a change meanwhile is noticed the next time.
        let files = Fingerprint::of(config.files());
        let certificate = config.certificate_file.as_ref().map(Certificate::from_pem_file).transpose()?;
        let public_key = match (&config.public_key_id, &config.public_key_file) {
            (Some(id), Some(file)) => {
                let key = PublicKey::from_pem_file(file)?;
                // Refuses an id that cannot be one.
                KeySet::new().with_public_key(id, key.clone())?;
                Some((Serial::new(id.trim()), text(file)?, key))
            }
            _ => None,
        };
        let fetching = match (&config.api_v3_key_file, &config.private_key_file) {
            (Some(api_v3_key), Some(private_key)) => {
                let api_v3_key = ApiV3Key::new(text(api_v3_key)?)?;
                let signer = signer(&config.mchid, config, certificate.as_ref(), private_key)?;
                let mut client = Client::builder(signer, PlatformKeys::fixed(KeySet::new()))
                    .user_agent(concat!("favor-certs/", env!("CARGO_PKG_VERSION")))
                    .transport(transport.clone())
                    .clock(clock.clone())
                    .retry(RetryPolicy::NONE);
                if let Some(url) = config.base_url.as_ref().or(all.base_url.as_ref()) {
                    client = client.base_url(url);
                }
                Some(Fetching { client: client.build()?, api_v3_key })
            }
            _ => None,
        };
        Ok(Self { config: config.clone(), fetching, public_key, certificate, files })
    }

    pub(crate) fn id(&self) -> &MerchantId {
        &self.config.mchid
    }
}

fn signer(
    id: &MerchantId,
    config: &MerchantConfig,
    certificate: Option<&Certificate>,
    private_key: &Path,
) -> Result<MerchantSigner, KeyError> {
    let key = PrivateKey::from_pem_file(private_key)?;
    match certificate {
        Some(certificate) => MerchantSigner::from_certificate(id.clone(), certificate, key),
        None => MerchantSigner::new(id.clone(), config.serial_no.as_deref().unwrap_or_default(), key),
    }
}

fn text(path: &Path) -> Result<String, MerchantError> {
    std::fs::read_to_string(path).map_err(|error| MerchantError::Unreadable {
        path: path.display().to_string(),
        why: error.to_string(),
    })
}
