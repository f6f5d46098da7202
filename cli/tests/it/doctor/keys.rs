//! Keys that no mirror made.

pub const OTHER_KEY: &str = include_str!("../../../../core/tests/it/keys/other.pem");
pub const SMALL_KEY: &str = include_str!("../../../../core/tests/it/keys/small.pem");
pub const ENCRYPTED_KEY: &str = include_str!("../../../../core/tests/it/keys/merchant-encrypted.pem");
pub const FOREIGN_KEY: &str = include_str!("../../../../core/tests/it/keys/merchant.pem");
pub const FOREIGN_PUBLIC_KEY: &str = include_str!("../../../../core/tests/it/keys/merchant-public.pem");
pub const FOREIGN_CERTIFICATE: &str = include_str!("../../../../core/tests/it/keys/merchant-certificate.pem");
pub const OTHER_PUBLIC_KEY: &str = include_str!("../../../../core/tests/it/keys/public-key-public.pem");
