//! Ledger
use std::collections::HashMap;

use jiff::Timestamp;
use wissel_model::{
    AccountId, FolderId, JobId, LedgerEntry, LedgerState, MessageId, MessageKey, MessageSummary,
};

use crate::{Lease, Result, Store};

/// What is known of a message once the sink has acknowledged it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The message.
    pub key: MessageKey,
    /// The canonical digest.
    pub digest: String,
    /// Octets of the message as delivered.
    pub size: u32,
    /// The Message-ID header; none keeps what the listing said.
    pub internet_message_id: Option<String>,
    /// The subject; none keeps what the listing said.
    pub subject: Option<String>,
}

/// The state that a delivery leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliverTo {
    /// The mailbox is still to be changed.
    Delivered,
    /// Nothing is left to do: the message stays as it is.
    Done,
}

/// What of the ledger is asked for. `Default` asks for nothing: set a limit.
#[derive(Debug, Clone, Default)]
pub struct LedgerQuery {
    /// Only this job.
    pub job: Option<JobId>,
    /// Only this state.
    pub state: Option<LedgerState>,
    /// Only rows with this text in subject, Message-ID, digest or key, without regard to (ASCII) case.
    pub text: Option<String>,
    /// At most so many rows.
    pub limit: u32,
    /// Go on after this row of the page before.
    pub after: Option<MessageKey>,
}

/// Where a message was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The account.
    pub account: AccountId,
    /// The folder there.
    pub folder: FolderId,
    /// Its id there.
    pub message: MessageId,
}

/// One row of the ledger with all its locations, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// What the sink knows it by.
    pub key: MessageKey,
    /// The job.
    pub job: JobId,
    /// How far it has come.
    pub state: LedgerState,
    /// The Message-ID header.
    pub internet_message_id: Option<String>,
    /// When the service received it.
    pub received: Option<Timestamp>,
    /// The canonical digest.
    pub digest: Option<String>,
    /// The subject.
    pub subject: Option<String>,
    /// Octets as delivered.
    pub size: Option<u32>,
    /// When this state was reached.
    pub since: Timestamp,
    /// Why it failed last.
    pub reason: Option<String>,
    /// The account it was found in first.
    pub origin: AccountId,
    /// Where it was seen, oldest first.
    pub locations: Vec<Location>,
}

impl Store {
    /// Which of these messages of a folder are in the ledger.
    pub async fn known(
        &self,
        job: JobId,
        account: AccountId,
        folder: &FolderId,
        ids: &[MessageId],
    ) -> Result<HashMap<MessageId, (MessageKey, LedgerState)>> {
        todo!()
    }
    /// What is reserved or delivered and not done.
    pub async fn unfinished(&self, job: JobId, account: AccountId) -> Result<Vec<LedgerEntry>> {
        todo!()
    }
    /// Gives each message a key, in the same order; a message that is known keeps its key and state.
    pub async fn reserve(
        &self,
        lease: &Lease,
        account: AccountId,
        folder: &FolderId,
        messages: &[MessageSummary],
    ) -> Result<Vec<MessageKey>> {
        todo!()
    }
    /// The sink has acknowledged these.
    pub async fn deliver(&self, lease: &Lease, messages: &[Delivered], to: DeliverTo) -> Result<()> {
        todo!()
    }
    /// The mailbox was changed for these.
    pub async fn finish(&self, lease: &Lease, messages: &[MessageKey]) -> Result<()> {
        todo!()
    }
    /// These vanished before they were delivered.
    pub async fn forget(&self, lease: &Lease, messages: &[MessageKey]) -> Result<()> {
        todo!()
    }
    /// Counts these as done without delivery; known ones are skipped. Returns how many were new.
    pub async fn baseline(
        &self,
        lease: &Lease,
        account: AccountId,
        folder: &FolderId,
        messages: &[MessageSummary],
    ) -> Result<u64> {
        todo!()
    }
    /// Rows for people, newest first.
    pub async fn ledger(&self, query: &LedgerQuery) -> Result<Vec<LedgerRow>> {
        todo!()
    }
    /// Where the changes of a folder go on.
    pub async fn cursor(&self, job: JobId, account: AccountId, folder: &FolderId) -> Result<Option<String>> {
        todo!()
    }
    /// Remembers where the changes of a folder go on.
    pub async fn save_cursor(
        &self,
        lease: &Lease,
        account: AccountId,
        folder: &FolderId,
        cursor: &str,
    ) -> Result<()> {
        todo!()
    }
}
