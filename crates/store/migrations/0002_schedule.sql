-- A job runs at an interval, or at the times of a cron expression in a time zone (an IANA name).

ALTER TABLE job ADD COLUMN cron TEXT;
ALTER TABLE job ADD COLUMN time_zone TEXT;
