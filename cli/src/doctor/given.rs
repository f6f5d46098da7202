//! The settings as they are given: merged like those of every command, and not judged yet.

use std::path::{Path, PathBuf};

use favor_core::Secret;

use crate::args::Global;
use crate::card;
use crate::env;
use crate::place;
use crate::profile::{self, Profile};

/// The settings of one run, as texts.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) base_url: Option<String>,
    pub(crate) mchid: Option<String>,
    pub(crate) serial_no: Option<String>,
    pub(crate) private_key: Option<Place>,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) api_v3_key: Option<Place>,
    pub(crate) public_key_id: Option<String>,
    pub(crate) public_key: Option<PathBuf>,
    pub(crate) appid: Option<String>,
    pub(crate) app_secret: Option<Place>,
    pub(crate) push_token: Option<Place>,
    pub(crate) encoding_aes_key: Option<Place>,
    /// The file that access tokens are kept in; none where that is a database.
    pub(crate) tokens: Option<PathBuf>,
    /// Can hold a password.
    pub(crate) proxy: Option<Secret<String>>,
    pub(crate) ca_file: Option<PathBuf>,
    /// The names of the variables that are set.
    pub(crate) variables: Vec<&'static str>,
}

/// Where a secret is.
#[derive(Debug)]
pub(crate) enum Place {
    Variable(&'static str, Secret<String>),
    File(PathBuf),
}

impl Place {
    pub(crate) fn name(&self) -> String {
        match self {
            Place::Variable(name, _) => (*name).to_owned(),
            Place::File(file) => file.display().to_string(),
        }
    }
}

const VARIABLES: [&str; 19] = [
    env::BASE_URL,
    env::MCHID,
    env::SERIAL_NO,
    env::CERTIFICATE_FILE,
    env::PRIVATE_KEY_FILE,
    env::PRIVATE_KEY,
    env::API_V3_KEY,
    env::API_V3_KEY_FILE,
    env::PUBLIC_KEY_ID,
    env::PUBLIC_KEY_FILE,
    env::APPID,
    env::PROXY,
    env::CA_FILE,
    env::APP_SECRET,
    env::APP_SECRET_FILE,
    env::PUSH_TOKEN,
    env::PUSH_TOKEN_FILE,
    env::ENCODING_AES_KEY,
    env::ENCODING_AES_KEY_FILE,
];

impl Given {
    /// The settings of this run.
    ///
    /// # Errors
    /// When the settings file cannot be read or has no such profile.
    pub(crate) fn load(global: &Global) -> anyhow::Result<Self> {
        let profile = profile::load(global.config.as_deref(), global.profile.as_deref())?;
        Ok(Self::merge(global, profile))
    }

    fn merge(global: &Global, profile: Profile) -> Self {
        let text = |variable: &str, setting: Option<String>| env::read(variable).or(setting);
        let file = |variable: &str, setting: Option<&Path>| {
            env::read(variable).map(PathBuf::from).or_else(|| setting.map(Path::to_owned))
        };
        let secret = |variable: &'static str, place: Option<PathBuf>| match env::read(variable) {
            Some(value) => Some(Place::Variable(variable, Secret::new(value))),
            None => place.map(Place::File),
        };
        let tokens = text(env::TOKENS, profile.tokens()).unwrap_or_else(|| card::TOKENS_FILE.to_owned());
        let tokens = Some(tokens).filter(|place| !place::is_database(place)).map(PathBuf::from);
        Self {
            base_url: global.base_url.clone().or_else(|| text(env::BASE_URL, profile.base_url)),
            mchid: match &global.mchid {
                Some(mchid) => Some(mchid.to_string()),
                None => text(env::MCHID, profile.mchid),
            },
            serial_no: text(env::SERIAL_NO, profile.serial_no),
            private_key: secret(
                env::PRIVATE_KEY,
                file(env::PRIVATE_KEY_FILE, profile.private_key_file.as_deref()),
            ),
            certificate: file(env::CERTIFICATE_FILE, profile.certificate_file.as_deref()),
            api_v3_key: secret(
                env::API_V3_KEY,
                file(env::API_V3_KEY_FILE, profile.api_v3_key_file.as_deref()),
            ),
            public_key_id: text(env::PUBLIC_KEY_ID, profile.public_key_id),
            public_key: file(env::PUBLIC_KEY_FILE, profile.public_key_file.as_deref()),
            tokens,
            appid: text(env::APPID, profile.appid),
            app_secret: secret(
                env::APP_SECRET,
                file(env::APP_SECRET_FILE, profile.app_secret_file.as_deref()),
            ),
            push_token: secret(
                env::PUSH_TOKEN,
                file(env::PUSH_TOKEN_FILE, profile.push_token_file.as_deref()),
            ),
            encoding_aes_key: secret(
                env::ENCODING_AES_KEY,
                file(env::ENCODING_AES_KEY_FILE, profile.encoding_aes_key_file.as_deref()),
            ),
            proxy: text(env::PROXY, profile.proxy).map(Secret::new),
            ca_file: file(env::CA_FILE, profile.ca_file.as_deref()),
            variables: VARIABLES.into_iter().filter(|name| env::read(name).is_some()).collect(),
        }
    }

    /// Whether there is anything of a merchant of WeChat Pay.
    pub(crate) fn has_merchant(&self) -> bool {
        self.mchid.is_some()
            || self.private_key.is_some()
            || self.certificate.is_some()
            || self.serial_no.is_some()
            || self.api_v3_key.is_some()
            || self.public_key.is_some()
    }

    /// Whether there is anything of an Official Account. The appid alone may be there for Pay.
    pub(crate) fn has_account(&self) -> bool {
        self.app_secret.is_some() || self.push_token.is_some() || self.encoding_aes_key.is_some()
    }

    /// Where these settings came from, in words.
    pub(crate) fn origin(&self, global: &Global) -> String {
        let file = global.config.as_deref().unwrap_or(Path::new(profile::FILE));
        let mut parts = Vec::new();
        if file.exists() {
            let name = global.profile.as_deref().unwrap_or(profile::DEFAULT);
            parts.push(format!("profile {name:?} of {}", file.display()));
        }
        if !self.variables.is_empty() {
            parts.push(format!("the environment ({})", self.variables.join(", ")));
        }
        if global.base_url.is_some() || global.mchid.is_some() {
            parts.push("flags".to_owned());
        }
        parts.join(" and ")
    }
}
