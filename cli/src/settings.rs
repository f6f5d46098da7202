//! Where settings come from: flag, then environment, then the profile in favor.toml, then default.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use favor_core::{
    __private::check_url, ApiV3Key, AppId, Certificate, Client, HttpTransport, MAIN_URL, MerchantId,
    MerchantSigner, PlatformKeys, PrivateKey,
};

use crate::args::Global;
use crate::env;
use crate::key_files;
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
        Self::load_profile(global, global.profile.as_deref())
    }

    /// The settings with this profile instead of the one in `global`.
    pub(crate) fn load_profile(global: &Global, profile: Option<&str>) -> anyhow::Result<Self> {
        let profile = profile::load(global.config.as_deref(), profile)?;
        let base_url = base_url(global, &profile);
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
        is_production(self.host())
    }

    pub(crate) fn host(&self) -> &str {
        self.base_url.as_deref().unwrap_or(MAIN_URL)
    }

    /// The further root certificate to trust, such as a mirror's.
    pub(crate) fn ca_file(&self) -> Option<PathBuf> {
        ca_file(&self.profile)
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
            .transport(transport(&self.profile)?);
        if let Some(url) = &self.base_url {
            builder = builder.base_url(url);
        }
        Ok(builder.build()?)
    }

    pub(crate) fn signer(&self) -> anyhow::Result<MerchantSigner> {
        let key = match (
            env::read(env::PRIVATE_KEY),
            key_files::place(env::PRIVATE_KEY_FILE, self.profile.private_key_file.as_deref()),
        ) {
            (Some(pem), _) => PrivateKey::from_pem(pem).with_context(|| env::PRIVATE_KEY)?,
            (None, Some(file)) => PrivateKey::from_pem_file(file)?,
            (None, None) => {
                bail!(missing("the merchant's private key", "private_key_file", env::PRIVATE_KEY_FILE))
            }
        };
        let serial = env::read(env::SERIAL_NO).or(self.profile.serial_no.clone());
        let certificate = key_files::place(env::CERTIFICATE_FILE, self.profile.certificate_file.as_deref());
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
        match (key_files::api_v3_key(&self.profile)?, key_files::public_key(&self.profile)?) {
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

    /// The APIv3 key, for those who open what is sealed with it.
    pub(crate) fn api_v3_key(&self) -> anyhow::Result<ApiV3Key> {
        key_files::needed_api_v3_key(&self.profile)
    }
}

fn ca_file(profile: &Profile) -> Option<PathBuf> {
    key_files::place(env::CA_FILE, profile.ca_file.as_deref())
}

/// The host to call, where one is set: in its normal form, so that one host has one spelling. What is no base URL stays
/// as it is, and the client refuses it.
pub(crate) fn base_url(global: &Global, profile: &Profile) -> Option<String> {
    let given = global.base_url.clone().or_else(|| env::read(env::BASE_URL)).or(profile.base_url.clone())?;
    Some(check_url(&given, true).unwrap_or(given))
}

/// Whether calls to this address can do something in earnest: anything but this machine or plain http. The address is
/// read as the client reads it, and what cannot be read counts as earnest.
pub(crate) fn is_production(url: &str) -> bool {
    let Ok(url) = check_url(url, true) else { return true };
    let Some(authority) = url.strip_prefix("https://") else { return false };
    !["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|host| authority.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')))
}

/// The way to the platform, with the proxy and the further root certificate of a profile.
pub(crate) fn transport(profile: &Profile) -> anyhow::Result<HttpTransport> {
    let mut builder = HttpTransport::builder();
    if let Some(proxy) = env::read(env::PROXY).or(profile.proxy.clone()) {
        builder = builder.proxy(proxy);
    }
    if let Some(file) = ca_file(profile) {
        let pem = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        builder = builder.root_certificate(pem);
    }
    Ok(builder.build()?)
}

pub(crate) fn missing(what: &str, setting: &str, variable: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::is_production;

    #[test]
    fn only_this_machine_and_plain_http_are_not_production() {
        for url in [
            "https://api.weixin.qq.com",
            "HTTPS://api.weixin.qq.com",
            "hTTps://API.WEIXIN.QQ.COM:443/",
            " https://api.mch.weixin.qq.com",
            "\thttps://api.mch.weixin.qq.com/\n",
            "https://127.0.0.1.example.com",
            "https://localhost.example.com:8443",
            "https://localhost:8443@api.weixin.qq.com",
            "https://mirror.example.com:8443",
            "api.weixin.qq.com",
            "ftp://127.0.0.1",
            "",
        ] {
            assert!(is_production(url), "{url:?}");
        }
        for url in [
            "http://127.0.0.1:9",
            " HTTP://mirror:8080/ ",
            "https://127.0.0.1",
            "https://localhost:8443",
            "HTTPS://LocalHost:8443",
            "https://[::1]:8443/",
        ] {
            assert!(!is_production(url), "{url:?}");
        }
    }
}
