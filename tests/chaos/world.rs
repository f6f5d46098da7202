//! What a run takes place in: a folder with a list, a mirror's data file with a running stock, and the merchant's keys.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;
use favor::prelude::*;
use favor_mirror::Mirror;

use crate::audit::Audit;
use crate::list::People;
use crate::mirror::{DATA, Faults, Platform};
use crate::network::Network;
use crate::random::Random;

pub const LIST: &str = "list.csv";
/// The file that says how many people a chunk has.
pub const CHUNK: &str = "chunk";

/// The platform would not give anybody more than so many, which is more than a correct campaign ever asks for: its own
/// limit must not hide a mistake.
const PER_PERSON: u32 = 20;

/// What everybody in a run knows of the campaign.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub people: usize,
    pub coupons_each: u32,
    /// People to a chunk.
    pub chunk: u32,
}

pub struct World {
    pub folder: tempfile::TempDir,
    pub platform: Platform,
    pub people: People,
    pub terms: Terms,
}

impl World {
    /// Makes everything and starts the mirror.
    pub fn open(terms: Terms, faults: Faults, random: &mut Random) -> Self {
        let folder = tempfile::Builder::new().prefix("favor-chaos").tempdir().unwrap();
        let people = People::new(terms.people, random);
        people.write(&folder.path().join(LIST));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(found(folder.path(), &people, terms));
        let address = address(random);
        write(folder.path(), "base_url", &format!("http://{address}"));
        let platform = Platform::start(folder.path(), address, faults, random.below(1 << 32));
        Self { folder, platform, people, terms }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the mirror and looks at what is left.
    pub fn close(self) -> Audit {
        let Self { folder, platform, .. } = self;
        drop(platform);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let own = runtime.block_on(Mirror::audit_file(folder.path().join(DATA))).unwrap();
        assert!(own.ok, "the mirror itself does not balance: {:?}", own.findings);
        Audit::of(folder.path())
    }

    /// Coupons that are to be given.
    pub fn coupons(&self) -> usize {
        (self.terms.people - self.people.abnormal.len()) * usize::try_from(self.terms.coupons_each).unwrap()
    }
}

/// A mirror with a running stock, made and left in its data file; and the files that children need.
async fn found(folder: &Path, people: &People, terms: Terms) {
    let mirror = Mirror::builder().data(folder.join(DATA)).start().await.unwrap();
    let merchant = mirror.merchant();
    let public = mirror.public_key();
    for (name, text) in [
        ("key.pem", &merchant.private_key_pem),
        ("certificate.pem", &merchant.certificate_pem),
        ("api_v3_key", &merchant.api_v3_key),
        ("mchid", &merchant.mchid),
        ("appid", &merchant.appid),
        ("public_key.pem", &public.pem),
        ("public_key_id", &public.id),
        ("base_url", &mirror.base_url().to_owned()),
        ("coupons_each", &terms.coupons_each.to_string()),
        (CHUNK, &terms.chunk.to_string()),
    ] {
        write(folder, name, text);
    }
    let client = client(folder, |network| network);
    let stocks = Stocks::new(&client);
    let (begin, face) = (client.now(), Fen::new(500).unwrap());
    let creator = client.merchant_id().clone();
    let coupons = u64::try_from(terms.people).unwrap() * u64::from(PER_PERSON);
    let request = CreateStock::no_cash(
        "Tea 5 off 30",
        creator.clone(),
        begin..begin + TimeDelta::days(30),
        StockRule::new(coupons, face.checked_mul(coupons).unwrap(), PER_PERSON),
        CouponRule::normal(FixedNormalCoupon::new(face, Fen::new(3000).unwrap()), [creator]),
        "chaos-stock".parse().unwrap(),
    );
    let stock_id = stocks.create(&request).await.unwrap().stock_id.clone();
    mirror.advance(Duration::from_secs(61)).await.unwrap();
    stocks.start(&stock_id).await.unwrap();
    write(folder, "stock_id", stock_id.as_str());
    for openid in &people.abnormal {
        mirror.mark_user_abnormal(openid).await.unwrap();
    }
    mirror.shutdown().await;
}

/// A client of the merchant whose files are in the folder, over a network that is as the caller makes it.
pub fn client(folder: &Path, network: impl FnOnce(Network) -> Network) -> Client {
    let key = PrivateKey::from_pem(read(folder, "key.pem")).unwrap();
    let certificate = Certificate::from_pem(read(folder, "certificate.pem")).unwrap();
    let mchid = read(folder, "mchid").parse().unwrap();
    let signer = MerchantSigner::from_certificate(mchid, &certificate, key).unwrap();
    let public = PublicKey::from_pem(read(folder, "public_key.pem")).unwrap();
    let api_v3_key = ApiV3Key::new(read(folder, "api_v3_key")).unwrap();
    let keys =
        PlatformKeys::download_and_public_key(api_v3_key, read(folder, "public_key_id"), public).unwrap();
    let transport = network(Network::new());
    Client::builder(signer, keys).base_url(read(folder, "base_url")).transport(transport).build().unwrap()
}

pub fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// A free address for a mirror that comes back to it. Its port is below those that systems give to outgoing
/// connections: one of these would take it while the mirror is down, even one that was to reach the mirror.
fn address(random: &mut Random) -> SocketAddr {
    loop {
        let port = 12_000 + u16::try_from(random.below(18_000)).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
