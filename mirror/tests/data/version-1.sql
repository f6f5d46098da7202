-- A data file of schema version 1, as text: one started stock, one coupon.
PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
CREATE TABLE clock (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    frozen  INTEGER NOT NULL CHECK (frozen IN (0, 1)),
    millis  INTEGER NOT NULL
) STRICT;
INSERT INTO "clock" VALUES(1,1,1786334460000);
CREATE TABLE coupons (
    id             INTEGER PRIMARY KEY,
    stock_id       INTEGER NOT NULL REFERENCES stocks (id),
    openid         TEXT NOT NULL,
    appid          TEXT NOT NULL,
    sender         TEXT NOT NULL,
    out_request_no TEXT NOT NULL,
    amount         INTEGER NOT NULL,
    minimum        INTEGER NOT NULL,
    status         TEXT NOT NULL CHECK (status IN ('SENDED', 'USED', 'EXPIRED', 'RECOVER')),
    received       INTEGER NOT NULL,
    begins         INTEGER NOT NULL,
    ends           INTEGER NOT NULL
) STRICT;
INSERT INTO "coupons" VALUES(18180000000001,15300001,'oTea0000000000000000000000001','wx00000000000000aa','1900000109','s1',500,3000,'SENDED',1786334460000,1786334400000,1788969599000);
CREATE TABLE create_requests (
    mchid          TEXT NOT NULL,
    out_request_no TEXT NOT NULL,
    digest         BLOB NOT NULL,
    stock_id       INTEGER NOT NULL,
    PRIMARY KEY (mchid, out_request_no)
) STRICT, WITHOUT ROWID;
INSERT INTO "create_requests" VALUES('1900000109','n1',X'EC3698E064A40BC522A6611C54F752ED022C12B53FA4D4848E1354380F047716',15300001);
CREATE TABLE merchant_appids (
    mchid    TEXT NOT NULL REFERENCES merchants (mchid),
    position INTEGER NOT NULL,
    appid    TEXT NOT NULL,
    PRIMARY KEY (mchid, position)
) STRICT, WITHOUT ROWID;
INSERT INTO "merchant_appids" VALUES('1900000109',0,'wx00000000000000aa');
CREATE TABLE merchants (
    mchid                 TEXT PRIMARY KEY,
    position              INTEGER NOT NULL UNIQUE,
    serial_no             TEXT NOT NULL,
    private_key_pem       TEXT NOT NULL,
    certificate_pem       TEXT NOT NULL,
    certificate_not_after INTEGER,
    api_v3_key            TEXT NOT NULL,
    app_secret            TEXT NOT NULL,
    product_permission    INTEGER NOT NULL CHECK (product_permission IN (0, 1)),
    public_key_only       INTEGER NOT NULL CHECK (public_key_only IN (0, 1)),
    brand                 TEXT,
    deposited             INTEGER NOT NULL CHECK (deposited >= 0),
    balance               INTEGER NOT NULL CHECK (balance >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO "merchants" VALUES('1900000109',0,'13E56608EC3028D1692A49DF9D46EA714F788078','-----BEGIN PRIVATE KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQDGhA2M08ljJ9XI
xND3ZzelCPtj3gYFjxPt92Z5BJZfcOCVOzMZtFHyusdvPr5sbZIWviUHY08/ed3z
mIEB7lQ2VGQgApGJeUCDLqMVNH0ecgZ1GZPqTP1PmkZT4M8Gv4JltK/u2JHDZpBi
bop6M/FLfiGuUL6/7EVk5lUcwv1NpKoNKKZcJ4ShQU5sIiJ4/fNdKcSfuXIPIvnY
4eX3J6mf8e8ff+QwEiVQUxpL4X3seEmrjpxvr936VZl5laykma3w2N6bTEMHi1Nb
9qWbswy6iv1Dy29opEKetC9Zxteit8YD0FMMEFYlfkNOUAfGwwE/Wfv4Gi/bLp8w
Btq5wUmJAgMBAAECggEAQc5yo3Vtc/Y3kzdTQkAwHQBOPXvTKTKV27PAf2t64aaM
fEvEk8fHxpwOEp2NCGqGHA3qPnm4QoWGgwLR+S7lMaFmE4pmblkIfrQOEbB1rYsF
Avp4oxnkeufcWl/SoR0I/+gWzilyoIC2ajrUos/nNCxaw+s2YG7VTi5glok46OyQ
BS8lRKIPzNf/sQd3Awug/hDp0epxPlfT/cF8TzMxrqOMk1K6dmJXaiv+3ssmlYPE
+kbQBPl/QZ3VBf6V9EOy2W39qNafqfEIY2k/8UED06az2hR6csFHV4KNcgFFXG9v
ugnfHp6r1CUiI7PfAcjiiKTaN/MHDCGbN8fZ4sG/xQKBgQD1g+CS3P4Aa3oDRuMk
iakQ8p6bpXNrNXyHQ3Wek3jVLRlQ1Z0RS6Jqp4wS7cFxp10h1SdyAbaFx0ayQf9Q
GyG3CRdOBcdGalCgwaPLfNvAMdeNm+JzDlJ+ikRfa7w+tUMYhKO24tsyUkAPJnOu
+bX5vDipvTeHCbZVKRIFH+tBZwKBgQDO/lmp8PoF7/9+yv5AhLGWBryzLau3xcg3
Mu31D4emjaCwx1fThv6MqV+jcdnNE//Y2eGzVauFw/j9ZWIdA1bc4q3ikKNAyatG
XVv36lhmWBlPzqagMKfVKCbuSi5hSeCdN8soQ0yPgaQ/MuzrCk26y1wEab8Ai7Py
Gs+gIZyXjwKBgQDDmrwzhipAP2DId5PEqoCuZf6D1z+rrMN4KQDuxGPCw9mlk2s+
Olo+SxrIgfBbEpKav+5bYI4A65Ght/8n3VXxNCcDHIt1yIJQcbaECwgxigRIaGf0
bva+pn5u37Ds7RF12UduEDO/VdR/vYzxXTXksFcctQomZlCEbOJUfue6BQKBgAan
oMRY7gDg3Wr7Jb93RKpZHxn3nuyynCRCK+pUDH1rUj48unMfhPGKxHthvqncOb6E
CsCUQYZ0bX3gE45xPAqv8v00vzrnAO2rNLi8vQjVTkMFls/RoKO2vcGtet4/3MvR
LmPl/gEjHt+1SG6qDyOxRA0URULEOw3OlNxGGF27AoGBAMdfzuSVaffhu7III4n1
GtUcaQyPGi8C7f64L1P6g/CAHNEnQBj4QMzzf2l32EAbcnmDI0y4Iwby0mvxNVKz
Z+9jenKPn5Pn/laiBmLcXHkrlzomDhy5KM2HpvCPwgFDbCksz653WY5WXs9t6Jr+
jlpTsX9J9PfK1fjo8FLmRV0T
-----END PRIVATE KEY-----
','-----BEGIN CERTIFICATE-----
MIIDTzCCAjegAwIBAgIUE+VmCOwwKNFpKknfnUbqcU94gHgwDQYJKoZIhvcNAQEL
BQAwXjELMAkGA1UEBgwCQ04xEzARBgNVBAoMClRlbnBheS5jb20xHTAbBgNVBAsM
FFRlbnBheS5jb20gQ0EgQ2VudGVyMRswGQYDVQQDDBJUZW5wYXkuY29tIFJvb3Qg
Q0EwHhcNMjUwODEwMDQwMDAwWhcNMzAwODA5MDQwMDAwWjBRMQswCQYDVQQGDAJD
TjEVMBMGA1UECgwMZmF2b3IgbWlycm9yMRYwFAYDVQQLDA10ZXN0IG1lcmNoYW50
MRMwEQYDVQQDDAoxOTAwMDAwMTA5MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIB
CgKCAQEAxoQNjNPJYyfVyMTQ92c3pQj7Y94GBY8T7fdmeQSWX3DglTszGbRR8rrH
bz6+bG2SFr4lB2NPP3nd85iBAe5UNlRkIAKRiXlAgy6jFTR9HnIGdRmT6kz9T5pG
U+DPBr+CZbSv7tiRw2aQYm6KejPxS34hrlC+v+xFZOZVHML9TaSqDSimXCeEoUFO
bCIieP3zXSnEn7lyDyL52OHl9yepn/HvH3/kMBIlUFMaS+F97HhJq46cb6/d+lWZ
eZWspJmt8Njem0xDB4tTW/alm7MMuor9Q8tvaKRCnrQvWcbXorfGA9BTDBBWJX5D
TlAHxsMBP1n7+Bov2y6fMAbaucFJiQIDAQABoxIwEDAOBgNVHQ8BAf8EBAMCBaAw
DQYJKoZIhvcNAQELBQADggEBAFnOhj1oM1C+I/tq/O3n00RUWYD3UL4Ap/mv08xZ
0x3XC8NMOeGMbx5NET6c7wFn8pVWX3FXLheuOpnM9fiJC+2ayrIPBfYLcmU3CtBp
r/ES98wESt+WtLbPXgow9i4ytClYXi6Muw0zXXLQ79G3mrodgWgAjSXjuF24yn29
Ycd/UFPihQqHwEh/tVAmxPBQgGLvFxTVe8W1ECHzKxUCoLQfTeI7Gz23yAny8fAq
Ns6bUkRkEPs8lFK+hPBmcJ7XpjBEgbX8gE0PdE64/yqzGMJ/y5q/AeQ0OZ0wb26r
VZ5cWygXYlkyxg4ka5BourLBeqcER5Q8bcyPDn7fyyu0pqo=
-----END CERTIFICATE-----
',1912478400000,'d3351245b74093731fb178ffcc6fc372','a9b42ec4b18b60de7f4de3efbc06d5ab',1,0,NULL,100000000000,99999995000);
CREATE TABLE platform (
    one               INTEGER PRIMARY KEY CHECK (one = 1),
    phase             TEXT NOT NULL CHECK (phase IN ('off', 'grey', 'on')),
    certificates_void INTEGER NOT NULL CHECK (certificates_void IN (0, 1))
) STRICT;
INSERT INTO "platform" VALUES(1,'off',0);
CREATE TABLE platform_certificates (
    position        INTEGER PRIMARY KEY,
    serial_no       TEXT NOT NULL UNIQUE,
    private_key_pem TEXT NOT NULL,
    certificate_pem TEXT NOT NULL,
    not_before      INTEGER NOT NULL,
    not_after       INTEGER NOT NULL
) STRICT;
INSERT INTO "platform_certificates" VALUES(0,'5E6903152F21065DDFD70DF70BC2D659ACAE92C1','-----BEGIN PRIVATE KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCeeZ5B59wdXCR9
Tp1PNGokoKZGrT387obqvHWK3HhbFydTKBeasxA3UkEm20wrcqTp4Erbi6tELThD
N8RohO+LuoAhQPhPU9ZFjDgfT0gVdI9MQW1D+aP6kTtLOEzt+oftoizrFk09Y2BU
HQgS/QVwvH2HFIWJE0GlxUzBo8GXkDTAw5Eu8APn6Qy63FlZrWt49u+NGXArWzhd
mygRxjuo7wPKQWUGXswyUlPmZOLwyvEUpFRtRRz9xJlVMPhQgbgyhTHfCz0JxcWx
nguuFeExde8eC9E4yFjCUpO+TVJUvEigDe4Ab7WW7Va2HwBOnVFYX1MIBg9L4qyr
3RhBZlLvAgMBAAECggEAKITXAmnafUVEbSePECPKKdBLg1GjQkrogxcphJYnTb8H
Rns/QcYb1NE6qEk02f0HjmbTLPwyj41yT7lwBftLVjIataXrdzjr1b9q0BKQzy+M
vgYSfmlTVGsSuoJMJSLD423uRzNeD16b0BXWLSi1XeRLwiBsniYmyFBAdlg81Nfa
V7RjsTDw2c7dmtVaB732UIjCg2ufLYj+HKLxSiOfw11GfYyaabMxnf0dYpP/3sl7
w3uOw8+zIHfleovTvpnhmeW903XyW/PnLPULil5grPhQ3fynRHdaA56uZaT6cXh7
kvum0l7vY+m35x3g+Y6+CR6dBxDMiw5+pGs+AN5kAQKBgQDaUNpeEOEFtX2/DEmH
41P9961U8w9+hiBvUvqUEuIBalNapQPTaO6A16wN5Yf4cb5USCPMlg1dA0n+T5sq
qPWbBuPq5RLN85vO3Koa/vMYTWWeFM2oryZ7k25V5lSzedQHffxC302ibCZTmNVe
qx+fjuAhLJOKd5aKU4Dqb+Fu7wKBgQC51HcEHU7Uej5lZ7N91rC5MMnWD0Er0Azf
rGLfb3tDjnTEGwalbuDc5smyVZJYuF2ZO2XMcHnhU7UsWfOK5l364B9iG0Gb57VN
VBMq8Gsli2ZmpjxUKzT5Ctsyaypmw5RTcaGvrov5v1XsEhHMPcjKVS+QvIFOVBY1
abmSjMlcAQKBgC9POiMMUVclX1yZUw3pi3gLxjoUehUXB8xYFQkllmhsHCgWfl+/
639sPVK9nNuP+ojVITzif37aiZxcr+lst9yif52Vip+q3ObVFt/Gw/NOQmkhZPfb
DOHWryBaS5yhF/uPp6zuKyq5eQzAn+xl9PJkydkmicqF48+SDOvA1v9tAoGBAKKl
nJnkUQfWCuDUmBxvGXStiCssZN1FFs964Xsw5xFlETxHb1TCrFuMQEMvdIzkqT+h
5mK+m16l1nAANxJ+uQkIu08yDgW4E06gZLpzfUR6M2Fq5GjC/HVxlBMYCx+w1RUH
4v2SZ39rgXfDBQLfnOvDDYPACekV3e5YIA1t3hwBAoGBALKrQoARli4P62t3tKSw
KbkyCkB2gcASzZga4IOmVKWgv84N+jf/d8OzwYlGfch08diIm/0/VTT0cqKVHYlw
tdgbjMvadr1/gpvxQnCWN0dTEGWjLnTSVK1p/gDJWaNo/OuKbhyhFGIehBy26jiC
/eJ4dZ74pskGq0befcQSvbHK
-----END PRIVATE KEY-----
','-----BEGIN CERTIFICATE-----
MIIDWTCCAkGgAwIBAgIUXmkDFS8hBl3f1w33C8LWWayuksEwDQYJKoZIhvcNAQEL
BQAwXjELMAkGA1UEBgwCQ04xEzARBgNVBAoMClRlbnBheS5jb20xHTAbBgNVBAsM
FFRlbnBheS5jb20gQ0EgQ2VudGVyMRswGQYDVQQDDBJUZW5wYXkuY29tIFJvb3Qg
Q0EwHhcNMjUwODEwMDQwMDAwWhcNMzAwODA5MDQwMDAwWjBbMQswCQYDVQQGDAJD
TjETMBEGA1UECgwKVGVucGF5LmNvbTEdMBsGA1UECwwUVGVucGF5LmNvbSBDQSBD
ZW50ZXIxGDAWBgNVBAMMD1RlbnBheS5jb20gc2lnbjCCASIwDQYJKoZIhvcNAQEB
BQADggEPADCCAQoCggEBAJ55nkHn3B1cJH1OnU80aiSgpkatPfzuhuq8dYrceFsX
J1MoF5qzEDdSQSbbTCtypOngStuLq0QtOEM3xGiE74u6gCFA+E9T1kWMOB9PSBV0
j0xBbUP5o/qRO0s4TO36h+2iLOsWTT1jYFQdCBL9BXC8fYcUhYkTQaXFTMGjwZeQ
NMDDkS7wA+fpDLrcWVmta3j2740ZcCtbOF2bKBHGO6jvA8pBZQZezDJSU+Zk4vDK
8RSkVG1FHP3EmVUw+FCBuDKFMd8LPQnFxbGeC64V4TF17x4L0TjIWMJSk75NUlS8
SKAN7gBvtZbtVrYfAE6dUVhfUwgGD0virKvdGEFmUu8CAwEAAaMSMBAwDgYDVR0P
AQH/BAQDAgWgMA0GCSqGSIb3DQEBCwUAA4IBAQATLOsf2fjPsSwMSvVgjvmX34Zg
HRNo4bnbjNfRBDI6oyQQwJlGNn57iUzs6rYXNpKfUbiPwE9X9ZzWhTufrVkhj60g
uApUeDLfzoNrMaYGvOAfzAtnhLZw0KPDoSwFT6zkdSvhoUn1QnWYKGzv+qzMkGGA
WmmqOL7qAEzBhHUOvLDsjN9QoPTBce0k9ZaW/rsQdG3LoIRtD+icmDnsbjqqMYdZ
YCcyvp/JhhVquZXYDM94d0t/2XsZ48fJzxYPoUFGxdRjx+xGlrn2kUrbtZOtVpqz
M9I8jlslOk5rQk0bY9T+sWmKH3Y3gX68SuQozaT2OJBQexSMmMvLxLddoJy8
-----END CERTIFICATE-----
',1754798400000,1912478400000);
CREATE TABLE prefunds (
    stock_id INTEGER PRIMARY KEY REFERENCES stocks (id),
    mchid    TEXT NOT NULL REFERENCES merchants (mchid),
    locked   INTEGER NOT NULL,
    spent    INTEGER NOT NULL DEFAULT 0,
    released INTEGER
) STRICT;
INSERT INTO "prefunds" VALUES(15300001,'1900000109',5000,0,NULL);
CREATE TABLE send_requests (
    mchid          TEXT NOT NULL,
    out_request_no TEXT NOT NULL,
    digest         BLOB NOT NULL,
    coupon_id      INTEGER NOT NULL,
    PRIMARY KEY (mchid, out_request_no)
) STRICT, WITHOUT ROWID;
INSERT INTO "send_requests" VALUES('1900000109','s1',X'33F643CAD2F7E60FD58CBC95875F2FDC8212D8519583BF76CA473934985A7BB3',18180000000001);
CREATE TABLE stock_days (
    stock_id INTEGER NOT NULL REFERENCES stocks (id),
    day      INTEGER NOT NULL,
    amount   INTEGER NOT NULL,
    PRIMARY KEY (stock_id, day)
) STRICT, WITHOUT ROWID;
INSERT INTO "stock_days" VALUES(15300001,20675,500);
CREATE TABLE stock_items (
    stock_id INTEGER NOT NULL REFERENCES stocks (id),
    position INTEGER NOT NULL,
    goods_id TEXT NOT NULL,
    PRIMARY KEY (stock_id, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE stock_merchants (
    stock_id INTEGER NOT NULL REFERENCES stocks (id),
    position INTEGER NOT NULL,
    mchid    TEXT NOT NULL,
    PRIMARY KEY (stock_id, position)
) STRICT, WITHOUT ROWID;
INSERT INTO "stock_merchants" VALUES(15300001,0,'1900000109');
CREATE TABLE stock_senders (
    stock_id INTEGER NOT NULL REFERENCES stocks (id),
    mchid    TEXT NOT NULL,
    PRIMARY KEY (stock_id, mchid)
) STRICT, WITHOUT ROWID;
CREATE TABLE stocks (
    id                    INTEGER PRIMARY KEY,
    creator               TEXT NOT NULL REFERENCES merchants (mchid),
    name                  TEXT NOT NULL,
    comment               TEXT NOT NULL,
    description           TEXT NOT NULL,
    status                TEXT NOT NULL
        CHECK (status IN ('unactivated', 'audit', 'running', 'paused', 'stoped')),
    no_cash               INTEGER NOT NULL CHECK (no_cash IN (0, 1)),
    single_item           INTEGER NOT NULL CHECK (single_item IN (0, 1)),
    begins                INTEGER NOT NULL,
    ends                  INTEGER NOT NULL,
    max_coupons           INTEGER NOT NULL,
    max_amount            INTEGER NOT NULL,
    max_amount_by_day     INTEGER NOT NULL,
    max_coupons_per_user  INTEGER NOT NULL,
    natural_person_limit  INTEGER NOT NULL CHECK (natural_person_limit IN (0, 1)),
    prevent_api_abuse     INTEGER NOT NULL CHECK (prevent_api_abuse IN (0, 1)),
    coupon_amount         INTEGER NOT NULL,
    transaction_minimum   INTEGER NOT NULL,
    combine_use           INTEGER NOT NULL CHECK (combine_use IN (0, 1)),
    goods_tag             TEXT NOT NULL,
    trade_type            TEXT NOT NULL,
    minutes_after_receive INTEGER,
    second_day_available  INTEGER NOT NULL CHECK (second_day_available IN (0, 1)),
    created               INTEGER NOT NULL,
    started               INTEGER,
    stopped               INTEGER,
    distributed           INTEGER NOT NULL DEFAULT 0,
    request               TEXT NOT NULL
) STRICT;
INSERT INTO "stocks" VALUES(15300001,'1900000109','Tea 5 off 30','','','running',0,0,1786334400000,1788969599000,10,5000,1000,1,0,0,500,3000,1,'[]','[]',NULL,0,1786334400000,1786334460000,NULL,1,'{"available_begin_time":"2026-08-10T12:00:00+08:00","available_end_time":"2026-09-09T23:59:59+08:00","belong_merchant":"1900000109","coupon_use_rule":{"available_merchants":["1900000109"],"coupon_available_time":{"fix_available_time":{"begin_time":0}},"fixed_normal_coupon":{"coupon_amount":500,"transaction_minimum":3000}},"no_cash":false,"out_request_no":"n1","stock_name":"Tea 5 off 30","stock_type":"NORMAL","stock_use_rule":{"max_amount":5000,"max_amount_by_day":1000,"max_coupons":10,"max_coupons_per_user":1,"natural_person_limit":false,"prevent_api_abuse":false}}');
CREATE TABLE users (
    openid   TEXT PRIMARY KEY,
    appid    TEXT,
    abnormal INTEGER NOT NULL DEFAULT 0 CHECK (abnormal IN (0, 1)),
    risky    INTEGER NOT NULL DEFAULT 0 CHECK (risky IN (0, 1)),
    person   TEXT
) STRICT, WITHOUT ROWID;
INSERT INTO "users" VALUES('oTea0000000000000000000000001','wx00000000000000aa',0,0,NULL);
CREATE INDEX users_by_person ON users (person) WHERE person IS NOT NULL;
CREATE INDEX prefunds_open ON prefunds (stock_id) WHERE released IS NULL;
CREATE INDEX coupons_by_user ON coupons (openid, stock_id);
COMMIT;
PRAGMA application_id = 1182158194;
PRAGMA user_version = 1;
