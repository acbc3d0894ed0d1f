//! Quarantine
use std::path::PathBuf;

use jiff::Timestamp;
use wissel_model::{AccountId, FolderId, JobId, MessageId, MessageKey};

use crate::{Lease, Result, Store};

/// A message to be set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineItem {
    /// The message; it must be reserved.
    pub key: MessageKey,
    /// The account it was found in.
    pub account: AccountId,
    /// Its folder.
    pub folder: FolderId,
    /// Its id.
    pub message: MessageId,
    /// Why, for the operator.
    pub reason: String,
    /// The service's code.
    pub code: Option<String>,
    /// The file with its raw bytes, as far as they could be read.
    pub file: Option<PathBuf>,
    /// Octets in that file.
    pub size: Option<u64>,
}

/// A message in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// The job.
    pub job: JobId,
    /// When it was set aside.
    pub since: Timestamp,
    /// The message and why.
    pub item: QuarantineItem,
}

impl Store {
    /// Sets a message aside.
    pub async fn quarantine(&self, lease: &Lease, item: &QuarantineItem) -> Result<()> {
        todo!()
    }
    /// What is in quarantine, of one job or of all, oldest first.
    pub async fn quarantined(&self, job: Option<JobId>) -> Result<Vec<Quarantined>> {
        todo!()
    }
    /// Lets the next run try the message again; returns what was known about it, so that its file can be removed.
    pub async fn release_from_quarantine(&self, key: MessageKey) -> Result<Quarantined> {
        todo!()
    }
}
