//! Messages that were set aside because they are bad, so that the run goes on without them.
//!
//! The raw bytes lie in a file that the sink wrote; only its path is here.

use std::path::PathBuf;

use jiff::Timestamp;
use sqlx::FromRow;
use wissel_model::{AccountId, FolderId, JobId, LedgerState, MessageId, MessageKey};

use crate::cursors::list_anew;
use crate::ledger::wrong_state;
use crate::rows::{now, read_id, read_moment, unreadable};
use crate::{Lease, Result, Store, StoreError};

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
    /// Sets a message aside. Repeating it renews the reason.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::WrongState`] when the message is not reserved.
    pub async fn quarantine(&self, lease: &Lease, item: &QuarantineItem) -> Result<()> {
        let (job, item) = (lease.job, item.clone());
        self.fenced(lease, move |tx| {
            Box::pin(async move {
                let since = now();
                let done = sqlx::query(
                    "UPDATE ledger SET state = 'quarantined', reason = ?, since = ? \
                     WHERE key = ? AND job = ? AND state IN ('reserved', 'quarantined')",
                )
                .bind(&item.reason)
                .bind(&since)
                .bind(item.key.to_string())
                .bind(job.to_string())
                .execute(&mut *tx)
                .await?;
                if done.rows_affected() == 0 {
                    return Err(wrong_state(tx, job, item.key, LedgerState::Quarantined).await?.into());
                }
                let size = item.size.map(i64::try_from).transpose().map_err(|e| unreadable("a size", e))?;
                sqlx::query(
                    "INSERT INTO quarantine (key, job, account, folder, message, reason, code, file, size, since) \
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET \
                     reason = excluded.reason, code = excluded.code, file = excluded.file, size = excluded.size, \
                     since = excluded.since",
                )
                .bind(item.key.to_string())
                .bind(job.to_string())
                .bind(item.account.to_string())
                .bind(item.folder.as_str())
                .bind(item.message.as_str())
                .bind(&item.reason)
                .bind(&item.code)
                .bind(item.file.map(|f| f.to_string_lossy().into_owned()))
                .bind(size)
                .bind(since)
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// What is in quarantine, of one job or of all, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn quarantined(&self, job: Option<JobId>) -> Result<Vec<Quarantined>> {
        let rows: Vec<QuarantineRow> =
            sqlx::query_as("SELECT * FROM quarantine WHERE ?1 IS NULL OR job = ?1 ORDER BY since, key")
                .bind(job.map(|j| j.to_string()))
                .fetch_all(self.readers())
                .await
                .map_err(|e| self.failed(e))?;
        rows.into_iter().map(QuarantineRow::read).collect()
    }

    /// Lets the next run try the message again: the ledger forgets it. Returns what was known about it, so that its
    /// file can be removed.
    ///
    /// # Errors
    /// [`StoreError::NotQuarantined`].
    pub async fn release_from_quarantine(&self, key: MessageKey) -> Result<Quarantined> {
        self.write(move |tx| {
            Box::pin(async move {
                let row: Option<QuarantineRow> = sqlx::query_as("SELECT * FROM quarantine WHERE key = ?")
                    .bind(key.to_string())
                    .fetch_optional(&mut *tx)
                    .await?;
                let Some(row) = row else { return Err(StoreError::NotQuarantined { key }.into()) };
                sqlx::query("DELETE FROM ledger WHERE key = ?")
                    .bind(key.to_string())
                    .execute(&mut *tx)
                    .await?;
                list_anew(tx, &row.job).await?;
                Ok(row.read()?)
            })
        })
        .await
    }
}

#[derive(FromRow)]
struct QuarantineRow {
    key: String,
    job: String,
    account: String,
    folder: String,
    message: String,
    reason: String,
    code: Option<String>,
    file: Option<String>,
    size: Option<i64>,
    since: String,
}

impl QuarantineRow {
    fn read(self) -> Result<Quarantined> {
        Ok(Quarantined {
            job: read_id("a job id", &self.job, JobId::parse)?,
            since: read_moment(&self.since)?,
            item: QuarantineItem {
                key: read_id("a message key", &self.key, MessageKey::parse)?,
                account: read_id("an account id", &self.account, AccountId::parse)?,
                folder: self.folder.into(),
                message: self.message.into(),
                reason: self.reason,
                code: self.code,
                file: self.file.map(PathBuf::from),
                size: self.size.map(u64::try_from).transpose().map_err(|e| unreadable("a size", e))?,
            },
        })
    }
}
