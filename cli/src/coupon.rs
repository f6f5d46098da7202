//! `favor coupon …`

use favor_core::{AppId, Client};
use favor_coupon::{Coupon, CouponStatus, Coupons, DerivedNumbers, ListCoupons, ListIssued, SendCoupon};

use crate::args::{self, Global};
use crate::confirm::confirm;
use crate::exit::Exit;
use crate::output::Output;
use crate::settings::Settings;
use crate::stock::local;

/// The purpose in the numbers this command derives, so that they never meet those of a campaign.
const PURPOSE: &str = "favor coupon send";

pub(crate) async fn run(command: args::Coupon, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let settings = Settings::load(global)?;
    let client = settings.client()?;
    match command {
        args::Coupon::Send(args) => {
            let appid = settings.appid(args.appid.as_ref())?;
            confirm(&settings, global.yes, &format!("send a coupon of stock {}", args.stock_id))?;
            send(&client, &args, appid, output).await?;
        }
        args::Coupon::Get(args) => {
            let appid = settings.appid(args.appid.as_ref())?;
            get(&client, &args, &appid, output).await?;
        }
        args::Coupon::List(args) => {
            let appid = settings.appid(args.appid.as_ref())?;
            list(&client, &args, appid, output).await?;
        }
    }
    Ok(Exit::Done)
}

async fn send(client: &Client, args: &args::SendCoupon, appid: AppId, output: &Output) -> anyhow::Result<()> {
    let merchant = client.merchant_id().clone();
    let number = match &args.out_request_no {
        Some(number) => number.clone(),
        None => DerivedNumbers::new(merchant.clone(), PURPOSE, args.stock_id.clone(), appid.clone())
            .of(&args.openid, args.slot),
    };
    // Said before the first attempt, so that a lost answer can be settled with the same number.
    output.talk(format!("out_request_no {number}"));
    let creator = args.creator.clone().unwrap_or(merchant);
    let request = SendCoupon::new(args.stock_id.clone(), number.clone(), appid, creator);
    let sent = Coupons::new(client).send(&args.openid, &request).await?;
    if output.is_json() {
        return output.raw_json(sent.raw());
    }
    output.facts([("coupon", sent.coupon_id.to_string()), ("out_request_no", number.to_string())])
}

async fn get(client: &Client, args: &args::GetCoupon, appid: &AppId, output: &Output) -> anyhow::Result<()> {
    let coupon = Coupons::new(client).get(&args.openid, &args.coupon_id, appid).await?;
    if output.is_json() {
        return output.raw_json(coupon.raw());
    }
    output.facts(facts(&coupon))
}

async fn list(
    client: &Client,
    args: &args::ListCoupons,
    appid: AppId,
    output: &Output,
) -> anyhow::Result<()> {
    let narrow = |mut list: ListIssued| {
        if let Some(stock) = &args.stock {
            list = list.stock(stock.clone());
        }
        if let Some(status) = &args.status {
            list = list.status(status.clone());
        }
        ListCoupons::from(list)
    };
    let request = match (&args.available_at, &args.sender, &args.creator) {
        (Some(merchant), ..) => ListCoupons::available_at(appid, merchant.clone()),
        (_, Some(sender), _) => narrow(ListCoupons::sent_by(appid, sender.clone())),
        (_, _, creator) => {
            let creator = creator.clone().unwrap_or_else(|| client.merchant_id().clone());
            narrow(ListCoupons::created_by(appid, creator))
        }
    };
    let coupons = Coupons::new(client);
    let mut rows = Vec::new();
    let mut next = Some(0);
    while let Some(page) = next {
        let listed = coupons.list(&args.openid, &request, page).await?;
        if output.is_json() {
            output.raw_json(listed.raw())?;
        }
        rows.extend(listed.data.iter().map(row));
        // Coupons by where they can be spent come on one page, whatever counts go with it.
        next = listed.next().filter(|_| args.available_at.is_none());
    }
    if output.is_json() {
        return Ok(());
    }
    output.rows(["coupon", "stock", "name", "status", "worth", "until"], rows, "no coupons")
}

fn row(coupon: &Coupon) -> [String; 6] {
    [
        coupon.coupon_id.to_string(),
        coupon.stock_id.to_string(),
        coupon.coupon_name.clone(),
        status(&coupon.status),
        worth(coupon).unwrap_or_default(),
        local(&coupon.available_end_time),
    ]
}

fn worth(coupon: &Coupon) -> Option<String> {
    let terms = coupon.normal_coupon_information.as_ref()?;
    Some(format!("{} off from {}", terms.coupon_amount, terms.transaction_minimum))
}

fn facts(coupon: &Coupon) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("coupon", coupon.coupon_id.to_string()),
        ("stock", coupon.stock_id.to_string()),
        ("name", coupon.coupon_name.clone()),
        ("status", status(&coupon.status)),
    ];
    if let Some(worth) = worth(coupon) {
        facts.push(("worth", worth));
    }
    let (begin, end) = (local(&coupon.available_begin_time), local(&coupon.available_end_time));
    facts.push(("usable", format!("{begin} to {end}")));
    facts.push(("received", local(&coupon.create_time)));
    if let Some(used) = &coupon.consume_information {
        facts.push(("redeemed", local(&used.consume_time)));
        facts.push(("at merchant", used.consume_mchid.to_string()));
        facts.push(("payment", used.transaction_id.to_string()));
    }
    if let Some(number) = &coupon.out_request_no {
        facts.push(("out_request_no", number.to_string()));
    }
    facts
}

fn status(status: &CouponStatus) -> String {
    let words = match status {
        CouponStatus::Sent => "usable",
        CouponStatus::Used => "redeemed",
        CouponStatus::Expired => "expired",
        CouponStatus::Recovered => "taken back by the platform",
        other => return other.to_string(),
    };
    format!("{words} ({status})")
}
