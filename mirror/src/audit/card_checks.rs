//! The checks of the card API. Each is a query for what must not be: a subject and a sentence.

pub(super) const CARD_CHECKS: [(&str, &str); 11] = [
    (
        // A server code that was given away is gone, and its taker has another one.
        "card.stock",
        "SELECT c.card_id, format('has %d left of %d, with %d taken', c.quantity, c.total, count(k.id))
         FROM cards c LEFT JOIN card_codes k ON k.card = c.id AND k.state NOT IN ('DEPOSITED', 'GIFT_SUCC')
         GROUP BY c.id HAVING c.total - c.quantity <> count(k.id)",
    ),
    (
        "card.pool",
        "SELECT c.card_id, format('has %d left, with %d deposited codes', c.quantity, count(k.id))
         FROM cards c LEFT JOIN card_codes k ON k.card = c.id AND k.state = 'DEPOSITED'
         WHERE json_valid(c.body) AND json_extract(c.body, '$.base_info.get_custom_code_mode') <> ''
         GROUP BY c.id HAVING c.quantity > count(k.id)",
    ),
    (
        "card.redeemed",
        "SELECT c.card_id, format('%d codes are consumed, %d were redeemed',
            (SELECT count(*) FROM card_codes WHERE card = c.id AND state = 'CONSUMED'),
            (SELECT count(*) FROM card_happenings WHERE card = c.id AND kind = 'verify'))
         FROM cards c
         WHERE (SELECT count(*) FROM card_codes WHERE card = c.id AND state = 'CONSUMED')
            > (SELECT count(*) FROM card_happenings WHERE card = c.id AND kind = 'verify')",
    ),
    (
        "card.body",
        "SELECT card_id, 'what was sent is no JSON any more' FROM cards
         WHERE NOT json_valid(body) OR NOT json_valid(settings)",
    ),
    (
        "code.card",
        "SELECT code, 'its card is missing' FROM card_codes WHERE card NOT IN (SELECT id FROM cards)",
    ),
    (
        "code.holder",
        "SELECT code, iif(state = 'DEPOSITED', 'is deposited and somebody has it', 'nobody has it') FROM card_codes
         WHERE (state = 'DEPOSITED') <> (openid = '')",
    ),
    (
        "code.gift",
        "SELECT code, format('is %s and goes back to its giver', state) FROM card_codes
         WHERE gift_due IS NOT NULL AND state <> 'GIFTING'",
    ),
    (
        "code.window",
        "SELECT code, 'ends before it begins' FROM card_codes WHERE ends < begins",
    ),
    (
        "code.once",
        "SELECT k.code, format('is there %d times in one account', count(*))
         FROM card_codes k JOIN cards c ON c.id = k.card WHERE k.own = 0
         GROUP BY c.appid, k.code HAVING count(*) > 1",
    ),
    (
        "coins.balance",
        "SELECT appid, format('has %d granted and %d paid coins, its orders make %d and %d',
            sum(held_free), sum(held_paid), sum(free), sum(paid))
         FROM
            (SELECT appid, free AS held_free, paid AS held_paid, 0 AS free, 0 AS paid FROM card_coins
             UNION ALL SELECT appid, 0, 0, iif(kind = 'ORDER_TYPE_REDUCE', -free, free),
                iif(kind = 'ORDER_TYPE_REDUCE', -paid, paid)
             FROM card_coin_orders WHERE status = 'ORDER_STATUS_SUCC')
         GROUP BY appid HAVING sum(held_free) <> sum(free) OR sum(held_paid) <> sum(paid)",
    ),
    (
        "coins.order",
        "SELECT CAST(id AS TEXT), format('is %s, with%s time of payment', status, iif(finished IS NULL, 'out', ''))
         FROM card_coin_orders
         WHERE (status = 'ORDER_STATUS_SUCC') <> (finished IS NOT NULL)
            OR (kind = 'ORDER_TYPE_REDUCE' AND (card IS NULL OR free + paid <> quantity))",
    ),
];
