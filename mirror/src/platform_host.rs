//! The names of WeChat's own hosts, under which a client with a fixed host looks for the mirror.

/// Hosts of the API, of files and of the card API.
pub(crate) const PLATFORM_HOSTS: [&str; 11] = [
    "api.mch.weixin.qq.com",
    "api2.mch.weixin.qq.com",
    "api.wechatpay.cn",
    "api2.wechatpay.cn",
    DOWNLOAD_HOST,
    "api.weixin.qq.com",
    "api2.weixin.qq.com",
    "sh.api.weixin.qq.com",
    "sz.api.weixin.qq.com",
    "hk.api.weixin.qq.com",
    // Pictures of QR codes.
    "mp.weixin.qq.com",
];

/// Where links to the files of a day lead in production.
pub(crate) const DOWNLOAD_HOST: &str = "download-service.wechatpay.cn";

/// Whether a host, without port, is one of WeChat's.
pub(crate) fn is_platform_host(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    PLATFORM_HOSTS.iter().any(|known| known.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_these_names_are_the_platforms() {
        for host in ["api.mch.weixin.qq.com", "API.weixin.QQ.com", "api2.wechatpay.cn."] {
            assert!(is_platform_host(host), "{host}");
        }
        for host in
            ["", ".", "weixin.qq.com", "x.api.mch.weixin.qq.com", "api.mch.weixin.qq.com.evil.example"]
        {
            assert!(!is_platform_host(host), "{host}");
        }
    }
}
