//! The keys of a profile that are read from files or the environment.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use favor_core::{ApiV3Key, PublicKey};

use crate::env;
use crate::profile::Profile;
use crate::settings::missing;

/// The APIv3 key, where one is set.
pub(crate) fn api_v3_key(profile: &Profile) -> anyhow::Result<Option<ApiV3Key>> {
    if let Some(key) = env::read(env::API_V3_KEY) {
        return Ok(Some(ApiV3Key::new(key).with_context(|| env::API_V3_KEY)?));
    }
    let Some(file) = place(env::API_V3_KEY_FILE, profile.api_v3_key_file.as_deref()) else {
        return Ok(None);
    };
    let text = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Some(ApiV3Key::new(text).with_context(|| file.display().to_string())?))
}

/// The APIv3 key, and where to put it when there is none.
pub(crate) fn needed_api_v3_key(profile: &Profile) -> anyhow::Result<ApiV3Key> {
    api_v3_key(profile)?.with_context(|| missing("the APIv3 key", "api_v3_key_file", env::API_V3_KEY))
}

/// The WeChat Pay public key and its id, where they are set.
pub(crate) fn public_key(profile: &Profile) -> anyhow::Result<Option<(String, PublicKey)>> {
    let file = place(env::PUBLIC_KEY_FILE, profile.public_key_file.as_deref());
    match (public_key_id(profile), file) {
        (Some(id), Some(file)) => {
            let pem = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            Ok(Some((id, PublicKey::from_pem(pem).with_context(|| file.display().to_string())?)))
        }
        (None, None) => Ok(None),
        _ => bail!("the WeChat Pay public key needs both public_key_id and public_key_file"),
    }
}

/// The id of the WeChat Pay public key, where it is set.
pub(crate) fn public_key_id(profile: &Profile) -> Option<String> {
    env::read(env::PUBLIC_KEY_ID).or(profile.public_key_id.clone())
}

/// Where a file is: the environment goes before the profile.
pub(crate) fn place(variable: &str, setting: Option<&Path>) -> Option<PathBuf> {
    env::read(variable).map(PathBuf::from).or_else(|| setting.map(Path::to_owned))
}
