//! When a coupon can be paid with or refunded. These are not rules of the API, so they answer in words.

use super::{GoodsDetail, NewRedemption, Redeem, Redemption, Refund};
use crate::coupon::CouponState;
use crate::ledger::refunds::Sums;
use crate::moment::Moment;
use crate::rules::parameter::is_request_number;
use crate::stock::StockState;

/// Keeps products of amounts far from the limits of 64 bits.
const LARGEST_TOTAL: i64 = 1_000_000_000_000;
const LONGEST_TEXT: usize = 128;

pub(super) const MONEY_GONE: &str =
    "the stock's money is spent, or was given back at its end, and does not cover the discount";

/// Where and for what a stock's coupons can be spent.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub(super) merchants: Vec<String>,
    pub(super) items: Vec<String>,
}

/// Whether a payment can be made now, and what is to be kept of it.
pub(super) fn payment(
    coupon: &CouponState,
    stock: &StockState,
    place: &Place,
    payment: &Redeem,
    now: Moment,
) -> Result<NewRedemption, String> {
    usable(coupon, stock, now)?;
    let total_amount = payment.total_amount.unwrap_or(coupon.minimum);
    if total_amount < coupon.minimum {
        return Err(format!("the total of {total_amount} fen is below the threshold of {}", coupon.minimum));
    }
    if total_amount > LARGEST_TOTAL {
        return Err(format!("the total of {total_amount} fen is beyond {LARGEST_TOTAL}"));
    }
    let mchid = match &payment.consume_mchid {
        Some(mchid) if !place.merchants.contains(mchid) => {
            return Err(format!("{mchid} is not among the stock's available merchants"));
        }
        Some(mchid) => mchid.clone(),
        None => place.merchants.first().cloned().unwrap_or_default(),
    };
    if let Some(id) = &payment.transaction_id
        && !((1..=32).contains(&id.len()) && is_request_number(id))
    {
        return Err(format!("{id} is no transaction_id: 1 to 32 letters, digits or _ - | *"));
    }
    let bank_serial = payment.bank_serial.clone().unwrap_or_default();
    let device_no = payment.device_no.clone().unwrap_or_default();
    if bank_serial.len() > LONGEST_TEXT || device_no.len() > LONGEST_TEXT {
        return Err(format!("device_no and bank_serial have at most {LONGEST_TEXT} bytes"));
    }
    let goods_detail = goods(coupon, stock, place, payment, total_amount)?;
    Ok(NewRedemption {
        mchid,
        total_amount,
        discount: coupon.amount,
        transaction_id: payment.transaction_id.clone(),
        goods_detail,
        device_no,
        bank_serial,
    })
}

fn usable(coupon: &CouponState, stock: &StockState, now: Moment) -> Result<(), String> {
    let status = coupon.shown_status(now);
    if status != "SENDED" {
        return Err(format!("the coupon is {status}"));
    }
    if coupon.usable_now(stock, now) {
        return Ok(());
    }
    Err(if now < coupon.begins {
        format!("the coupon can be used from {} on", coupon.begins.rfc3339())
    } else {
        format!("the coupon cannot be used at this time of the day or week ({})", now.rfc3339())
    })
}

fn goods(
    coupon: &CouponState,
    stock: &StockState,
    place: &Place,
    payment: &Redeem,
    total_amount: i64,
) -> Result<Vec<GoodsDetail>, String> {
    let Some(goods) = &payment.goods_detail else {
        return Ok(default_goods(stock, place, total_amount, coupon.amount));
    };
    for line in goods {
        let in_range = |number: i64| (0..=LARGEST_TOTAL).contains(&number);
        let amounts = in_range(line.quantity) && in_range(line.price) && in_range(line.discount_amount);
        if !(1..=LONGEST_TEXT).contains(&line.goods_id.chars().count()) || !amounts {
            return Err(
                "a line of goods_detail has a goods_id of 1 to 128 characters and no negative number".into(),
            );
        }
    }
    if stock.single_item && !goods.iter().any(|line| place.items.contains(&line.goods_id)) {
        return Err("goods_detail holds none of the stock's goods".to_owned());
    }
    Ok(goods.clone())
}

/// One piece of the first goods, for a single-item coupon.
pub(super) fn default_goods(
    stock: &StockState,
    place: &Place,
    total_amount: i64,
    discount: i64,
) -> Vec<GoodsDetail> {
    let first = place.items.first().filter(|_| stock.single_item);
    let line = |goods_id: &String| GoodsDetail {
        goods_id: goods_id.clone(),
        quantity: 1,
        price: total_amount,
        discount_amount: discount,
    };
    first.map(line).into_iter().collect()
}

/// How much of total and discount goes back. The discount goes back in proportion, and wholly with the rest.
pub(super) fn refund(payment: &Redemption, earlier: Sums, wanted: Refund) -> Result<Sums, String> {
    let left = payment.total_amount - earlier.amount;
    let amount = wanted.amount.unwrap_or(left);
    if !(1..=left).contains(&amount) {
        return Err(format!("{amount} fen cannot be refunded, {left} of {} are left", payment.total_amount));
    }
    let share = payment.discount * (earlier.amount + amount) / payment.total_amount;
    Ok(Sums { amount, discount: share - earlier.discount })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coupon::state::tests::coupon;
    use crate::stock::FixedTime;
    use crate::stock::state::tests::{at, stock};

    fn place() -> Place {
        Place { merchants: vec!["1900000109".into(), "1900000110".into()], items: vec!["tea".into()] }
    }

    fn paid(payment_: &Redeem) -> Result<NewRedemption, String> {
        payment(&coupon(), &stock(), &place(), payment_, at("2026-08-10T12:00:00+08:00"))
    }

    #[test]
    fn everything_has_a_default() {
        let new = paid(&Redeem::default()).unwrap();
        assert_eq!((new.total_amount, new.discount, new.mchid.as_str()), (3_000, 500, "1900000109"));
        assert!(new.goods_detail.is_empty() && new.transaction_id.is_none());
        let single = StockState { single_item: true, ..stock() };
        let new = payment(&coupon(), &single, &place(), &Redeem::default(), stock().begins).unwrap();
        assert_eq!((new.goods_detail[0].goods_id.as_str(), new.goods_detail[0].price), ("tea", 3_000));
    }

    #[test]
    fn a_payment_has_limits() {
        let refused = |payment: Redeem| paid(&payment).unwrap_err();
        let total = |total| Redeem { total_amount: Some(total), ..Redeem::default() };
        assert!(refused(total(2_999)).contains("below the threshold"));
        assert!(refused(total(i64::MAX)).contains("beyond"));
        assert!(paid(&total(3_001)).is_ok());
        let at = |mchid: &str| Redeem { consume_mchid: Some(mchid.into()), ..Redeem::default() };
        assert!(refused(at("1")).contains("available merchants"));
        assert_eq!(paid(&at("1900000110")).unwrap().mchid, "1900000110");
        for id in ["", "a,b", &"1".repeat(33)] {
            let number = Redeem { transaction_id: Some(id.into()), ..Redeem::default() };
            assert!(refused(number).contains("transaction_id"), "{id}");
        }
        let long = Redeem { device_no: Some(vec![0; 129]), ..Redeem::default() };
        assert!(refused(long).contains("device_no"));
    }

    #[test]
    fn single_item_coupons_need_their_goods() {
        let single = StockState { single_item: true, ..stock() };
        let buy = |goods_id: &str, quantity| {
            let line = GoodsDetail { goods_id: goods_id.into(), quantity, price: 1, discount_amount: 1 };
            let payment_ = Redeem { goods_detail: Some(vec![line]), ..Redeem::default() };
            payment(&coupon(), &single, &place(), &payment_, stock().begins)
        };
        assert!(buy("tea", 1).is_ok());
        assert!(buy("milk", 1).unwrap_err().contains("none of the stock's goods"));
        assert!(buy("tea", -1).unwrap_err().contains("negative"));
    }

    #[test]
    fn only_a_usable_coupon_pays() {
        let pay = |coupon: CouponState, stock: StockState, now| {
            payment(&coupon, &stock, &place(), &Redeem::default(), now).map(drop)
        };
        let late = coupon().ends.plus_millis(1);
        assert!(pay(coupon(), stock(), late).unwrap_err().contains("EXPIRED"));
        let early = coupon().begins.plus_millis(-1);
        assert!(pay(coupon(), stock(), early).unwrap_err().contains("from 2026-08-01"));
        let used = CouponState { status: "USED".into(), ..coupon() };
        assert!(pay(used, stock(), coupon().begins).unwrap_err().contains("USED"));
        let sundays = FixedTime { week_days: vec![0], begins: 0, ends: 86_399 };
        let sundays = StockState { fixed_time: Some(sundays), ..stock() };
        assert!(pay(coupon(), sundays.clone(), at("2026-08-09T12:00:00+08:00")).is_ok());
        assert!(
            pay(coupon(), sundays, at("2026-08-10T12:00:00+08:00")).unwrap_err().contains("time of the day")
        );
    }

    #[test]
    fn parts_of_the_discount_add_up_to_the_whole() {
        let payment = Redemption {
            id: 1,
            transaction_id: "t".into(),
            redeemed: stock().begins,
            mchid: "1".into(),
            total_amount: 1_000,
            discount: 500,
            goods_detail: Vec::new(),
        };
        let mut given = Sums::default();
        for amount in [333, 333, 333] {
            let back = refund(&payment, given, Refund { amount: Some(amount) }).unwrap();
            given = Sums { amount: given.amount + back.amount, discount: given.discount + back.discount };
        }
        assert_eq!((given.amount, given.discount), (999, 499));
        let rest = refund(&payment, given, Refund::default()).unwrap();
        assert_eq!((rest.amount, rest.discount), (1, 1));
        for amount in [0, -1, 2] {
            assert!(refund(&payment, given, Refund { amount: Some(amount) }).is_err());
        }
    }
}
