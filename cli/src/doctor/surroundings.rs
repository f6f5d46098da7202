//! The host to call, the way to it, and the appid.

use favor_core::{AppId, MAIN_URL};
use reqwest::Url;

use crate::card::is_of_pay;
use crate::doctor::code::Code;
use crate::doctor::file;
use crate::doctor::given::Given;
use crate::doctor::merchant::Own;
use crate::doctor::origin;
use crate::doctor::report::Report;

/// Which host is called, and how it is reached. Debug is not derived, since the proxy can hold a password.
#[derive(Default)]
pub(crate) struct Way {
    /// Without a slash at the end; none when it is malformed.
    pub(crate) base: Option<Url>,
    pub(crate) proxy: Option<Url>,
    pub(crate) roots: Option<Vec<u8>>,
    /// Whether everything that is set can be used.
    pub(crate) usable: bool,
}

impl Way {
    /// Whether the host is one of WeChat Pay's.
    pub(crate) fn is_production(&self) -> bool {
        self.base.as_ref().and_then(Url::host_str).is_some_and(origin::is_production)
    }

    /// Whether something of one's own may stand in for the host: a mirror as proxy, or with its own authority.
    fn may_be_stood_in_for(&self) -> bool {
        self.proxy.is_some() || self.roots.is_some()
    }
}

/// Looks at host, proxy and further roots.
pub(crate) fn check_way(given: &Given, report: &mut Report) -> Way {
    let base = base(given.base_url.as_deref().unwrap_or(MAIN_URL), report);
    way_to(base, given, report)
}

/// The same for an Official Account alone, which has a host of its own.
pub(crate) fn check_card_way(given: &Given, report: &mut Report) -> Way {
    let base = base(card_url(given), report);
    way_to(base, given, report)
}

/// The way to the card API beside a way to Pay: the same but for the host, where a profile names Pay's.
pub(crate) fn card_way(given: &Given, pay: &Way) -> Way {
    let base = Url::parse(card_url(given).trim()).ok();
    Way { base, proxy: pay.proxy.clone(), roots: pay.roots.clone(), usable: pay.usable }
}

fn card_url(given: &Given) -> &str {
    given.base_url.as_deref().filter(|url| !is_of_pay(url)).unwrap_or(favor_card::MAIN_URL)
}

fn way_to(base: Option<Url>, given: &Given, report: &mut Report) -> Way {
    let (proxy, roots) = (proxy(given, report), roots(given, report));
    let usable = base.is_some() && proxy.is_ok() && roots.is_ok();
    Way { base, proxy: proxy.ok().flatten(), roots: roots.ok().flatten(), usable }
}

fn base(text: &str, report: &mut Report) -> Option<Url> {
    let text = text.trim();
    let wrong = |report: &mut Report, what: &str| {
        report.bad(
            Code::BaseUrlMalformed,
            format!("base_url {what}"),
            format!("write scheme and host only, such as {MAIN_URL} or http://127.0.0.1:8080"),
        );
    };
    let Ok(url) = Url::parse(text) else {
        wrong(report, &format!("{text:?} is not a URL; perhaps it lacks https://"));
        return None;
    };
    let Some(host) = url.host_str() else {
        wrong(report, "has no host");
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        wrong(report, "has a user name");
        return None;
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        wrong(report, &format!("{text:?} has a path or query; favor adds them itself"));
        return None;
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let loopback =
        host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
        wrong(report, &format!("{text:?} is not https; plain http is for a mirror on this machine"));
        return None;
    }
    let kind = if origin::is_production(host) {
        "WeChat Pay itself"
    } else if host == favor_card::MAIN_URL.trim_start_matches("https://") {
        "WeChat itself"
    } else if loopback {
        "this machine"
    } else {
        "not a host of WeChat Pay, so a stand-in"
    };
    report.good(Code::BaseUrl, format!("{}: {kind}", text.trim_end_matches('/')));
    Some(url)
}

fn proxy(given: &Given, report: &mut Report) -> Result<Option<Url>, ()> {
    let Some(text) = &given.proxy else { return Ok(None) };
    // Not shown: it can hold a password.
    let url = Url::parse(text.expose()).ok().filter(|url| {
        url.has_host() && matches!(url.scheme(), "http" | "https") && reqwest::Proxy::all(url.clone()).is_ok()
    });
    if url.is_none() {
        report.bad(
            Code::ProxyMalformed,
            "the proxy is not a URL of scheme http or https with a host",
            "write it like http://proxy.example.com:3128",
        );
        return Err(());
    }
    Ok(url)
}

fn roots(given: &Given, report: &mut Report) -> Result<Option<Vec<u8>>, ()> {
    let Some(path) = given.ca_file.as_deref() else { return Ok(None) };
    let why = match file::read(path) {
        Err(why) => why,
        Ok(pem) => match reqwest::Certificate::from_pem_bundle(&pem) {
            Ok(found) if !found.is_empty() => return Ok(Some(pem.to_vec())),
            _ => format!("{} is not a PEM certificate", path.display()),
        },
    };
    report.bad(
        Code::CaFileUnusable,
        format!("ca_file: {why}"),
        "name the root certificate in PEM, such as a mirror's mirror_ca.pem; WeChat Pay itself needs none",
    );
    Err(())
}

/// Looks at the appid.
pub(crate) fn check_appid(given: &Given, report: &mut Report) {
    let Some(text) = given.appid.as_deref() else {
        report.good(Code::AppId, "none is set; commands about users then need --appid");
        return;
    };
    if AppId::new(text).is_err() {
        report.bad(
            Code::AppIdMalformed,
            format!("the appid {text:?} is not made of letters and digits only"),
            "copy it from the app's own console; it is wx and 16 letters and digits",
        );
        return;
    }
    let usual = text.len() == 18
        && text.starts_with("wx")
        && text[2..].bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    if usual {
        report.good(Code::AppId, text);
    } else {
        let guess =
            if text.bytes().all(|b| b.is_ascii_digit()) { ": this looks like a merchant id" } else { "" };
        report.bad(
            Code::AppIdForm,
            format!("the appid {text:?} is not wx and 16 lower-case letters and digits{guess}"),
            "compare it with the app's own console; it must be bound to the merchant as well",
        );
    }
}

/// Looks for a mirror's keys where production is called.
pub(crate) fn check_sides(given: &Given, way: &Way, own: &Own, report: &mut Report) {
    if !way.is_production() || way.may_be_stood_in_for() {
        return;
    }
    let by_certificate = own.certificate.as_ref().is_some_and(origin::is_of_mirror);
    let by_id = given.mchid.as_deref() == Some(origin::MIRROR_MERCHANT);
    if by_certificate || by_id {
        let what = if by_certificate {
            "this certificate was made by a mirror"
        } else {
            "this is the merchant of a mirror"
        };
        report.bad(
            Code::MirrorKeysOnProduction,
            format!("the host is WeChat Pay itself, and {what}"),
            "set base_url to the mirror's address (favor mirror prints it), or use the keys of your own merchant",
        );
    }
}
