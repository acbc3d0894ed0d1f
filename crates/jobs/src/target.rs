//! The directory that a job imports into: opened for a run, or looked at for a test.
//!
//! A directory that took messages before must still be there: one that was unmounted or removed is not made again in
//! silence, or mail would leave its mailbox for the wrong disk.

use wissel_model::{ImportJob, LedgerState};
use wissel_sink::{DirectorySink, Readiness};
use wissel_store::{LedgerQuery, Store};

use crate::JobError;

/// Opens the target for writing.
pub(crate) async fn open(store: &Store, job: &ImportJob) -> Result<DirectorySink, JobError> {
    expect_same(store, job).await?;
    DirectorySink::open(&job.target).await.map_err(|source| failed(job, source))
}

/// Says whether the job's target could be used, and changes nothing.
///
/// # Errors
/// [`JobError::Sink`] says why not; or the store failed.
pub async fn probe_target(store: &Store, job: &ImportJob) -> Result<Readiness, JobError> {
    expect_same(store, job).await?;
    DirectorySink::probe(&job.target).await.map_err(|source| failed(job, source))
}

async fn expect_same(store: &Store, job: &ImportJob) -> Result<(), JobError> {
    let imported =
        LedgerQuery { job: Some(job.id), state: Some(LedgerState::Done), limit: 1, ..LedgerQuery::default() };
    if store.ledger(&imported).await?.is_empty() {
        return Ok(());
    }
    DirectorySink::expect_used(&job.target).await.map_err(|source| failed(job, source))
}

fn failed(job: &ImportJob, source: wissel_sink::SinkError) -> JobError {
    JobError::Sink { job: job.name.clone(), source }
}
