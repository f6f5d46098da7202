#![doc = include_str!("../README.md")]

mod check;
mod config;
mod daemon;
mod directory;
mod merchant;

pub use config::{Config, ConfigError, HookConfig, Listen, MerchantConfig, Window};
pub use daemon::{Daemon, DaemonError, DaemonHandle};
pub use directory::{DirectoryError, KeyDirectory, Modes, NewKeys, Published};
