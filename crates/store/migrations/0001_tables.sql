-- The tables. Kept to what SQLite and PostgreSQL both understand: ids are UUIDs as text, moments are RFC 3339 text in
-- UTC with six decimals (so that they sort as text), structured values are JSON as text.
-- A migration that was released is never edited; the next change is the next file.

CREATE TABLE account (
    id          TEXT PRIMARY KEY NOT NULL,
    name        TEXT NOT NULL,
    name_folded TEXT NOT NULL UNIQUE,
    connector   TEXT NOT NULL,
    auth        TEXT NOT NULL,
    settings    TEXT NOT NULL,
    connection  TEXT NOT NULL,
    is_default  BOOLEAN NOT NULL
);

-- At most one default.
CREATE UNIQUE INDEX account_default ON account (is_default) WHERE is_default;

CREATE TABLE account_secret (
    account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    field   TEXT NOT NULL,
    sealed  BLOB NOT NULL,
    PRIMARY KEY (account, field)
);

CREATE TABLE job (
    id                      TEXT PRIMARY KEY NOT NULL,
    name                    TEXT NOT NULL,
    name_folded             TEXT NOT NULL UNIQUE,
    include_subfolders      BOOLEAN NOT NULL,
    action                  TEXT NOT NULL,
    create_processed_folder BOOLEAN NOT NULL,
    filter                  TEXT NOT NULL,
    target                  TEXT NOT NULL,
    interval_seconds        BIGINT,
    enabled                 BOOLEAN NOT NULL,
    revision                BIGINT NOT NULL
);

-- Folder addresses and pins are JSON. No cascade from account: an account that a job uses cannot go.
CREATE TABLE job_account (
    job           TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    account       TEXT NOT NULL REFERENCES account (id),
    position      BIGINT NOT NULL,
    folder        TEXT NOT NULL,
    processed     TEXT,
    pin           TEXT,
    processed_pin TEXT,
    PRIMARY KEY (job, account)
);

CREATE INDEX job_account_account ON job_account (account);

CREATE TABLE job_lease (
    job      TEXT PRIMARY KEY NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    epoch    BIGINT NOT NULL,
    holder   TEXT NOT NULL,
    expires  TEXT NOT NULL,
    released BOOLEAN NOT NULL
);

-- `origin` is the account it was found in first; it may be gone since.
CREATE TABLE ledger (
    key                 TEXT PRIMARY KEY NOT NULL,
    job                 TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    state               TEXT NOT NULL,
    internet_message_id TEXT,
    received            TEXT,
    digest              TEXT,
    subject             TEXT,
    size                BIGINT,
    since               TEXT NOT NULL,
    reason              TEXT,
    origin              TEXT NOT NULL
);

CREATE INDEX ledger_job ON ledger (job, key);
-- What a run has to take up again: a handful of rows among very many.
CREATE INDEX ledger_unfinished ON ledger (job, key) WHERE state IN ('reserved', 'delivered');

-- Where a message was seen. A message keeps its locations in accounts that the job has left, for the way back; it may
-- have several in one account (ids that changed, a message that lies there twice): the one found last counts.
CREATE TABLE ledger_location (
    key     TEXT NOT NULL REFERENCES ledger (key) ON DELETE CASCADE,
    job     TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    folder  TEXT NOT NULL,
    message TEXT NOT NULL,
    found   TEXT NOT NULL,
    PRIMARY KEY (job, account, folder, message)
);

CREATE INDEX ledger_location_key ON ledger_location (key, account);
CREATE INDEX ledger_location_account ON ledger_location (account);

CREATE TABLE cursor (
    job     TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    folder  TEXT NOT NULL,
    cursor  TEXT NOT NULL,
    PRIMARY KEY (job, account, folder)
);

CREATE INDEX cursor_account ON cursor (account);

CREATE TABLE quarantine (
    key     TEXT PRIMARY KEY NOT NULL REFERENCES ledger (key) ON DELETE CASCADE,
    job     TEXT NOT NULL,
    account TEXT NOT NULL,
    folder  TEXT NOT NULL,
    message TEXT NOT NULL,
    reason  TEXT NOT NULL,
    code    TEXT,
    file    TEXT,
    size    BIGINT,
    since   TEXT NOT NULL
);

CREATE TABLE run (
    id          TEXT PRIMARY KEY NOT NULL,
    job         TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    started     TEXT NOT NULL,
    finished    TEXT,
    outcome     TEXT,
    imported    BIGINT NOT NULL DEFAULT 0,
    skipped     BIGINT NOT NULL DEFAULT 0,
    quarantined BIGINT NOT NULL DEFAULT 0,
    failed      BIGINT NOT NULL DEFAULT 0,
    error       TEXT
);

CREATE INDEX run_job ON run (job, id);

CREATE TABLE job_health (
    job           TEXT PRIMARY KEY NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    last_success  TEXT,
    failing_since TEXT,
    reason        TEXT
);

-- The audit trail refers to nothing, so that it outlives what it tells about.
CREATE TABLE audit (
    id      TEXT PRIMARY KEY NOT NULL,
    at      TEXT NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail  TEXT NOT NULL
);
