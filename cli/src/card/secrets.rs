//! The account's secrets: from the environment, or from files of their own.

use std::path::Path;

use anyhow::Context as _;
use favor_card::AppSecret;
use favor_card::event::{EncodingAesKey, Token};
use zeroize::Zeroizing;

use crate::env;
use crate::key_files::place;
use crate::profile::Profile;
use crate::settings::missing;

/// A secret, and where it came from.
struct Found {
    text: Zeroizing<String>,
    from: String,
}

fn find(variable: &str, file_variable: &str, setting: Option<&Path>) -> anyhow::Result<Option<Found>> {
    if let Some(text) = env::read(variable) {
        return Ok(Some(Found { text: Zeroizing::new(text), from: variable.to_owned() }));
    }
    let Some(file) = place(file_variable, setting) else { return Ok(None) };
    let from = file.display().to_string();
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {from}"))?;
    Ok(Some(Found { text: Zeroizing::new(text), from }))
}

pub(crate) fn app_secret(profile: &Profile) -> anyhow::Result<AppSecret> {
    let found = find(env::APP_SECRET, env::APP_SECRET_FILE, profile.app_secret_file.as_deref())?;
    let found = found.with_context(|| missing("the app secret", "app_secret_file", env::APP_SECRET_FILE))?;
    AppSecret::new(found.text.as_str()).context(found.from)
}

/// The Token of the account's server settings.
pub(crate) fn push_token(profile: &Profile) -> anyhow::Result<Token> {
    let found = find(env::PUSH_TOKEN, env::PUSH_TOKEN_FILE, profile.push_token_file.as_deref())?;
    let found = found.with_context(|| {
        missing("the Token of the account's server settings", "push_token_file", env::PUSH_TOKEN_FILE)
    })?;
    Token::new(found.text.as_str()).context(found.from)
}

pub(crate) fn encoding_aes_key(profile: &Profile) -> anyhow::Result<Option<EncodingAesKey>> {
    let setting = profile.encoding_aes_key_file.as_deref();
    let Some(found) = find(env::ENCODING_AES_KEY, env::ENCODING_AES_KEY_FILE, setting)? else {
        return Ok(None);
    };
    EncodingAesKey::new(&found.text).map(Some).context(found.from)
}
