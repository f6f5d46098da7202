//! Where settings come from: flag, then environment, then the profile in favor.toml, then default.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use favor_core::{
    ApiV3Key, AppId, Certificate, Client, HttpTransport, MAIN_URL, MerchantId, MerchantSigner, PlatformKeys,
    PrivateKey, PublicKey,
};

use crate::args::Global;
use crate::env;
use crate::profile::{self, Profile};

/// The settings of one run, merged.
#[derive(Debug)]
pub(crate) struct Settings {
    profile: Profile,
    base_url: Option<String>,
    merchant_id: MerchantId,
}

impl Settings {
    pub(crate) fn load(global: &Global) -> anyhow::Result<Self> {
        let profile = profile::load(global.config.as_deref(), global.profile.as_deref())?;
        let base_url =
            global.base_url.clone().or_else(|| env::read(env::BASE_URL)).or(profile.base_url.clone());
        let merchant_id = match (&global.mchid, env::read(env::MCHID).or(profile.mchid.clone())) {
            (Some(given), _) => given.clone(),
            (None, Some(text)) => MerchantId::new(text)?,
            (None, None) => bail!(missing("the merchant id", "mchid", env::MCHID)),
        };
        Ok(Self { profile, base_url, merchant_id })
    }

    pub(crate) fn merchant_id(&self) -> &MerchantId {
        &self.merchant_id
    }

    /// Whether calls can move real money: anything but a mirror on this machine or over plain http.
    pub(crate) fn is_production(&self) -> bool {
        let url = self.base_url.as_deref().unwrap_or(MAIN_URL);
        let loopback = ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| {
            url.strip_prefix("https://")
                .is_some_and(|rest| rest == *host || rest.starts_with(&format!("{host}:")))
        });
        url.starts_with("https://") && !loopback
    }

    pub(crate) fn host(&self) -> &str {
        self.base_url.as_deref().unwrap_or(MAIN_URL)
    }

    pub(crate) fn appid(&self, given: Option<&AppId>) -> anyhow::Result<AppId> {
        if let Some(given) = given {
            return Ok(given.clone());
        }
        let text = env::read(env::APPID).or(self.profile.appid.clone());
        let text = text.with_context(|| missing("the appid", "appid", env::APPID))?;
        Ok(AppId::new(text)?)
    }

    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let mut builder = Client::builder(self.signer()?, self.platform_keys()?)
            .user_agent(concat!("favor-cli/", env!("CARGO_PKG_VERSION")))
            .transport(self.transport()?);
        if let Some(url) = &self.base_url {
            builder = builder.base_url(url);
        }
        Ok(builder.build()?)
    }

    fn transport(&self) -> anyhow::Result<HttpTransport> {
        let mut builder = HttpTransport::builder();
        if let Some(proxy) = env::read(env::PROXY).or(self.profile.proxy.clone()) {
            builder = builder.proxy(proxy);
        }
        if let Some(file) = self.file(env::CA_FILE, self.profile.ca_file.as_deref()) {
            let pem = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            builder = builder.root_certificate(pem);
        }
        Ok(builder.build()?)
    }

    pub(crate) fn signer(&self) -> anyhow::Result<MerchantSigner> {
        let key = match (
            env::read(env::PRIVATE_KEY),
            self.file(env::PRIVATE_KEY_FILE, self.profile.private_key_file.as_deref()),
        ) {
            (Some(pem), _) => PrivateKey::from_pem(pem).with_context(|| env::PRIVATE_KEY)?,
            (None, Some(file)) => PrivateKey::from_pem_file(file)?,
            (None, None) => {
                bail!(missing("the merchant's private key", "private_key_file", env::PRIVATE_KEY_FILE))
            }
        };
        let serial = env::read(env::SERIAL_NO).or(self.profile.serial_no.clone());
        let certificate = self.file(env::CERTIFICATE_FILE, self.profile.certificate_file.as_deref());
        match (serial, certificate) {
            (_, Some(file)) => {
                let certificate = Certificate::from_pem_file(&file)?;
                MerchantSigner::from_certificate(self.merchant_id.clone(), &certificate, key)
                    .with_context(|| file.display().to_string())
            }
            (Some(serial), None) => Ok(MerchantSigner::new(self.merchant_id.clone(), serial, key)?),
            (None, None) => {
                bail!(missing("the serial of the merchant's API certificate", "serial_no", env::SERIAL_NO))
            }
        }
    }

    fn platform_keys(&self) -> anyhow::Result<PlatformKeys> {
        let api_v3_key = match (
            env::read(env::API_V3_KEY),
            self.file(env::API_V3_KEY_FILE, self.profile.api_v3_key_file.as_deref()),
        ) {
            (Some(key), _) => Some(ApiV3Key::new(key).with_context(|| env::API_V3_KEY)?),
            (None, Some(file)) => {
                let text = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
                Some(ApiV3Key::new(text).with_context(|| file.display().to_string())?)
            }
            (None, None) => None,
        };
        let id = env::read(env::PUBLIC_KEY_ID).or(self.profile.public_key_id.clone());
        let file = self.file(env::PUBLIC_KEY_FILE, self.profile.public_key_file.as_deref());
        let public_key = match (id, file) {
            (Some(id), Some(file)) => {
                let pem = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
                Some((id, PublicKey::from_pem(pem).with_context(|| file.display().to_string())?))
            }
            (None, None) => None,
            _ => bail!("the WeChat Pay public key needs both public_key_id and public_key_file"),
        };
        match (api_v3_key, public_key) {
            (Some(api_v3_key), Some((id, key))) => {
                Ok(PlatformKeys::download_and_public_key(api_v3_key, id, key)?)
            }
            (Some(api_v3_key), None) => Ok(PlatformKeys::download(api_v3_key)),
            (None, Some((id, key))) => Ok(PlatformKeys::public_key(id, key)?),
            (None, None) => bail!(missing(
                "the APIv3 key (or the WeChat Pay public key and its id)",
                "api_v3_key_file",
                env::API_V3_KEY
            )),
        }
    }

    fn file(&self, variable: &str, setting: Option<&Path>) -> Option<PathBuf> {
        env::read(variable).map(PathBuf::from).or_else(|| setting.map(Path::to_owned))
    }
}

fn missing(what: &str, setting: &str, variable: &str) -> String {
    format!("{what} is not set: put {setting} into a profile of favor.toml, or set {variable}")
}

/// An error with its causes, on one line.
pub(crate) fn in_words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    words
}
