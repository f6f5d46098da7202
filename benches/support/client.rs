//! A client as a user would build it, for the server of these benches.

use std::net::SocketAddr;

use favor_core::{Backend, Client, MerchantSigner, PlatformKeys, PrivateKey, PublicKey};

use crate::coupons::merchant;
use crate::keys::{MERCHANT, PLATFORM_ID, PLATFORM_PUBLIC};

pub(crate) fn client(server: SocketAddr, backend: Backend) -> Client {
    let key = PrivateKey::from_pem_with(MERCHANT, backend).expect("a test key");
    let signer =
        MerchantSigner::new(merchant(), "0C4A5F7700000000000000000000000000000001", key).expect("a serial");
    let platform = PublicKey::from_pem_with(PLATFORM_PUBLIC, backend).expect("a test key");
    let keys = PlatformKeys::public_key(PLATFORM_ID, platform).expect("a public key id");
    Client::builder(signer, keys)
        .base_url(format!("http://{server}"))
        .build()
        .expect("a client for this machine")
}
