
-- Redemptions and refunds, callbacks, images; pausing, daily hours of coupons, budgets that change.

ALTER TABLE stocks ADD COLUMN fixed_time TEXT;
ALTER TABLE stocks ADD COLUMN paused INTEGER;
ALTER TABLE stocks ADD COLUMN restarted INTEGER;
UPDATE stocks SET fixed_time =
    json_extract(request, '$.coupon_use_rule.coupon_available_time.fix_available_time') WHERE json_valid(request);

-- The daily budget in force when the last coupon of the day was given; 0 is none.
ALTER TABLE stock_days ADD COLUMN allowed INTEGER NOT NULL DEFAULT 0;
UPDATE stock_days SET allowed = (SELECT max_amount_by_day FROM stocks WHERE id = stock_id);

CREATE TABLE redemptions (
    id             INTEGER PRIMARY KEY,
    coupon_id      INTEGER NOT NULL REFERENCES coupons (id),
    stock_id       INTEGER NOT NULL REFERENCES stocks (id),
    transaction_id TEXT NOT NULL UNIQUE,
    redeemed       INTEGER NOT NULL,
    mchid          TEXT NOT NULL,
    total_amount   INTEGER NOT NULL,
    discount       INTEGER NOT NULL,
    device_no      BLOB NOT NULL DEFAULT x'',
    bank_serial    TEXT NOT NULL DEFAULT '',
    goods_detail   TEXT
) STRICT;
CREATE INDEX redemptions_by_coupon ON redemptions (coupon_id);
CREATE INDEX redemptions_by_stock ON redemptions (stock_id, redeemed, id);

CREATE TABLE refunds (
    id            INTEGER PRIMARY KEY,
    redemption_id INTEGER NOT NULL REFERENCES redemptions (id),
    stock_id      INTEGER NOT NULL REFERENCES stocks (id),
    refund_id     TEXT NOT NULL UNIQUE,
    refunded      INTEGER NOT NULL,
    amount        INTEGER NOT NULL,
    discount      INTEGER NOT NULL
) STRICT;
CREATE INDEX refunds_by_redemption ON refunds (redemption_id);
CREATE INDEX refunds_by_stock ON refunds (stock_id, refunded, id);

CREATE TABLE callbacks (
    mchid      TEXT PRIMARY KEY REFERENCES merchants (mchid),
    notify_url TEXT NOT NULL,
    pushes     INTEGER NOT NULL CHECK (pushes IN (0, 1)),
    updated    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE images (
    id           TEXT PRIMARY KEY,
    mchid        TEXT NOT NULL REFERENCES merchants (mchid),
    filename     TEXT NOT NULL,
    content_type TEXT NOT NULL,
    uploaded     INTEGER NOT NULL,
    content      BLOB NOT NULL
) STRICT;
