-- Push beside the poll: whether a job waits for changes between its runs, and how its waiting fares now. The rows of
-- `job_watch` mean something only while a service holds the lock of the watching.

ALTER TABLE job ADD COLUMN watch BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE job_watch (
    job     TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    since   TEXT NOT NULL,
    problem TEXT,
    PRIMARY KEY (job, account)
);

CREATE INDEX job_watch_account ON job_watch (account);

-- The job's revision for which everything that was listed at this cursor was settled, and when that listing was; null
-- when something was left. While the cursor stays, there is nothing to list.
ALTER TABLE cursor ADD COLUMN settled BIGINT;
ALTER TABLE cursor ADD COLUMN listed TEXT;
