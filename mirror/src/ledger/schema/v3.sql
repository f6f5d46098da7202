-- Time: a clock that runs faster, keys that change by themselves, notifications and their deliveries.

-- A running clock showed `millis` when the machine's clock showed `real`.
ALTER TABLE clock ADD COLUMN rate INTEGER NOT NULL DEFAULT 1 CHECK (rate BETWEEN 1 AND 1000000);
ALTER TABLE clock ADD COLUMN real INTEGER NOT NULL DEFAULT 0;

-- When the move to the public key began; where rotation is planned, how often, and when the next one signs.
ALTER TABLE platform ADD COLUMN grey_since INTEGER;
ALTER TABLE platform ADD COLUMN rotate_every INTEGER CHECK (rotate_every > 0);
ALTER TABLE platform ADD COLUMN rotate_lead INTEGER NOT NULL DEFAULT 0;
ALTER TABLE platform ADD COLUMN rotate_overlap INTEGER NOT NULL DEFAULT 0;
ALTER TABLE platform ADD COLUMN rotate_next INTEGER;

-- Both go by the test clock; NULL is always, and for ever.
ALTER TABLE platform_certificates ADD COLUMN signs_from INTEGER;
ALTER TABLE platform_certificates ADD COLUMN listed_until INTEGER;

CREATE TABLE notifications (
    id              INTEGER PRIMARY KEY,
    notification_id TEXT NOT NULL UNIQUE,
    event_type      TEXT NOT NULL,
    summary         TEXT NOT NULL,
    mchid           TEXT NOT NULL REFERENCES merchants (mchid),
    stock_id        INTEGER NOT NULL REFERENCES stocks (id),
    coupon_id       INTEGER NOT NULL REFERENCES coupons (id),
    transaction_id  TEXT,
    notify_url      TEXT NOT NULL,
    created         INTEGER NOT NULL,
    resource        TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'given_up')),
    -- All attempts, and those of the schedule alone.
    attempts        INTEGER NOT NULL DEFAULT 0,
    scheduled       INTEGER NOT NULL DEFAULT 0,
    held            INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1)),
    next_attempt    INTEGER
) STRICT;
CREATE INDEX notifications_due ON notifications (next_attempt, id) WHERE next_attempt IS NOT NULL;

CREATE TABLE deliveries (
    id           INTEGER PRIMARY KEY,
    notification INTEGER NOT NULL REFERENCES notifications (id),
    attempt      INTEGER NOT NULL,
    time         INTEGER NOT NULL,
    serial       TEXT NOT NULL,
    faults       TEXT NOT NULL,
    status       INTEGER,
    error        TEXT,
    answer       TEXT NOT NULL,
    latency_us   INTEGER NOT NULL,
    replay       INTEGER NOT NULL CHECK (replay IN (0, 1))
) STRICT;
CREATE INDEX deliveries_by_notification ON deliveries (notification, id);
