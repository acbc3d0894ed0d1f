//! Runs of jobs, and what they say about a job's health.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use uuid::Uuid;
use wissel_model::JobId;

use crate::rows::{now, read_id, read_moment, read_optional_moment, unreadable};
use crate::{Result, Store};

/// Finished runs that are kept for each job: a job that runs each minute must not fill the disk with reports.
const KEPT: i64 = 1000;

/// Deaths that are counted at most.
const DEATHS: u32 = 5;

/// A run of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(Uuid);

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunOutcome {
    /// Everything that could be done was done.
    Succeeded,
    /// It ended in an error.
    Failed,
    /// A person or the system asked it to stop; says nothing about the job's health.
    Stopped,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunReport {
    /// How it ended.
    pub outcome: RunOutcome,
    /// Messages delivered.
    pub imported: u64,
    /// Messages that were known already.
    pub skipped: u64,
    /// Messages set aside.
    pub quarantined: u64,
    /// Messages that failed and will be tried again.
    pub failed: u64,
    /// Why it failed.
    pub error: Option<String>,
}

/// A run that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; none while it is under way, or when its process died.
    pub finished: Option<Timestamp>,
    /// What it did; present once it ended.
    pub report: Option<RunReport>,
}

/// How a job fares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct JobHealth {
    /// When a run succeeded last.
    pub last_success: Option<Timestamp>,
    /// Since when every run failed; none while all is well.
    pub failing_since: Option<Timestamp>,
    /// Why the last run failed.
    pub reason: Option<String>,
}

impl Store {
    /// Records that a run begins.
    ///
    /// # Errors
    /// The database failed, or the job is gone.
    pub async fn start_run(&self, job: JobId) -> Result<RunId> {
        let id = RunId(Uuid::now_v7());
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("INSERT INTO run (id, job, started) VALUES (?, ?, ?)")
                    .bind(id.0.to_string())
                    .bind(job.to_string())
                    .bind(now())
                    .execute(&mut *tx)
                    .await?;
                sqlx::query(
                    "DELETE FROM run WHERE job = ? AND id <= \
                     (SELECT id FROM run WHERE job = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
                )
                .bind(job.to_string())
                .bind(job.to_string())
                .bind(KEPT)
                .execute(tx)
                .await?;
                Ok(id)
            })
        })
        .await
    }

    /// How many runs in a row died before the one that is under way: began, and never came to an end.
    ///
    /// # Errors
    /// The database failed.
    pub async fn deaths_before(&self, job: JobId) -> Result<usize> {
        let runs = self.runs(job, DEATHS + 1).await?;
        Ok(runs.iter().skip(1).take_while(|run| run.finished.is_none()).count())
    }

    /// Records how a run ended, and the job's health with it. A run that was stopped leaves the health as it was.
    ///
    /// # Errors
    /// The database failed.
    pub async fn finish_run(&self, run: RunId, report: &RunReport) -> Result<()> {
        let report = report.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let at = now();
                let job: Option<String> = sqlx::query_scalar(
                    "UPDATE run SET finished = ?, outcome = ?, imported = ?, skipped = ?, quarantined = ?, \
                     failed = ?, error = ? WHERE id = ? RETURNING job",
                )
                .bind(&at)
                .bind(report.outcome.as_str())
                .bind(count(report.imported)?)
                .bind(count(report.skipped)?)
                .bind(count(report.quarantined)?)
                .bind(count(report.failed)?)
                .bind(&report.error)
                .bind(run.0.to_string())
                .fetch_optional(&mut *tx)
                .await?;
                // The job was removed meanwhile, and its runs with it: nothing is left to record.
                let Some(job) = job else { return Ok(()) };
                let statement = match report.outcome {
                    RunOutcome::Stopped => return Ok(()),
                    RunOutcome::Succeeded => {
                        "INSERT INTO job_health (job, last_success) VALUES (?, ?) ON CONFLICT (job) DO UPDATE \
                         SET last_success = excluded.last_success, failing_since = NULL, reason = NULL"
                    }
                    RunOutcome::Failed => {
                        "INSERT INTO job_health (job, failing_since, reason) VALUES (?, ?, ?) \
                         ON CONFLICT (job) DO UPDATE SET reason = excluded.reason, \
                         failing_since = coalesce(job_health.failing_since, excluded.failing_since)"
                    }
                };
                let mut query = sqlx::query(statement).bind(job).bind(at);
                if report.outcome == RunOutcome::Failed {
                    query = query.bind(report.error);
                }
                query.execute(tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// How the job fares.
    ///
    /// # Errors
    /// The database failed.
    pub async fn health(&self, job: JobId) -> Result<JobHealth> {
        let row: Option<(Option<String>, Option<String>, Option<String>)> =
            sqlx::query_as("SELECT last_success, failing_since, reason FROM job_health WHERE job = ?")
                .bind(job.to_string())
                .fetch_optional(self.readers())
                .await
                .map_err(|e| self.failed(e))?;
        let (last_success, failing_since, reason) = row.unwrap_or_default();
        Ok(JobHealth {
            last_success: read_optional_moment(last_success.as_deref())?,
            failing_since: read_optional_moment(failing_since.as_deref())?,
            reason,
        })
    }

    /// The latest runs of the job, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn runs(&self, job: JobId, limit: u32) -> Result<Vec<Run>> {
        let rows: Vec<RunRow> = sqlx::query_as("SELECT * FROM run WHERE job = ? ORDER BY id DESC LIMIT ?")
            .bind(job.to_string())
            .bind(limit)
            .fetch_all(self.readers())
            .await
            .map_err(|e| self.failed(e))?;
        rows.into_iter().map(RunRow::read).collect()
    }

    /// When each job was run last; jobs that never ran are left out.
    ///
    /// # Errors
    /// The database failed.
    pub async fn last_starts(&self) -> Result<Vec<(JobId, Timestamp)>> {
        let rows: Vec<(String, Option<String>)> = sqlx::query_as(
            "SELECT id, (SELECT started FROM run WHERE run.job = job.id ORDER BY run.id DESC LIMIT 1) FROM job",
        )
        .fetch_all(self.readers())
        .await
        .map_err(|e| self.failed(e))?;
        let ran = rows.into_iter().filter_map(|(job, started)| Some((job, started?)));
        ran.map(|(job, started)| Ok((read_id("a job id", &job, JobId::parse)?, read_moment(&started)?)))
            .collect()
    }
}

impl RunOutcome {
    /// The name of the outcome, as stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        [Self::Succeeded, Self::Failed, Self::Stopped]
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
            .ok_or_else(|| unreadable("a run's outcome", text))
    }
}

fn count(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|e| unreadable("a count", e))
}

#[derive(FromRow)]
struct RunRow {
    id: String,
    started: String,
    finished: Option<String>,
    outcome: Option<String>,
    imported: i64,
    skipped: i64,
    quarantined: i64,
    failed: i64,
    error: Option<String>,
}

impl RunRow {
    fn read(self) -> Result<Run> {
        let number = |n: i64| u64::try_from(n).map_err(|e| unreadable("a count", e));
        let report = match self.outcome.as_deref() {
            None => None,
            Some(outcome) => Some(RunReport {
                outcome: RunOutcome::parse(outcome)?,
                imported: number(self.imported)?,
                skipped: number(self.skipped)?,
                quarantined: number(self.quarantined)?,
                failed: number(self.failed)?,
                error: self.error,
            }),
        };
        Ok(Run {
            id: RunId(read_id("a run id", &self.id, Uuid::parse_str)?),
            started: read_moment(&self.started)?,
            finished: read_optional_moment(self.finished.as_deref())?,
            report,
        })
    }
}
