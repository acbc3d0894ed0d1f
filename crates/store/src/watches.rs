//! How the waiting for changes fares, for people who ask: one row for each account of a job that is watched.
//!
//! The service that watches writes here; nothing is decided by it.

use jiff::Timestamp;
use sqlx::FromRow;
use wissel_model::{AccountId, JobId};

use crate::rows::{now, read_id, read_moment};
use crate::{Result, Store};

/// How the waiting on one account of a job fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchState {
    /// Which account.
    pub account: AccountId,
    /// Since when it is so.
    pub since: Timestamp,
    /// Why nothing is watched; none while it is.
    pub problem: Option<String>,
}

impl Store {
    /// Records how the waiting on an account of a job fares from now on. A job that is gone meanwhile is no error.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_watch(&self, job: JobId, account: AccountId, problem: Option<&str>) -> Result<()> {
        let problem = problem.map(str::to_owned);
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO job_watch (job, account, since, problem) \
                     SELECT job, account, ?, ? FROM job_account WHERE job = ? AND account = ? \
                     ON CONFLICT (job, account) DO UPDATE SET since = excluded.since, problem = excluded.problem",
                )
                .bind(now())
                .bind(problem)
                .bind(job.to_string())
                .bind(account.to_string())
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Forgets the waiting on an account of a job, or all waiting.
    ///
    /// # Errors
    /// The database failed.
    pub async fn clear_watches(&self, of: Option<(JobId, AccountId)>) -> Result<()> {
        let job = of.map(|(job, _)| job.to_string());
        let account = of.map(|(_, account)| account.to_string());
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("DELETE FROM job_watch WHERE ?1 IS NULL OR (job = ?1 AND account = ?2)")
                    .bind(job)
                    .bind(account)
                    .execute(tx)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// How the waiting of a job fares, account by account.
    ///
    /// # Errors
    /// The database failed.
    pub async fn watches(&self, job: JobId) -> Result<Vec<WatchState>> {
        let rows: Vec<WatchRow> =
            sqlx::query_as("SELECT account, since, problem FROM job_watch WHERE job = ? ORDER BY account")
                .bind(job.to_string())
                .fetch_all(self.readers())
                .await
                .map_err(|e| self.failed(e))?;
        rows.into_iter()
            .map(|row| {
                Ok(WatchState {
                    account: read_id("an account id", &row.account, AccountId::parse)?,
                    since: read_moment(&row.since)?,
                    problem: row.problem,
                })
            })
            .collect()
    }
}

#[derive(FromRow)]
struct WatchRow {
    account: String,
    since: String,
    problem: Option<String>,
}
