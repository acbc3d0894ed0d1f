//! Audit
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Result, Store};

/// Something that a person or the service did to accounts, jobs or messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What, such as `job.switch`.
    pub action: String,
    /// To what, such as the job's name.
    pub subject: String,
    /// What is worth keeping about it; never a secret.
    pub detail: serde_json::Value,
}

impl Store {
    /// Adds a record.
    pub async fn audit(&self, record: &AuditRecord) -> Result<()> {
        todo!()
    }
    /// The latest records, newest first.
    pub async fn audit_trail(&self, limit: u32) -> Result<Vec<AuditRecord>> {
        todo!()
    }
}
