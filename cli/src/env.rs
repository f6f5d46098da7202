//! Every environment variable that favor reads.

/// The settings file.
pub(crate) const CONFIG: &str = "FAVOR_CONFIG";
/// The profile in it.
pub(crate) const PROFILE: &str = "FAVOR_PROFILE";
/// The host to call.
pub(crate) const BASE_URL: &str = "FAVOR_BASE_URL";
/// The merchant that calls.
pub(crate) const MCHID: &str = "FAVOR_MCHID";
/// The serial of its API certificate.
pub(crate) const SERIAL_NO: &str = "FAVOR_SERIAL_NO";
/// Its API certificate, instead of the serial.
pub(crate) const CERTIFICATE_FILE: &str = "FAVOR_CERTIFICATE_FILE";
/// Its private key.
pub(crate) const PRIVATE_KEY_FILE: &str = "FAVOR_PRIVATE_KEY_FILE";
/// Its private key, as PEM text.
pub(crate) const PRIVATE_KEY: &str = "FAVOR_PRIVATE_KEY";
/// Its APIv3 key.
pub(crate) const API_V3_KEY: &str = "FAVOR_API_V3_KEY";
/// A file with its APIv3 key.
pub(crate) const API_V3_KEY_FILE: &str = "FAVOR_API_V3_KEY_FILE";
/// The id of the WeChat Pay public key.
pub(crate) const PUBLIC_KEY_ID: &str = "FAVOR_PUBLIC_KEY_ID";
/// The WeChat Pay public key.
pub(crate) const PUBLIC_KEY_FILE: &str = "FAVOR_PUBLIC_KEY_FILE";
/// The appid of users named by openid.
pub(crate) const APPID: &str = "FAVOR_APPID";
/// A proxy to go through.
pub(crate) const PROXY: &str = "FAVOR_PROXY";
/// Not used by favor, which takes a proxy from its own settings only: the doctor says so where it matters.
pub(crate) const HTTPS_PROXY: &str = "HTTPS_PROXY";
/// A further root certificate, such as a mirror's.
pub(crate) const CA_FILE: &str = "FAVOR_CA_FILE";

/// The AppSecret of the Official Account.
pub(crate) const APP_SECRET: &str = "FAVOR_APP_SECRET";
/// A file with it.
pub(crate) const APP_SECRET_FILE: &str = "FAVOR_APP_SECRET_FILE";
/// The Token of the account's server settings, which signs what is pushed.
pub(crate) const PUSH_TOKEN: &str = "FAVOR_PUSH_TOKEN";
/// A file with it.
pub(crate) const PUSH_TOKEN_FILE: &str = "FAVOR_PUSH_TOKEN_FILE";
/// The EncodingAESKey of those settings, which opens what is pushed.
pub(crate) const ENCODING_AES_KEY: &str = "FAVOR_ENCODING_AES_KEY";
/// A file with it.
pub(crate) const ENCODING_AES_KEY_FILE: &str = "FAVOR_ENCODING_AES_KEY_FILE";
/// Where access tokens are kept: a file, or the address of a database with its password.
pub(crate) const TOKENS: &str = "FAVOR_TOKENS";

/// The inbox of notifications: a file, or the address of a database with its password.
pub(crate) const INBOX: &str = "FAVOR_INBOX";

/// The ledger of campaigns: a file, or the address of a database with its password.
pub(crate) const LEDGER: &str = "FAVOR_LEDGER";

/// The password of such a database, where its address leaves it out.
pub(crate) const PGPASSWORD: &str = "PGPASSWORD";

/// Those that belong to one merchant.
pub(crate) const OF_ONE_MERCHANT: [&str; 9] = [
    MCHID,
    SERIAL_NO,
    CERTIFICATE_FILE,
    PRIVATE_KEY_FILE,
    PRIVATE_KEY,
    API_V3_KEY,
    API_V3_KEY_FILE,
    PUBLIC_KEY_ID,
    PUBLIC_KEY_FILE,
];

/// The value of a variable; none when it is unset or empty.
#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
pub(crate) fn read(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
