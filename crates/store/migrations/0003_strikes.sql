-- How often the process ended while this message was imported alone; see `jobs::suspects`.
ALTER TABLE ledger ADD COLUMN strikes BIGINT NOT NULL DEFAULT 0;
