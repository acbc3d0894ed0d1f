//! The write lease of a job: one worker at a time, and a worker that was overtaken cannot commit any more.
//!
//! The epoch does the fencing: it rises with each acquisition, and each write of a job is committed only while its
//! epoch is the current one. Time decides only when a lease may be *taken over*; a worker whose time is up but whom
//! nobody overtook goes on undisturbed, so a paused machine loses no work. Moments come from this machine's clock.

use std::time::Duration;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;
use wissel_model::{JobId, clock};

use crate::error::Failure;
use crate::jobs::job_name;
use crate::rows::{moment, read_moment};
use crate::{Result, Store, StoreError};

/// The right to write for a job. Release it when the work is done; a worker that dies keeps others out until its time
/// is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// Raised by each acquisition.
    pub epoch: i64,
    /// Who holds it, for people.
    pub holder: String,
}

impl Store {
    /// Takes the lease on a job for `ttl`, when it is free, released or out of time.
    ///
    /// # Errors
    /// [`StoreError::LeaseHeld`] says by whom and until when; [`StoreError::JobNotFound`].
    pub async fn acquire_lease(&self, job: JobId, holder: &str, ttl: Duration) -> Result<Lease> {
        self.take_lease(job, holder, ttl, None).await
    }

    /// Takes the lease from a holder that is known to be dead, before its time is up. Its writes fail from then on.
    ///
    /// # Errors
    /// As [`acquire_lease`](Self::acquire_lease), when somebody else holds it by now.
    pub async fn take_over_lease(
        &self,
        job: JobId,
        dead: &str,
        holder: &str,
        ttl: Duration,
    ) -> Result<Lease> {
        self.take_lease(job, holder, ttl, Some(dead.to_owned())).await
    }

    async fn take_lease(
        &self,
        job: JobId,
        holder: &str,
        ttl: Duration,
        dead: Option<String>,
    ) -> Result<Lease> {
        let holder = holder.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                let name = job_name(tx, job).await?;
                let row: Option<(i64, String, String, bool)> =
                    sqlx::query_as("SELECT epoch, holder, expires, released FROM job_lease WHERE job = ?")
                        .bind(job.to_string())
                        .fetch_optional(&mut *tx)
                        .await?;
                let now = clock::now();
                let epoch = match row {
                    Some((epoch, other, expires, released)) => {
                        let until = read_moment(&expires)?;
                        if !released && until > now && dead.as_ref() != Some(&other) {
                            return Err(StoreError::LeaseHeld { job: name, holder: other, until }.into());
                        }
                        epoch + 1
                    }
                    None => 1,
                };
                sqlx::query(
                    "INSERT INTO job_lease (job, epoch, holder, expires, released) VALUES (?, ?, ?, ?, FALSE) \
                     ON CONFLICT (job) DO UPDATE SET epoch = excluded.epoch, holder = excluded.holder, \
                     expires = excluded.expires, released = FALSE",
                )
                .bind(job.to_string())
                .bind(epoch)
                .bind(&holder)
                .bind(expiry(now, ttl))
                .execute(tx)
                .await?;
                Ok(Lease { job, epoch, holder })
            })
        })
        .await
    }

    /// Prolongs the lease to `ttl` from now.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub async fn renew_lease(&self, lease: &Lease, ttl: Duration) -> Result<()> {
        let job = lease.job.to_string();
        self.fenced(lease, move |tx| {
            Box::pin(async move {
                sqlx::query("UPDATE job_lease SET expires = ? WHERE job = ?")
                    .bind(expiry(clock::now(), ttl))
                    .bind(job)
                    .execute(tx)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Gives the lease back, so that the next worker need not wait.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], also when it was released before.
    pub async fn release_lease(&self, lease: &Lease) -> Result<()> {
        let job = lease.job.to_string();
        self.fenced(lease, move |tx| {
            Box::pin(async move {
                sqlx::query("UPDATE job_lease SET released = TRUE WHERE job = ?")
                    .bind(job)
                    .execute(tx)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// A write that commits only while the lease is the current one.
    pub(crate) async fn fenced<T, F>(&self, lease: &Lease, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, std::result::Result<T, Failure>>
            + Send
            + 'static,
    {
        let (job, epoch) = (lease.job, lease.epoch);
        self.write(move |tx| {
            Box::pin(async move {
                let current: Option<i64> = sqlx::query_scalar(
                    "SELECT 1 FROM job_lease WHERE job = ? AND epoch = ? AND NOT released",
                )
                .bind(job.to_string())
                .bind(epoch)
                .fetch_optional(&mut *tx)
                .await?;
                if current.is_none() {
                    return Err(StoreError::LeaseLost { job }.into());
                }
                work(tx).await
            })
        })
        .await
    }
}

fn expiry(now: Timestamp, ttl: Duration) -> String {
    let ttl = SignedDuration::try_from(ttl).unwrap_or(SignedDuration::MAX);
    moment(now.saturating_add(ttl).unwrap_or(Timestamp::MAX))
}
