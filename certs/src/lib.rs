#![doc = include_str!("../README.md")]

mod blocking;
mod check;
mod config;
mod daemon;
mod directory;
mod merchant;
mod runtime;

pub use config::{Config, ConfigError, HookConfig, Listen, MerchantConfig, Window};
pub use daemon::{Daemon, DaemonError, DaemonHandle};
pub use directory::{DirectoryError, KeyDirectory, Modes, NewKeys, Published};
pub use runtime::runtime;
