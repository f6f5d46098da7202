//! The Official Account whose cards they are: its settings.

use anyhow::Context as _;
use favor_card::event::Receiver;
use favor_card::{AppId, Client, MAIN_URL};

use super::secrets;
use super::tokens::Tokens;
use crate::args::{CardAccount, Global};
use crate::confirm::confirm_on;
use crate::env;
use crate::profile::{self, Profile};
use crate::settings::{base_url, missing, transport};

/// The settings of one run, merged.
#[derive(Debug)]
pub(crate) struct Account {
    profile: Profile,
    base_url: Option<String>,
    pub(crate) app_id: AppId,
}

impl Account {
    pub(crate) fn load(args: &CardAccount, global: &Global) -> anyhow::Result<Self> {
        let profile = profile::load(global.config.as_deref(), global.profile.as_deref())?;
        let base_url = base_url(global, &profile);
        let app_id = match (&args.appid, env::read(env::APPID).or(profile.appid.clone())) {
            (Some(given), _) => given.clone(),
            (None, text) => AppId::new(text.with_context(|| missing("the appid", "appid", env::APPID))?)?,
        };
        // A profile may name a host of Pay's for the coupons; cards are another host's.
        Ok(Self { profile, base_url: base_url.filter(|url| !is_of_pay(url)), app_id })
    }

    pub(crate) fn host(&self) -> &str {
        self.base_url.as_deref().unwrap_or(MAIN_URL)
    }

    pub(crate) fn confirm(&self, yes: bool, what: &str) -> anyhow::Result<()> {
        confirm_on(self.host(), yes, &format!("{what} on {} as account {}", self.host(), self.app_id))
    }

    pub(crate) fn client(&self, tokens: Tokens) -> anyhow::Result<Client> {
        let mut builder = Client::builder(self.app_id.clone(), secrets::app_secret(&self.profile)?)
            .user_agent(concat!("favor-cli/", env!("CARGO_PKG_VERSION")))
            .tokens(tokens)
            .transport(transport(&self.profile)?);
        if let Some(url) = &self.base_url {
            builder = builder.base_url(url);
        }
        Ok(builder.build()?)
    }

    /// The receiver of what is pushed, and whether it opens encrypted messages.
    pub(crate) fn receiver(&self, take_plain: bool) -> anyhow::Result<(Receiver, bool)> {
        let mut receiver = Receiver::new(secrets::push_token(&self.profile)?, self.app_id.clone());
        let key = secrets::encoding_aes_key(&self.profile)?;
        let is_encrypted = key.is_some();
        if let Some(key) = key {
            receiver = receiver.key(key);
        }
        if take_plain {
            receiver = receiver.take_plain();
        }
        Ok((receiver, is_encrypted))
    }
}

/// Whether a host is one of Pay's, which serves no cards.
pub(crate) fn is_of_pay(url: &str) -> bool {
    let uri: Option<http::Uri> = url.trim().parse().ok();
    let host = uri.as_ref().and_then(http::Uri::host).unwrap_or_default();
    host.to_ascii_lowercase().ends_with(".mch.weixin.qq.com")
}

#[cfg(test)]
mod tests {
    use super::is_of_pay;

    #[test]
    fn only_hosts_of_pay_are_passed_over() {
        assert!(is_of_pay("https://api.mch.weixin.qq.com") && is_of_pay("https://api2.mch.weixin.qq.com/"));
        assert!(is_of_pay(" HTTPS://API.mch.weixin.QQ.com"));
        for url in ["https://api.weixin.qq.com", "http://127.0.0.1:9", "https://mch.weixin.qq.com.evil", "x"]
        {
            assert!(!is_of_pay(url), "{url}");
        }
    }
}
