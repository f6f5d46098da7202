-- Times are milliseconds since 1970-01-01 UTC.
CREATE TABLE tokens (
    name         TEXT    PRIMARY KEY,
    value        TEXT,
    version      INTEGER NOT NULL DEFAULT 0,
    good_until   INTEGER NOT NULL DEFAULT 0,
    -- counts the rights to fetch; only the newest may keep what it brought
    fence        INTEGER NOT NULL DEFAULT 0,
    leased_until INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
