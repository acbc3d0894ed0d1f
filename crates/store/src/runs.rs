//! Runs
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use wissel_model::JobId;

use crate::{Result, Store};

/// A run of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(uuid::Uuid);

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
    pub async fn start_run(&self, job: JobId) -> Result<RunId> {
        todo!()
    }
    /// Records how a run ended, and the job's health with it.
    pub async fn finish_run(&self, run: RunId, report: &RunReport) -> Result<()> {
        todo!()
    }
    /// How the job fares.
    pub async fn health(&self, job: JobId) -> Result<JobHealth> {
        todo!()
    }
    /// The latest runs of the job, newest first.
    pub async fn runs(&self, job: JobId, limit: u32) -> Result<Vec<Run>> {
        todo!()
    }
}
