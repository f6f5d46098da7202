//! A merchant with its keys read, ready to fetch.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use favor_core::key_directory::MerchantCertificateStatus;
use favor_core::{
    ApiV3Key, Certificate, Client, Clock, Error, HttpTransport, KeyError, KeySet, MerchantId, MerchantSigner,
    PlatformKeys, PrivateKey, PublicKey, RetryPolicy, Secret, Serial, Signer as _,
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

/// The same as it waits for the next check. A key ready for use takes many times the memory of its text, and a fleet
/// uses one each second.
#[derive(Debug)]
struct Waiting {
    private_key: Secret<String>,
    serial_no: String,
    api_v3_key: ApiV3Key,
    base_url: Option<String>,
    transport: HttpTransport,
    clock: Arc<dyn Clock>,
}

/// A merchant with its keys read.
#[derive(Debug)]
pub(crate) struct Merchant {
    pub(crate) config: Arc<MerchantConfig>,
    waiting: Option<Waiting>,
    /// The WeChat Pay public key: its id and its text.
    pub(crate) public_key: Option<(Serial, String)>,
    /// Of its own API certificate.
    pub(crate) certificate: Option<MerchantCertificateStatus>,
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
        config: &Arc<MerchantConfig>,
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
                KeySet::new().with_public_key(id, key)?;
                Some((Serial::new(id.trim()), text(file)?))
            }
            _ => None,
        };
        let waiting = match (&config.api_v3_key_file, &config.private_key_file) {
            (Some(api_v3_key), Some(private_key)) => {
                let api_v3_key = ApiV3Key::new(text(api_v3_key)?)?;
                let signer = signer(&config.mchid, config, certificate.as_ref(), private_key)?;
                let waiting = Waiting {
                    private_key: Secret::new(text(private_key)?),
                    serial_no: signer.serial().as_str().to_owned(),
                    api_v3_key,
                    base_url: config.base_url.as_ref().or(all.base_url.as_ref()).cloned(),
                    transport: transport.clone(),
                    clock: clock.clone(),
                };
                // A wrong address shows now rather than with the first check.
                waiting.client(signer)?;
                Some(waiting)
            }
            _ => None,
        };
        let certificate =
            certificate.map(|own| MerchantCertificateStatus::new(own.serial().as_str(), own.not_after()));
        Ok(Self { config: Arc::clone(config), waiting, public_key, certificate, files })
    }

    /// Makes ready what a check needs; none where nothing is fetched. Takes some milliseconds.
    pub(crate) fn fetching(&self) -> Result<Option<Fetching>, MerchantError> {
        let Some(waiting) = &self.waiting else { return Ok(None) };
        let key = PrivateKey::from_pem(waiting.private_key.expose())?;
        let signer = MerchantSigner::new(self.config.mchid.clone(), &waiting.serial_no, key)?;
        Ok(Some(Fetching { client: waiting.client(signer)?, api_v3_key: waiting.api_v3_key.clone() }))
    }

    pub(crate) fn id(&self) -> &MerchantId {
        &self.config.mchid
    }
}

impl Waiting {
    fn client(&self, signer: MerchantSigner) -> Result<Client, Error> {
        let mut client = Client::builder(signer, PlatformKeys::fixed(KeySet::new()))
            .user_agent(concat!("favor-certs/", env!("CARGO_PKG_VERSION")))
            .transport(self.transport.clone())
            .clock(self.clock.clone())
            .retry(RetryPolicy::NONE);
        if let Some(url) = &self.base_url {
            client = client.base_url(url);
        }
        client.build()
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
