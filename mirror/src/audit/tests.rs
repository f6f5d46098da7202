//! A sound ledger passes; each kind of damage is found by its check.

use super::*;
use crate::ledger::schema;

const DAY: i64 = 86_400_000;

/// Two merchants, a running prefunded stock of ten coupons, two coupons given. One is used; the other was used
/// and refunded, and used again and refunded in part.
fn sound() -> Connection {
    let db = Connection::open_in_memory().unwrap();
    schema::prepare(&db, false).unwrap();
    db.execute_batch(&format!(
        "PRAGMA foreign_keys = OFF;
         INSERT INTO merchants VALUES ('1', 0, '', '', '', NULL, '', '', 1, 0, NULL, 9000, 4000, 1, NULL);
         INSERT INTO merchants VALUES ('2', 1, '', '', '', NULL, '', '', 1, 0, NULL, 0, 0, 1, NULL);
         INSERT INTO stocks (id, creator, name, comment, description, status, no_cash, single_item, begins, ends,
            max_coupons, max_amount, max_amount_by_day, max_coupons_per_user, natural_person_limit,
            prevent_api_abuse, coupon_amount, transaction_minimum, combine_use, goods_tag, trade_type,
            second_day_available, created, started, distributed, request)
         VALUES (7, '1', 'n', '', '', 'running', 0, 0, {DAY}, {DAY} * 10, 10, 5000, 1000, 1, 0, 0, 500, 3000, 1,
            '[]', '[]', 0, 0, 1, 2, '');
         INSERT INTO prefunds VALUES (7, '1', 5000, 900, NULL);
         INSERT INTO stock_merchants VALUES (7, 0, '1');
         INSERT INTO create_requests VALUES ('1', 'c', x'00', 7);
         INSERT INTO stock_senders VALUES (7, '2');
         INSERT INTO users (openid, appid) VALUES ('a', 'wx'), ('b', 'wx');
         INSERT INTO coupons VALUES
            (1, 7, 'a', 'wx', '1', 'n1', 500, 3000, 'USED', {DAY} * 2, {DAY}, {DAY} * 10),
            (2, 7, 'b', 'wx', '2', 'n1', 500, 3000, 'USED', {DAY} * 2, {DAY}, {DAY} * 10);
         INSERT INTO send_requests VALUES ('1', 'n1', x'00', 1), ('2', 'n1', x'00', 2);
         INSERT INTO stock_days VALUES (7, 2, 1000, 1000);
         INSERT INTO redemptions (id, coupon_id, stock_id, transaction_id, redeemed, mchid, total_amount, discount)
         VALUES (1, 1, 7, 't1', {DAY} * 3, '1', 3000, 500), (2, 2, 7, 't2', {DAY} * 3, '1', 4000, 500),
            (3, 2, 7, 't3', {DAY} * 4, '1', 3000, 500);
         INSERT INTO refunds VALUES (1, 2, 7, 'r1', {DAY} * 3, 4000, 500), (2, 3, 7, 'r2', {DAY} * 4, 600, 100);
         INSERT INTO cards (id, card_id, appid, card_type, body, status, quantity, total, created, updated)
         VALUES (1, 'p1', 'wx', 'GIFT', '{{\"base_info\":{{}}}}', '', 3, 5, 0, 0),
            (2, 'p2', 'wx', 'GIFT', '{{\"base_info\":{{\"get_custom_code_mode\":\"M\"}}}}', '', 1, 2, 0, 0);
         INSERT INTO card_codes (id, card, code, own, state, openid, begins, ends, gift_due)
         VALUES (1, 1, 'A', 0, 'GIFT_SUCC', 'a', 1, 2, NULL), (2, 1, 'B', 0, 'CONSUMED', 'b', 1, 2, NULL),
            (3, 1, 'C', 0, 'GIFTING', 'a', 1, NULL, 9), (4, 2, 'D', 1, 'DEPOSITED', '', 0, NULL, NULL),
            (5, 2, 'E', 1, 'NORMAL', 'a', 1, 2, NULL);
         INSERT INTO card_happenings VALUES (1, 1, 'verify', 'b', 1, 0, 0);
         INSERT INTO card_coins VALUES ('wx', 150, 40);
         INSERT INTO card_coin_orders VALUES
            (1, 'wx', 'ORDER_TYPE_SYS_ADD', 'ORDER_STATUS_SUCC', 1, 1, 200, 0, '', NULL, 0),
            (2, 'wx', 'ORDER_TYPE_WXPAY', 'ORDER_STATUS_SUCC', 1, 2, 0, 50, 'a', NULL, 0),
            (3, 'wx', 'ORDER_TYPE_REDUCE', 'ORDER_STATUS_SUCC', 1, 2, 50, 10, '', 1, 60),
            (4, 'wx', 'ORDER_TYPE_WXPAY', 'ORDER_STATUS_WAITING', 1, NULL, 0, 7, '', NULL, 0),
            (5, 'wx', 'ORDER_TYPE_REDUCE', 'QUOTE', 1, NULL, 9, 0, '', 1, 9);"
    ))
    .unwrap();
    db
}

#[test]
fn a_sound_ledger_passes() {
    let audit = audit(&sound()).unwrap();
    assert_eq!(audit.findings, []);
    assert!(audit.ok);
    let stock = &audit.stocks[0];
    assert_eq!((stock.stock_id.as_str(), stock.coupons, stock.amount), ("7", 2, 1_000));
    assert_eq!((stock.used, stock.redemptions, stock.refunds), (2, 3, 2));
    assert_eq!((stock.redeemed_amount, stock.refunded_amount), (1_500, 600));
    assert_eq!((stock.distinct_users, stock.distinct_out_request_nos), (2, 2));
}

#[test]
fn every_check_finds_its_damage() {
    let damages = [
        ("stock.distributed", "UPDATE stocks SET distributed = 1"),
        ("stock.max_coupons", "UPDATE stocks SET max_coupons = 1"),
        ("stock.max_amount", "UPDATE stocks SET max_amount = 999"),
        ("stock.returned", "UPDATE stocks SET returned = 3"),
        ("stock.budget", "UPDATE stocks SET coupon_amount = 400"),
        ("stock.max_amount_by_day", "UPDATE stock_days SET allowed = 500"),
        ("stock.days", "UPDATE stock_days SET amount = 500"),
        ("stock.days", "DELETE FROM stock_days"),
        ("stock.max_coupons_per_user", "UPDATE coupons SET openid = 'a'"),
        ("stock.state", "UPDATE stocks SET started = NULL"),
        ("stock.stopped", "UPDATE stocks SET stopped = 1"),
        ("stock.paused", "UPDATE stocks SET status = 'paused'"),
        ("stock.merchants", "DELETE FROM stock_merchants"),
        ("stock.items", "UPDATE stocks SET single_item = 1"),
        ("stock.items", "INSERT INTO stock_items VALUES (7, 0, 'a')"),
        ("coupon.status", "UPDATE coupons SET status = 'SENDED' WHERE id = 1"),
        ("coupon.status", "DELETE FROM refunds WHERE id = 1"),
        ("coupon.status", "DELETE FROM redemptions WHERE id = 1"),
        ("coupon.status", "UPDATE refunds SET amount = 3000, discount = 500 WHERE id = 2"),
        ("redemption.coupon", "UPDATE redemptions SET stock_id = 8 WHERE id = 1"),
        ("redemption.value", "UPDATE redemptions SET discount = 400 WHERE id = 1"),
        ("redemption.value", "UPDATE redemptions SET total_amount = 2999 WHERE id = 1"),
        ("redemption.window", "UPDATE redemptions SET redeemed = {DAY} * 10 + 1 WHERE id = 1"),
        ("refund.redemption", "UPDATE refunds SET redemption_id = 9 WHERE id = 1"),
        ("refund.amount", "UPDATE refunds SET discount = 101 WHERE id = 2"),
        ("refund.amount", "UPDATE refunds SET amount = 4001 WHERE id = 1"),
        ("money.spent", "UPDATE prefunds SET spent = 500"),
        ("stock.window", "UPDATE stocks SET ends = begins"),
        ("stock.request", "DELETE FROM create_requests"),
        ("request.stock", "UPDATE create_requests SET stock_id = 8"),
        ("coupon.stock", "UPDATE coupons SET stock_id = 8 WHERE id = 1"),
        ("coupon.value", "UPDATE coupons SET minimum = 1 WHERE id = 1"),
        ("coupon.window", "UPDATE coupons SET received = 0 WHERE id = 1"),
        ("coupon.sender", "DELETE FROM stock_senders"),
        ("coupon.user", "UPDATE users SET appid = 'other' WHERE openid = 'a'"),
        ("coupon.user", "DELETE FROM users WHERE openid = 'a'"),
        ("coupon.request", "DELETE FROM send_requests WHERE mchid = '1'"),
        ("request.coupon", "DELETE FROM coupons WHERE id = 1"),
        ("request.once", "UPDATE coupons SET sender = '1'"),
        ("money.lock", "UPDATE prefunds SET locked = 4999"),
        ("money.conserved", "UPDATE merchants SET balance = 4001 WHERE mchid = '1'"),
        ("card.stock", "UPDATE cards SET quantity = 2 WHERE id = 1"),
        ("card.stock", "UPDATE card_codes SET state = 'NORMAL' WHERE id = 1"),
        ("card.stock", "DELETE FROM card_codes WHERE id = 5"),
        ("card.pool", "DELETE FROM card_codes WHERE id = 4"),
        ("card.redeemed", "DELETE FROM card_happenings"),
        ("card.body", "UPDATE cards SET body = '{' WHERE id = 1"),
        ("code.card", "UPDATE card_codes SET card = 9 WHERE id = 1"),
        ("code.holder", "UPDATE card_codes SET openid = '' WHERE id = 5"),
        ("code.holder", "UPDATE card_codes SET openid = 'a' WHERE id = 4"),
        ("code.gift", "UPDATE card_codes SET gift_due = 9 WHERE id = 2"),
        ("code.window", "UPDATE card_codes SET ends = 0 WHERE id = 2"),
        (
            "code.once",
            "INSERT INTO card_codes (card, code, own, state, openid) VALUES (2, 'B', 0, 'NORMAL', 'a')",
        ),
        ("coins.balance", "UPDATE card_coins SET free = 151"),
        ("coins.balance", "DELETE FROM card_coins"),
        ("coins.balance", "DELETE FROM card_coin_orders WHERE id = 2"),
        ("coins.order", "UPDATE card_coin_orders SET finished = 3 WHERE id = 4"),
        ("coins.order", "UPDATE card_coin_orders SET quantity = 59 WHERE id = 3"),
    ];
    for (check, damage) in damages {
        let db = sound();
        db.execute_batch(&damage.replace("{DAY}", &DAY.to_string())).unwrap();
        let audit = audit(&db).unwrap();
        assert!(!audit.ok);
        assert!(
            audit.findings.iter().any(|finding| finding.check == check),
            "{damage}: {:?}",
            audit.findings
        );
    }
    let covered: std::collections::HashSet<_> = damages.iter().map(|(check, _)| check).collect();
    assert_eq!(covered.len(), CHECKS.len() + CARD_CHECKS.len());
}
