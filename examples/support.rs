//! What the examples share: a client of the mirror's merchant, and a stock that runs.

#![allow(dead_code, reason = "not every example needs all of it")]

use std::time::Duration;

use chrono::TimeDelta;
use favor::prelude::*;
use favor_mirror::Mirror;

/// The merchant of the mirror, as a signer.
pub(crate) fn signer(mirror: &Mirror) -> Result<MerchantSigner, Box<dyn std::error::Error>> {
    let merchant = mirror.merchant();
    let key = PrivateKey::from_pem(&merchant.private_key_pem)?;
    let certificate = Certificate::from_pem(&merchant.certificate_pem)?;
    Ok(MerchantSigner::from_certificate(merchant.mchid.parse()?, &certificate, key)?)
}

/// A client that downloads the mirror's certificates.
pub(crate) fn client(mirror: &Mirror) -> Result<Client, Box<dyn std::error::Error>> {
    let keys = PlatformKeys::download(ApiV3Key::new(&mirror.merchant().api_v3_key)?);
    Ok(Client::builder(signer(mirror)?, keys).base_url(mirror.base_url()).build()?)
}

/// A request for a stock of 200 coupons, one per user.
pub(crate) fn stock_request(client: &Client) -> Result<CreateStock, Box<dyn std::error::Error>> {
    let merchant_id = client.merchant_id().clone();
    let face_value = Fen::new(500)?;
    let begin = client.now();
    Ok(CreateStock::no_cash(
        "Tea 5 off 30",
        merchant_id.clone(),
        begin..begin + TimeDelta::days(30),
        StockRule::new(200, face_value.checked_mul(200)?, 1),
        CouponRule::normal(FixedNormalCoupon::new(face_value, Fen::new(3000)?), [merchant_id]),
        "1900000109_20260730_0001".parse()?,
    ))
}

/// A stock that has been created and, a minute later by the mirror's clock, started.
pub(crate) async fn running_stock(
    client: &Client,
    mirror: &Mirror,
) -> Result<StockId, Box<dyn std::error::Error>> {
    let stocks = Stocks::new(client);
    let created = stocks.create(&stock_request(client)?).await?;
    mirror.advance(Duration::from_secs(61)).await?;
    stocks.start(&created.stock_id).await?;
    Ok(created.stock_id.clone())
}
