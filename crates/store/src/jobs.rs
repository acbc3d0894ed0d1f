//! Jobs
use wissel_model::{AccountId, ImportJob, JobId, Pin};

use crate::{Result, Store};

/// Which of the two folders of a job's account is pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinKind {
    /// The import folder.
    Import,
    /// The processed folder.
    Processed,
}

impl Store {
    /// All jobs, by name.
    pub async fn jobs(&self) -> Result<Vec<ImportJob>> {
        todo!()
    }
    /// The job of this name, without regard to case.
    pub async fn job_named(&self, name: &str) -> Result<ImportJob> {
        todo!()
    }
    /// The job of this id.
    pub async fn job(&self, id: JobId) -> Result<ImportJob> {
        todo!()
    }
    /// Adds a job; it is stored with revision 1, which is returned.
    pub async fn add_job(&self, job: &ImportJob) -> Result<i64> {
        todo!()
    }
    /// Changes a job if it still has `job.revision`; returns its new revision.
    pub async fn update_job(&self, job: &ImportJob) -> Result<i64> {
        todo!()
    }
    /// Removes a job with its ledger, cursors and runs; refused while somebody runs it.
    pub async fn remove_job(&self, id: JobId) -> Result<()> {
        todo!()
    }
    /// Remembers where a folder of the job was found. Does not raise the revision.
    pub async fn pin_folder(&self, job: JobId, account: AccountId, kind: PinKind, pin: &Pin) -> Result<()> {
        todo!()
    }
}
