//! The settings file: named profiles.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::place;

/// What somebody may put into the file by mistake.
const SECRETS: [&str; 5] =
    ["`api_v3_key`", "`private_key`", "`app_secret`", "`push_token`", "`encoding_aes_key`"];

pub(crate) const FILE: &str = "favor.toml";
pub(crate) const DEFAULT: &str = "default";

/// One profile of favor.toml. Paths are relative to the file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    pub(crate) base_url: Option<String>,
    pub(crate) mchid: Option<String>,
    pub(crate) serial_no: Option<String>,
    pub(crate) certificate_file: Option<PathBuf>,
    pub(crate) private_key_file: Option<PathBuf>,
    pub(crate) api_v3_key_file: Option<PathBuf>,
    pub(crate) public_key_id: Option<String>,
    pub(crate) public_key_file: Option<PathBuf>,
    pub(crate) appid: Option<String>,
    pub(crate) app_secret_file: Option<PathBuf>,
    pub(crate) push_token_file: Option<PathBuf>,
    pub(crate) encoding_aes_key_file: Option<PathBuf>,
    pub(crate) proxy: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
    inbox: Option<String>,
    ledger: Option<String>,
    tokens: Option<String>,
    /// Where the settings file is.
    #[serde(skip)]
    folder: PathBuf,
}

impl Profile {
    /// The inbox of notifications: an absolute or relative file, or the address of a database.
    pub(crate) fn inbox(&self) -> Option<String> {
        Some(place::beside(&self.folder, self.inbox.as_ref()?))
    }

    /// Where access tokens are kept: an absolute or relative file, or the address of a database.
    pub(crate) fn tokens(&self) -> Option<String> {
        Some(place::beside(&self.folder, self.tokens.as_ref()?))
    }

    /// The ledger of campaigns: an absolute or relative file, or the address of a database.
    pub(crate) fn ledger(&self) -> Option<String> {
        Some(place::beside(&self.folder, self.ledger.as_ref()?))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    profile: BTreeMap<String, Profile>,
}

/// Reads the named profile. Without a name it is `default`, and without a file favor.toml of this folder, where
/// there is one.
pub(crate) fn load(file: Option<&Path>, name: Option<&str>) -> anyhow::Result<Profile> {
    let path = match file {
        Some(file) => file.to_owned(),
        None if Path::new(FILE).exists() => PathBuf::from(FILE),
        None if name.is_none() => return Ok(Profile::default()),
        None => bail!(
            "profile {:?} was asked for, and there is no {FILE} in this folder",
            name.unwrap_or_default()
        ),
    };
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let file: File = toml::from_str(&text).map_err(|error| explain(&path, &text, &error))?;
    let wanted = name.unwrap_or(DEFAULT);
    let mut profile = match file.profile.get(wanted) {
        Some(profile) => profile.clone(),
        None if name.is_none() => Profile::default(),
        None => {
            let known: Vec<_> = file.profile.keys().map(String::as_str).collect();
            bail!("{} has no profile {wanted:?}; it has: {}", path.display(), known.join(", "));
        }
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    for file in [
        &mut profile.certificate_file,
        &mut profile.private_key_file,
        &mut profile.api_v3_key_file,
        &mut profile.public_key_file,
        &mut profile.ca_file,
        &mut profile.app_secret_file,
        &mut profile.push_token_file,
        &mut profile.encoding_aes_key_file,
    ]
    .into_iter()
    .flatten()
    {
        *file = folder.join(&*file);
    }
    profile.folder = folder.to_owned();
    Ok(profile)
}

/// The names of the profiles in the settings file that is in use; none without a file that can be read.
pub(crate) fn names(file: Option<&Path>) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(file.unwrap_or(Path::new(FILE))).ok()?;
    let file: File = toml::from_str(&text).ok()?;
    Some(file.profile.into_keys().collect())
}

/// toml's own message shows the line, which may hold a secret put there by mistake: name the place only.
fn explain(path: &Path, text: &str, error: &toml::de::Error) -> anyhow::Error {
    let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    let mut message = format!("{}, line {line}: {}", path.display(), error.message());
    if SECRETS.iter().any(|secret| error.message().contains(secret)) {
        message.push_str(
            "; secrets are read from a file of their own or the environment, never from favor.toml",
        );
    }
    anyhow::anyhow!(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str, name: Option<&str>) -> anyhow::Result<Profile> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::fs::write(&path, text).unwrap();
        load(Some(&path), name)
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let profile =
            load_text("[profile.shop]\nmchid = \"1\"\nprivate_key_file = \"k.pem\"", Some("shop")).unwrap();
        assert!(profile.private_key_file.unwrap().is_absolute());
    }

    #[test]
    fn a_secret_in_the_file_is_refused_and_not_shown() {
        let error = load_text("[profile.default]\napi_v3_key = \"sesame\"", None).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("never from favor.toml"), "{error}");
        assert!(!error.contains("sesame"), "{error}");
    }

    #[test]
    fn an_unknown_profile_is_named_with_the_known_ones() {
        let error = load_text("[profile.a]\n[profile.b]", Some("c")).unwrap_err().to_string();
        assert!(error.contains("no profile \"c\"") && error.contains("a, b"), "{error}");
        assert!(load_text("[profile.a]", None).unwrap().mchid.is_none());
        assert!(load_text("[profile.default]\nmchid = 5", None).is_err());
        assert!(load_text("not toml", None).is_err());
    }
}
