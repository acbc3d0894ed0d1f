//! When the service runs a job: at an interval, or at the times of a cron expression in a time zone.
//!
//! Where clocks change, a cron job at a fixed time (`30 2 * * *`) runs once a day: after the gap when its time does not
//! exist, and at the first of two when it comes twice. One that repeats (`*/5 * * * *`) follows the elapsed time.

use std::fmt;

use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// When the service runs a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// So many seconds after the last run began.
    Every(u32),
    /// At the times of a cron expression.
    Cron(Cron),
}

/// A cron expression of five fields in a time zone. Kept as text: a service that looks at thousands of jobs reads an
/// expression only when it needs the next time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    expression: String,
    time_zone: String,
}

/// Why a schedule cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The expression is not one.
    #[error(
        "'{expression}' is not a cron expression: {problem}. It has five fields: minute, hour, day of the month, month, day of the week; `*/5 8-18 * * 1-5` is each five minutes between 8:00 and 18:59 on weekdays"
    )]
    Expression {
        /// As it was given.
        expression: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No moment fits, such as the 30th of February.
    #[error("the cron expression '{expression}' never comes: no day fits it")]
    Never {
        /// As it was given.
        expression: String,
    },
    /// The time zone is not known.
    #[error("'{0}' is not a time zone that is known here; give a name such as Europe/Amsterdam or UTC")]
    TimeZone(String),
}

impl Cron {
    /// Reads an expression and a time zone; without one, that of the system is taken, and kept by its name.
    ///
    /// # Errors
    /// See [`ScheduleError`].
    pub fn new(expression: &str, time_zone: Option<&str>) -> Result<Self, ScheduleError> {
        let name = match time_zone {
            None => TimeZone::system().iana_name().unwrap_or("UTC").to_owned(),
            Some(given) => {
                zone(given.trim())?.iana_name().map_or_else(|| given.trim().to_owned(), str::to_owned)
            }
        };
        let fields: Vec<&str> = expression.split_whitespace().collect();
        let cron = Self { expression: fields.join(" "), time_zone: name };
        match cron.next_after(Timestamp::now())? {
            Some(_) => Ok(cron),
            None => Err(ScheduleError::Never { expression: cron.expression }),
        }
    }

    /// What [`new`](Self::new) accepted before and was stored since.
    #[must_use]
    pub fn stored(expression: String, time_zone: String) -> Self {
        Self { expression, time_zone }
    }

    /// The five fields.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The IANA name of the time zone.
    #[must_use]
    pub fn time_zone(&self) -> &str {
        &self.time_zone
    }

    /// The first time after `moment`.
    ///
    /// # Errors
    /// When the expression or the time zone cannot be used (any more).
    pub fn next_after(&self, moment: Timestamp) -> Result<Option<Timestamp>, ScheduleError> {
        let wrong = |error: croner::errors::CronError| ScheduleError::Expression {
            expression: self.expression.clone(),
            problem: error.to_string().trim_end_matches('.').to_owned(),
        };
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(&self.expression).map_err(wrong)?;
        let from = moment.to_zoned(zone(&self.time_zone)?);
        // The parser accepts days that no month has; the search for them ends without a result.
        Ok(cron.find_next_occurrence(&from, false).ok().map(|next| next.timestamp()))
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.expression, self.time_zone)
    }
}

impl Schedule {
    /// The next time after a run that began at `moment`; none when there is no such time.
    ///
    /// # Errors
    /// Those of [`Cron::next_after`].
    pub fn next_after(&self, moment: Timestamp) -> Result<Option<Timestamp>, ScheduleError> {
        match self {
            Self::Every(seconds) => {
                Ok(moment.checked_add(SignedDuration::from_secs(i64::from(*seconds))).ok())
            }
            Self::Cron(cron) => cron.next_after(moment),
        }
    }

    /// When a job is due that ran last at `last`: in the past when runs were missed, which one run makes up for. A job
    /// that never ran is due at once when it has an interval, else at its next time.
    ///
    /// # Errors
    /// Those of [`Cron::next_after`].
    pub fn due(&self, last: Option<Timestamp>, now: Timestamp) -> Result<Option<Timestamp>, ScheduleError> {
        match (self, last) {
            (Self::Every(_), None) => Ok(Some(now)),
            // A clock that was set back does not make a job wait longer than from now.
            _ => self.next_after(last.unwrap_or(now).min(now)),
        }
    }
}

fn zone(name: &str) -> Result<TimeZone, ScheduleError> {
    TimeZone::get(name).map_err(|_| ScheduleError::TimeZone(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn next(expression: &str, after: &str) -> String {
        let cron = Cron::new(expression, Some("Europe/Amsterdam")).unwrap();
        cron.next_after(moment(after)).unwrap().unwrap().to_string()
    }

    #[test]
    fn times_are_those_of_the_zone() {
        // 2026-11-20 is a Friday; Amsterdam is one hour ahead of UTC in winter, two in summer.
        assert_eq!(next("*/5 8-18 * * 1-5", "2026-11-20T17:52:00Z"), "2026-11-20T17:55:00Z");
        assert_eq!(next("*/5 8-18 * * 1-5", "2026-11-20T17:55:00Z"), "2026-11-23T07:00:00Z");
        assert_eq!(next("0 9 * * *", "2026-07-01T00:00:00Z"), "2026-07-01T07:00:00Z");
        assert_eq!(next("0 9 29 2 *", "2026-07-01T00:00:00Z"), "2028-02-29T08:00:00Z");
    }

    #[test]
    fn a_fixed_time_runs_once_where_clocks_change_and_a_repeated_one_follows_the_elapsed_time() {
        // 2026-03-29: 02:00 becomes 03:00. 2026-10-25: 03:00 becomes 02:00.
        assert_eq!(next("30 2 * * *", "2026-03-28T23:00:00Z"), "2026-03-29T01:00:00Z");
        assert_eq!(next("30 2 * * *", "2026-03-29T01:00:00Z"), "2026-03-30T00:30:00Z");
        assert_eq!(next("30 2 * * *", "2026-10-24T22:00:00Z"), "2026-10-25T00:30:00Z");
        assert_eq!(next("30 2 * * *", "2026-10-25T00:30:00Z"), "2026-10-26T01:30:00Z");
        let mut times = vec!["2026-10-25T00:00:00Z".to_owned()];
        for _ in 0..8 {
            times.push(next("*/30 * * * *", times.last().unwrap()));
        }
        assert_eq!(
            times.last().unwrap(),
            "2026-10-25T04:00:00Z",
            "each half hour, also in the hour that comes twice"
        );
        assert_eq!(next("*/30 * * * *", "2026-03-29T00:30:00Z"), "2026-03-29T01:00:00Z");
    }

    #[test]
    fn what_is_no_schedule_is_said_clearly() {
        for wrong in ["", "* * * *", "* * * * * *", "61 * * * *", "a b c d e", "0 25 * * *", "*/0 * * * *"] {
            let error = Cron::new(wrong, Some("UTC")).unwrap_err();
            assert!(matches!(error, ScheduleError::Expression { .. }), "{wrong}: {error}");
            assert!(error.to_string().contains("five fields"), "{error}");
        }
        assert!(matches!(Cron::new("0 0 30 2 *", Some("UTC")), Err(ScheduleError::Never { .. })));
        let error = Cron::new("0 0 * * *", Some("Europe/Amsterdm")).unwrap_err().to_string();
        assert!(error.contains("'Europe/Amsterdm'"), "{error}");
        assert_eq!(
            Cron::new(" 0  9 * * * ", Some("europe/amsterdam")).unwrap().to_string(),
            "0 9 * * * (Europe/Amsterdam)"
        );
    }

    #[test]
    fn what_was_missed_is_due_once_and_a_clock_that_went_back_holds_nothing_up() {
        let (last, now) = (moment("2026-11-20T08:00:00Z"), moment("2026-11-22T12:00:00Z"));
        let daily = Schedule::Cron(Cron::new("0 9 * * *", Some("Europe/Amsterdam")).unwrap());
        assert!(daily.due(Some(last), now).unwrap().unwrap() < now);
        assert_eq!(daily.due(None, now).unwrap().unwrap(), moment("2026-11-23T08:00:00Z"), "not at once");
        assert_eq!(
            daily.due(Some(moment("2027-05-01T00:00:00Z")), now).unwrap().unwrap(),
            moment("2026-11-23T08:00:00Z")
        );
        let each = Schedule::Every(60);
        assert_eq!(each.due(None, now).unwrap().unwrap(), now);
        assert_eq!(
            each.due(Some(moment("2027-05-01T00:00:00Z")), now).unwrap().unwrap(),
            moment("2026-11-22T12:01:00Z")
        );
    }
}
