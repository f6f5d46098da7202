//! Whether keys are a mirror's or production's.

use favor_core::Certificate;
use x509_parser::pem::parse_x509_pem;

/// What a mirror writes as organisation into the certificates of its merchants.
const MIRROR_ORGANISATION: &str = "favor mirror";
/// The merchant that every mirror has. It is the example of the official documentation, and nobody's.
pub(crate) const MIRROR_MERCHANT: &str = "1900000109";

/// WeChat Pay's own hosts.
const PRODUCTION: [&str; 5] = [
    "api.mch.weixin.qq.com",
    "api2.mch.weixin.qq.com",
    "api.wechatpay.cn",
    "api2.wechatpay.cn",
    "apihk.mch.weixin.qq.com",
];

/// Whether a host is WeChat Pay's.
pub(crate) fn is_production(host: &str) -> bool {
    PRODUCTION.iter().any(|known| host.eq_ignore_ascii_case(known))
}

/// Whether a mirror made this certificate.
pub(crate) fn is_of_mirror(certificate: &Certificate) -> bool {
    let Ok((_, pem)) = parse_x509_pem(certificate.pem().as_bytes()) else { return false };
    let Ok(x509) = pem.parse_x509() else { return false };
    x509.subject().iter_organization().any(|name| name.as_str() == Ok(MIRROR_ORGANISATION))
}

#[cfg(test)]
mod tests {
    use super::*;
    use favor_mirror::Mirror;

    #[tokio::test]
    async fn a_mirrors_merchant_is_told_from_another() {
        let mirror = Mirror::builder().start().await.unwrap();
        assert_eq!(mirror.merchant().mchid, MIRROR_MERCHANT);
        assert!(is_of_mirror(&Certificate::from_pem(&mirror.merchant().certificate_pem).unwrap()));
        // Its platform certificates are made out like those of production.
        let platform = &mirror.platform_certificates()[0];
        assert!(!is_of_mirror(&Certificate::from_pem(&platform.pem).unwrap()));
        mirror.shutdown().await;
    }
}
