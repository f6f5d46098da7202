//! The daemon's settings file: TOML, paths relative to it.

mod duration;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use favor_core::MerchantId;
use serde::Deserialize;

use crate::directory::Modes;
use duration::seconds;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {why}", path.display())]
    Unreadable {
        /// The settings file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The file is not as it should be. The text of the line is not shown: it may hold a secret put there by mistake.
    #[error("{}, line {line}: {why}", path.display())]
    Malformed {
        /// The settings file.
        path: PathBuf,
        /// The line, counted from 1; 0 where it is not known.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// The settings contradict themselves.
    #[error("{}: {why}", path.display())]
    Wrong {
        /// The settings file.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: String,
    },
}

/// Settings of `favor certs watch`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// The key directory.
    pub directory: PathBuf,
    /// Where health, metrics and keys are served: a loopback address, or `unix:` and a path. Not served unless set.
    #[serde(default)]
    pub listen: Option<Listen>,
    /// Permissions of files, octal; `"0644"` unless set.
    #[serde(default = "default_file_mode", deserialize_with = "octal")]
    pub file_mode: u32,
    /// Permissions of folders, octal; `"0755"` unless set.
    #[serde(default = "default_folder_mode", deserialize_with = "octal")]
    pub folder_mode: u32,
    /// The host to fetch from; WeChat Pay unless set.
    #[serde(default)]
    pub base_url: Option<String>,
    /// A proxy to go through.
    #[serde(default)]
    pub proxy: Option<String>,
    /// A further root certificate, PEM.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// How often each merchant's keys are checked, ten per cent either way; an hour unless set.
    #[serde(default = "default_interval", deserialize_with = "seconds")]
    pub interval: Duration,
    /// The first pause after a failed check, doubled by each further one; 30 s unless set.
    #[serde(default = "default_first_pause", deserialize_with = "seconds")]
    pub retry_from: Duration,
    /// The longest pause after failed checks; 15 min unless set.
    #[serde(default = "default_longest_pause", deserialize_with = "seconds")]
    pub retry_to: Duration,
    /// Checks begun per second, over all merchants; 10 unless set.
    #[serde(default = "default_rate")]
    pub checks_per_second: u32,
    /// `/readyz` wants a success of each merchant within this time; 3 h unless set.
    #[serde(default = "default_max_age", deserialize_with = "seconds")]
    pub max_age: Duration,
    /// How often this file and the key files are looked at for changes; 30 s unless set.
    #[serde(default = "default_reload", deserialize_with = "seconds")]
    pub reload_every: Duration,
    /// What is told of each new release.
    #[serde(default, rename = "hook")]
    pub hooks: Vec<HookConfig>,
    /// The merchants.
    #[serde(default, rename = "merchant")]
    pub merchants: Vec<MerchantConfig>,
}

/// Where the daemon listens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Listen {
    /// A loopback address.
    Loopback(SocketAddr),
    /// A unix socket.
    Unix(PathBuf),
}

impl TryFrom<String> for Listen {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Self::Unix(path.into()));
        }
        match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => Ok(Self::Loopback(address)),
            Ok(_) => {
                Err("listen must be a loopback address or unix:PATH; put a TLS proxy in front for others"
                    .into())
            }
            Err(_) => Err("listen must look like 127.0.0.1:9180 or unix:/run/favor/certs.sock".into()),
        }
    }
}

/// One merchant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MerchantConfig {
    /// The merchant id.
    pub mchid: MerchantId,
    /// The host to fetch from, instead of the one for all.
    #[serde(default)]
    pub base_url: Option<String>,
    /// The serial of its API certificate, where the certificate's file is not given.
    #[serde(default)]
    pub serial_no: Option<String>,
    /// Its API certificate, whose end is watched too.
    #[serde(default)]
    pub certificate_file: Option<PathBuf>,
    /// Its private key.
    #[serde(default)]
    pub private_key_file: Option<PathBuf>,
    /// Its APIv3 key. Without it nothing is fetched, and the public key is all there is.
    #[serde(default)]
    pub api_v3_key_file: Option<PathBuf>,
    /// The id of the WeChat Pay public key.
    #[serde(default)]
    pub public_key_id: Option<String>,
    /// The WeChat Pay public key.
    #[serde(default)]
    pub public_key_file: Option<PathBuf>,
    /// Takes a public key away that was published before. Without it one stays, also when it is not named any more.
    #[serde(default)]
    pub drop_public_key: bool,
}

/// Something that is told of each new release, until it has succeeded once for it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HookConfig {
    /// Its name, by which it is remembered across restarts: letters, digits, `-` and `_`.
    pub name: String,
    /// A program with its arguments; no shell. It finds `FAVOR_MCHID`, `FAVOR_GENERATION` and `FAVOR_RELEASE` in its
    /// environment.
    #[serde(default)]
    pub exec: Option<Vec<String>>,
    /// An address that gets a POST with `mchid`, `generation`, `content`, `folder` and `keys` as JSON.
    #[serde(default)]
    pub url: Option<String>,
    /// Only for these merchants; for all when empty.
    #[serde(default)]
    pub mchids: Vec<MerchantId>,
    /// How long one try may take; 30 s unless set.
    #[serde(default = "default_hook_timeout", deserialize_with = "seconds")]
    pub timeout: Duration,
    /// Only between these times of day in Beijing, `"02:00-05:00"`; at any time when empty. In the last six hours
    /// before a key in use ends, at any time too.
    #[serde(default)]
    pub windows: Vec<Window>,
}

/// A part of the day, by Beijing time. It may pass midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Window {
    from: chrono::NaiveTime,
    until: chrono::NaiveTime,
}

impl TryFrom<String> for Window {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let time = |text: &str| chrono::NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
        let ends = text.split_once('-').and_then(|(from, until)| Some((time(from)?, time(until)?)));
        let (from, until) = ends.ok_or("a window must look like 02:00-05:00")?;
        Ok(Self { from, until })
    }
}

impl Window {
    /// Whether this time of day is inside; its end is not.
    pub fn contains(self, time: chrono::NaiveTime) -> bool {
        if self.from <= self.until {
            self.from <= time && time < self.until
        } else {
            self.from <= time || time < self.until
        }
    }
}

fn default_file_mode() -> u32 {
    Modes::default().file
}
fn default_folder_mode() -> u32 {
    Modes::default().folder
}
fn default_interval() -> Duration {
    Duration::from_secs(3600)
}
fn default_first_pause() -> Duration {
    Duration::from_secs(30)
}
fn default_longest_pause() -> Duration {
    Duration::from_secs(900)
}
fn default_rate() -> u32 {
    10
}
fn default_max_age() -> Duration {
    Duration::from_secs(3 * 3600)
}
fn default_reload() -> Duration {
    Duration::from_secs(30)
}
fn default_hook_timeout() -> Duration {
    Duration::from_secs(30)
}

fn octal<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let text = String::deserialize(deserializer)?;
    let mode = u32::from_str_radix(&text, 8).ok().filter(|mode| *mode <= 0o777);
    mode.ok_or_else(|| serde::de::Error::custom("a mode is octal digits as text, such as \"0644\""))
}

impl Config {
    /// Reads and checks a settings file. Key files are not read yet: one that is wrong concerns its merchant alone.
    ///
    /// # Errors
    /// [`ConfigError`], which names the place.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), why: error.to_string() })?;
        let mut config: Self = toml::from_str(&text).map_err(|error| malformed(path, &text, &error))?;
        config.check().map_err(|why| ConfigError::Wrong { path: path.to_owned(), why })?;
        config.resolve(path.parent().unwrap_or(Path::new("")));
        Ok(config)
    }

    /// The permissions of what is written.
    pub fn modes(&self) -> Modes {
        Modes { file: self.file_mode, folder: self.folder_mode }
    }

    fn check(&self) -> Result<(), String> {
        let mut known = BTreeSet::new();
        for merchant in &self.merchants {
            let id = merchant.mchid.as_str();
            // Read as it comes; checked here, since it becomes the name of a folder.
            MerchantId::new(id).map_err(|error| error.to_string())?;
            if !known.insert(id) {
                return Err(format!("merchant {id} is there twice"));
            }
            if merchant.public_key_id.is_some() != merchant.public_key_file.is_some() {
                return Err(format!("merchant {id}: public_key_id and public_key_file go together"));
            }
            if merchant.api_v3_key_file.is_none() && merchant.public_key_id.is_none() {
                return Err(format!(
                    "merchant {id}: needs api_v3_key_file, or public_key_id and public_key_file"
                ));
            }
            let signs = merchant.private_key_file.is_some()
                && (merchant.certificate_file.is_some() || merchant.serial_no.is_some());
            if merchant.api_v3_key_file.is_some() && !signs {
                return Err(format!(
                    "merchant {id}: fetching needs private_key_file, and certificate_file or serial_no"
                ));
            }
        }
        let mut names = BTreeSet::new();
        for hook in &self.hooks {
            let name = &hook.name;
            let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            if name.is_empty() || name.len() > 64 || !plain {
                return Err(format!("hook {name:?}: a name has letters, digits, - and _, at most 64"));
            }
            if !names.insert(name) {
                return Err(format!("hook {name} is there twice"));
            }
            match (&hook.exec, &hook.url) {
                (Some(argv), None) if !argv.is_empty() => {}
                (None, Some(url)) if url.starts_with("http://") || url.starts_with("https://") => {}
                _ => {
                    return Err(format!(
                        "hook {name}: needs either exec = [\"program\", …] or url = \"http…\""
                    ));
                }
            }
        }
        if self.interval < Duration::from_secs(60) {
            return Err("interval must be at least a minute".to_owned());
        }
        if self.retry_from.is_zero() || self.retry_from > self.retry_to {
            return Err("retry_from must be more than 0 and at most retry_to".to_owned());
        }
        if self.reload_every.is_zero() || self.checks_per_second == 0 {
            return Err("reload_every and checks_per_second must be more than 0".to_owned());
        }
        Ok(())
    }

    fn resolve(&mut self, folder: &Path) {
        let resolve = |path: &mut PathBuf| *path = folder.join(&*path);
        resolve(&mut self.directory);
        self.ca_file.as_mut().map(resolve);
        if let Some(Listen::Unix(path)) = &mut self.listen {
            resolve(path);
        }
        for merchant in &mut self.merchants {
            merchant.files_mut().into_iter().flatten().for_each(resolve);
        }
    }
}

impl MerchantConfig {
    fn files_mut(&mut self) -> [Option<&mut PathBuf>; 4] {
        let Self { certificate_file, private_key_file, api_v3_key_file, public_key_file, .. } = self;
        [certificate_file, private_key_file, api_v3_key_file, public_key_file].map(Option::as_mut)
    }

    /// The files it names.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        let Self { certificate_file, private_key_file, api_v3_key_file, public_key_file, .. } = self;
        [certificate_file, private_key_file, api_v3_key_file, public_key_file]
            .into_iter()
            .flatten()
            .map(AsRef::as_ref)
    }
}

/// toml's own message shows the line, which may hold a secret put there by mistake: name the place only.
fn malformed(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    let mut why = error.message().to_owned();
    if ["`api_v3_key`", "`private_key`"].iter().any(|secret| why.contains(secret)) {
        why.push_str("; secrets are read from files of their own, never from the settings");
    }
    ConfigError::Malformed { path: path.to_owned(), line, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_may_pass_midnight() {
        let inside = |window: &str, time: &str| {
            let time = chrono::NaiveTime::parse_from_str(time, "%H:%M").unwrap();
            Window::try_from(window.to_owned()).unwrap().contains(time)
        };
        assert!(inside("02:00-05:00", "02:00") && inside("02:00-05:00", "04:59"));
        assert!(!inside("02:00-05:00", "05:00") && !inside("02:00-05:00", "23:00"));
        assert!(inside("22:00-03:00", "23:00") && inside("22:00-03:00", "02:59"));
        assert!(!inside("22:00-03:00", "12:00"));
    }
}
