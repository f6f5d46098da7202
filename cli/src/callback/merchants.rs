//! The merchants that notifications are received for: one for each profile.

use anyhow::{Context as _, bail};
use favor_callback::{Receiver, Recipient};
use favor_core::{ApiV3Key, Client};

use crate::args::Global;
use crate::env;
use crate::settings::Settings;

/// A merchant's client and the key its notifications are sealed with.
#[derive(Debug)]
pub(crate) struct Merchant {
    pub(crate) client: Client,
    api_v3_key: ApiV3Key,
}

/// The merchant of the profile, and those of further profiles.
pub(crate) fn load(global: &Global, further: &[String]) -> anyhow::Result<Vec<Merchant>> {
    let mut merchants = vec![merchant(&Settings::load(global)?)?];
    if further.is_empty() {
        return Ok(merchants);
    }
    let everywhere = env::OF_ONE_MERCHANT.into_iter().find(|name| env::read(name).is_some());
    if let Some(name) = everywhere.or(global.mchid.as_ref().map(|_| "--mchid")) {
        bail!(
            "{name} goes before every profile, so that --also-profile could name no other merchant: unset it"
        );
    }
    for name in further {
        let settings = Settings::load_profile(global, Some(name))?;
        let merchant = merchant(&settings).with_context(|| format!("profile {name:?}"))?;
        if merchants.iter().any(|other| other.client.merchant_id() == merchant.client.merchant_id()) {
            bail!("profile {name:?} is of merchant {}, which is there already", settings.merchant_id());
        }
        merchants.push(merchant);
    }
    Ok(merchants)
}

fn merchant(settings: &Settings) -> anyhow::Result<Merchant> {
    Ok(Merchant { client: settings.client()?, api_v3_key: settings.api_v3_key()? })
}

/// One receiver for all of them.
pub(crate) fn receiver(merchants: &[Merchant]) -> anyhow::Result<Receiver> {
    let recipient = |merchant: &Merchant| Recipient::of_client(&merchant.client, merchant.api_v3_key.clone());
    let (first, others) = merchants.split_first().context("there is always the merchant of the profile")?;
    let mut builder = Receiver::builder(recipient(first)).clock(first.client.clock());
    for other in others {
        builder = builder.recipient(recipient(other));
    }
    Ok(builder.build())
}
