
-- The authority that TLS clients of the mirror trust.
CREATE TABLE authority (
    one             INTEGER PRIMARY KEY CHECK (one = 1),
    private_key_pem TEXT NOT NULL,
    certificate_pem TEXT NOT NULL
) STRICT;
