//! A stock from creation to giving out. Runs against an embedded mirror.

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

mod support;

use std::time::Duration;

use favor::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mirror = favor_mirror::Mirror::builder().start().await?;
    let client = support::client(&mirror)?;
    let stocks = Stocks::new(&client);

    // Limits are checked before anything is sent, and all faults are named at once.
    let mut wrong = support::stock_request(&client)?;
    wrong.stock_use_rule.max_coupons = 4;
    let error = stocks.create(&wrong).await.expect_err("4 coupons are too few");
    for violation in error.invalid_request().map(|invalid| invalid.violations()).unwrap_or_default() {
        println!("{} {}", violation.field, violation.rule);
    }

    // The same request twice is the same stock.
    let request = support::stock_request(&client)?;
    let created = stocks.create(&request).await?;
    assert_eq!(stocks.create(&request).await?.stock_id, created.stock_id);

    // Starting at once is refused: the platform needs about a minute.
    let error = stocks.start(&created.stock_id).await.expect_err("too soon");
    println!("{}: {error}", error.outcome());
    mirror.advance(Duration::from_secs(61)).await?;
    stocks.start(&created.stock_id).await?;

    let stock = stocks.get(&created.stock_id).await?;
    println!("{} is {} and has given out {}", stock.stock_name, stock.status, stock.distributed_coupons);
    assert!(stock.gives_out(client.now()));
    mirror.shutdown().await;
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
