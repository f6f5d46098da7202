//! One coupon, with every outcome handled. Runs against an embedded mirror.

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

mod support;

use favor::prelude::*;
use favor_mirror::{FaultKind, FaultPlace, FaultRule};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mirror = favor_mirror::Mirror::builder().start().await?;
    let client = support::client(&mirror)?;
    let stock_id = support::running_stock(&client, &mirror).await?;

    let creator = client.merchant_id().clone();
    let appid: AppId = mirror.merchant().appid.parse()?;
    let openid: OpenId = "oTea0000000000000000000000001".parse()?;

    // The number follows from the person: after a crash the same call leads to the same coupon.
    let number =
        DerivedNumbers::new(creator.clone(), "spring", stock_id.clone(), appid.clone()).of(&openid, 0);
    let request = SendCoupon::new(stock_id, number, appid.clone(), creator);

    // The mirror does the work and loses every answer of this call.
    let lost =
        FaultRule::new(FaultKind::Cut).place(FaultPlace::AfterCommit).operation("coupon.send").times(3);
    mirror.plan(lost)?;

    let coupons = Coupons::new(&client);
    let coupon_id = loop {
        match coupons.send(&openid, &request).await {
            Ok(sent) => break sent.coupon_id.clone(),
            Err(error) if error.outcome() == Outcome::Unknown => {
                println!("in doubt, the same request again: {error}")
            }
            Err(error) => return Err(error.into()),
        }
    };
    println!("coupon {coupon_id}");
    let coupon = coupons.get(&openid, &coupon_id, &appid).await?;
    assert_eq!(coupon.status, CouponStatus::Sent);
    mirror.shutdown().await;
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
