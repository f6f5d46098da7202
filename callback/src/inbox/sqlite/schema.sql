-- Times are milliseconds since 1970-01-01 UTC.

-- Where each notification stands. Narrow, since each step of its way rewrites the row.
CREATE TABLE notifications (
    -- The largest is never deleted, so that later arrivals have larger numbers.
    id              INTEGER PRIMARY KEY,
    -- '' where the receiver was not told
    merchant_id     TEXT    NOT NULL,
    notification_id TEXT    NOT NULL,
    coupon_id       TEXT,
    transaction_id  TEXT,
    state           TEXT    NOT NULL CHECK (state IN ('waiting', 'claimed', 'handled', 'parked')),
    -- waiting: when it is due; claimed: when the lease ends
    due             INTEGER,
    -- counts the claims; only the newest may settle it
    fence           INTEGER NOT NULL DEFAULT 0,
    attempts        INTEGER NOT NULL DEFAULT 0,
    times_received  INTEGER NOT NULL DEFAULT 1,
    received_at     INTEGER NOT NULL,
    handled_at      INTEGER,
    reason          TEXT,
    CHECK ((coupon_id IS NULL) = (transaction_id IS NULL)),
    CHECK ((due IS NOT NULL) = (state IN ('waiting', 'claimed'))),
    CHECK ((handled_at IS NOT NULL) = (state = 'handled'))
) STRICT;

CREATE UNIQUE INDEX notifications_by_id ON notifications (merchant_id, notification_id);
CREATE UNIQUE INDEX notifications_by_use ON notifications (merchant_id, coupon_id, transaction_id)
    WHERE coupon_id IS NOT NULL;
-- What a claim looks for: no larger than what is still to be done, however much is handled.
CREATE INDEX notifications_by_due ON notifications (due, id, state) WHERE due IS NOT NULL;
CREATE INDEX notifications_parked ON notifications (state) WHERE state = 'parked';
CREATE INDEX notifications_by_handled ON notifications (handled_at) WHERE handled_at IS NOT NULL;
CREATE INDEX notifications_repeated ON notifications (times_received) WHERE times_received > 1;

-- What each notification says, and the request it came in. Written once.
CREATE TABLE contents (
    -- that of its notification, with which it comes and goes
    id                INTEGER PRIMARY KEY,
    -- RFC 3339
    create_time       TEXT NOT NULL,
    event_type        TEXT NOT NULL,
    summary           TEXT,
    signed_by         TEXT NOT NULL,
    resource          TEXT NOT NULL,
    request_timestamp TEXT NOT NULL,
    request_nonce     TEXT NOT NULL,
    request_serial    TEXT NOT NULL,
    request_signature TEXT NOT NULL,
    request_body      BLOB NOT NULL
) STRICT;
