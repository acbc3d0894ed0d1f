//! When each job of the service runs next. Knows no clock of its own: the moment is handed in.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use wissel_model::{ImportJob, JobId, Schedule};

/// When the jobs run next.
#[derive(Default)]
pub(crate) struct Timetable {
    entries: HashMap<JobId, Entry>,
}

struct Entry {
    schedule: Schedule,
    due: Timestamp,
    /// The last moment that was seen: a clock that shows an earlier one was set back.
    seen: Timestamp,
}

impl Timetable {
    /// Goes on after a run that began at `last`, of an earlier service for instance.
    pub(crate) fn recall(&mut self, job: &ImportJob, last: Timestamp, now: Timestamp) {
        if let Some(schedule) = &job.schedule {
            let due = due(job, schedule, Some(last), now);
            self.entries.insert(job.id, Entry { schedule: schedule.clone(), due, seen: now });
        }
    }

    /// Forgets the other jobs.
    pub(crate) fn keep(&mut self, jobs: &HashSet<JobId>) {
        self.entries.retain(|id, _| jobs.contains(id));
    }

    /// Whether the job is to run. Runs that were missed meanwhile count as one.
    pub(crate) fn is_due(&mut self, job: &ImportJob, now: Timestamp) -> bool {
        let Some(schedule) = &job.schedule else {
            self.entries.remove(&job.id);
            return false;
        };
        let entry = self.entries.entry(job.id).or_insert_with(|| Entry {
            schedule: schedule.clone(),
            due: due(job, schedule, None, now),
            seen: now,
        });
        let changed = entry.schedule != *schedule;
        if changed || now < entry.seen {
            let next = due(job, schedule, Some(now), now);
            // A change may bring the run forward or, for a cron expression, put it off.
            entry.due = match schedule {
                Schedule::Cron(_) if changed => next,
                _ => entry.due.min(next),
            };
            entry.schedule = schedule.clone();
        }
        entry.seen = now;
        entry.due <= now
    }

    /// The job begins to run.
    pub(crate) fn begun(&mut self, job: &ImportJob, now: Timestamp) {
        self.recall(job, now, now);
    }
}

fn due(job: &ImportJob, schedule: &Schedule, last: Option<Timestamp>, now: Timestamp) -> Timestamp {
    match schedule.due(last, now) {
        Ok(due) => due.unwrap_or(Timestamp::MAX),
        Err(error) => {
            tracing::error!(job = job.name, %error, "the job's schedule cannot be used; correct it with `wissel job edit`");
            Timestamp::MAX
        }
    }
}

#[cfg(test)]
mod tests {
    use wissel_model::job::DirectoryTarget;
    use wissel_model::{Cron, Filter, ProcessedAction};

    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn job(schedule: Schedule) -> ImportJob {
        ImportJob {
            id: JobId::generate(),
            name: "J".to_owned(),
            accounts: Vec::new(),
            include_subfolders: false,
            action: ProcessedAction::Leave,
            create_processed_folder: false,
            filter: Filter::default(),
            target: DirectoryTarget { directory: "/in".into(), extract_attachments: false },
            schedule: Some(schedule),
            watch: false,
            enabled: true,
            revision: 1,
        }
    }

    fn cron(expression: &str) -> Schedule {
        Schedule::Cron(Cron::new(expression, Some("UTC")).unwrap())
    }

    #[test]
    fn what_was_missed_while_nothing_ran_runs_once() {
        let job = job(cron("0 * * * *"));
        let mut table = Timetable::default();
        let now = moment("2026-11-22T12:30:00Z");
        table.recall(&job, moment("2026-11-20T05:00:00Z"), now);
        assert!(table.is_due(&job, now));
        table.begun(&job, now);
        assert!(!table.is_due(&job, now));
        assert!(!table.is_due(&job, moment("2026-11-22T12:59:59Z")));
        assert!(table.is_due(&job, moment("2026-11-22T13:00:00Z")));
    }

    #[test]
    fn a_job_that_never_ran_begins_at_once_with_an_interval_and_at_its_time_with_a_cron_expression() {
        let now = moment("2026-11-22T12:30:00Z");
        assert!(Timetable::default().is_due(&job(Schedule::Every(3600)), now));
        let job = job(cron("0 * * * *"));
        let mut table = Timetable::default();
        assert!(!table.is_due(&job, now));
        assert!(table.is_due(&job, moment("2026-11-22T13:00:01Z")));
    }

    #[test]
    fn a_clock_that_jumps_holds_no_job_up_and_runs_none_twice() {
        for schedule in [cron("0 * * * *"), Schedule::Every(3600)] {
            let job = job(schedule);
            let mut table = Timetable::default();
            table.begun(&job, moment("2026-11-22T12:00:00Z"));
            assert!(!table.is_due(&job, moment("2026-11-22T12:01:00Z")));
            // Two days back, and then an hour of work.
            assert!(!table.is_due(&job, moment("2026-11-20T12:01:00Z")));
            assert!(table.is_due(&job, moment("2026-11-20T13:01:00Z")));
            table.begun(&job, moment("2026-11-20T13:01:00Z"));
            // A year forward: one run.
            assert!(table.is_due(&job, moment("2027-11-20T13:01:00Z")));
            table.begun(&job, moment("2027-11-20T13:01:00Z"));
            assert!(!table.is_due(&job, moment("2027-11-20T13:02:00Z")));
        }
    }

    #[test]
    fn a_changed_schedule_counts_at_once() {
        let mut job = job(cron("0 0 * * *"));
        let mut table = Timetable::default();
        table.begun(&job, moment("2026-11-22T12:00:00Z"));
        job.schedule = Some(cron("5 * * * *"));
        assert!(!table.is_due(&job, moment("2026-11-22T12:01:00Z")));
        assert!(table.is_due(&job, moment("2026-11-22T12:05:00Z")));
        table.begun(&job, moment("2026-11-22T12:05:00Z"));
        job.schedule = Some(cron("0 20 * * *"));
        assert!(!table.is_due(&job, moment("2026-11-22T13:05:00Z")), "the old time does not count any more");
        job.schedule = Some(Schedule::Every(10));
        assert!(!table.is_due(&job, moment("2026-11-22T13:05:01Z")));
        assert!(table.is_due(&job, moment("2026-11-22T13:05:11Z")));
        job.schedule = None;
        assert!(!table.is_due(&job, moment("2026-11-29T13:05:11Z")));
    }
}
