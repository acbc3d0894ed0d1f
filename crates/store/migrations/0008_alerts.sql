-- Where alerts go, and which each channel was told, so that it is told them once.

CREATE TABLE alert_channel (
    id          TEXT PRIMARY KEY NOT NULL,
    name        TEXT NOT NULL,
    name_folded TEXT NOT NULL UNIQUE,
    target      TEXT NOT NULL,
    time_limit  INTEGER NOT NULL,
    -- The key that messages are signed with, where they are.
    sealed      BLOB
);

CREATE TABLE alert_told (
    channel TEXT NOT NULL REFERENCES alert_channel (id) ON DELETE CASCADE,
    alert   TEXT NOT NULL,
    at      TEXT NOT NULL,
    PRIMARY KEY (channel, alert)
) WITHOUT ROWID;

-- Everything that the vault has sealed, whoever owns it: what a change of its key has to seal again.
CREATE VIEW sealed_secret AS
    SELECT 'account' AS kind, account AS owner, field, sealed FROM account_secret
    UNION ALL
    SELECT 'client', client, id, sealed FROM client_secret
    UNION ALL
    SELECT 'alert', id, 'signing-key', sealed FROM alert_channel WHERE sealed IS NOT NULL;
