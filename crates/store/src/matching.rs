//! What an account switch needs: the ledger page by page, and the switch itself as one transaction.
//!
//! Which message of the new account is which entry of the ledger is decided above; here it is only written down.

use jiff::Timestamp;
use wissel_model::{AccountId, FolderId, JobAccount, JobId, LedgerEntry, MessageId, MessageKey};

use crate::audit::{self, AuditRecord};
use crate::jobs::{job_name, put_account, raise_revision};
use crate::ledger::insert_locations;
use crate::rows::{EntryRow, read_entries};
use crate::{Lease, Result, Store, StoreError};

/// A message of the ledger as another account knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The message.
    pub key: MessageKey,
    /// Its folder in the new account.
    pub folder: FolderId,
    /// Its id in the new account.
    pub message: MessageId,
}

/// A switch of one account of a job to another.
#[derive(Debug, Clone)]
pub struct Switch {
    /// The account that the job leaves.
    pub from: AccountId,
    /// The account that takes its position, with its folders.
    pub to: JobAccount,
    /// The revision that the plan was made for.
    pub expected_revision: i64,
    /// Messages of the ledger that were recognised in the new account.
    pub mappings: Vec<Mapping>,
    /// Who does it.
    pub actor: String,
    /// What is worth keeping about it.
    pub detail: serde_json::Value,
}

impl Store {
    /// A page of the ledger entries of a job that have a location in the account, by key; each with the location found
    /// last. The next page begins `after` the last key of this one; an empty page is the end.
    ///
    /// # Errors
    /// The database failed.
    pub async fn entries_for_matching(
        &self,
        job: JobId,
        account: AccountId,
        after: Option<MessageKey>,
        limit: u32,
    ) -> Result<Vec<LedgerEntry>> {
        let rows: Vec<EntryRow> = sqlx::query_as(
            "SELECT g.*, l.folder, l.message FROM ledger g JOIN ledger_location l ON l.key = g.key \
             WHERE l.account = ?1 AND g.key IN ( \
                 SELECT p.key FROM ledger p WHERE p.job = ?2 AND p.key > ?3 AND EXISTS ( \
                     SELECT 1 FROM ledger_location x WHERE x.key = p.key AND x.account = ?1) \
                 ORDER BY p.key LIMIT ?4) \
             ORDER BY g.key, l.found",
        )
        .bind(account.to_string())
        .bind(job.to_string())
        .bind(after.map_or_else(String::new, |key| key.to_string()))
        .bind(limit)
        .fetch_all(self.readers())
        .await
        .map_err(|e| self.failed(e))?;
        read_entries(rows)
    }

    /// Switches one account of a job to another, in one transaction: the reference changes at the same position if
    /// the job still has the expected revision, what was recognised in the new account is written to the ledger, and
    /// the audit trail gets a record `job.switch`. The old account's locations stay, for the way back. Returns the
    /// job's new revision.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], [`StoreError::Conflict`], [`StoreError::AccountNotInJob`],
    /// [`StoreError::AccountTwiceInJob`], [`StoreError::AccountNotFound`]. Nothing is changed then.
    pub async fn switch_account(&self, lease: &Lease, switch: Switch) -> Result<i64> {
        let job = lease.job;
        self.fenced(lease, move |tx| {
            Box::pin(async move {
                let name = job_name(tx, job).await?;
                let revision = raise_revision(tx, job, switch.expected_revision).await?;
                let position: Option<i64> = sqlx::query_scalar(
                    "DELETE FROM job_account WHERE job = ? AND account = ? RETURNING position",
                )
                .bind(job.to_string())
                .bind(switch.from.to_string())
                .fetch_optional(&mut *tx)
                .await?;
                let Some(position) = position else {
                    return Err(StoreError::AccountNotInJob { job: name, account: switch.from }.into());
                };
                put_account(tx, job, position, &switch.to).await?;
                let locations: Vec<_> =
                    switch.mappings.iter().map(|m| (m.key, &m.folder, &m.message)).collect();
                insert_locations(tx, job, switch.to.account, &locations).await?;
                let record = AuditRecord {
                    at: Timestamp::now(),
                    actor: switch.actor,
                    action: "job.switch".to_owned(),
                    subject: name,
                    detail: switch.detail,
                };
                audit::insert(tx, &record).await?;
                Ok(revision)
            })
        })
        .await
    }
}
