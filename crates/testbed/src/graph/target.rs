//! The mailbox that a call is about, and the ids in it.

use std::sync::Arc;

use axum::http::StatusCode;

use super::{
    auth::{self, Act},
    call::Call,
    errors::GraphError,
    ids::{Form, Id, number_of},
    server::Face,
};
use crate::{
    mailbox::{FolderId, Mailbox, MailboxError, Message, MessageId, Role},
    mailboxes::Owner,
};

/// The folder that holds the uppermost ones; the mailbox itself has none.
pub(super) const ROOT: FolderId = FolderId(0);

/// Names that stand for a folder in every language.
const WELL_KNOWN: [(&str, Role); 7] = [
    ("inbox", Role::Inbox),
    ("archive", Role::Archive),
    ("drafts", Role::Drafts),
    ("sentitems", Role::Sent),
    ("deleteditems", Role::Trash),
    ("junkemail", Role::Junk),
    ("outbox", Role::Outbox),
];

/// A mailbox that is open for a call.
pub(super) struct Target<'a> {
    pub(super) face: &'a Arc<Face>,
    pub(super) call: &'a Call,
    pub(super) owner: Owner,
    pub(super) mailbox: Mailbox,
    /// Sets the mailbox's ids apart from those of others.
    pub(super) number: u64,
    /// The URL of the user: `https://localhost:40123/v1.0/me`.
    pub(super) url: String,
}

/// The user that the path names, and the path after him.
pub(super) fn owner<'a>(face: &Face, call: &'a Call) -> Result<(Owner, String, &'a [String]), GraphError> {
    match call.path.split_first() {
        Some((first, rest)) if first == "me" => {
            let Some(user) = &call.token.user else {
                let message = "/me request is only valid with delegated authentication flow.";
                return Err(GraphError::bad_request("BadRequest", message));
            };
            let owner = face.owner(&user.name).ok_or_else(|| GraphError::unknown_user(&user.name))?;
            Ok((owner, format!("{}/v1.0/me", face.url), rest))
        }
        Some((first, rest)) if first == "users" => {
            let Some((user, rest)) = rest.split_first() else {
                return Err(GraphError::access_denied());
            };
            let owner = face.owner(user).ok_or_else(|| GraphError::unknown_user(user))?;
            Ok((owner, format!("{}/v1.0/users/{user}", face.url), rest))
        }
        first => {
            let name = first.map(|(first, _)| first.as_str()).unwrap_or_default();
            let message = format!("Resource not found for the segment '{name}'.");
            Err(GraphError::bad_request("BadRequest", message))
        }
    }
}

impl<'a> Target<'a> {
    /// Opens the mailbox that the path names.
    pub(super) fn open(
        face: &'a Arc<Face>,
        call: &'a Call,
        act: Act,
    ) -> Result<(Self, &'a [String]), GraphError> {
        let (owner, url, rest) = owner(face, call)?;
        auth::permit(face, &call.token, &owner, act)?;
        let mailbox = owner.mailbox.clone().ok_or_else(GraphError::no_mailbox)?;
        let number = number_of(&owner.address);
        Ok((Self { face, call, owner, mailbox, number, url }, rest))
    }

    /// `@odata.context` of a collection or of one thing.
    pub(super) fn context(&self, of: &str) -> String {
        format!("{}/v1.0/$metadata#users('{}')/{of}", self.face.url, self.face.object_id(&self.owner))
    }

    pub(super) fn write(&self, id: Id) -> String {
        id.write(self.number, Form::Rest)
    }

    pub(super) fn read(&self, text: &str) -> Option<Id> {
        Id::read(text, self.number, Form::Rest)
    }

    /// A message's id, of the kind that the call asks for.
    pub(super) fn message_id(&self, folder: FolderId, message: &Message) -> String {
        self.write(match self.call.immutable_ids() {
            true => Id::Immutable(message.id),
            false => Id::Message { folder, uid: message.uid, id: message.id },
        })
    }

    /// The folder with a role.
    pub(super) fn role(&self, role: Role) -> Result<FolderId, GraphError> {
        let found = self.mailbox.folders().into_iter().find(|folder| folder.role == Some(role));
        found.map(|folder| folder.id).ok_or_else(folder_not_found)
    }

    /// The folder of an id or a well-known name; [`ROOT`] too.
    pub(super) fn folder_id(&self, text: &str) -> Result<FolderId, GraphError> {
        let lower = text.to_ascii_lowercase();
        if lower == "msgfolderroot" {
            return Ok(ROOT);
        }
        if let Some((_, role)) = WELL_KNOWN.iter().find(|(name, _)| *name == lower) {
            return self.role(*role);
        }
        let Some(Id::Folder(id)) = self.read(text) else { return Err(GraphError::malformed_id()) };
        if id != ROOT {
            self.mailbox.folder_by_id(id).map_err(|_| folder_not_found())?;
        }
        Ok(id)
    }

    /// The message of an id, in `folder` where the path names one.
    pub(super) fn message(
        &self,
        text: &str,
        folder: Option<FolderId>,
    ) -> Result<(FolderId, Message), GraphError> {
        let (found, place) = match self.read(text) {
            Some(Id::Immutable(id)) => (self.mailbox.find(id), None),
            Some(Id::Message { folder, uid, id }) => (self.mailbox.find(id), Some((folder, uid))),
            _ => return Err(GraphError::malformed_id()),
        };
        let (lies_in, message) = found.ok_or_else(GraphError::item_not_found)?;
        // The id of a place ends with the place.
        let gone = place.is_some_and(|place| place != (lies_in, message.uid));
        let elsewhere = folder.is_some_and(|folder| folder != lies_in && folder != ROOT);
        if gone || elsewhere { Err(GraphError::item_not_found()) } else { Ok((lies_in, message)) }
    }

    /// The message again after it was changed or moved.
    pub(super) fn again(&self, id: MessageId) -> Result<(FolderId, Message), GraphError> {
        self.mailbox.find(id).ok_or_else(GraphError::item_not_found)
    }
}

pub(super) fn folder_not_found() -> GraphError {
    let message = "The specified folder could not be found in the store.";
    GraphError::new(StatusCode::NOT_FOUND, "ErrorItemNotFound", message)
}

impl From<MailboxError> for GraphError {
    fn from(error: MailboxError) -> Self {
        match error {
            MailboxError::NoSuchFolder(_) => folder_not_found(),
            MailboxError::NoSuchMessage(_) => Self::item_not_found(),
            MailboxError::FolderExists(_) => {
                let message = "A folder with the specified name already exists.";
                Self::new(StatusCode::CONFLICT, "ErrorFolderExists", message)
            }
            MailboxError::FolderInUse(_) => {
                let message =
                    "The folder is distinguished or has sub folders, and cannot be deleted or changed.";
                Self::bad_request("ErrorDeleteDistinguishedFolder", message)
            }
        }
    }
}
