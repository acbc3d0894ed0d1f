//! The audit trail: who did what to accounts, jobs and messages. Only ever added to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::error::Failure;
use crate::rows::{json, moment, read_json, read_moment};
use crate::{Result, Store};

/// Something that a person or the service did.
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
    ///
    /// # Errors
    /// The database failed.
    pub async fn audit(&self, record: &AuditRecord) -> Result<()> {
        let record = record.clone();
        self.write(move |tx| Box::pin(async move { insert(tx, &record).await })).await
    }

    /// The latest records, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn audit_trail(&self, limit: u32) -> Result<Vec<AuditRecord>> {
        let rows: Vec<(String, String, String, String, String)> =
            sqlx::query_as("SELECT at, actor, action, subject, detail FROM audit ORDER BY id DESC LIMIT ?")
                .bind(limit)
                .fetch_all(self.readers())
                .await
                .map_err(|e| self.failed(e))?;
        rows.into_iter()
            .map(|(at, actor, action, subject, detail)| {
                let (at, detail) = (read_moment(&at)?, read_json("an audit record", &detail)?);
                Ok(AuditRecord { at, actor, action, subject, detail })
            })
            .collect()
    }
}

/// Adds several records inside a write.
pub(crate) async fn insert_all(
    tx: &mut SqliteConnection,
    records: &[AuditRecord],
) -> std::result::Result<(), Failure> {
    for record in records {
        insert(&mut *tx, record).await?;
    }
    Ok(())
}

/// Adds a record inside a write, so that the deed and its record are committed together.
pub(crate) async fn insert(
    tx: &mut SqliteConnection,
    record: &AuditRecord,
) -> std::result::Result<(), Failure> {
    sqlx::query("INSERT INTO audit (id, at, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(Uuid::now_v7().to_string())
        .bind(moment(record.at))
        .bind(&record.actor)
        .bind(&record.action)
        .bind(&record.subject)
        .bind(json("an audit record", &record.detail)?)
        .execute(tx)
        .await?;
    Ok(())
}
