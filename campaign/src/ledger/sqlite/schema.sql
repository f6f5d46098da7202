-- Times are milliseconds since 1970-01-01 UTC.

CREATE TABLE campaigns (
    id            INTEGER PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,
    -- JSON; never changes
    manifest      TEXT    NOT NULL,
    coupons_each  INTEGER NOT NULL,
    state         TEXT    NOT NULL CHECK (state IN ('importing', 'planned', 'running', 'paused', 'stopped', 'finished')),
    reason        TEXT,
    by_operator   INTEGER NOT NULL DEFAULT 0 CHECK (by_operator IN (0, 1)),
    paused_until  INTEGER,
    people        INTEGER NOT NULL DEFAULT 0,
    purged        INTEGER NOT NULL DEFAULT 0 CHECK (purged IN (0, 1)),
    created_at    INTEGER NOT NULL,
    started_at    INTEGER,
    finished_at   INTEGER
) STRICT;

-- Written once, in the order of the openids' bytes, and emptied of openids by a purge.
CREATE TABLE people (
    campaign INTEGER NOT NULL,
    place    INTEGER NOT NULL,
    line     INTEGER NOT NULL,
    openid   TEXT,
    PRIMARY KEY (campaign, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE chunks (
    campaign    INTEGER NOT NULL,
    chunk       INTEGER NOT NULL,
    first_place INTEGER NOT NULL,
    last_place  INTEGER NOT NULL,
    -- whether it has open coupons
    is_open     INTEGER NOT NULL DEFAULT 1 CHECK (is_open IN (0, 1)),
    owner       TEXT,
    -- counts the claims; only the newest may record
    fence       INTEGER NOT NULL DEFAULT 0,
    -- until when it is held, or when it is due
    due         INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (campaign, chunk)
) STRICT, WITHOUT ROWID;

-- What a claim looks for: what is done is not in it, and few of those in it are held or due later.
CREATE INDEX chunks_open ON chunks (campaign, chunk) WHERE is_open = 1;

-- A coupon without a row is open and was never recorded.
CREATE TABLE outcomes (
    campaign       INTEGER NOT NULL,
    place          INTEGER NOT NULL,
    slot           INTEGER NOT NULL,
    -- open: settled once, and opened again
    state          TEXT    NOT NULL CHECK (state IN ('open', 'sent', 'refused', 'parked', 'unknown')),
    coupon_id      TEXT,
    code           TEXT,
    message        TEXT,
    attempts       INTEGER NOT NULL,
    request_id     TEXT,
    first_tried_at INTEGER NOT NULL,
    settled_at     INTEGER NOT NULL,
    PRIMARY KEY (campaign, place, slot),
    CHECK ((coupon_id IS NOT NULL) = (state = 'sent'))
) STRICT, WITHOUT ROWID;

-- What outcomes were before they were opened again. Only added to.
CREATE TABLE former_outcomes (
    campaign    INTEGER NOT NULL,
    place       INTEGER NOT NULL,
    slot        INTEGER NOT NULL,
    state       TEXT    NOT NULL,
    code        TEXT,
    message     TEXT,
    attempts    INTEGER NOT NULL,
    request_id  TEXT,
    settled_at  INTEGER NOT NULL,
    reopened_at INTEGER NOT NULL
) STRICT;

-- How many coupons have each state and code; changed together with them.
CREATE TABLE tallies (
    campaign INTEGER NOT NULL,
    state    TEXT    NOT NULL,
    code     TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (campaign, state, code)
) STRICT, WITHOUT ROWID;

-- What happened. Only added to.
CREATE TABLE history (
    id       INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    what     TEXT    NOT NULL,
    detail   TEXT
) STRICT;

CREATE INDEX history_of ON history (campaign, id);

-- Who may call how often; times are microseconds.
CREATE TABLE limits (
    merchant_id TEXT    NOT NULL,
    api         TEXT    NOT NULL,
    per_second  INTEGER NOT NULL,
    -- thousandths of per_second at slowed_at; it climbs back from there
    factor      INTEGER NOT NULL DEFAULT 1000,
    slowed_at   INTEGER NOT NULL DEFAULT 0,
    -- when the next call is due if all come evenly (theoretical arrival time)
    next_at     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (merchant_id, api)
) STRICT, WITHOUT ROWID;
