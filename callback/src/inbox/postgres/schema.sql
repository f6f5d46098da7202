-- Where each notification stands. Narrow, since each step of its way writes the row anew.
CREATE TABLE favor_inbox (
    id              bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    -- '' where the receiver was not told
    merchant_id     text        NOT NULL,
    notification_id text        NOT NULL,
    coupon_id       text,
    transaction_id  text,
    state           text        NOT NULL CHECK (state IN ('waiting', 'claimed', 'handled', 'parked')),
    -- waiting: when it is due; claimed: when the lease ends
    due             timestamptz,
    -- counts the claims; only the newest may settle it
    fence           bigint      NOT NULL DEFAULT 0,
    attempts        bigint      NOT NULL DEFAULT 0,
    times_received  bigint      NOT NULL DEFAULT 1,
    received_at     timestamptz NOT NULL,
    handled_at      timestamptz,
    reason          text,
    CHECK ((coupon_id IS NULL) = (transaction_id IS NULL)),
    CHECK ((due IS NOT NULL) = (state IN ('waiting', 'claimed'))),
    CHECK ((handled_at IS NOT NULL) = (state = 'handled'))
);

CREATE UNIQUE INDEX favor_inbox_by_id ON favor_inbox (merchant_id, notification_id);
CREATE UNIQUE INDEX favor_inbox_by_use ON favor_inbox (merchant_id, coupon_id, transaction_id)
    WHERE coupon_id IS NOT NULL;
-- What a claim looks for: no larger than what is still to be done, however much is handled.
CREATE INDEX favor_inbox_by_due ON favor_inbox (due, id) WHERE due IS NOT NULL;
CREATE INDEX favor_inbox_parked ON favor_inbox (id) WHERE state = 'parked';
CREATE INDEX favor_inbox_by_handled ON favor_inbox (handled_at) WHERE handled_at IS NOT NULL;
CREATE INDEX favor_inbox_repeated ON favor_inbox (times_received) WHERE times_received > 1;

-- What each notification says, and the request it came in. Written once.
CREATE TABLE favor_inbox_contents (
    id                bigint PRIMARY KEY REFERENCES favor_inbox ON DELETE CASCADE,
    -- RFC 3339, with the offset it came with
    create_time       text   NOT NULL,
    event_type        text   NOT NULL,
    summary           text,
    signed_by         text   NOT NULL,
    resource          text   NOT NULL,
    request_timestamp text   NOT NULL,
    request_nonce     text   NOT NULL,
    request_serial    text   NOT NULL,
    request_signature text   NOT NULL,
    request_body      bytea  NOT NULL
);
