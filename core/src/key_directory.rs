//! The directory of platform keys that one process keeps fresh for many (format: `docs/key-directory.md`).

mod directory_keys;
mod error;
mod follow;
mod http_keys;
mod manifest;
mod release;
mod status;

pub use directory_keys::{DirectoryKeys, DirectoryKeysBuilder};
pub use error::KeyDirectoryError;
pub use http_keys::{HttpKeys, HttpKeysBuilder};
pub use manifest::{KeyKind, MANIFEST_FORMAT, Manifest, ManifestKey, Trust};
pub use release::Release;
pub use status::{CheckFailure, MerchantCertificateStatus, MerchantKeyStatus};

/// The name of the link to the release in force, in a merchant's folder.
pub const CURRENT: &str = "current";
/// The folder of the releases, in a merchant's folder.
pub const RELEASES: &str = ".rel";
/// What a release holds besides its keys.
pub const MANIFEST_FILE: &str = "manifest.json";
/// All certificates of a release in one file, the newest first.
pub const BUNDLE_FILE: &str = "bundle.pem";
/// How the last check of a merchant's keys went, in the merchant's folder.
pub const STATUS_FILE: &str = "status.json";
