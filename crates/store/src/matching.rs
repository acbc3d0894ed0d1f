//! Switch
use wissel_model::{AccountId, FolderId, JobAccount, JobId, LedgerEntry, MessageId, MessageKey};

use crate::{Lease, Result, Store};

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
    /// A page of the ledger entries of a job that have a location in the account, by key.
    pub async fn entries_for_matching(
        &self,
        job: JobId,
        account: AccountId,
        after: Option<MessageKey>,
        limit: u32,
    ) -> Result<Vec<LedgerEntry>> {
        todo!()
    }
    /// Switches the account in one transaction; returns the job's new revision.
    pub async fn switch_account(&self, lease: &Lease, switch: Switch) -> Result<i64> {
        todo!()
    }
}
