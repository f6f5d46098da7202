//! The `openssl` command as an outside judge, both ways.

use std::path::Path;
use std::process::Command;

use crate::test_keys::{MERCHANT, MERCHANT_PUBLIC, OTHER, on_every_backend, path, public_on_every_backend};

const MESSAGE: &[u8] = "POST\n/v3/x?a=%2B\n1750000000\nnonce\n{\"stock_name\":\"满减\"}\n".as_bytes();

/// Runs openssl and says whether it succeeded, with its output.
fn openssl<'a>(arguments: impl IntoIterator<Item = &'a str>) -> (bool, String) {
    let output = Command::new("openssl").args(arguments).output().unwrap_or_else(|error| {
        panic!("the command `openssl` is needed as a judge, and could not be run ({error}). Install it: `apt-get install openssl`, `dnf install openssl`, `brew install openssl`")
    });
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// A folder for the files that openssl reads and writes.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        std::fs::write(self.0.path().join(name), content).unwrap();
        self.path(name)
    }

    fn path(&self, name: &str) -> String {
        text(&self.0.path().join(name))
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.path().join(name)).unwrap()
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

const OAEP: [&str; 4] = ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha1"];

#[test]
fn openssl_verifies_our_signatures() {
    let desk = Desk::new();
    let message = desk.file("message", MESSAGE);
    let public = desk.file("public.pem", MERCHANT_PUBLIC.as_bytes());
    for (backend, key) in on_every_backend(MERCHANT) {
        let signature = desk.file("signature", &key.sign(MESSAGE).unwrap());
        let verify = ["dgst", "-sha256", "-verify", &public, "-signature", &signature];
        let (good, said) = openssl(verify.into_iter().chain([message.as_str()]));
        assert!(good && said.contains("Verified OK"), "{backend:?}: {said}");
        let other = desk.file("other", b"another message");
        let (good, said) = openssl(verify.into_iter().chain([other.as_str()]));
        assert!(!good && said.contains("Verification failure"), "{backend:?}: {said}");
    }
}

#[test]
fn we_verify_signatures_of_openssl() {
    let desk = Desk::new();
    let message = desk.file("message", MESSAGE);
    let key = text(&path("merchant.pem"));
    let signature = desk.path("signature");
    let (good, said) = openssl(["dgst", "-sha256", "-sign", &key, "-out", &signature, &message]);
    assert!(good, "{said}");
    let by_sha1 = desk.path("sha1");
    let (good, said) = openssl(["dgst", "-sha1", "-sign", &key, "-out", &by_sha1, &message]);
    assert!(good, "{said}");
    let pss = ["-sigopt", "rsa_padding_mode:pss"];
    let by_pss = desk.path("pss");
    let (good, said) = openssl(
        ["dgst", "-sha256", "-sign", &key, "-out", &by_pss].into_iter().chain(pss).chain([message.as_str()]),
    );
    assert!(good, "{said}");
    for (backend, public) in public_on_every_backend(MERCHANT_PUBLIC) {
        assert!(public.verify(MESSAGE, &desk.read("signature")).is_ok(), "{backend:?}");
        assert!(public.verify(b"another message", &desk.read("signature")).is_err(), "{backend:?}");
        for other_scheme in ["sha1", "pss"] {
            assert!(public.verify(MESSAGE, &desk.read(other_scheme)).is_err(), "{other_scheme}, {backend:?}");
        }
    }
}

#[test]
fn openssl_opens_what_we_seal() {
    let desk = Desk::new();
    let key = text(&path("merchant.pem"));
    let opened = desk.path("opened");
    for (backend, public) in public_on_every_backend(MERCHANT_PUBLIC) {
        let sealed = desk.file("sealed", &public.encrypt_oaep("张三".as_bytes()).unwrap());
        let decrypt = ["pkeyutl", "-decrypt", "-inkey", &key, "-in", &sealed, "-out", &opened];
        let (good, said) = openssl(decrypt.into_iter().chain(OAEP));
        assert!(good, "{backend:?}: {said}");
        assert_eq!(desk.read("opened"), "张三".as_bytes(), "{backend:?}");
    }
}

#[test]
fn we_open_what_openssl_seals_to_us_and_nothing_else() {
    let desk = Desk::new();
    let public = desk.file("public.pem", MERCHANT_PUBLIC.as_bytes());
    let plain = desk.file("plain", "张三".as_bytes());
    let sealed = desk.path("sealed");
    let encrypt = ["pkeyutl", "-encrypt", "-pubin", "-inkey", &public, "-in", &plain, "-out", &sealed];
    let (good, said) = openssl(encrypt.into_iter().chain(OAEP));
    assert!(good, "{said}");
    let by_sha1 = desk.read("sealed");
    let sha256 = ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256"];
    let (good, said) = openssl(encrypt.into_iter().chain(sha256));
    assert!(good, "{said}");
    let by_sha256 = desk.read("sealed");
    for (backend, key) in on_every_backend(MERCHANT) {
        assert_eq!(key.decrypt_oaep(&by_sha1).unwrap(), "张三".as_bytes(), "{backend:?}");
        assert!(key.decrypt_oaep(&by_sha256).is_err(), "{backend:?}");
    }
    for (backend, other) in on_every_backend(OTHER) {
        assert!(other.decrypt_oaep(&by_sha1).is_err(), "{backend:?}");
    }
}
