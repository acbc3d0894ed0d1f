//! Messages as a listing shows them, and what became of one in a batch.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ConnectorError, MessageId};

/// One row of a folder's listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSummary {
    /// The connector's name for it.
    pub id: MessageId,
    /// The Message-ID header (RFC 5322, section 3.6.4), with its angle brackets.
    pub internet_message_id: Option<String>,
    /// The subject, decoded.
    pub subject: Option<String>,
    /// The From header, decoded.
    pub sender: Option<String>,
    /// When the service received it.
    pub received: Option<Timestamp>,
    /// Octets as the service counts; need not be the size of the MIME form.
    pub size: Option<u32>,
    /// Whether it is marked as read.
    pub read: Option<bool>,
}

/// Which page of a listing is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// How many are wanted; fewer or more may come.
    pub size: u32,
    /// Where to go on; absent for the first page.
    pub after: Option<String>,
    /// Only unread messages.
    pub unread_only: bool,
    /// Only messages received at or after this moment; more may come, never less.
    pub received_since: Option<Timestamp>,
}

/// A page of a listing, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessagePage {
    /// The messages.
    pub messages: Vec<MessageSummary>,
    /// Where the next page begins; absent on the last one.
    pub next: Option<String>,
}

/// What happened in a folder since a cursor. A hint where to look: only a listing is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSet {
    /// New or changed.
    pub changed: Vec<MessageId>,
    /// Gone from the folder.
    pub removed: Vec<MessageId>,
    /// Where to go on.
    pub next: String,
    /// Call again with `next`.
    pub more: bool,
    /// The cursor was too old: list the folder again.
    pub list_again: bool,
}

/// The result for one message of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which message.
    pub message: MessageId,
    /// Its id after a move, when it changed and is known.
    pub new_id: Option<MessageId>,
    /// Absent when it was done.
    pub failure: Option<ConnectorError>,
}
