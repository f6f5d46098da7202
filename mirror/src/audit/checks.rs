//! The checks. Each is a query for what must not be: a subject and a sentence.

pub(super) const CHECKS: [(&str, &str); 33] = [
    (
        "stock.distributed",
        "SELECT CAST(s.id AS TEXT), format('says %d coupons were given, there are %d', s.distributed, count(c.id))
         FROM stocks s LEFT JOIN coupons c ON c.stock_id = s.id GROUP BY s.id HAVING s.distributed <> count(c.id)",
    ),
    (
        "stock.max_coupons",
        "SELECT CAST(s.id AS TEXT), format('%d coupons, %d allowed', count(*), s.max_coupons + s.returned)
         FROM stocks s JOIN coupons c ON c.stock_id = s.id GROUP BY s.id
         HAVING count(*) > s.max_coupons + s.returned",
    ),
    (
        "stock.max_amount",
        "SELECT CAST(s.id AS TEXT), format('%d fen given, %d allowed', sum(c.amount),
            s.max_amount + s.returned * s.coupon_amount)
         FROM stocks s JOIN coupons c ON c.stock_id = s.id GROUP BY s.id
         HAVING sum(c.amount) > s.max_amount + s.returned * s.coupon_amount",
    ),
    (
        "stock.returned",
        "SELECT CAST(s.id AS TEXT), format('%d places were given back, %d coupons wholly refunded', s.returned,
            (SELECT count(DISTINCT r.coupon_id) FROM redemptions r WHERE r.stock_id = s.id AND r.total_amount =
                (SELECT sum(amount) FROM refunds f WHERE f.redemption_id = r.id)))
         FROM stocks s
         WHERE s.returned > (SELECT count(DISTINCT r.coupon_id) FROM redemptions r
            WHERE r.stock_id = s.id AND s.returned > 0 AND r.total_amount =
                (SELECT sum(amount) FROM refunds f WHERE f.redemption_id = r.id))",
    ),
    (
        "stock.budget",
        "SELECT CAST(id AS TEXT), format('max_amount is %d, %d coupons of %d fen', max_amount, max_coupons, coupon_amount)
         FROM stocks WHERE max_amount <> max_coupons * coupon_amount",
    ),
    (
        "stock.max_amount_by_day",
        // Against the budget of the day's last coupon, since a daily budget can be changed.
        "SELECT CAST(d.stock_id AS TEXT), format('%d fen given on day %d, %d allowed', sum(c.amount), d.day,
            d.allowed)
         FROM stock_days d JOIN coupons c
            ON c.stock_id = d.stock_id AND (c.received + 28800000) / 86400000 = d.day
         WHERE d.allowed > 0 GROUP BY d.stock_id, d.day HAVING sum(c.amount) > d.allowed",
    ),
    (
        "stock.days",
        "SELECT CAST(coalesce(kept.stock_id, counted.stock_id) AS TEXT), format('%d fen counted for day %d, %d given',
            coalesce(kept.amount, 0), coalesce(kept.day, counted.day), coalesce(counted.amount, 0))
         FROM stock_days kept FULL JOIN
            (SELECT stock_id, (received + 28800000) / 86400000 AS day, sum(amount) AS amount
             FROM coupons GROUP BY 1, 2) counted
            ON counted.stock_id = kept.stock_id AND counted.day = kept.day
         WHERE coalesce(kept.amount, 0) <> coalesce(counted.amount, 0)",
    ),
    (
        "stock.max_coupons_per_user",
        "SELECT CAST(s.id AS TEXT), format('a user has %d coupons, %d allowed', count(*), s.max_coupons_per_user)
         FROM stocks s JOIN coupons c ON c.stock_id = s.id GROUP BY s.id, c.openid
         HAVING count(*) > s.max_coupons_per_user",
    ),
    (
        "stock.state",
        "SELECT CAST(id AS TEXT), format('%s, with%s start time', status, iif(started IS NULL, 'out', ''))
         FROM stocks WHERE (status IN ('running', 'paused')) <> (started IS NOT NULL)",
    ),
    (
        "stock.stopped",
        "SELECT CAST(id AS TEXT), format('%s, with%s stop time', status, iif(stopped IS NULL, 'out', ''))
         FROM stocks WHERE (status = 'stoped') <> (stopped IS NOT NULL)",
    ),
    (
        "stock.paused",
        "SELECT CAST(id AS TEXT), 'is paused, without pause time' FROM stocks
         WHERE status = 'paused' AND paused IS NULL",
    ),
    (
        "stock.merchants",
        "SELECT CAST(id AS TEXT), 'can be spent nowhere' FROM stocks
         WHERE id NOT IN (SELECT stock_id FROM stock_merchants)",
    ),
    (
        "stock.items",
        "SELECT CAST(id AS TEXT), iif(single_item, 'is for single items and has none', 'is for orders and has items')
         FROM stocks WHERE single_item <> (id IN (SELECT stock_id FROM stock_items))",
    ),
    (
        "stock.window",
        "SELECT CAST(id AS TEXT), 'ends before it begins' FROM stocks WHERE ends <= begins",
    ),
    (
        "stock.request",
        "SELECT CAST(s.id AS TEXT), format('%d create requests made it', count(r.stock_id))
         FROM stocks s LEFT JOIN
            (SELECT stock_id, mchid FROM create_requests
             UNION ALL SELECT made, mchid FROM retired_requests WHERE kind = 'create') r
            ON r.stock_id = s.id AND r.mchid = s.creator
         GROUP BY s.id HAVING count(r.stock_id) <> 1",
    ),
    (
        "request.stock",
        "SELECT mchid || ' ' || out_request_no, 'the stock it made is missing'
         FROM create_requests WHERE stock_id NOT IN (SELECT id FROM stocks)",
    ),
    (
        "coupon.stock",
        "SELECT CAST(c.id AS TEXT), 'its stock is missing or was never started'
         FROM coupons c LEFT JOIN stocks s ON s.id = c.stock_id WHERE s.started IS NULL",
    ),
    (
        "coupon.value",
        "SELECT CAST(c.id AS TEXT), format('takes %d off %d, its stock %d off %d', c.amount, c.minimum,
            s.coupon_amount, s.transaction_minimum)
         FROM coupons c JOIN stocks s ON s.id = c.stock_id
         WHERE c.amount <> s.coupon_amount OR c.minimum <> s.transaction_minimum",
    ),
    (
        "coupon.window",
        "SELECT CAST(c.id AS TEXT), 'was received or is valid outside its stock''s window'
         FROM coupons c JOIN stocks s ON s.id = c.stock_id
         WHERE c.received < s.begins OR c.received > s.ends OR c.begins > c.ends OR c.begins < s.begins
            OR c.ends > s.ends",
    ),
    (
        "coupon.sender",
        "SELECT CAST(c.id AS TEXT), format('was sent by %s, who may not send it', c.sender)
         FROM coupons c JOIN stocks s ON s.id = c.stock_id
         WHERE c.sender <> s.creator
            AND NOT EXISTS (SELECT 1 FROM stock_senders a WHERE a.stock_id = s.id AND a.mchid = c.sender)",
    ),
    (
        "coupon.user",
        "SELECT CAST(c.id AS TEXT), 'its user is unknown or belongs to another appid'
         FROM coupons c LEFT JOIN users u ON u.openid = c.openid WHERE u.appid IS NOT c.appid",
    ),
    (
        "coupon.request",
        "SELECT CAST(c.id AS TEXT), 'the request that made it is missing'
         FROM coupons c LEFT JOIN send_requests r ON r.mchid = c.sender AND r.out_request_no = c.out_request_no
         WHERE r.coupon_id IS NOT c.id
            AND NOT EXISTS (SELECT 1 FROM retired_requests t WHERE t.kind = 'send' AND t.made = c.id)",
    ),
    (
        "request.coupon",
        "SELECT r.mchid || ' ' || r.out_request_no, 'the coupon it made is missing'
         FROM send_requests r LEFT JOIN coupons c ON c.id = r.coupon_id
         WHERE c.sender IS NOT r.mchid OR c.out_request_no IS NOT r.out_request_no",
    ),
    (
        "request.once",
        "SELECT sender || ' ' || c.out_request_no, format('made %d coupons', count(*))
         FROM coupons c LEFT JOIN retired_requests t ON t.kind = 'send' AND t.made = c.id
         WHERE t.made IS NULL GROUP BY sender, c.out_request_no HAVING count(*) > 1",
    ),
    (
        "coupon.status",
        "SELECT CAST(c.id AS TEXT), format('is %s after %d payments, %d of them wholly refunded', c.status,
            count(r.id), coalesce(sum(r.back = r.total_amount), 0))
         FROM coupons c LEFT JOIN
            (SELECT p.id, p.coupon_id, p.total_amount, coalesce(sum(f.amount), 0) AS back
             FROM redemptions p LEFT JOIN refunds f ON f.redemption_id = p.id GROUP BY p.id) r
            ON r.coupon_id = c.id
         GROUP BY c.id
         HAVING CASE c.status
            -- Taken back before or after a payment.
            WHEN 'RECOVER' THEN count(r.id) - coalesce(sum(r.back = r.total_amount), 0) NOT IN (0, 1)
            ELSE (c.status = 'USED') <> (count(r.id) - coalesce(sum(r.back = r.total_amount), 0)) END",
    ),
    (
        "redemption.coupon",
        "SELECT CAST(r.id AS TEXT), 'its coupon is missing or of another stock'
         FROM redemptions r LEFT JOIN coupons c ON c.id = r.coupon_id WHERE c.stock_id IS NOT r.stock_id",
    ),
    (
        "redemption.value",
        "SELECT CAST(r.id AS TEXT), format('took %d off %d, its coupon takes %d off %d', r.discount,
            r.total_amount, c.amount, c.minimum)
         FROM redemptions r JOIN coupons c ON c.id = r.coupon_id
         WHERE r.discount <> c.amount OR r.total_amount < c.minimum",
    ),
    (
        "redemption.window",
        "SELECT CAST(r.id AS TEXT), 'its coupon could not be used then'
         FROM redemptions r JOIN coupons c ON c.id = r.coupon_id
         WHERE r.redeemed < c.begins OR r.redeemed > c.ends",
    ),
    (
        "refund.redemption",
        "SELECT CAST(f.id AS TEXT), 'its payment is missing or of another stock'
         FROM refunds f LEFT JOIN redemptions r ON r.id = f.redemption_id WHERE r.stock_id IS NOT f.stock_id",
    ),
    (
        "refund.amount",
        "SELECT CAST(r.id AS TEXT), format('%d of %d fen refunded, %d of the discount of %d', sum(f.amount),
            r.total_amount, sum(f.discount), r.discount)
         FROM redemptions r JOIN refunds f ON f.redemption_id = r.id GROUP BY r.id
         HAVING min(f.amount) < 1 OR min(f.discount) < 0 OR sum(f.amount) > r.total_amount
            OR sum(f.discount) <> r.discount * sum(f.amount) / r.total_amount",
    ),
    (
        "money.spent",
        "SELECT CAST(p.stock_id AS TEXT), format('%d fen spent, %d taken off and %d given back', p.spent,
            (SELECT coalesce(sum(discount), 0) FROM redemptions WHERE stock_id = p.stock_id),
            (SELECT coalesce(sum(discount), 0) FROM refunds WHERE stock_id = p.stock_id))
         FROM prefunds p
         WHERE p.spent <> (SELECT coalesce(sum(discount), 0) FROM redemptions WHERE stock_id = p.stock_id)
            - (SELECT coalesce(sum(discount), 0) FROM refunds WHERE stock_id = p.stock_id)",
    ),
    (
        "money.lock",
        "SELECT CAST(s.id AS TEXT), format('%d fen locked, %d spent, budget %d, %s', coalesce(p.locked, 0),
            coalesce(p.spent, 0), s.max_amount, iif(s.no_cash, 'no-cash', 'prefunded'))
         FROM stocks s LEFT JOIN prefunds p ON p.stock_id = s.id
         WHERE coalesce(p.locked, 0) <> iif(s.no_cash OR s.started IS NULL, 0, s.max_amount)
            OR p.spent < 0 OR p.spent > p.locked OR p.mchid <> s.creator",
    ),
    (
        "money.conserved",
        "SELECT m.mchid, format('%d fen deposited, %d on account, %d locked or spent', m.deposited, m.balance,
            coalesce(sum(iif(p.released IS NULL, p.locked, p.spent)), 0))
         FROM merchants m LEFT JOIN prefunds p ON p.mchid = m.mchid GROUP BY m.mchid
         HAVING m.deposited <> m.balance + coalesce(sum(iif(p.released IS NULL, p.locked, p.spent)), 0)",
    ),
];
