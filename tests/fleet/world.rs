//! The mirror, and the files that its merchants' processes need.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use favor::core::{KeyDirectoryError, MerchantKeyStatus, Release};
use favor::prelude::*;
use favor_mirror::{MerchantSeed, Mirror};

/// The daemon's settings, its directory and its address, in the folder of the test.
pub const SETTINGS: &str = "certs.toml";
pub const KEYS: &str = "keys";
pub const DAEMON_URL: &str = "daemon_url";
const BASE_URL: &str = "base_url";
const MERCHANTS: &str = "merchants";
/// How many private keys the merchants have among them.
const KEYS_MADE: u32 = 8;

/// What all clocks show at first.
pub fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

pub struct World {
    pub mirror: Mirror,
    pub merchants: Vec<MerchantId>,
    folder: tempfile::TempDir,
}

impl World {
    pub async fn open(count: u32) -> Self {
        let mut builder = Mirror::builder()
            .clock_at(start().fixed_offset())
            .wire_clock_follows_test_clock(true)
            .start_delay(Duration::ZERO)
            .notify_sends(true)
            .request_log(50_000)
            // A slow machine must not look like a failure.
            .callback_timeout(Duration::from_secs(600))
            .keep_alive_timeout(Duration::from_secs(3600));
        let id = |number: u32| MerchantId::new((1_900_001_000 + number).to_string()).unwrap();
        let merchants: Vec<_> = (0..count).map(id).collect();
        let keys = private_keys().await;
        for (merchant, key) in merchants.iter().zip(keys.iter().cycle()) {
            let seed =
                MerchantSeed { private_key_pem: Some(key.clone()), ..MerchantSeed::new(merchant.as_str()) };
            builder = builder.merchant(seed);
        }
        let mirror = builder.start().await.unwrap();
        let world = Self { mirror, merchants, folder: tempfile::tempdir().unwrap() };
        world.write_files();
        world.configure(false);
        world
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder().join(name), text).unwrap();
    }

    fn write_files(&self) {
        let mut list = String::new();
        for merchant in self.mirror.merchants() {
            if !self.merchants.iter().any(|known| known.as_str() == merchant.mchid) {
                continue;
            }
            let id = &merchant.mchid;
            self.write(&format!("{id}.key"), &merchant.private_key_pem);
            self.write(&format!("{id}.crt"), &merchant.certificate_pem);
            self.write(&format!("{id}.v3"), &merchant.api_v3_key);
            writeln!(list, "{id} {}", merchant.appid).unwrap();
        }
        self.write(MERCHANTS, &list);
        self.write(BASE_URL, self.mirror.base_url());
        self.write("public.pem", &self.mirror.public_key().pem);
    }

    /// Writes the daemon's settings, with the public key of the merchants or without.
    pub fn configure(&self, public_key: bool) {
        let base_url = self.mirror.base_url();
        // Between two moves the clock stands still, and a rate by it would stop there.
        let mut text = format!(
            "directory = \"{KEYS}\"\nlisten = \"127.0.0.1:0\"\nbase_url = \"{base_url}\"\nchecks_per_second = 1000000\n"
        );
        for id in &self.merchants {
            let id = id.as_str();
            write!(text, "[[merchant]]\nmchid = \"{id}\"\nprivate_key_file = \"{id}.key\"\n").unwrap();
            write!(text, "certificate_file = \"{id}.crt\"\napi_v3_key_file = \"{id}.v3\"\n").unwrap();
            if public_key {
                let id = self.mirror.public_key().id;
                write!(text, "public_key_id = \"{id}\"\npublic_key_file = \"public.pem\"\n").unwrap();
            }
        }
        // The daemon looks at the file by itself, and must not see half of it.
        let new = self.folder().join("certs.toml.new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, self.folder().join(SETTINGS)).unwrap();
    }

    /// Whether the release in force has this key.
    pub fn publishes(&self, merchant: &MerchantId, key: &str) -> bool {
        match Release::read(self.folder().join(KEYS), merchant) {
            Ok(release) => release.manifest().keys.iter().any(|one| one.id == key),
            Err(KeyDirectoryError::Missing { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// When the status was written last.
    pub fn status_changed(&self, merchant: &MerchantId) -> Option<SystemTime> {
        let file = self.folder().join(KEYS).join(merchant.as_str()).join("status.json");
        std::fs::metadata(file).ok().map(|found| found.modified().unwrap())
    }

    pub fn status(&self, merchant: &MerchantId) -> Option<MerchantKeyStatus> {
        MerchantKeyStatus::read(self.folder().join(KEYS), merchant).unwrap()
    }
}

/// Keys that the merchants share: to make one for each of thousands takes minutes, and shows no more.
async fn private_keys() -> Vec<String> {
    let mut builder = Mirror::builder();
    for number in 1..KEYS_MADE {
        builder = builder.merchant(MerchantSeed::new(number.to_string()));
    }
    builder.start().await.unwrap().merchants().into_iter().map(|merchant| merchant.private_key_pem).collect()
}

/// What a payment process knows of one merchant.
pub struct Files {
    pub merchant: MerchantId,
    pub appid: AppId,
    pub private_key: PrivateKey,
    pub certificate: Certificate,
    pub api_v3_key: ApiV3Key,
}

impl Files {
    pub fn signer(&self) -> MerchantSigner {
        let key = self.private_key.clone();
        MerchantSigner::from_certificate(self.merchant.clone(), &self.certificate, key).unwrap()
    }
}

/// The files of every `readers`-th merchant, from `number` on.
pub fn files(folder: &Path, number: usize, readers: usize) -> Vec<Files> {
    let read = |name: String| std::fs::read_to_string(folder.join(name)).unwrap();
    let list = read(MERCHANTS.to_owned());
    let mine = list.lines().skip(number).step_by(readers);
    mine.map(|line| {
        let (id, appid) = line.split_once(' ').unwrap();
        Files {
            merchant: id.parse().unwrap(),
            appid: appid.parse().unwrap(),
            private_key: PrivateKey::from_pem(read(format!("{id}.key"))).unwrap(),
            certificate: Certificate::from_pem(read(format!("{id}.crt"))).unwrap(),
            api_v3_key: ApiV3Key::new(read(format!("{id}.v3"))).unwrap(),
        }
    })
    .collect()
}

pub fn base_url(folder: &Path) -> String {
    std::fs::read_to_string(folder.join(BASE_URL)).unwrap()
}

pub fn daemon_url(folder: &Path) -> String {
    std::fs::read_to_string(folder.join(DAEMON_URL)).unwrap()
}
