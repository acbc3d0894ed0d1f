//! The records of the contract. They are documented there, in `wit/email-account.wit`, `content.wit` and `types.wit`.

pub use crate::bindings::exports::wissel::connector::email_account::{
    Certainty, ChangeSet, Envelope, Folder, FolderAddress, FolderRole, Identity, Message, MessagePage,
    Outcome, PageRequest, Receipt, Refusal, SendError, Wake,
};
pub use crate::bindings::wissel::connector::content::DeliveryInfo;
pub use crate::bindings::wissel::connector::credentials::SealedForm;
pub use crate::bindings::wissel::connector::log::Level;
pub use crate::bindings::wissel::connector::streams::{Readiness, Security};
pub use crate::bindings::wissel::connector::types::Encoding;

use crate::Error;

impl Outcome {
    /// It was done, or there was nothing left to do.
    pub fn done(message: impl Into<String>) -> Self {
        Self { message: message.into(), new_id: None, failure: None }
    }

    /// It was moved, and this is its id now.
    pub fn moved(message: impl Into<String>, new_id: Option<String>) -> Self {
        Self { message: message.into(), new_id, failure: None }
    }

    /// It failed.
    pub fn failed(message: impl Into<String>, failure: Error) -> Self {
        Self { message: message.into(), new_id: None, failure: Some(failure) }
    }
}

impl SendError {
    /// The service has certainly not accepted the message.
    #[must_use]
    pub fn not_sent(reason: Error) -> Self {
        Self { certainty: Certainty::NotSent, reason, refused: Vec::new() }
    }

    /// The service may have accepted the message.
    #[must_use]
    pub fn unknown(reason: Error) -> Self {
        Self { certainty: Certainty::Unknown, reason, refused: Vec::new() }
    }
}
