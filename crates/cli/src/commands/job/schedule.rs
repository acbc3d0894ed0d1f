//! When the service runs a job, as options.

use clap::Args;
use wissel_model::{Cron, Schedule};

use crate::problem::Problem;
use crate::spans;

/// An interval, or a cron expression.
#[derive(Debug, Args)]
#[command(next_help_heading = "Schedule")]
pub(crate) struct ScheduleOptions {
    /// How often the service runs the job, such as 5m
    #[arg(long, value_name = "SPAN", value_parser = spans::seconds, conflicts_with = "schedule")]
    every: Option<u32>,
    /// When the service runs the job, as a cron expression: minute, hour, day of the month, month, day of the week; such
    /// as '*/5 8-18 * * 1-5'; or @hourly, @daily, @weekly, @monthly, @yearly
    #[arg(long, value_name = "CRON")]
    schedule: Option<String>,
    /// The time zone of --schedule, such as Europe/Amsterdam [default: that of the system]
    #[arg(long, value_name = "ZONE", conflicts_with = "every")]
    time_zone: Option<String>,
}

impl ScheduleOptions {
    /// The schedule that is given, if one is. A time zone alone moves the expression that the job has.
    pub(crate) fn schedule(&self, before: Option<&Schedule>) -> Result<Option<Schedule>, Problem> {
        if let Some(seconds) = self.every {
            return Ok(Some(Schedule::Every(seconds)));
        }
        let kept = if let Some(Schedule::Cron(cron)) = before { Some(cron) } else { None };
        let cron = match (&self.schedule, &self.time_zone, kept) {
            (None, None, _) => return Ok(None),
            (Some(cron), None, Some(kept)) => Cron::new(cron, Some(kept.time_zone())),
            (Some(cron), zone, _) => Cron::new(cron, zone.as_deref()),
            (None, Some(zone), Some(kept)) => Cron::new(kept.expression(), Some(zone)),
            (None, Some(_), None) => {
                return Err(Problem::usage(
                    "a time zone needs a cron expression",
                    "Give one with --schedule, such as --schedule '0 7 * * *'.",
                ));
            }
        };
        let cron = cron.map_err(|error| Problem::usage(error.to_string(), "Correct it and try again."))?;
        Ok(Some(Schedule::Cron(cron)))
    }
}
