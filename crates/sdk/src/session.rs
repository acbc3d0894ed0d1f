//! What a connector author implements: [`Connector`] and [`Session`].
//!
//! Every operation of a session has a default that answers `unsupported`, so a connector writes only what its
//! description declares. One operation runs at a time, on plain blocking code.

use crate::types::{
    ChangeSet, DeliveryInfo, Envelope, Folder, FolderAddress, Identity, Message, MessagePage, Outcome,
    PageRequest, Receipt, SendError, Wake,
};
use crate::{Delivery, Error, Host, Result, Settings, Source};

/// A connector: what it says about itself, and the kind of session it opens.
pub trait Connector: 'static {
    /// Its sessions.
    type Session: Session;

    /// The description: a JSON document after `wit/description.schema.json`. Pure: always the same text, and no host
    /// function is called.
    fn describe() -> String;

    /// Opens a session with the settings of the account. Signs in, or does so at the first operation.
    ///
    /// # Errors
    /// What keeps the session from being used, such as `authorization-needed` or `invalid-setting`.
    fn open(host: Host, settings: Settings) -> Result<Self::Session>;
}

/// A signed-in mailbox. The meaning of each operation is in the contract, `wit/email-account.wit`; ids, cursors and
/// page tokens are opaque to the host and of the connector's own making.
#[expect(unused_variables, reason = "the defaults use no argument, but the names are the documentation")]
#[allow(clippy::missing_errors_doc, reason = "the contract says which errors there are")]
pub trait Session: 'static {
    /// Says goodbye without waiting long. The last call.
    fn close(&mut self) {}

    /// Who am I, which mailbox, which rights. Changes nothing.
    fn check(&mut self) -> Result<Identity> {
        Err(unsupported("check"))
    }

    /// The folders below `under` (the top when absent): all levels when `recursive`, else one.
    fn folders(&mut self, under: Option<&str>, recursive: bool) -> Result<Vec<Folder>> {
        Err(unsupported("folders"))
    }

    /// One folder with current counts. `not-found` names the part of the path that is missing.
    fn find_folder(&mut self, at: &FolderAddress) -> Result<Folder> {
        Err(unsupported("find-folder"))
    }

    /// Creates the folder and its missing parents; returns the one that is there already.
    fn create_folder(&mut self, path: &[String]) -> Result<Folder> {
        Err(unsupported("create-folder"))
    }

    /// A page of messages, oldest first. A message that arrives or leaves while paging must not hide another one.
    fn list_messages(&mut self, folder: &str, page: &PageRequest) -> Result<MessagePage> {
        Err(unsupported("list-messages"))
    }

    /// What changed since the cursor.
    fn changes(&mut self, folder: &str, since: Option<&str>) -> Result<ChangeSet> {
        Err(unsupported("changes"))
    }

    /// Delivers the messages into `into`. One bad message is failed there and the others go on.
    fn fetch(&mut self, messages: &[String], into: &dyn Delivery) -> Result<()> {
        Err(unsupported("fetch"))
    }

    /// Moves messages. `again`: an earlier attempt may have got half-way.
    fn move_messages(&mut self, messages: &[String], target: &str, again: bool) -> Result<Vec<Outcome>> {
        Err(unsupported("move-messages"))
    }

    /// Marks messages as read or unread.
    fn mark_messages(&mut self, messages: &[String], read: bool) -> Result<Vec<Outcome>> {
        Err(unsupported("mark-messages"))
    }

    /// Deletes messages for good, or into the trash where the service has no other way.
    fn delete_messages(&mut self, messages: &[String]) -> Result<Vec<Outcome>> {
        Err(unsupported("delete-messages"))
    }

    /// Puts a message into a folder without sending it. Returns its id when the service tells.
    fn append(&mut self, folder: &str, content: &dyn Source, info: &DeliveryInfo) -> Result<Option<String>> {
        Err(unsupported("append"))
    }

    /// Sends a message once. Call [`Source::point_of_no_return`] at the right place.
    fn send(&mut self, envelope: &Envelope, content: &dyn Source) -> std::result::Result<Receipt, SendError> {
        Err(SendError::not_sent(unsupported("send")))
    }

    /// Looks for a sent message by its Message-ID.
    fn find_sent(&mut self, internet_message_id: &str) -> Result<Option<Message>> {
        Err(unsupported("find-sent"))
    }

    /// The same messages in another id format, in the order asked for.
    fn translate(&mut self, messages: &[String], source: &str, target: &str) -> Result<Vec<Option<String>>> {
        Err(unsupported("translate"))
    }

    /// Waits until something may have changed in the folder.
    fn wait(&mut self, folder: &str, timeout_ms: u32) -> Result<Wake> {
        Err(unsupported("wait"))
    }
}

fn unsupported(operation: &str) -> Error {
    Error::unsupported(format!("this connector has no `{operation}`"))
}
