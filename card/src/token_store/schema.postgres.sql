CREATE TABLE favor_tokens (
    name         text        PRIMARY KEY,
    value        text,
    version      bigint      NOT NULL DEFAULT 0,
    good_until   timestamptz NOT NULL DEFAULT '-infinity',
    -- counts the rights to fetch; only the newest may keep what it brought
    fence        bigint      NOT NULL DEFAULT 0,
    leased_until timestamptz NOT NULL DEFAULT '-infinity'
);
