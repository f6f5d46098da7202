CREATE TABLE favor_campaigns (
    id            bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name          text        NOT NULL UNIQUE,
    -- JSON, kept as it was written; never changes
    manifest      text        NOT NULL,
    coupons_each  integer     NOT NULL,
    state         text        NOT NULL CHECK (state IN ('importing', 'planned', 'running', 'paused', 'stopped', 'finished')),
    reason        text,
    by_operator   boolean     NOT NULL DEFAULT false,
    paused_until  timestamptz,
    people        bigint      NOT NULL DEFAULT 0,
    purged        boolean     NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at    timestamptz,
    finished_at   timestamptz
);

-- Written once, in the order of the openids' bytes, and emptied of openids by a purge.
-- No reference to the campaign here and at outcomes: it would be looked up for each row, and the campaign's row locked
-- by every worker at once.
CREATE TABLE favor_people (
    campaign bigint NOT NULL,
    place    bigint NOT NULL,
    line     bigint NOT NULL,
    openid   text COLLATE "C",
    PRIMARY KEY (campaign, place)
);

CREATE TABLE favor_chunks (
    campaign    bigint      NOT NULL REFERENCES favor_campaigns,
    chunk       integer     NOT NULL,
    first_place bigint      NOT NULL,
    last_place  bigint      NOT NULL,
    -- whether it has open coupons
    is_open     boolean     NOT NULL DEFAULT true,
    owner       text,
    -- counts the claims; only the newest may record
    fence       bigint      NOT NULL DEFAULT 0,
    -- until when it is held, or when it is due
    due         timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (campaign, chunk)
);

-- What a claim looks for: what is done is not in it, and few of those in it are held or due later.
CREATE INDEX favor_chunks_open ON favor_chunks (campaign, chunk) WHERE is_open;
CREATE INDEX favor_chunks_held ON favor_chunks (campaign, owner) WHERE owner IS NOT NULL;

-- A coupon without a row is open and was never recorded.
CREATE TABLE favor_outcomes (
    campaign       bigint      NOT NULL,
    place          bigint      NOT NULL,
    slot           integer     NOT NULL,
    -- open: settled once, and opened again
    state          text        NOT NULL CHECK (state IN ('open', 'sent', 'refused', 'parked', 'unknown')),
    coupon_id      text,
    code           text,
    message        text,
    attempts       integer     NOT NULL,
    request_id     text,
    first_tried_at timestamptz NOT NULL,
    settled_at     timestamptz NOT NULL,
    -- what it was before it was last changed
    was_state      text,
    was_code       text,
    PRIMARY KEY (campaign, place, slot),
    CHECK ((coupon_id IS NOT NULL) = (state = 'sent'))
);

-- What outcomes were before they were opened again. Only added to.
CREATE TABLE favor_former_outcomes (
    campaign    bigint      NOT NULL,
    place       bigint      NOT NULL,
    slot        integer     NOT NULL,
    state       text        NOT NULL,
    code        text,
    message     text,
    attempts    integer     NOT NULL,
    request_id  text,
    settled_at  timestamptz NOT NULL,
    reopened_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- How many coupons have each state and code; changed together with them.
CREATE TABLE favor_tallies (
    campaign bigint NOT NULL REFERENCES favor_campaigns,
    state    text   NOT NULL,
    code     text   NOT NULL,
    count    bigint NOT NULL,
    PRIMARY KEY (campaign, state, code)
);

-- What happened. Only added to.
CREATE TABLE favor_history (
    id       bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    campaign bigint      NOT NULL,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    what     text        NOT NULL,
    detail   text
);

CREATE INDEX favor_history_of ON favor_history (campaign, id);

-- Who may call how often.
CREATE TABLE favor_limits (
    merchant_id text        NOT NULL,
    api         text        NOT NULL,
    per_second  integer     NOT NULL,
    -- thousandths of per_second at slowed_at; it climbs back from there
    factor      integer     NOT NULL DEFAULT 1000,
    slowed_at   timestamptz NOT NULL DEFAULT '-infinity',
    -- when the next call is due if all come evenly (theoretical arrival time)
    next_at     timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (merchant_id, api)
);
