-- OAuth clients, which serve many accounts, and their secrets: several side by side, one of them in use.

CREATE TABLE oauth_client (
    id          TEXT PRIMARY KEY NOT NULL,
    name        TEXT NOT NULL,
    name_folded TEXT NOT NULL UNIQUE,
    connector   TEXT NOT NULL,
    settings    TEXT NOT NULL,
    redirect    TEXT
);

CREATE TABLE client_secret (
    id           TEXT PRIMARY KEY NOT NULL,
    client       TEXT NOT NULL REFERENCES oauth_client (id) ON DELETE CASCADE,
    label        TEXT NOT NULL,
    label_folded TEXT NOT NULL,
    kind         TEXT NOT NULL,
    expires      TEXT,
    added        TEXT NOT NULL,
    tested       TEXT,
    state        TEXT NOT NULL,
    sealed       BLOB NOT NULL,
    UNIQUE (client, label_folded)
);

CREATE INDEX client_secret_client ON client_secret (client, added);
CREATE UNIQUE INDEX client_secret_in_use ON client_secret (client) WHERE state = 'in-use';

-- No cascade: a client that an account uses cannot go.
ALTER TABLE account ADD COLUMN client TEXT REFERENCES oauth_client (id);
CREATE INDEX account_client ON account (client);
