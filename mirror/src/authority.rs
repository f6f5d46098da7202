//! The mirror's own certificate authority. It is made when a mirror first starts and stays with its data.
//!
//! Its certificate says itself for which names it may speak: WeChat's hosts, and machines of a private network.
//! Trusting it therefore endangers no other name.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::GeneralName;

use crate::certificate::since_epoch;
use crate::error::MirrorError;
use crate::moment::Moment;
use crate::platform_host::PLATFORM_HOSTS;
use crate::random;

const LOCALHOST: &str = "localhost";
/// Longer-lived server certificates are refused by some systems.
const SERVER_DAYS: i64 = 800;

/// Makes certificates for the mirror's names.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
    /// WeChat's hosts that its certificate lets it speak for; one made by an earlier version knows fewer.
    hosts: Vec<&'static str>,
}

/// What a TLS server shows, and the key to it.
pub(crate) struct ServerCertificate {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Authority {
    /// A new one, with a key of its own.
    pub(crate) fn generate() -> Result<Self, MirrorError> {
        let key = KeyPair::generate().map_err(unusable)?;
        let params = params(&key);
        let certificate_pem = params.self_signed(&key).map_err(unusable)?.pem().replace("\r\n", "\n");
        Ok(Self { issuer: Issuer::new(params, key), certificate_pem, hosts: PLATFORM_HOSTS.to_vec() })
    }

    /// The one that a data file keeps.
    pub(crate) fn restore(private_key_pem: &str, certificate_pem: String) -> Result<Self, MirrorError> {
        let key = KeyPair::from_pem(private_key_pem).map_err(unusable)?;
        let hosts = permitted(&certificate_pem)?;
        Ok(Self { issuer: Issuer::new(params(&key), key), certificate_pem, hosts })
    }

    /// WeChat's hosts that came after it: clients would refuse every certificate that names one of them.
    pub(crate) fn unknown_hosts(&self) -> impl Iterator<Item = &'static str> {
        PLATFORM_HOSTS.into_iter().filter(|host| !self.hosts.contains(host))
    }

    pub(crate) fn private_key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    pub(crate) fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// A certificate for all names of the mirror, and for the address at which a client reached it.
    pub(crate) fn server_certificate(
        &self,
        reached: IpAddr,
        now: Moment,
    ) -> Result<ServerCertificate, MirrorError> {
        let names: Vec<_> = self.hosts.iter().copied().chain([LOCALHOST]).map(str::to_owned).collect();
        let mut params = CertificateParams::new(names).map_err(unusable)?;
        let mut addresses = vec![IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        if !addresses.contains(&reached) && is_private(reached) {
            addresses.push(reached);
        }
        params.subject_alt_names.extend(addresses.into_iter().map(SanType::IpAddress));
        params.distinguished_name = name("favor mirror");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        params.not_before = epoch + since_epoch(now.plus_days(-1));
        params.not_after = epoch + since_epoch(now.plus_days(SERVER_DAYS));
        let key = KeyPair::generate().map_err(unusable)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(unusable)?;
        Ok(ServerCertificate {
            certificate: certificate.der().clone(),
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        })
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority(…)")
    }
}

/// Those of WeChat's hosts that a certificate may speak for.
fn permitted(certificate_pem: &str) -> Result<Vec<&'static str>, MirrorError> {
    let broken =
        || MirrorError::key("the mirror's certificate authority cannot be used: its certificate is broken");
    let (_, pem) = parse_x509_pem(certificate_pem.as_bytes()).map_err(|_| broken())?;
    let certificate = pem.parse_x509().map_err(|_| broken())?;
    let constraints = certificate.name_constraints().map_err(|_| broken())?.ok_or_else(broken)?;
    let trees = constraints.value.permitted_subtrees.as_deref().unwrap_or_default();
    let is_named = |host: &str| {
        trees
            .iter()
            .any(|tree| matches!(tree.base, GeneralName::DNSName(name) if name.eq_ignore_ascii_case(host)))
    };
    Ok(PLATFORM_HOSTS.into_iter().filter(|host| is_named(host)).collect())
}

/// Everything about the authority, which is the same for the same key. Its name holds some digits of the key's
/// hash, so that clients and people can tell two of them apart.
fn params(key: &KeyPair) -> CertificateParams {
    params_for(key, &PLATFORM_HOSTS)
}

fn params_for(key: &KeyPair, hosts: &[&str]) -> CertificateParams {
    let hash = random::encode_hex(digest(&SHA256, key.public_key_raw()).as_ref());
    let dns = hosts.iter().copied().chain([LOCALHOST]);
    let v4 = |a, b, c, d, prefix| CidrSubnet::from_v4_prefix([a, b, c, d], prefix);
    let v6 = |first: u16, last: u16, prefix| {
        CidrSubnet::from_v6_prefix(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, last).octets(), prefix)
    };
    // As `is_private` has it.
    let subnets = [v4(127, 0, 0, 0, 8), v4(10, 0, 0, 0, 8), v4(172, 16, 0, 0, 12), v4(192, 168, 0, 0, 16)]
        .into_iter()
        .chain([v6(0, 1, 128), v6(0xfc00, 0, 7)]);
    let mut params = CertificateParams::default();
    params.distinguished_name = name(&format!("favor mirror CA {} for tests only", &hash[..8]));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: dns
            .map(|name| GeneralSubtree::DnsName(name.to_owned()))
            .chain(subnets.map(GeneralSubtree::IpAddress))
            .collect(),
        excluded_subtrees: Vec::new(),
    });
    // Clients judge it by their own clock, and tests set clocks.
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2099, 12, 31);
    params
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "favor mirror");
    name.push(DnType::CommonName, common_name);
    name
}

fn unusable(error: rcgen::Error) -> MirrorError {
    MirrorError::key(format!("the mirror's certificate authority cannot be used: {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier as _;
    use rustls::pki_types::UnixTime;
    use x509_parser::prelude::{FromDer as _, X509Certificate};

    use super::*;

    const NOW: Moment = Moment::from_millis_const(1_790_000_000_000);

    fn der(authority: &Authority) -> Vec<u8> {
        pem::parse(authority.certificate_pem()).unwrap().into_contents()
    }

    /// Whether a client that trusts the authority takes this certificate for that host's.
    fn believes(trusted: &Authority, shown: &CertificateDer<'_>, host: &str) -> bool {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(der(trusted).into()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let now = UnixTime::since_unix_epoch(since_epoch(NOW));
        verifier.verify_server_cert(shown, &[], &host.to_owned().try_into().unwrap(), &[], now).is_ok()
    }

    #[test]
    fn a_restored_authority_speaks_for_the_same_names() {
        let made = Authority::generate().unwrap();
        let kept = Authority::restore(&made.private_key_pem(), made.certificate_pem().to_owned()).unwrap();
        let shown = kept.server_certificate(Ipv4Addr::LOCALHOST.into(), NOW).unwrap().certificate;
        for host in PLATFORM_HOSTS.into_iter().chain([LOCALHOST, "127.0.0.1", "::1"]) {
            assert!(believes(&made, &shown, host), "{host}");
        }
        assert!(!believes(&made, &shown, "127.0.0.2"));
        assert!(!believes(&Authority::generate().unwrap(), &shown, LOCALHOST));
    }

    #[test]
    fn one_of_an_earlier_version_speaks_for_the_hosts_it_knew() {
        let key = KeyPair::generate().unwrap();
        let known = &PLATFORM_HOSTS[..6];
        let certificate = params_for(&key, known).self_signed(&key).unwrap().pem();
        let kept = Authority::restore(&key.serialize_pem(), certificate).unwrap();
        let shown = kept.server_certificate(Ipv4Addr::LOCALHOST.into(), NOW).unwrap().certificate;
        for host in known.iter().copied().chain([LOCALHOST, "127.0.0.1"]) {
            assert!(believes(&kept, &shown, host), "{host}");
        }
        assert_eq!(kept.unknown_hosts().collect::<Vec<_>>(), PLATFORM_HOSTS[6..]);
        assert_eq!(Authority::generate().unwrap().unknown_hosts().count(), 0);
    }

    #[test]
    fn two_authorities_differ_in_key_and_name() {
        let [one, other] = [Authority::generate().unwrap(), Authority::generate().unwrap()];
        assert_ne!(one.private_key_pem(), other.private_key_pem());
        let name = |authority: &Authority| {
            let der = der(authority);
            let (_, certificate) = X509Certificate::from_der(&der).unwrap();
            certificate.subject().to_string()
        };
        assert_ne!(name(&one), name(&other));
        assert!(name(&one).contains("for tests only"));
    }

    #[test]
    fn nothing_else_is_believed_of_the_authority() {
        let authority = Authority::generate().unwrap();
        let believed = |host: &str| {
            let mut params = CertificateParams::new([host.to_owned()]).unwrap();
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            let leaf = params.signed_by(&KeyPair::generate().unwrap(), &authority.issuer).unwrap();
            believes(&authority, leaf.der(), host)
        };
        let private = [LOCALHOST, "127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.5", "fd00::1"];
        for host in PLATFORM_HOSTS.into_iter().chain(private) {
            assert!(believed(host), "{host}");
        }
        for host in ["example.com", "pay.weixin.qq.com", "qq.com", "8.8.8.8", "172.32.0.1", "2001:db8::1"] {
            assert!(!believed(host), "{host}");
        }
    }

    #[test]
    fn a_server_certificate_names_private_addresses_only() {
        let authority = Authority::generate().unwrap();
        let names = |address: &str| {
            let shown = authority.server_certificate(address.parse().unwrap(), NOW).unwrap();
            let (_, leaf) = X509Certificate::from_der(&shown.certificate).unwrap();
            leaf.subject_alternative_name().unwrap().unwrap().value.general_names.len()
        };
        let usual = PLATFORM_HOSTS.len() + 3;
        for (address, more) in [
            ("127.0.0.1", 0),
            ("::1", 0),
            ("127.0.0.2", 1),
            ("192.168.1.5", 1),
            ("fd00::1", 1),
            ("8.8.8.8", 0),
        ] {
            assert_eq!(names(address), usual + more, "{address}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", Authority::generate().unwrap()), "Authority(…)");
    }
}
