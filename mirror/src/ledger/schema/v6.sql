
-- The card API of Official Accounts.

-- What the owner of an account has set up in its console.
CREATE TABLE card_accounts (
    appid          TEXT PRIMARY KEY,
    -- Where pushed messages go; none until one has answered the echostr.
    url            TEXT,
    token          TEXT NOT NULL DEFAULT '',
    aes_key        TEXT NOT NULL DEFAULT '',
    mode           TEXT NOT NULL DEFAULT 'plain' CHECK (mode IN ('plain', 'compatible', 'secure')),
    review         TEXT NOT NULL DEFAULT 'pass' CHECK (review IN ('pass', 'fail', 'manual')),
    review_seconds INTEGER NOT NULL DEFAULT 60 CHECK (review_seconds >= 0),
    -- Rights that WeChat grants on request.
    custom_code    INTEGER NOT NULL DEFAULT 1 CHECK (custom_code IN (0, 1)),
    bonus          INTEGER NOT NULL DEFAULT 1 CHECK (bonus IN (0, 1)),
    balance        INTEGER NOT NULL DEFAULT 1 CHECK (balance IN (0, 1)),
    pay            INTEGER NOT NULL DEFAULT 1 CHECK (pay IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE card_tokens (
    id      INTEGER PRIMARY KEY,
    token   TEXT NOT NULL UNIQUE,
    appid   TEXT NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('plain', 'stable')),
    issued  INTEGER NOT NULL,
    -- The end of its own life.
    expires INTEGER NOT NULL,
    -- From when on only its successor is valid; none while it is the latest.
    ends    INTEGER
) STRICT;
CREATE INDEX card_tokens_latest ON card_tokens (appid, kind, id);

-- Calls that have a quota: how many there were in the window that is counted now.
CREATE TABLE card_quotas (
    appid  TEXT NOT NULL,
    what   TEXT NOT NULL,
    window INTEGER NOT NULL,
    calls  INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    PRIMARY KEY (appid, what)
) STRICT, WITHOUT ROWID;

CREATE TABLE card_tickets (
    appid   TEXT NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('wx_card', 'jsapi')),
    ticket  TEXT NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (appid, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE cards (
    id            INTEGER PRIMARY KEY,
    card_id       TEXT NOT NULL UNIQUE,
    appid         TEXT NOT NULL,
    card_type     TEXT NOT NULL,
    -- The object of the type, as it was sent and changed.
    body          TEXT NOT NULL,
    status        TEXT NOT NULL,
    refuse_reason TEXT,
    -- When the review answers by itself.
    review_due    INTEGER,
    quantity      INTEGER NOT NULL CHECK (quantity >= 0),
    total         INTEGER NOT NULL CHECK (total >= quantity),
    created       INTEGER NOT NULL,
    updated       INTEGER NOT NULL,
    -- Settings of calls of their own: pay cell, self-redeem cell, the form of activation.
    settings      TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX cards_of_account ON cards (appid, id);
CREATE INDEX cards_in_review ON cards (review_due) WHERE review_due IS NOT NULL;

CREATE TABLE card_codes (
    id          INTEGER PRIMARY KEY,
    card        INTEGER NOT NULL REFERENCES cards (id),
    code        TEXT NOT NULL,
    -- Server codes are unique in the account, others in their card.
    own         INTEGER NOT NULL CHECK (own IN (0, 1)),
    state       TEXT NOT NULL CHECK (state IN
        ('DEPOSITED', 'NORMAL', 'CONSUMED', 'GIFTING', 'GIFT_TIMEOUT', 'GIFT_SUCC', 'DELETE', 'UNAVAILABLE')),
    openid      TEXT NOT NULL DEFAULT '',
    begins      INTEGER NOT NULL DEFAULT 0,
    -- In seconds; none for a card without an end.
    ends        INTEGER,
    encrypted   TEXT UNIQUE,
    outer_str   TEXT NOT NULL DEFAULT '',
    outer_id    INTEGER NOT NULL DEFAULT 0,
    claimed     INTEGER,
    -- When a gift that nobody took goes back.
    gift_due    INTEGER,
    active      INTEGER NOT NULL DEFAULT 0 CHECK (active IN (0, 1)),
    -- What is printed on it: membership number, points, balance, fields, the form.
    face        TEXT NOT NULL DEFAULT '{}',
    UNIQUE (card, code)
) STRICT;
CREATE INDEX card_codes_by_code ON card_codes (code);
-- The newest of a card, without a look at the rest.
CREATE INDEX card_codes_of_card ON card_codes (card, id);
CREATE INDEX card_codes_of_user ON card_codes (openid, id);
CREATE INDEX card_gifts ON card_codes (gift_due) WHERE gift_due IS NOT NULL;

CREATE TABLE card_qrcodes (
    ticket  TEXT PRIMARY KEY,
    appid   TEXT NOT NULL,
    -- What the picture says.
    url     TEXT NOT NULL,
    expires INTEGER NOT NULL,
    -- The card objects of the request.
    cards   TEXT NOT NULL,
    -- Whether it can be claimed from once only, and whether it was.
    once    INTEGER NOT NULL CHECK (once IN (0, 1)),
    used    INTEGER NOT NULL DEFAULT 0 CHECK (used IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Each signed cardExt of a page is taken once by a user.
CREATE TABLE card_page_claims (
    card      INTEGER NOT NULL REFERENCES cards (id),
    openid    TEXT NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (card, openid, signature)
) STRICT, WITHOUT ROWID;

-- Cards sent as messages.
CREATE TABLE card_messages (
    id         INTEGER PRIMARY KEY,
    appid      TEXT NOT NULL,
    -- Name of the call.
    call       TEXT NOT NULL,
    card_id    TEXT NOT NULL,
    card_ext   TEXT,
    -- Openids, tag or WeChat id, as JSON.
    recipients TEXT NOT NULL,
    created    INTEGER NOT NULL
) STRICT;

-- Coins: granted ones, and those paid for.
CREATE TABLE card_coins (
    appid TEXT PRIMARY KEY,
    free  INTEGER NOT NULL CHECK (free >= 0),
    paid  INTEGER NOT NULL CHECK (paid >= 0)
) STRICT, WITHOUT ROWID;

-- What moves them. A quote is a price that was asked for.
CREATE TABLE card_coin_orders (
    id       INTEGER PRIMARY KEY,
    appid    TEXT NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('ORDER_TYPE_SYS_ADD', 'ORDER_TYPE_WXPAY', 'ORDER_TYPE_REDUCE')),
    status   TEXT NOT NULL CHECK (status IN ('QUOTE', 'ORDER_STATUS_WAITING', 'ORDER_STATUS_SUCC')),
    created  INTEGER NOT NULL,
    finished INTEGER,
    free     INTEGER NOT NULL CHECK (free >= 0),
    paid     INTEGER NOT NULL CHECK (paid >= 0),
    openid   TEXT NOT NULL DEFAULT '',
    card     INTEGER REFERENCES cards (id),
    quantity INTEGER NOT NULL DEFAULT 0 CHECK (quantity >= 0)
) STRICT;
CREATE INDEX card_coin_orders_of_account ON card_coin_orders (appid, created, id);

-- Codes that somebody has put aside for himself, for a few minutes.
CREATE TABLE card_marks (
    code   INTEGER PRIMARY KEY REFERENCES card_codes (id),
    openid TEXT NOT NULL,
    until  INTEGER NOT NULL
) STRICT;

-- What users bought on gift-card pages.
CREATE TABLE card_gift_orders (
    id        INTEGER PRIMARY KEY,
    order_id  TEXT NOT NULL UNIQUE,
    appid     TEXT NOT NULL,
    page_id   TEXT NOT NULL,
    trans_id  TEXT NOT NULL,
    created   INTEGER NOT NULL,
    paid      INTEGER NOT NULL,
    total_fen INTEGER NOT NULL CHECK (total_fen >= 0),
    buyer     TEXT NOT NULL,
    outer_str TEXT NOT NULL,
    -- The face that was chosen, and the words that come with it: the page's, or the buyer's own.
    picture   TEXT NOT NULL,
    image_id  TEXT NOT NULL,
    message   TEXT NOT NULL,
    own_words INTEGER NOT NULL CHECK (own_words IN (0, 1)),
    -- Of the last sending: whether it went to a group.
    chat_room INTEGER NOT NULL DEFAULT 0 CHECK (chat_room IN (0, 1)),
    -- When the money went back.
    refunded  INTEGER
) STRICT;
CREATE INDEX card_gift_orders_by_time ON card_gift_orders (appid, created, id);

CREATE TABLE card_gift_items (
    gift_order INTEGER NOT NULL REFERENCES card_gift_orders (id),
    place      INTEGER NOT NULL,
    -- The code as it is now: a friend gets another one.
    code       INTEGER NOT NULL REFERENCES card_codes (id),
    price_fen  INTEGER NOT NULL CHECK (price_fen >= 0),
    -- With the buyer, on its way to a friend, or taken.
    state      TEXT NOT NULL CHECK (state IN ('HELD', 'SENT', 'TAKEN')),
    accepter   TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (gift_order, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX card_gift_items_by_code ON card_gift_items (code);

CREATE TABLE card_testers (
    appid TEXT NOT NULL,
    kind  TEXT NOT NULL CHECK (kind IN ('openid', 'username')),
    name  TEXT NOT NULL,
    PRIMARY KEY (appid, kind, name)
) STRICT, WITHOUT ROWID;

-- What users did, for the statistics.
CREATE TABLE card_happenings (
    id     INTEGER PRIMARY KEY,
    card   INTEGER NOT NULL REFERENCES cards (id),
    kind   TEXT NOT NULL CHECK (kind IN ('view', 'receive', 'verify', 'given', 'active', 'pay')),
    openid TEXT NOT NULL,
    -- Beijing day, counted from 1970-01-01.
    day    INTEGER NOT NULL,
    fee    INTEGER NOT NULL DEFAULT 0,
    due    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX card_happenings_by_day ON card_happenings (card, day);
CREATE INDEX card_happenings_of_user ON card_happenings (card, openid, kind);

-- Things of smaller families, as JSON: gift-card pages, rules, sub-merchants, shelves, media.
CREATE TABLE card_things (
    appid   TEXT NOT NULL,
    kind    TEXT NOT NULL,
    id      INTEGER NOT NULL,
    name    TEXT NOT NULL,
    body    TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    PRIMARY KEY (appid, kind, id),
    UNIQUE (appid, kind, name)
) STRICT, WITHOUT ROWID;

-- Pushed events.
CREATE TABLE card_events (
    id           INTEGER PRIMARY KEY,
    appid        TEXT NOT NULL,
    openid       TEXT NOT NULL,
    event        TEXT NOT NULL,
    xml          TEXT NOT NULL,
    created      INTEGER NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'given_up', 'nowhere')),
    attempts     INTEGER NOT NULL DEFAULT 0,
    next_attempt INTEGER,
    status       INTEGER,
    error        TEXT,
    -- Put off by a fault; it strikes such a one no more.
    held         INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1)),
    -- Names of the faults that struck the last delivery, with commas between.
    faults       TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX card_events_of_user ON card_events (openid, created);
CREATE INDEX card_events_due ON card_events (next_attempt) WHERE next_attempt IS NOT NULL;
