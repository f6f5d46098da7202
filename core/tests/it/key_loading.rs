//! Reading key files: what is taken, and what is said of everything else.

use favor_core::{ApiV3Key, Backend, Certificate, KeyError, PrivateKey, PublicKey};

use crate::test_keys::{MERCHANT, MERCHANT_CERTIFICATE, MERCHANT_PUBLIC, file, path};

const PRIVATE: &str = "needed an RSA private key in PEM (PRIVATE KEY, the file apiclient_key.pem), found ";
const PUBLIC: &str = "needed an RSA public key in PEM (PUBLIC KEY, the file pub_key.pem), found ";
const CERTIFICATE: &str = "needed an X.509 certificate in PEM (CERTIFICATE), found ";

fn bare_base64(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

/// Ways a good file may be dressed by editors, mail programs and consoles.
fn dressed(pem: &str) -> Vec<(&'static str, Vec<u8>)> {
    let crlf = pem.replace('\n', "\r\n");
    vec![
        ("as it is", pem.into()),
        ("a BOM", format!("\u{feff}{pem}").into()),
        ("CRLF", crlf.clone().into()),
        ("a BOM and CRLF", format!("\u{feff}{crlf}").into()),
        ("leading text", format!("Bag Attributes\n    friendlyName: 商户\n{pem}").into()),
        ("text after it", format!("{pem}\nkept in the safe\n").into()),
        ("no line end at the end", pem.trim_end().into()),
        ("blank lines around it", format!("\n\n{pem}\n\n").into()),
        ("behind another block", format!("{}{pem}", String::from_utf8(file("ec-sec1.pem")).unwrap()).into()),
    ]
}

#[test]
fn private_keys_are_read_in_every_dress_and_form() {
    let pkcs1 = String::from_utf8(file("merchant-pkcs1.pem")).unwrap();
    for backend in Backend::ALL.iter().copied() {
        let expected = PrivateKey::from_pem_with(MERCHANT, backend).unwrap();
        for pem in [MERCHANT, &pkcs1] {
            for (dress, bytes) in dressed(pem) {
                let key =
                    PrivateKey::from_pem_with(&bytes, backend).unwrap_or_else(|e| panic!("{dress}: {e}"));
                assert_eq!(key.public_key(), expected.public_key(), "{dress}");
                assert_eq!(key.sign(b"m").unwrap(), expected.sign(b"m").unwrap(), "{dress}");
            }
        }
    }
}

#[test]
fn public_keys_are_read_in_every_dress() {
    for backend in Backend::ALL.iter().copied() {
        let expected = PrivateKey::from_pem_with(MERCHANT, backend).unwrap();
        for (dress, bytes) in dressed(MERCHANT_PUBLIC) {
            let key = PublicKey::from_pem_with(&bytes, backend).unwrap_or_else(|e| panic!("{dress}: {e}"));
            assert_eq!(&key, expected.public_key(), "{dress}");
            assert_eq!(key.bits(), 2048);
        }
    }
}

#[test]
fn certificates_are_read_in_every_dress() {
    for backend in Backend::ALL.iter().copied() {
        let expected = PrivateKey::from_pem_with(MERCHANT, backend).unwrap();
        for (dress, bytes) in dressed(MERCHANT_CERTIFICATE) {
            let certificate =
                Certificate::from_pem_with(&bytes, backend).unwrap_or_else(|e| panic!("{dress}: {e}"));
            assert_eq!(certificate.public_key(), expected.public_key(), "{dress}");
            assert_eq!(certificate.serial().as_str(), "0C4A5F7700000000000000000000000000000001");
            assert_eq!(certificate.subject(), Some("1900000109"));
        }
    }
}

#[test]
fn a_file_with_key_and_certificate_serves_as_both() {
    let both = format!("{MERCHANT_CERTIFICATE}{MERCHANT}");
    let key = PrivateKey::from_pem(&both).unwrap();
    let certificate = Certificate::from_pem(&both).unwrap();
    assert_eq!(key.public_key(), certificate.public_key());
}

#[test]
fn files_are_read_from_disk_and_named_in_errors() {
    assert!(PrivateKey::from_pem_file(path("merchant.pem")).is_ok());
    assert!(PrivateKey::from_pem_file(path("merchant-pkcs1.pem")).is_ok());
    assert!(PublicKey::from_pem_file(path("merchant-public.pem")).is_ok());
    assert!(Certificate::from_pem_file(path("merchant-certificate.pem")).is_ok());

    let wrong = path("merchant-certificate.pem");
    let error = PrivateKey::from_pem_file(&wrong).unwrap_err();
    assert_eq!(error.file(), Some(wrong.as_path()));
    assert_eq!(error.to_string(), format!("{}: {PRIVATE}a certificate", wrong.display()));

    let missing = path("missing.pem");
    for error in [
        PrivateKey::from_pem_file(&missing).unwrap_err(),
        PublicKey::from_pem_file(&missing).unwrap_err(),
        Certificate::from_pem_file(&missing).unwrap_err(),
    ] {
        let text = error.to_string();
        let expected = format!("{}: the file cannot be read: ", missing.display());
        assert!(text.starts_with(&expected), "{text}");
        assert_eq!(error.file(), Some(missing.as_path()));
    }
    assert_eq!(PrivateKey::from_pem("").unwrap_err().file(), None);
}

type Case = (&'static str, Vec<u8>, &'static str);

#[track_caller]
fn assert_refused<T>(needed: &str, load: impl Fn(&[u8], Backend) -> Result<T, KeyError>, cases: Vec<Case>) {
    for (what, bytes, found) in cases {
        for backend in Backend::ALL.iter().copied() {
            match load(&bytes, backend) {
                Ok(_) => panic!("{what} was taken by {backend:?}"),
                Err(error) => {
                    assert_eq!(error.to_string(), format!("{needed}{found}"), "{what}, {backend:?}")
                }
            }
        }
    }
}

const ENCRYPTED: &str =
    "an encrypted private key; decrypt it first with: openssl pkcs8 -in FILE -out apiclient_key.pem";
const BINARY: &str =
    "binary data, perhaps a .p12 or DER file; convert it with: openssl pkcs12 -in FILE -nodes -legacy";
const BARE: &str = "base64 without its -----BEGIN…----- and -----END…----- lines";
const DAMAGED: &str = "a damaged one: its content cannot be decoded";
const SMALL: &str = "an RSA key of 1024 bits (2048 are needed)";
const NOT_RSA: &str = "a key of another kind than RSA";
const EMPTY: &str = "nothing: it is empty";

fn block(label: &str, base64: &str) -> Vec<u8> {
    format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n").into()
}

#[test]
fn what_is_no_private_key_is_named() {
    assert_refused(
        PRIVATE,
        |bytes, backend| PrivateKey::from_pem_with(bytes, backend),
        vec![
            ("an encrypted PKCS#8 key", file("merchant-encrypted.pem"), ENCRYPTED),
            ("an encrypted PKCS#1 key", file("merchant-encrypted-pkcs1.pem"), ENCRYPTED),
            ("an EC key as PKCS#8", file("ec.pem"), NOT_RSA),
            ("an EC key as SEC1", file("ec-sec1.pem"), NOT_RSA),
            ("a short key", file("small.pem"), SMALL),
            ("a certificate", MERCHANT_CERTIFICATE.into(), "a certificate"),
            ("a public key", MERCHANT_PUBLIC.into(), "a public key"),
            ("base64 alone", bare_base64(MERCHANT).into(), BARE),
            ("DER", file("merchant.der"), BINARY),
            ("PKCS#12", file("merchant.p12"), BINARY),
            ("nothing", vec![], EMPTY),
            ("blanks", b" \r\n\t\n".to_vec(), EMPTY),
            ("a BOM alone", "\u{feff}\n".into(), EMPTY),
            (
                "the APIv3 key",
                b"0123456789abcdef0123456789ABCDEF\n".to_vec(),
                "a text of 32 characters, perhaps the APIv3 key",
            ),
            ("prose", b"ask the finance department".to_vec(), "no PEM text"),
            ("another block", block("X509 CRL", "MAA="), "a PEM block labelled X509 CRL"),
            ("no DER inside", block("PRIVATE KEY", "AAAA"), DAMAGED),
            ("no base64 inside", block("PRIVATE KEY", "%%%%"), DAMAGED),
            ("no END line", b"-----BEGIN PRIVATE KEY-----\nMAA=\n".to_vec(), DAMAGED),
            (
                "PKCS#1 under the label of PKCS#8",
                block("PRIVATE KEY", &bare_base64(&String::from_utf8(file("merchant-pkcs1.pem")).unwrap())),
                DAMAGED,
            ),
        ],
    );
}

#[test]
fn what_is_no_public_key_is_named() {
    assert_refused(
        PUBLIC,
        |bytes, backend| PublicKey::from_pem_with(bytes, backend),
        vec![
            ("a private key", MERCHANT.into(), "a private key"),
            ("a PKCS#1 key", file("merchant-pkcs1.pem"), "a private key"),
            ("a certificate", MERCHANT_CERTIFICATE.into(), "a certificate"),
            ("an EC key", file("ec-public.pem"), NOT_RSA),
            ("a short key", file("small-public.pem"), SMALL),
            ("base64 alone", bare_base64(MERCHANT_PUBLIC).into(), BARE),
            ("DER", file("merchant.der"), BINARY),
            ("nothing", vec![], EMPTY),
            ("no DER inside", block("PUBLIC KEY", "MAA="), DAMAGED),
        ],
    );
}

#[test]
fn what_is_no_certificate_is_named() {
    assert_refused(
        CERTIFICATE,
        |bytes, backend| Certificate::from_pem_with(bytes, backend),
        vec![
            ("a private key", MERCHANT.into(), "a private key"),
            ("a public key", MERCHANT_PUBLIC.into(), "a public key"),
            ("base64 alone", bare_base64(MERCHANT_CERTIFICATE).into(), BARE),
            ("PKCS#12", file("merchant.p12"), BINARY),
            ("nothing", vec![], EMPTY),
            ("no DER inside", block("CERTIFICATE", "MAA="), DAMAGED),
            ("an EC certificate", file("ec-certificate.pem"), NOT_RSA),
            ("a short certificate", file("small-certificate.pem"), SMALL),
        ],
    );
}

#[test]
fn a_key_whose_numbers_do_not_fit_together_is_refused() {
    let block = pem::parse(file("merchant-pkcs1.pem")).unwrap();
    let mut der = block.contents().to_vec();
    // Byte 100 is deep inside the modulus, which begins at byte 11.
    der[100] ^= 0x10;
    let pem = pem::encode(&pem::Pem::new(block.tag(), der));
    for backend in Backend::ALL.iter().copied() {
        let error = PrivateKey::from_pem_with(&pem, backend).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the numbers of the RSA key do not fit together; the file is damaged",
            "{backend:?}"
        );
    }
}

#[test]
fn the_api_v3_key_has_32_visible_characters() {
    let key = "0123456789abcdef0123456789ABCDEF";
    for good in [key.to_owned(), format!("{key}\n"), format!(" {key}\r\n")] {
        assert!(ApiV3Key::new(&good).is_ok(), "{good:?}");
    }
    let length = |bytes: usize| {
        format!(
            "the APIv3 key has {bytes} bytes, but it must have exactly 32; copy it from the merchant console as it was set"
        )
    };
    let text = || "the APIv3 key must be 32 printable ASCII characters".to_owned();
    for (bad, expected) in [
        (key[1..].to_owned(), length(31)),
        (format!("{key}0"), length(33)),
        (String::new(), length(0)),
        ("键".repeat(32), length(96)),
        (format!("{}ab", "键".repeat(10)), text()),
        (format!("{} {}", &key[..16], &key[17..]), text()),
    ] {
        assert_eq!(ApiV3Key::new(&bad).unwrap_err().to_string(), expected, "{bad:?}");
    }
}
