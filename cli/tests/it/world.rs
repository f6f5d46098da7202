//! A mirror, and a profile for it that a test can break.

use std::collections::BTreeMap;

use favor_mirror::{MerchantChange, Mirror, MirrorBuilder, PublicKeyPhase, Ready};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::run::{Ran, favor, run};

/// A mirror, and a profile for it that is right until a test breaks it.
pub struct World {
    pub folder: tempfile::TempDir,
    pub settings: BTreeMap<&'static str, String>,
    pub ready: Ready,
    pub mirror: Mirror,
    pub runtime: Runtime,
}

impl World {
    pub fn new() -> Self {
        Self::of(Mirror::builder())
    }

    pub fn of(builder: MirrorBuilder) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mirror = runtime.block_on(builder.start()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let ready = mirror.write_files(folder.path().join("keys")).unwrap();
        let mut world = Self { folder, settings: BTreeMap::new(), ready, mirror, runtime };
        world.secret_file("v3.txt", &world.ready.api_v3_key.clone());
        for (name, value) in [
            ("base_url", world.ready.base_url.clone()),
            ("mchid", world.ready.mchid.clone()),
            ("private_key_file", "keys/apiclient_key.pem".to_owned()),
            ("certificate_file", "keys/apiclient_cert.pem".to_owned()),
            ("api_v3_key_file", "v3.txt".to_owned()),
            ("appid", world.ready.appid.clone()),
        ] {
            world.set(name, value);
        }
        world
    }

    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.settings.insert(name, value.into());
    }

    pub fn unset(&mut self, name: &'static str) {
        self.settings.remove(name);
    }

    pub fn file(&self, name: &str, content: &str) {
        std::fs::write(self.folder.path().join(name), content).unwrap();
    }

    pub fn secret_file(&self, name: &str, content: &str) {
        self.file(name, content);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let path = self.folder.path().join(name);
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    pub fn change(&self, change: &MerchantChange) {
        self.runtime.block_on(self.mirror.change_merchant(&self.ready.mchid, change.clone())).unwrap();
    }

    pub fn phase(&self, phase: PublicKeyPhase) {
        self.runtime.block_on(self.mirror.set_public_key_phase(phase)).unwrap();
    }

    /// Sets the mirror's public key beside the APIv3 key.
    pub fn with_public_key(&mut self) {
        self.set("public_key_id", self.ready.public_key_id.clone());
        self.set("public_key_file", "keys/pub_key.pem");
    }

    /// The serial alone, without the certificate that would tell more.
    pub fn with_serial_only(&mut self) {
        self.unset("certificate_file");
        self.set("serial_no", self.ready.serial_no.clone());
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        let mut text = "[profile.default]\n".to_owned();
        for (name, value) in &self.settings {
            text.push_str(&format!("{name} = {value:?}\n"));
        }
        self.file("favor.toml", &text);
        let ran = run(favor(self.folder.path()).args(arguments));
        // Whatever is wrong: no secret is shown.
        let all = format!("{}{}", ran.stdout, ran.stderr);
        for secret in [&self.ready.api_v3_key, "sesame", "hunter2"] {
            assert!(!all.contains(secret), "a secret is shown: {all}");
        }
        assert!(!all.contains("PRIVATE KEY-----"), "{all}");
        ran
    }

    pub fn doctor(&self) -> (Value, Option<i32>) {
        let ran = self.run(&["doctor", "--output", "json"]);
        (ran.json(), ran.code)
    }
}
