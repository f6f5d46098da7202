-- Times are milliseconds since the epoch, amounts are fen, days are Beijing days since 1970-01-01.

CREATE TABLE clock (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    frozen  INTEGER NOT NULL CHECK (frozen IN (0, 1)),
    millis  INTEGER NOT NULL
) STRICT;

CREATE TABLE platform (
    one               INTEGER PRIMARY KEY CHECK (one = 1),
    phase             TEXT NOT NULL CHECK (phase IN ('off', 'grey', 'on')),
    certificates_void INTEGER NOT NULL CHECK (certificates_void IN (0, 1))
) STRICT;

CREATE TABLE platform_certificates (
    position        INTEGER PRIMARY KEY,
    serial_no       TEXT NOT NULL UNIQUE,
    private_key_pem TEXT NOT NULL,
    certificate_pem TEXT NOT NULL,
    not_before      INTEGER NOT NULL,
    not_after       INTEGER NOT NULL
) STRICT;

CREATE TABLE merchants (
    mchid                 TEXT PRIMARY KEY,
    position              INTEGER NOT NULL UNIQUE,
    serial_no             TEXT NOT NULL,
    private_key_pem       TEXT NOT NULL,
    certificate_pem       TEXT NOT NULL,
    certificate_not_after INTEGER,
    api_v3_key            TEXT NOT NULL,
    app_secret            TEXT NOT NULL,
    product_permission    INTEGER NOT NULL CHECK (product_permission IN (0, 1)),
    public_key_only       INTEGER NOT NULL CHECK (public_key_only IN (0, 1)),
    brand                 TEXT,
    deposited             INTEGER NOT NULL CHECK (deposited >= 0),
    balance               INTEGER NOT NULL CHECK (balance >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE merchant_appids (
    mchid    TEXT NOT NULL REFERENCES merchants (mchid),
    position INTEGER NOT NULL,
    appid    TEXT NOT NULL,
    PRIMARY KEY (mchid, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    openid   TEXT PRIMARY KEY,
    appid    TEXT,
    abnormal INTEGER NOT NULL DEFAULT 0 CHECK (abnormal IN (0, 1)),
    risky    INTEGER NOT NULL DEFAULT 0 CHECK (risky IN (0, 1)),
    person   TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX users_by_person ON users (person) WHERE person IS NOT NULL;

CREATE TABLE stocks (
    id                    INTEGER PRIMARY KEY,
    creator               TEXT NOT NULL REFERENCES merchants (mchid),
    name                  TEXT NOT NULL,
    comment               TEXT NOT NULL,
    description           TEXT NOT NULL,
    status                TEXT NOT NULL
        CHECK (status IN ('unactivated', 'audit', 'running', 'paused', 'stoped')),
    no_cash               INTEGER NOT NULL CHECK (no_cash IN (0, 1)),
    single_item           INTEGER NOT NULL CHECK (single_item IN (0, 1)),
    begins                INTEGER NOT NULL,
    ends                  INTEGER NOT NULL,
    max_coupons           INTEGER NOT NULL,
    max_amount            INTEGER NOT NULL,
    max_amount_by_day     INTEGER NOT NULL,
    max_coupons_per_user  INTEGER NOT NULL,
    natural_person_limit  INTEGER NOT NULL CHECK (natural_person_limit IN (0, 1)),
    prevent_api_abuse     INTEGER NOT NULL CHECK (prevent_api_abuse IN (0, 1)),
    coupon_amount         INTEGER NOT NULL,
    transaction_minimum   INTEGER NOT NULL,
    combine_use           INTEGER NOT NULL CHECK (combine_use IN (0, 1)),
    goods_tag             TEXT NOT NULL,
    trade_type            TEXT NOT NULL,
    minutes_after_receive INTEGER,
    second_day_available  INTEGER NOT NULL CHECK (second_day_available IN (0, 1)),
    created               INTEGER NOT NULL,
    started               INTEGER,
    stopped               INTEGER,
    distributed           INTEGER NOT NULL DEFAULT 0,
    request               TEXT NOT NULL
) STRICT;

CREATE TABLE stock_merchants (
    stock_id INTEGER NOT NULL REFERENCES stocks (id),
    position INTEGER NOT NULL,
    mchid    TEXT NOT NULL,
    PRIMARY KEY (stock_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE stock_items (
    stock_id INTEGER NOT NULL REFERENCES stocks (id),
    position INTEGER NOT NULL,
    goods_id TEXT NOT NULL,
    PRIMARY KEY (stock_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE stock_senders (
    stock_id INTEGER NOT NULL REFERENCES stocks (id),
    mchid    TEXT NOT NULL,
    PRIMARY KEY (stock_id, mchid)
) STRICT, WITHOUT ROWID;

CREATE TABLE stock_days (
    stock_id INTEGER NOT NULL REFERENCES stocks (id),
    day      INTEGER NOT NULL,
    amount   INTEGER NOT NULL,
    PRIMARY KEY (stock_id, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE prefunds (
    stock_id INTEGER PRIMARY KEY REFERENCES stocks (id),
    mchid    TEXT NOT NULL REFERENCES merchants (mchid),
    locked   INTEGER NOT NULL,
    spent    INTEGER NOT NULL DEFAULT 0,
    released INTEGER
) STRICT;
CREATE INDEX prefunds_open ON prefunds (stock_id) WHERE released IS NULL;

CREATE TABLE coupons (
    id             INTEGER PRIMARY KEY,
    stock_id       INTEGER NOT NULL REFERENCES stocks (id),
    openid         TEXT NOT NULL,
    appid          TEXT NOT NULL,
    sender         TEXT NOT NULL,
    out_request_no TEXT NOT NULL,
    amount         INTEGER NOT NULL,
    minimum        INTEGER NOT NULL,
    status         TEXT NOT NULL CHECK (status IN ('SENDED', 'USED', 'EXPIRED', 'RECOVER')),
    received       INTEGER NOT NULL,
    begins         INTEGER NOT NULL,
    ends           INTEGER NOT NULL
) STRICT;
CREATE INDEX coupons_by_user ON coupons (openid, stock_id);

CREATE TABLE create_requests (
    mchid          TEXT NOT NULL,
    out_request_no TEXT NOT NULL,
    digest         BLOB NOT NULL,
    stock_id       INTEGER NOT NULL,
    PRIMARY KEY (mchid, out_request_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE send_requests (
    mchid          TEXT NOT NULL,
    out_request_no TEXT NOT NULL,
    digest         BLOB NOT NULL,
    coupon_id      INTEGER NOT NULL,
    PRIMARY KEY (mchid, out_request_no)
) STRICT, WITHOUT ROWID;
