-- Which keys secrets are sealed with, and where each is. The keys themselves are never here. `state`: `coming` (it may
-- be in its place already, nothing is sealed with it), `current`, `leaving` (nothing is sealed with it, it may still be
-- in its place).
CREATE TABLE vault_key (
    id    TEXT NOT NULL,
    place TEXT NOT NULL,
    state TEXT NOT NULL,
    since TEXT NOT NULL,
    PRIMARY KEY (id, place)
);

CREATE UNIQUE INDEX vault_key_current ON vault_key (state) WHERE state = 'current';

-- Jobs that came back with a backup: they do not run before an operator has said how.
CREATE TABLE job_hold (
    job  TEXT PRIMARY KEY NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    made TEXT NOT NULL
);
