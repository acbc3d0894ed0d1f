//! The ledger: what became of each message of a job. It outlives accounts and protocols.
//!
//! A message goes `Reserved -> Delivered -> Done`; each arrow is one committed transaction, and each step before an
//! arrow can be repeated.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{FolderId, MessageId, MessageKey};

/// How far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LedgerState {
    /// A key is given; the sink may or may not hold the message.
    Reserved,
    /// The sink has acknowledged it; the mailbox is not changed yet.
    Delivered,
    /// Delivered, and moved, marked or deleted as the job says.
    Done,
    /// Counted as done before this job's first run; never delivered.
    Baseline,
    /// Set aside as poison; its bytes, as far as they could be read, are in quarantine.
    Quarantined,
    /// Fetched, and not taken by the job's filter; left as it is in the mailbox. Another filter looks at it again.
    Filtered,
}

impl LedgerState {
    /// The name of the state, as stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Delivered => "delivered",
            Self::Done => "done",
            Self::Baseline => "baseline",
            Self::Quarantined => "quarantined",
            Self::Filtered => "filtered",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Reserved, Self::Delivered, Self::Done, Self::Baseline, Self::Quarantined, Self::Filtered]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// One message of a job, with what a later change of account or protocol needs to recognise it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// What the sink knows it by.
    pub key: MessageKey,
    /// How far it has come.
    pub state: LedgerState,
    /// The folder it was found in, in the account the entry was asked for.
    pub folder: FolderId,
    /// Its id in that account.
    pub message: MessageId,
    /// The Message-ID header, with its angle brackets.
    pub internet_message_id: Option<String>,
    /// When the service received it.
    pub received: Option<Timestamp>,
    /// The canonical digest, known once it was delivered.
    pub digest: Option<String>,
    /// The subject, for people.
    pub subject: Option<String>,
    /// Octets of the message as delivered.
    pub size: Option<u32>,
    /// When this state was reached.
    pub since: Timestamp,
    /// Why it failed last, when it did.
    pub reason: Option<String>,
}
