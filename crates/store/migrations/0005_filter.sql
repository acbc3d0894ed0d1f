-- A message that was fetched and not taken, for its attachments: by which filter, so that another one looks again.

ALTER TABLE ledger ADD COLUMN filter TEXT;
