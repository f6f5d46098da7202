
-- Permissions of merchants, where ids begin, request numbers that were free again.

ALTER TABLE merchants ADD COLUMN event_permission INTEGER NOT NULL DEFAULT 1 CHECK (event_permission IN (0, 1));
-- The service provider that this merchant has authorised.
ALTER TABLE merchants ADD COLUMN service_provider TEXT;

-- Places in the budget that refunds have given back.
ALTER TABLE stocks ADD COLUMN returned INTEGER NOT NULL DEFAULT 0 CHECK (returned >= 0);

CREATE TABLE first_ids (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    -- The number the ids were made from, in decimal; none for the ids every mirror begins with.
    seed       TEXT,
    stock      INTEGER NOT NULL,
    coupon     INTEGER NOT NULL,
    redemption INTEGER NOT NULL,
    refund     INTEGER NOT NULL
) STRICT;
INSERT INTO first_ids VALUES (1, NULL, 15300001, 18180000000001, 1, 1);

-- What was made under a request number whose life was over when it was used again.
CREATE TABLE retired_requests (
    kind           TEXT NOT NULL CHECK (kind IN ('create', 'send')),
    made           INTEGER NOT NULL,
    mchid          TEXT NOT NULL,
    out_request_no TEXT NOT NULL,
    PRIMARY KEY (kind, made)
) STRICT, WITHOUT ROWID;
