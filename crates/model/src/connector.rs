//! The port to mailboxes: what a job may ask of an account, whichever connector is behind it.
//!
//! The traits mirror the contract in `wit/` one to one, in the host's own types. They stand here and not in the host
//! crate, so that jobs are built and tested without the WebAssembly runtime, and so that a sandboxed and a native
//! connector look the same from above.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::message::{ChangeSet, MessagePage, MessageSummary, Outcome, PageRequest};
use crate::{Account, ConnectorError, Description, Folder, FolderAddress, FolderId, MessageId};

/// What every mailbox operation returns.
pub type Result<T> = std::result::Result<T, ConnectorError>;

/// The connectors that are installed, and the way to a session of an account.
#[async_trait]
pub trait Connectors: Send + Sync {
    /// The description of the connector of this name.
    ///
    /// # Errors
    /// `unsupported` when none of that name is installed; the message says which are.
    async fn description(&self, connector: &str) -> Result<Arc<Description>>;

    /// Opens a session of the account. It finishes on the connector's version it began with.
    ///
    /// # Errors
    /// What the connector or the host says; see [`ConnectorError`].
    async fn open(&self, account: &Account, options: OpenOptions) -> Result<Box<dyn Session>>;
}

/// How a session is stopped from outside.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// Ends the running call: host functions answer `cancelled`, and soon after the session is thrown away.
    pub cancel: CancellationToken,
    /// Asks a waiting call to end early and properly; not an error.
    pub interrupt: CancellationToken,
    /// What the session is for, for log lines, such as the job's name.
    pub purpose: String,
}

/// Who a session acts as.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Identity {
    /// The mailbox that is worked on, as an address. Keys the governor: two accounts on one mailbox share it.
    pub mailbox: String,
    /// The signed-in user, when it is another one.
    pub signed_in_as: Option<String>,
    /// The person's or mailbox's name.
    pub display_name: Option<String>,
    /// Operations that the service denies to this identity, as far as it tells.
    pub denied: Vec<String>,
    /// Facts for the operator: label and value.
    pub facts: Vec<(String, String)>,
}

/// A signed-in mailbox: one call at a time. After an error with `session_lost`, open a new one.
#[async_trait]
pub trait Session: Send {
    /// Who am I, which mailbox, which rights. Changes nothing.
    async fn check(&mut self) -> Result<Identity>;
    /// The folders below `under` (the top when absent): all levels when `recursive`, else one.
    async fn folders(&mut self, under: Option<&FolderId>, recursive: bool) -> Result<Vec<Folder>>;
    /// One folder with current counts. `not-found` names the part of the path that is missing.
    async fn find_folder(&mut self, at: &FolderAddress) -> Result<Folder>;
    /// Creates the folder and its missing parents; returns the one that is there already.
    async fn create_folder(&mut self, path: &[String]) -> Result<Folder>;
    /// A page of messages, oldest first.
    async fn list_messages(&mut self, folder: &FolderId, page: &PageRequest) -> Result<MessagePage>;
    /// What changed since the cursor.
    async fn changes(&mut self, folder: &FolderId, since: Option<&str>) -> Result<ChangeSet>;
    /// Delivers the messages into `into`. One bad message is failed there and the others go on; what was ended before
    /// an error stays fetched, and what was neither ended nor failed was not attempted.
    async fn fetch(&mut self, messages: &[MessageId], into: Box<dyn Delivery>) -> Result<()>;
    /// Moves messages. `again`: an earlier attempt may have got half-way; see the contract.
    async fn move_messages(
        &mut self,
        messages: &[MessageId],
        target: &FolderId,
        again: bool,
    ) -> Result<Vec<Outcome>>;
    /// Marks messages as read or unread.
    async fn mark_messages(&mut self, messages: &[MessageId], read: bool) -> Result<Vec<Outcome>>;
    /// Deletes messages.
    async fn delete_messages(&mut self, messages: &[MessageId]) -> Result<Vec<Outcome>>;
    /// Puts a message into a folder without sending it.
    async fn append(
        &mut self,
        folder: &FolderId,
        content: Arc<dyn Source>,
        info: DeliveryInfo,
    ) -> Result<Option<MessageId>>;
    /// Sends a message once.
    async fn send(
        &mut self,
        envelope: &Envelope,
        content: Arc<dyn Source>,
    ) -> std::result::Result<Receipt, SendError>;
    /// Looks for a sent message by its Message-ID.
    async fn find_sent(&mut self, internet_message_id: &str) -> Result<Option<MessageSummary>>;
    /// The same messages in another id format, in the order asked for.
    async fn translate(
        &mut self,
        messages: &[MessageId],
        source_form: &str,
        target_form: &str,
    ) -> Result<Vec<Option<MessageId>>>;
    /// Waits until something may have changed in the folder.
    async fn wait(&mut self, folder: &FolderId, timeout_ms: u32) -> Result<Wake>;
    /// Says goodbye without waiting long.
    async fn close(self: Box<Self>);
}

/// What the service says about a message beside its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryInfo {
    /// Octets, if known beforehand; need not be exact.
    pub size: Option<u32>,
    /// When the service received it.
    pub received: Option<Timestamp>,
    /// Whether it is marked as read.
    pub read: Option<bool>,
}

/// Takes in the messages of one [`Session::fetch`], one after the other. The bytes arrive decoded; the host has
/// checked that the calls come in the contract's order and that only messages asked for are begun. When it is dropped
/// with a message open, the fetch broke off in that message.
#[async_trait]
pub trait Delivery: Send {
    /// Starts a message. May wait for room: that is the back-pressure.
    async fn begin(&mut self, message: &MessageId, info: DeliveryInfo) -> Result<()>;
    /// Adds bytes to the open message.
    async fn write(&mut self, bytes: &[u8]) -> Result<()>;
    /// Completes the open message.
    async fn end(&mut self) -> Result<()>;
    /// Records that one message could not be fetched; bytes of it that were written are discarded.
    async fn fail(&mut self, message: &MessageId, reason: ConnectorError);
}

/// The bytes of an outgoing message, readable any number of times and at any place.
#[async_trait]
pub trait Source: Send + Sync {
    /// Octets in all.
    fn size(&self) -> u32;
    /// At most `max` octets from `offset`; empty at the end.
    async fn read(&self, offset: u32, max: u32) -> Result<Vec<u8>>;
    /// From here on a failure without an answer is *unknown*.
    fn point_of_no_return(&self);
}

/// Who a message is sent from and to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The reverse path, or the mailbox to send from.
    pub sender: String,
    /// Every recipient, blind copies included.
    pub recipients: Vec<String>,
    /// The Message-ID of the message.
    pub internet_message_id: String,
    /// Put a copy into the sent folder, where the service leaves that to the sender.
    pub save_copy: bool,
}

/// One recipient that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Who.
    pub recipient: String,
    /// Why.
    pub reason: ConnectorError,
}

/// The service has taken responsibility for the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The id of the sent message or of the queue entry.
    pub message: Option<MessageId>,
    /// The answer of the service.
    pub answer: String,
    /// Recipients that were refused while others were accepted.
    pub refused: Vec<Refusal>,
    /// The Message-ID it went out with.
    pub internet_message_id: String,
}

/// Whether a message that failed to be sent may have been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// Certainly not accepted: may be sent again.
    NotSent,
    /// May have been accepted: never sent again on its own.
    Unknown,
}

/// Why a message was not (certainly) sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SendError {
    /// Whether it may have been sent.
    pub certainty: Certainty,
    /// Why.
    pub reason: ConnectorError,
    /// When all recipients were refused one by one.
    pub refused: Vec<Refusal>,
}

/// Why [`Session::wait`] returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Something changed: look.
    Changed,
    /// The time is up.
    TimedOut,
    /// The host asked to end.
    Interrupted,
}
